//! The walk: goes once over the graph's nodes in the order of execution and gives each of
//! their results a meaning ([`Value`]), from shapes and positions up to activations.
//!
//! Every operator has rules, tried in order, that turn the meaning of its inputs into that of
//! its outputs. A rule that recognises the last operator of a group, say the product that ends
//! an RMSNorm, appends an operator to the [`Network`]. What no rule explains is reported; so
//! nothing is ever guessed, and only what the plan computes can reach its logits.

pub(crate) mod array;
mod bind;
pub(crate) mod dim;
pub(crate) mod grid;
pub(crate) mod layout;
pub(crate) mod network;
mod rules;
mod traced;
pub(crate) mod value;

use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;

use crate::error::{ImportError, UnrecognisedOperator};
use crate::onnx::{Bytestore, DType, Graph, Node, Tensor};
use crate::weights::{Column, PositionTable};
use array::Array;
use dim::Dim;
use grid::Grid;
use network::{Network, RowOp};
use value::{Rows, Stored, Value};

pub(crate) use bind::Decoder;

/// The outputs' meaning, or `None` where the rule does not apply. Outputs that are left out at
/// the end have no meaning and cannot be used.
pub(crate) type Outcome = Result<Option<Vec<Value>>, ImportError>;

/// A way to explain an operator.
pub(crate) type Rule = fn(&mut Walk, &Node) -> Outcome;

/// One output with this meaning.
pub(crate) fn one(value: Option<Value>) -> Outcome {
    Ok(value.map(|value| vec![value]))
}

/// Most numbers that are known while importing, altogether: real graphs stay below a hundred
/// thousand, and a hostile one cannot make the walk fill the memory.
const MAX_KNOWN: usize = 1 << 22;
/// Most row operators.
const MAX_ROWS: usize = 1 << 14;
/// Most tensors that are parts of stored ones, or made here.
const MAX_MADE: usize = 1 << 18;
const TOO_LARGE: &str = "its graph computes more than any decoder's";

/// Walks over a graph and returns the decoder in it. `context` is the number of positions that
/// the plan is asked to have room for, which decides where a graph computes otherwise for long
/// texts.
pub(crate) fn walk(graph: &Graph, context: Option<usize>) -> Result<Decoder, ImportError> {
    let mut walk = Walk {
        values: bind::inputs(graph),
        network: Network::default(),
        tables: vec![],
        made: 0,
        context,
        past: bind::past(graph),
        layers: 0,
        longest: None,
        opset: graph.opset,
    };
    for tensor in graph.initializers.values() {
        let stored = Value::Stored(Stored::whole(tensor.clone()));
        walk.values.insert(tensor.name.clone(), stored);
    }
    let needed = needed(graph);
    let mut size = 0;
    let mut unrecognised = Vec::new();
    for (node, needed) in graph.nodes.iter().zip(needed) {
        let Some(rules) = rules::of(node) else {
            unrecognised.push(report(node, true));
            continue;
        };
        let given = |name: &String| name.is_empty() || walk.values.contains_key(name);
        if !needed || !node.inputs.iter().all(given) {
            continue;
        }
        match walk.apply(rules, node)? {
            Some(values) => {
                size += values.iter().map(Value::size).sum::<usize>();
                if size > MAX_KNOWN || walk.network.rows.len() > MAX_ROWS {
                    return Err(ImportError::malformed(&graph.path, TOO_LARGE));
                }
                for (name, value) in node.outputs.iter().zip(values) {
                    walk.values.insert(name.clone(), value);
                }
            }
            None => unrecognised.push(report(node, false)),
        }
    }
    if !unrecognised.is_empty() {
        if let Some(node) = traced::experts(graph) {
            return Err(ImportError::TracedExperts {
                node: node.name.clone(),
            });
        }
        return Err(ImportError::Unrecognised(unrecognised));
    }
    bind::outputs(graph, walk)
}

/// Which nodes the graph's outputs depend on.
fn needed(graph: &Graph) -> Vec<bool> {
    let mut wanted: std::collections::HashSet<&str> = bind::wanted(graph).collect();
    let mut needed = vec![false; graph.nodes.len()];
    for (node, needed) in graph.nodes.iter().zip(&mut needed).rev() {
        if node
            .outputs
            .iter()
            .any(|name| wanted.contains(name.as_str()))
        {
            *needed = true;
            wanted.extend(node.inputs.iter().map(String::as_str));
        }
    }
    needed
}

