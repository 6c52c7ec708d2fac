//! A graph's inputs and outputs by their roles in a decoder.

use tealight_onnx::ndarray::{Array, ArrayD, Axis, Slice};
use tealight_onnx::{Dimension, ElementType, OnnxModel, Tensor, TensorInfo};

use crate::TokenId;

/// Symbols for the positions before a step, and for those of it.
const PAST: &str = "P";
const STEP: &str = "S";

/// What a graph takes and gives.
pub(super) struct Ports {
    inputs: Vec<Input>,
    /// Index of the logits among the outputs.
    pub(super) logits: usize,
    /// The outputs that become the next step's states, in the order of [`Ports::states`].
    pub(super) kept: Vec<usize>,
}

struct Input {
    name: String,
    element: ElementType,
    role: Role,
}

enum Role {
    Tokens,
    /// Which positions count: all.
    Mask,
    Positions,
    /// Truth, to continue a text.
    Continues,
    State(State),
}

/// What a layer keeps from step to step.
struct State {
    /// Its sizes before the first step.
    shape: Vec<usize>,
    /// The axis along which it grows; none where it has one size for ever.
    grows: Option<usize>,
}

/// The graph's states between two steps.
pub(super) type States = Vec<Tensor>;

/// Names of states before a step and after it.
const NAMES: [(&str, &str); 3] = [
    ("past_key_values", "present"),
    ("past_key_values", "present_key_values"),
    ("past", "present"),
];

impl Ports {
    /// # Errors
    /// What is missing, or has no meaning.
    pub(super) fn of(onnx: &OnnxModel) -> Result<Ports, String> {
        let output = |name: &str| onnx.outputs().iter().position(|info| info.name == name);
        let logits = output("logits").ok_or("it has no output `logits`")?;
        let mut kept = Vec::new();
        let mut inputs = Vec::new();
        for info in onnx.inputs() {
            let role = match info.name.as_str() {
                "input_ids" => Role::Tokens,
                "attention_mask" => Role::Mask,
                "position_ids" => Role::Positions,
                "use_cache_branch" => Role::Continues,
                name => {
                    let after = NAMES.iter().find_map(|(before, after)| {
                        let rest = name.strip_prefix(before)?;
                        output(&format!("{after}{rest}"))
                    });
                    let after = after
                        .ok_or_else(|| format!("nobody knows what its input `{name}` means"))?;
                    kept.push(after);
                    Role::State(State::of(info)?)
                }
            };
            inputs.push(Input {
                name: info.name.clone(),
                element: info.element,
                role,
            });
        }
        if kept.is_empty() {
            return Err("it has no inputs for keys and values".to_owned());
        }
        Ok(Ports {
            inputs,
            logits,
            kept,
        })
    }

    /// The inputs' shapes, with one text and symbols for its lengths.
    pub(super) fn shapes(&self) -> Vec<Vec<String>> {
        let shape = |input: &Input| match &input.role {
            Role::Tokens | Role::Positions => vec!["1".to_owned(), STEP.to_owned()],
            Role::Mask => vec!["1".to_owned(), format!("{PAST}+{STEP}")],
            Role::Continues => vec!["1".to_owned()],
            Role::State(state) => {
                let sizes = state.shape.iter().enumerate();
                let sizes = sizes.map(|(axis, size)| match state.grows == Some(axis) {
                    true => PAST.to_owned(),
                    false => size.to_string(),
                });
                sizes.collect()
            }
        };
        self.inputs.iter().map(shape).collect()
    }

    fn states(&self) -> impl Iterator<Item = (&Input, &State)> {
        self.inputs.iter().filter_map(|input| match &input.role {
            Role::State(state) => Some((input, state)),
            _ => None,
        })
    }

    /// The states before the first step.
    pub(super) fn empty(&self) -> States {
        let state = |(input, state): (&Input, &State)| Tensor::zeros(input.element, &state.shape);
        self.states().map(state).collect()
    }

    /// Bytes of what is kept of each token.
    pub(super) fn bytes_per_token(&self) -> u64 {
        let growing = self.states().filter(|(_, state)| state.grows.is_some());
        let bytes = growing.map(|(input, state)| {
            let values: usize = state.shape.iter().filter(|&&size| size > 0).product();
            let wide = match input.element {
                ElementType::F16 => 2,
                _ => 4,
            };
            (values * wide) as u64
        });
        bytes.sum()
    }

    /// The inputs of a step of `tokens` after `past` others.
    pub(super) fn feed(
        &self,
        tokens: &[TokenId],
        past: usize,
        states: &States,
    ) -> Result<Vec<(&str, Tensor)>, String> {
        let mut states = states.iter();
        let positions = past as i64..(past + tokens.len()) as i64;
        let mut fed = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let tensor = match input.role {
                Role::Tokens => row(
                    input,
                    tokens.iter().map(|&token| i64::from(token)).collect(),
                )?,
                Role::Mask => row(input, vec![1; past + tokens.len()])?,
                Role::Positions => row(input, positions.clone().collect())?,
                Role::Continues => Tensor::from(Array::from_elem(1, true)),
                Role::State(_) => states.next().ok_or("a state is missing")?.clone(),
            };
            fed.push((input.name.as_str(), tensor));
        }
        Ok(fed)
    }

    /// The states of only the first `len` positions; none where a state cannot go back.
    pub(super) fn truncated(&self, states: &States, len: usize) -> Option<States> {
        let cut = |((_, state), tensor): ((&Input, &State), &Tensor)| {
            let axis = Axis(state.grows?);
            fn of<T: Clone>(array: &ArrayD<T>, axis: Axis, len: usize) -> ArrayD<T> {
                array.slice_axis(axis, Slice::from(..len)).to_owned()
            }
            Some(match tensor {
                Tensor::F32(array) => Tensor::F32(of(array, axis, len)),
                Tensor::F16(array) => Tensor::F16(of(array, axis, len)),
                _ => return None,
            })
        };
        self.states().zip(states).map(cut).collect()
    }
}

impl State {
    fn of(info: &TensorInfo) -> Result<State, String> {
        let shape = info.shape.as_deref().unwrap_or_default();
        let mut grows = None;
        let mut sizes = Vec::new();
        for (axis, size) in shape.iter().enumerate() {
            sizes.push(match size {
                Dimension::Fixed(size) => *size,
                // One text.
                _ if axis == 0 => 1,
                _ if grows.is_none() => {
                    grows = Some(axis);
                    0
                }
                _ => return Err(format!("its input `{info}` is open on several axes")),
            });
        }
        Ok(State {
            shape: sizes,
            grows,
        })
    }
}

/// Numbers as `[1, count]`, in the type that an input takes.
fn row(input: &Input, values: Vec<i64>) -> Result<Tensor, String> {
    let shape = (1, values.len());
    let whole = Array::from_shape_vec(shape, values).map_err(|error| error.to_string())?;
    Ok(match input.element {
        ElementType::I64 => Tensor::from(whole),
        ElementType::I32 => Tensor::from(whole.mapv(|value| value as i32)),
        ElementType::F32 => Tensor::from(whole.mapv(|value| value as f32)),
        ElementType::Bool => Tensor::from(whole.mapv(|value| value != 0)),
        other => return Err(format!("its input `{}` is of type {other}", input.name)),
    })
}
