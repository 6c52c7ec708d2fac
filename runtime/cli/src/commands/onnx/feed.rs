//! The tensors of a call out of what was typed: `--input NAME=VALUE`, `--dim NAME=SIZE` and
//! `--shape NAME=N,N,…`.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use serde_json::Value;
use tealight::onnx::{Dimension, ElementType, Tensor, TensorInfo};

use super::npy;
use crate::exit::Failure;

/// `--input NAME=VALUE`.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    name: String,
    value: String,
}

impl FromStr for Feed {
    type Err = String;

    fn from_str(text: &str) -> Result<Feed, String> {
        let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
        Ok(Feed {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// `--dim NAME=SIZE`.
#[derive(Clone, Debug)]
pub(super) struct Size {
    name: String,
    size: usize,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let (name, size) = text.split_once('=').ok_or("must be NAME=SIZE")?;
        let size = size
            .parse()
            .map_err(|_| format!("`{size}` is not a size"))?;
        Ok(Size {
            name: name.to_owned(),
            size,
        })
    }
}

/// `--shape NAME=N,N,…`.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    name: String,
    sizes: Vec<usize>,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Shape, String> {
        let (name, sizes) = text.split_once('=').ok_or("must be NAME=N,N,…")?;
        let size = |size: &str| {
            size.trim()
                .parse()
                .map_err(|_| format!("`{size}` is not a size"))
        };
        let sizes = sizes.split(',').map(size).collect::<Result<_, String>>()?;
        Ok(Shape {
            name: name.to_owned(),
            sizes,
        })
    }
}

/// Numbers of any type with a shape, on their way to becoming a tensor.
#[derive(Debug, PartialEq)]
pub(super) struct Numbers {
    pub(super) shape: Vec<usize>,
    pub(super) values: Values,
}

/// Integers are kept apart from floats, so that large ones stay exact.
#[derive(Debug, PartialEq)]
pub(super) enum Values {
    Whole(Vec<i64>),
    Real(Vec<f64>),
}

/// A tensor for each of the model's inputs: what was given for it, or zeros.
pub(super) fn tensors(
    infos: &[TensorInfo],
    feeds: &[Feed],
    sizes: &[Size],
    shapes: &[Shape],
) -> Result<Vec<(String, Tensor)>, Failure> {
    let mut named = feeds
        .iter()
        .map(|f| &f.name)
        .chain(shapes.iter().map(|s| &s.name));
    if let Some(unknown) = named.find(|name| !infos.iter().any(|info| info.name == **name)) {
        let known: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
        return Err(Failure::usage(format!(
            "`{unknown}` is not an input; the inputs are {}",
            known.join(", ")
        )));
    }
    let dimensions = || {
        infos
            .iter()
            .filter_map(|info| info.shape.as_ref())
            .flatten()
    };
    let open = |name: &str| dimensions().any(|d| *d == Dimension::Symbol(name.to_owned()));
    if let Some(size) = sizes.iter().find(|size| !open(&size.name)) {
        return Err(Failure::usage(format!(
            "`{}` is not an open dimension",
            size.name
        )));
    }
    let tensor = |info: &TensorInfo| {
        let shape = shapes.iter().rfind(|shape| shape.name == info.name);
        let shape = match shape {
            Some(shape) => shape.sizes.clone(),
            None => info
                .shape
                .iter()
                .flatten()
                .map(|d| size_of(d, sizes))
                .collect(),
        };
        Ok((info.name.clone(), tensor(info, shape, feeds)?))
    };
    infos.iter().map(tensor).collect()
}

fn tensor(info: &TensorInfo, shape: Vec<usize>, feeds: &[Feed]) -> Result<Tensor, Failure> {
    let Some(feed) = feeds.iter().rfind(|feed| feed.name == info.name) else {
        return Ok(Tensor::zeros(info.element, &shape));
    };
    let mut numbers = read(&feed.value)?;
    if numbers.shape.is_empty() && !shape.is_empty() {
        numbers = numbers.repeated(shape);
    }
    numbers.into_tensor(info.element).ok_or_else(|| {
        Failure::usage(format!(
            "input `{}`: the values do not fit {}",
            info.name, info.element
        ))
    })
}

/// `batch` finds `--dim batch=2`; anything else that is open has one element.
fn size_of(dimension: &Dimension, sizes: &[Size]) -> usize {
    match dimension {
        Dimension::Fixed(size) => *size,
        Dimension::Symbol(name) => sizes
            .iter()
            .rfind(|size| size.name == *name)
            .map_or(1, |size| size.size),
        Dimension::Open => 1,
    }
}

fn read(value: &str) -> Result<Numbers, Failure> {
    let text = match value.strip_prefix('@') {
        None => value.to_owned(),
        Some(path) => {
            let bytes = fs::read(path)
                .map_err(|error| Failure::input(format!("cannot read {path}"), &error))?;
            if Path::new(path)
                .extension()
                .is_some_and(|ending| ending == "npy")
            {
                return npy::parse(&bytes)
                    .map_err(|fault| Failure::usage(format!("{path} {fault}")));
            }
            String::from_utf8(bytes)
                .map_err(|error| Failure::input(format!("cannot read {path}"), &error))?
        }
    };
    let json: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{value}` is not JSON: {error}")))?;
    from_json(&json).ok_or_else(|| {
        Failure::usage(format!(
            "`{value}` is not a number or even nested arrays of numbers"
        ))
    })
}

fn from_json(json: &Value) -> Option<Numbers> {
    let mut shape = Vec::new();
    let mut level = json;
    while let Value::Array(items) = level {
        shape.push(items.len());
        match items.first() {
            Some(first) => level = first,
            None => break,
        }
    }
    let mut flat = Vec::new();
    flatten(json, &shape, &mut flat)?;
    let whole: Option<Vec<i64>> = flat.iter().map(|value| whole(value)).collect();
    let values = match whole {
        Some(whole) => Values::Whole(whole),
        None => Values::Real(
            flat.iter()
                .map(|value| value.as_f64())
                .collect::<Option<_>>()?,
        ),
    };
    Some(Numbers { shape, values })
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_bool().map(i64::from))
}

fn flatten<'a>(json: &'a Value, shape: &[usize], flat: &mut Vec<&'a Value>) -> Option<()> {
    match (json, shape) {
        (Value::Array(items), [size, rest @ ..]) if items.len() == *size => {
            items.iter().try_for_each(|item| flatten(item, rest, flat))
        }
        (Value::Number(_) | Value::Bool(_), []) => {
            flat.push(json);
            Some(())
        }
        _ => None,
    }
}

impl Numbers {
    /// The one number, everywhere in `shape`.
    fn repeated(self, shape: Vec<usize>) -> Numbers {
        let volume = shape.iter().product();
        let values = match self.values {
            Values::Whole(values) => Values::Whole(values.repeat(volume)),
            Values::Real(values) => Values::Real(values.repeat(volume)),
        };
        Numbers { shape, values }
    }

    /// A tensor of `element`, or nothing where a value is out of its range.
    fn into_tensor(self, element: ElementType) -> Option<Tensor> {
        use tealight::onnx::half::f16;
        let (shape, values) = (self.shape, self.values);
        match element {
            ElementType::F32 => array(shape, values.real().map(|x| Some(x as f32))),
            ElementType::F16 => array(shape, values.real().map(|x| Some(f16::from_f64(x)))),
            ElementType::F64 => array(shape, values.real().map(Some)),
            ElementType::I8 => array(shape, values.whole()?.map(|x| i8::try_from(x).ok())),
            ElementType::I16 => array(shape, values.whole()?.map(|x| i16::try_from(x).ok())),
            ElementType::I32 => array(shape, values.whole()?.map(|x| i32::try_from(x).ok())),
            ElementType::I64 => array(shape, values.whole()?.map(Some)),
            ElementType::U8 => array(shape, values.whole()?.map(|x| u8::try_from(x).ok())),
            ElementType::U16 => array(shape, values.whole()?.map(|x| u16::try_from(x).ok())),
            ElementType::U32 => array(shape, values.whole()?.map(|x| u32::try_from(x).ok())),
            ElementType::U64 => array(shape, values.whole()?.map(|x| u64::try_from(x).ok())),
            ElementType::Bool => array(shape, values.whole()?.map(|x| Some(x != 0))),
        }
    }
}

impl Values {
    fn real(self) -> Box<dyn Iterator<Item = f64>> {
        match self {
            Values::Whole(values) => Box::new(values.into_iter().map(|x| x as f64)),
            Values::Real(values) => Box::new(values.into_iter()),
        }
    }

    fn whole(self) -> Option<impl Iterator<Item = i64>> {
        match self {
            Values::Whole(values) => Some(values.into_iter()),
            Values::Real(_) => None,
        }
    }
}

fn array<T>(shape: Vec<usize>, values: impl Iterator<Item = Option<T>>) -> Option<Tensor>
where
    Tensor: From<tealight::onnx::ndarray::ArrayD<T>>,
{
    let values: Vec<T> = values.collect::<Option<_>>()?;
    tealight::onnx::ndarray::ArrayD::from_shape_vec(shape, values)
        .ok()
        .map(Tensor::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Option<Numbers> {
        from_json(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn nested_arrays_have_a_shape() {
        let found = numbers("[[1, 2, 3], [4, 5, 6]]").unwrap();
        assert_eq!(found.shape, [2, 3]);
        assert_eq!(found.values, Values::Whole(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(numbers("0.5").unwrap().shape, [0; 0]);
    }

    #[test]
    fn uneven_arrays_and_text_are_refused() {
        assert_eq!(numbers("[[1, 2], [3]]"), None);
        assert_eq!(numbers("[1, [2]]"), None);
        assert_eq!(numbers("[\"one\"]"), None);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert!(
            numbers("[300]")
                .unwrap()
                .into_tensor(ElementType::U8)
                .is_none()
        );
        assert!(
            numbers("[0.5]")
                .unwrap()
                .into_tensor(ElementType::I64)
                .is_none()
        );
        assert!(
            numbers("[255]")
                .unwrap()
                .into_tensor(ElementType::U8)
                .is_some()
        );
    }

    #[test]
    fn one_number_fills_a_tensor() {
        let filled = numbers("7").unwrap().repeated(vec![2, 2]);
        assert_eq!(filled.values, Values::Whole(vec![7; 4]));
    }
}