fn report(node: &Node, unknown: bool) -> UnrecognisedOperator {
    UnrecognisedOperator {
        domain: node.domain.clone(),
        operator: node.op.clone(),
        node: node.name.clone(),
        unknown,
    }
}

/// Whether a shape is that of a vector along the last axis.
pub(crate) fn is_flat(shape: &[usize]) -> bool {
    shape
        .split_last()
        .is_none_or(|(_, front)| front.iter().all(|&size| size == 1))
}

/// What is known at one point of the walk.
pub(crate) struct Walk {
    values: HashMap<String, Value>,
    pub(crate) network: Network,
    tables: Vec<Rc<PositionTable>>,
    made: usize,
    context: Option<usize>,
    /// Positions before the step: none in a graph without keys and values of any.
    pub(crate) past: Dim,
    /// Layers of attention so far, in a graph that does not number them.
    layers: usize,
    /// Most positions for which what was found holds.
    longest: Option<usize>,
    /// Version of ONNX's own operators.
    pub(crate) opset: i64,
}

impl Walk {
    fn apply(&mut self, rules: &[Rule], node: &Node) -> Outcome {
        for rule in rules {
            if let Some(values) = rule(self, node)? {
                return Ok(Some(values));
            }
        }
        Ok(None)
    }

    /// Whether a condition holds that depends on the number of positions alone, as in graphs that
    /// turn heads more slowly in long texts.
    ///
    /// A plan is made for one of the two. It is the short texts, and the plan has room for no more,
    /// unless it is asked to have room for longer ones: then everything counts as long.
    pub(crate) fn for_this_length(&mut self, condition: &Grid) -> Option<bool> {
        if let Some(truth) = condition.fill() {
            return Some(truth != 0.0);
        }
        let grid::Content::Choice { when, yes, no } = &condition.content else {
            return None;
        };
        let [form] = &when[..] else { return None };
        if form.steps.iter().any(|&step| step != 0) {
            return None;
        }
        // Positions at which the condition changes: it holds from there on, or only before.
        let total = self.past.add(Dim::SEQUENCE)?;
        let from = form.base.sub(total).and_then(Dim::number);
        let before = form.base.add(total).and_then(Dim::number);
        let (least, above) = match (from, before) {
            (Some(rest), _) => (rest.checked_neg()?, *yes),
            (_, Some(rest)) => (rest.checked_add(1)?, *no),
            _ => return None,
        };
        let below = if from.is_some() { *no } else { *yes };
        let least = usize::try_from(least).ok().filter(|&least| least > 1)?;
        if self.context.is_some_and(|context| context >= least) {
            return Some(above != 0.0);
        }
        let short = least - 1;
        self.at_most(short);
        Some(below != 0.0)
    }

    /// The number of another layer, where the graph has no past that numbers them.
    pub(crate) fn next_layer(&mut self) -> usize {
        self.layers += 1;
        self.layers - 1
    }

    /// The meaning of an input; `None` if it is left out.
    pub(crate) fn value(&self, node: &Node, index: usize) -> Option<&Value> {
        self.values.get(node.input(index)?)
    }

    /// Gives an input another meaning, for whoever else reads it.
    pub(crate) fn replace(&mut self, node: &Node, index: usize, value: Value) {
        if let Some(name) = node.input(index) {
            self.values.insert(name.to_owned(), value);
        }
    }

    /// Keeps plans to texts for which what was found holds.
    pub(crate) fn at_most(&mut self, positions: usize) {
        let longest = self.longest.unwrap_or(positions);
        self.longest = Some(longest.min(positions));
    }

    /// An input of whole numbers.
    pub(crate) fn ints(
        &self,
        node: &Node,
        index: usize,
    ) -> Result<Option<Array<Dim>>, ImportError> {
        match self.value(node, index) {
            Some(Value::Ints(array)) => Ok(Some(array.clone())),
            Some(Value::Stored(stored)) => read_ints(stored),
            _ => Ok(None),
        }
    }

    /// An input of plain whole numbers.
    pub(crate) fn numbers(
        &self,
        node: &Node,
        index: usize,
    ) -> Result<Option<Vec<i64>>, ImportError> {
        Ok(self.ints(node, index)?.and_then(|array| array.numbers()))
    }

