//! NumPy's `.npy` files: a magic number, a header that is a Python dictionary, and the values.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use super::feed::{Numbers, Values};

/// The array of a `.npy` file: little-endian numbers or booleans in C order.
///
/// # Errors
/// What is wrong with the file, to be put after its name.
pub(super) fn parse(bytes: &[u8]) -> Result<Numbers, String> {
    let (header, data) = split(bytes).ok_or("is not a .npy file")?;
    let field = |name: &str| {
        header
            .split_once(&format!("'{name}':"))
            .map(|(_, rest)| rest.trim())
    };
    let kind = field("descr")
        .and_then(|rest| rest.split('\'').nth(1))
        .ok_or("has no type")?;
    if !field("fortran_order").is_some_and(|rest| rest.starts_with("False")) {
        return Err("is in Fortran order; save it with numpy.ascontiguousarray".to_owned());
    }
    let shape = field("shape").and_then(tuple).ok_or("has no shape")?;
    let volume = shape
        .iter()
        .try_fold(1_usize, |volume, size| volume.checked_mul(*size));
    let volume = volume.ok_or("is too large")?;
    let values = values(kind, data).ok_or_else(|| format!("has values of the type {kind}"))?;
    if values.len() != volume {
        return Err(format!(
            "has {} values for the shape {shape:?}",
            values.len()
        ));
    }
    Ok(Numbers { shape, values })
}

fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _minor], rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// `(2, 3), …` or `(5,), …` or `(), …`.
fn tuple(text: &str) -> Option<Vec<usize>> {
    let inside = text.strip_prefix('(')?.split(')').next()?;
    let items = inside
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    items.map(|item| item.parse().ok()).collect()
}

fn values(kind: &str, data: &[u8]) -> Option<Values> {
    fn whole<const N: usize>(data: &[u8], read: fn([u8; N]) -> i64) -> Values {
        Values::Whole(
            data.as_chunks::<N>()
                .0
                .iter()
                .map(|bytes| read(*bytes))
                .collect(),
        )
    }
    fn real<const N: usize>(data: &[u8], read: fn([u8; N]) -> f64) -> Values {
        Values::Real(
            data.as_chunks::<N>()
                .0
                .iter()
                .map(|bytes| read(*bytes))
                .collect(),
        )
    }
    Some(match kind {
        "|b1" | "|u1" => whole(data, |b| i64::from(u8::from_le_bytes(b))),
        "|i1" => whole(data, |b| i64::from(i8::from_le_bytes(b))),
        "<i2" => whole(data, |b| i64::from(i16::from_le_bytes(b))),
        "<u2" => whole(data, |b| i64::from(u16::from_le_bytes(b))),
        "<i4" => whole(data, |b| i64::from(i32::from_le_bytes(b))),
        "<u4" => whole(data, |b| i64::from(u32::from_le_bytes(b))),
        "<i8" => whole(data, i64::from_le_bytes),
        "<f2" => real(data, |b| {
            tealight::onnx::half::f16::from_le_bytes(b).to_f64()
        }),
        "<f4" => real(data, |b| f64::from(f32::from_le_bytes(b))),
        "<f8" => real(data, f64::from_le_bytes),
        _ => return None,
    })
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Values::Whole(values) => values.len(),
            Values::Real(values) => values.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    }

    #[test]
    fn an_array_as_numpy_writes_it() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }  \n";
        let data = [0.5_f32.to_le_bytes(), (-2.0_f32).to_le_bytes()].concat();
        let numbers = parse(&file(header, &data)).unwrap();
        assert_eq!(
            numbers,
            Numbers {
                shape: vec![1, 2],
                values: Values::Real(vec![0.5, -2.0])
            }
        );
    }

    #[test]
    fn what_is_no_array_is_refused() {
        let bad = |header: &str| parse(&file(header, &[0; 4])).unwrap_err();
        assert_eq!(parse(b"PK").unwrap_err(), "is not a .npy file");
        assert!(bad("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}").contains("Fortran"));
        assert!(
            bad("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}").contains("1 values")
        );
        assert!(bad("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}").contains("<c8"));
        assert!(parse(&file("{}", &[])).is_err());
    }
}