    /// An input of known floats.
    pub(crate) fn floats(
        &self,
        node: &Node,
        index: usize,
    ) -> Result<Option<Array<f32>>, ImportError> {
        match self.value(node, index) {
            Some(Value::Floats(array)) => Ok(Some(array.clone())),
            Some(Value::Stored(stored)) => read_floats(stored),
            _ => Ok(None),
        }
    }

    /// An input that is one known float.
    pub(crate) fn float(&self, node: &Node, index: usize) -> Result<Option<f32>, ImportError> {
        // Weights need not be read to see that they are more than one number.
        if let Some(Value::Stored(stored)) = self.value(node, index)
            && stored.tensor.len() != 1
        {
            return Ok(None);
        }
        Ok(self.floats(node, index)?.and_then(|array| array.single()))
    }

    /// An input as a grid.
    pub(crate) fn grid(&self, node: &Node, index: usize) -> Result<Option<Grid>, ImportError> {
        if let Some(Value::Grid(grid) | Value::Truth(grid)) = self.value(node, index) {
            return Ok(Some(grid.clone()));
        }
        if let Some(Value::Bools(array)) = self.value(node, index) {
            let floats = array.map(|&truth| Some(f32::from(u8::from(truth))));
            return Ok(floats.and_then(|floats| Grid::from_floats(&floats)));
        }
        if let Some(ints) = self.ints(node, index)? {
            return Ok(Grid::from_ints(&ints));
        }
        Ok(self
            .floats(node, index)?
            .and_then(|floats| Grid::from_floats(&floats)))
    }

    /// An input of activations.
    pub(crate) fn rows(&self, node: &Node, index: usize) -> Option<&Rows> {
        match self.value(node, index)? {
            Value::Rows(rows) => Some(rows),
            _ => None,
        }
    }

    /// An input that is a stored tensor.
    pub(crate) fn stored(&self, node: &Node, index: usize) -> Option<&Stored> {
        match self.value(node, index)? {
            Value::Stored(stored) => Some(stored),
            _ => None,
        }
    }

    /// Appends an operator, and returns its result as `[1, sequence, width]`.
    pub(crate) fn push(&mut self, op: RowOp, width: usize) -> Rows {
        Rows::whole(self.network.push(op, width), width)
    }

    /// The elements of a stored tensor from `first` on, as many as `shape` says.
    pub(crate) fn part_of(
        &mut self,
        tensor: &Tensor,
        first: usize,
        shape: Vec<usize>,
    ) -> Option<Rc<Tensor>> {
        let count = shape
            .iter()
            .try_fold(1usize, |count, &size| count.checked_mul(size))?;
        let end = first
            .checked_add(count)
            .filter(|&end| end <= tensor.len() && self.made < MAX_MADE)?;
        let per_byte = tensor.dtype.per_byte();
        if !first.is_multiple_of(per_byte) || !count.is_multiple_of(per_byte) {
            return None;
        }
        let (first, end, size) = (first / per_byte, end / per_byte, tensor.dtype.size());
        let bytes = match &tensor.bytes {
            Bytestore::File { file, offset } => Bytestore::File {
                file: file.clone(),
                offset: offset + (first * size) as u64,
            },
            Bytestore::Memory(bytes) if bytes.len() >= end * size => {
                Bytestore::Memory(bytes.slice(first * size..end * size))
            }
            Bytestore::Memory(_) | Bytestore::Alternate { .. } => return None,
        };
        self.made += 1;
        Some(Rc::new(Tensor {
            id: usize::MAX - self.made,
            name: tensor.name.clone(),
            dtype: tensor.dtype,
            shape,
            bytes,
        }))
    }

    /// Every second run of so many elements, from the first or from the second on, as `shape`.
    pub(crate) fn alternate(
        &mut self,
        tensor: &Tensor,
        run: usize,
        second: bool,
        shape: Vec<usize>,
    ) -> Option<Rc<Tensor>> {
        let bytes = run.checked_mul(tensor.dtype.size())?;
        let halved = shape.iter().product::<usize>().checked_mul(2) == Some(tensor.len());
        let fits = halved && bytes > 0 && tensor.len().is_multiple_of(2 * run);
        if !fits || tensor.dtype.per_byte() != 1 || self.made >= MAX_MADE {
            return None;
        }
        self.made += 1;
        Some(Rc::new(Tensor {
            id: usize::MAX - self.made,
            shape,
            bytes: Bytestore::Alternate {
                of: Box::new(tensor.bytes.clone()),
                run: bytes,
                second,
            },
            ..tensor.clone()
        }))
    }

    /// A vector that no file holds.
    pub(crate) fn make_vector(&mut self, name: &str, values: &[f32]) -> Rc<Tensor> {
        self.made += 1;
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        Rc::new(Tensor {
            id: usize::MAX - self.made,
            name: name.to_owned(),
            dtype: DType::F32,
            shape: vec![values.len()],
            bytes: Bytestore::Memory(Bytes::from(bytes)),
        })
    }
}

fn read_ints(stored: &Stored) -> Result<Option<Array<Dim>>, ImportError> {
    if stored.transposed
        || stored.tensor.dtype.is_float()
        || array::elements(&stored.shape).is_none()
    {
        return Ok(None);
    }
    let ints = stored.tensor.integers()?;
    Ok(ints.and_then(|ints| {
        Array::new(
            stored.shape.clone(),
            ints.into_iter().map(Dim::new).collect(),
        )
    }))
}

fn read_floats(stored: &Stored) -> Result<Option<Array<f32>>, ImportError> {
    if stored.transposed
        || !stored.tensor.dtype.is_float()
        || array::elements(&stored.shape).is_none()
    {
        return Ok(None);
    }
    Ok(Array::new(stored.shape.clone(), stored.tensor.floats()?))
}

impl Walk {
    /// The columns that activations cover, each once, with a row for each token of the step.
    pub(crate) fn columns(&self, rows: &Rows) -> Option<network::Columns> {
        let (start, width) = rows.layout.columns()?;
        let of_tokens = rows.layout.axes.iter().flatten();
        let mut symbols = of_tokens.filter(|f| !matches!(f, layout::Factor::Columns { .. }));
        let tokens = symbols.next();
        let all = matches!(
            tokens,
            Some(layout::Factor::Sequence | layout::Factor::Last)
        );
        let once = all && symbols.next().is_none();
        let inside = width > 0 && start + width <= self.network.row(rows.of).width;
        (once && inside).then_some(network::Columns {
            of: rows.of,
            start,
            width,
        })
    }

    /// The activations as a gapless run of columns, taken out from between others if need be.
    pub(crate) fn gapless(&mut self, rows: &Rows) -> Option<Rows> {
        if self.columns(rows).is_some() {
            return Some(rows.clone());
        }
        let (width, period, layout) = rows.layout.parts()?;
        let (_, taken) = layout.columns()?;
        let last = (taken / width).checked_sub(1)?.checked_mul(period)?;
        let input = network::Columns {
            of: rows.of,
            start: rows.layout.start,
            width: last.checked_add(width)?,
        };
        if input.start + input.width > self.network.row(rows.of).width {
            return None;
        }
        let picked = self.push(
            RowOp::Pick {
                input,
                width,
                period,
            },
            taken,
        );
        let rows = Rows {
            scale: rows.scale,
            ..picked.with_layout(layout)
        };
        self.columns(&rows).is_some().then_some(rows)
    }

    /// An input that is a vector of floats along the last axis.
    pub(crate) fn vector(&mut self, node: &Node, index: usize) -> Option<Rc<Tensor>> {
        match self.value(node, index)? {
            Value::Stored(stored) => {
                let plain = is_flat(&stored.shape) && stored.tensor.dtype.is_float();
                plain.then(|| stored.tensor.clone())
            }
            Value::Floats(array) => {
                let (flat, values) = (is_flat(&array.shape), array.data.clone());
                flat.then(|| self.make_vector(&node.name, &values))
            }
            _ => None,
        }
    }

    /// A table of positions; the same columns are the same table.
    pub(crate) fn table(&mut self, columns: Vec<Column>) -> Rc<PositionTable> {
        let table = PositionTable { columns };
        if let Some(known) = self.tables.iter().find(|known| ***known == table) {
            return known.clone();
        }
        let table = Rc::new(table);
        self.tables.push(table.clone());
        table
    }
}
