//! The compiled model: a `.tea` file, checked once and read in place.
//!
//! [`Plan::open`] proves every offset, shape, index and size, so that whoever executes the
//! plan needs no checks in its inner loops and no file can make it reach out of bounds.
//! It does not read the weights: what they hash to is a question for [`Plan::records`].

pub(crate) mod check;
mod error;
pub mod format;

pub use check::OpFault;
pub use error::PlanError;

use bytemuck::{AnyBitPattern, try_cast_slice};
use check::Checker;
use format::{
    ALIGNMENT, BufferRecord, CacheRecord, FORMAT_VERSION, Header, LAYOUT_VERSION, MAGIC,
    ModelRecord, OpRecord, Section, SectionRecord, Stage, TensorRecord,
};

use crate::constraint::{self, Automaton, Constraint};
use crate::layout::Encoding;
#[cfg(feature = "experts")]
use crate::ops::Experts;
use crate::ops::{InputPrecision, Op, TensorId};
use crate::tokenizer::{self, Tokenizer};

/// Most floats a token in all buffers of a stage, and in all caches: 1 MiB a token, several
/// times what the largest models need. A hostile file can ask for no more memory than this
/// times the tokens that its opener makes room for.
pub(crate) const MAX_WIDTH: u64 = 1 << 18;
/// Most vectors of 16 floats in all recurrent states, 128 MiB: twice what models of 80 billion numbers
/// keep. A session has them five times.
#[cfg(feature = "recurrence")]
pub(crate) const MAX_STATE: u64 = 1 << 21;
/// Most token ids; buffers of the head may be this much wider.
const MAX_VOCAB: u64 = 1 << 20;
/// Most positions.
const MAX_CONTEXT: u32 = 1 << 24;

/// A model that is ready to be executed, over bytes that the caller keeps: a mapped file,
/// flash, or memory.
#[derive(Clone, Copy, Debug)]
pub struct Plan<B> {
    bytes: B,
    model: ModelRecord,
    /// `(offset, length)` of each section by its number, absent ones empty.
    sections: [Option<(usize, usize)>; Section::ALL.len() + 1],
    /// Found once: every step asks for it.
    #[cfg(feature = "convolution")]
    history: HistorySize,
}

/// What all convolutions of a plan keep of a position, and its recurrences of all.
#[cfg(feature = "convolution")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HistorySize {
    /// Floats.
    pub(crate) width: usize,
    /// Positions before a token that are needed.
    pub(crate) back: usize,
    /// Vectors of all recurrent states.
    #[cfg(feature = "recurrence")]
    pub(crate) states: usize,
}

/// A tensor of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Name in the graph that it came from.
    pub name: &'a str,
    /// How its values are stored.
    pub encoding: Encoding,
    /// Outputs of a linear map, or rows of a table.
    pub rows: usize,
    /// Inputs of a linear map, or the width of a table.
    pub cols: usize,
    /// Factor on every value.
    pub scale: f32,
    /// Exactly `encoding.tensor_bytes(rows, cols)` bytes.
    pub data: &'a [u8],
}

impl<B: AsRef<[u8]>> Plan<B> {
    /// Checks the whole structure and takes the bytes, which must start on a 64-byte boundary.
    pub fn open(bytes: B) -> Result<Plan<B>, PlanError> {
        let (model, sections) = read_structure(bytes.as_ref())?;
        #[cfg_attr(not(feature = "convolution"), allow(unused_mut))]
        let mut plan = Plan {
            bytes,
            model,
            sections,
            #[cfg(feature = "convolution")]
            history: HistorySize::default(),
        };
        plan.check_tables()?;
        plan.check_ops()?;
        #[cfg(feature = "convolution")]
        {
            plan.history = plan.measured_history();
        }
        plan.check_tokenizer()?;
        plan.check_constraint()?;
        Ok(plan)
    }

    /// The same plan over a borrow of its bytes.
    pub fn borrowed(&self) -> Plan<&[u8]> {
        Plan {
            bytes: self.bytes(),
            model: self.model,
            sections: self.sections,
            #[cfg(feature = "convolution")]
            history: self.history,
        }
    }

    /// The model's outer shape.
    pub fn model(&self) -> ModelRecord {
        self.model
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// A section's bytes.
    pub fn section(&self, section: Section) -> Option<&[u8]> {
        let (offset, len) = self.sections[section as usize]?;
        self.bytes().get(offset..offset + len)
    }

    /// The tokenizer, where the plan has its tables.
    pub fn tokenizer(&self) -> Option<Tokenizer<'_>> {
        self.section(Section::TokenTables).and_then(Tokenizer::over)
    }

    /// What answers may look like, at the beginning of one, where the plan says so.
    pub fn constraint(&self) -> Option<Constraint<'_>> {
        let automaton = self.section(Section::Constraint).and_then(Automaton::cut)?;
        Some(Constraint::new(automaton, self.tokenizer()?))
    }

    /// The section table, with what each section's bytes should hash to.
    pub fn records(&self) -> &[SectionRecord] {
        section_records(self.bytes()).unwrap_or_default()
    }

    /// The operators in the order of execution.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = Op> {
        // Every record was decoded once when the plan was opened.
        self.table::<OpRecord>(Section::Ops)
            .iter()
            .map(|record| Op::decode(record).expect("a checked plan holds known operators"))
    }

    /// The buffers' widths and places.
    pub fn buffers(&self) -> &[BufferRecord] {
        self.table(Section::Buffers)
    }

    /// The attention operators' caches.
    pub fn caches(&self) -> &[CacheRecord] {
        self.table(Section::Caches)
    }

    /// Every tensor, in the order of their ids.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = Tensor<'_>> {
        (0..self.table::<TensorRecord>(Section::Tensors).len() as u32)
            .map(|id| self.tensor(TensorId(id)))
    }

    /// One tensor. The id comes from one of the plan's own operators.
    pub fn tensor(&self, id: TensorId) -> Tensor<'_> {
        let record = &self.table::<TensorRecord>(Section::Tensors)[id.0 as usize];
        let weights = self.section(Section::Weights).unwrap_or_default();
        let names = self.section(Section::Names).unwrap_or_default();
        let name = &names[record.name_offset as usize..][..record.name_len as usize];
        Tensor {
            name: core::str::from_utf8(name).unwrap_or("?"),
            encoding: Encoding::from_number(record.encoding).unwrap_or(Encoding::Table),
            rows: record.rows as usize,
            cols: record.cols as usize,
            scale: record.scale,
            data: &weights[record.offset as usize..][..record.len as usize],
        }
    }

    /// The width of each input that may be quantized, in the stage that its operator runs in.
    pub(crate) fn quantized_inputs(
        &self,
    ) -> impl Iterator<Item = (Stage, u32, InputPrecision)> + '_ {
        self.staged_ops().filter_map(|(stage, op)| match op {
            Op::Linear(op) => Some((stage, op.input.width, op.precision)),
            #[cfg(feature = "experts")]
            Op::Experts(op) => Some((stage, op.widest_input(), op.precision)),
            _ => None,
        })
    }

    /// Every mixture of experts.
    #[cfg(feature = "experts")]
    pub(crate) fn mixtures(&self) -> impl Iterator<Item = (Stage, Experts)> + '_ {
        self.staged_ops().filter_map(|(stage, op)| match op {
            Op::Experts(op) => Some((stage, op)),
            _ => None,
        })
    }

    /// What all convolutions keep of a position; nothing where there are none.
    #[cfg(feature = "convolution")]
    pub(crate) fn history(&self) -> HistorySize {
        self.history
    }

    #[cfg(feature = "convolution")]
    fn measured_history(&self) -> HistorySize {
        let mut all = HistorySize::default();
        for op in self.ops() {
            match op {
                Op::Convolution(op) => {
                    all.width = all.width.max(op.history_end());
                    all.back = all.back.max(op.taps as usize - 1);
                }
                #[cfg(feature = "recurrence")]
                Op::Recurrence(op) => all.states = all.states.max(op.state_end()),
                _ => {}
            }
        }
        all
    }

    fn staged_ops(&self) -> impl Iterator<Item = (Stage, Op)> + '_ {
        let head = self.model.head as usize;
        let ops = self.ops().enumerate();
        ops.map(move |(index, op)| (stage(index, head), op))
    }

    fn table<T: AnyBitPattern>(&self, section: Section) -> &[T] {
        try_cast_slice(self.section(section).unwrap_or_default()).unwrap_or_default()
    }

    fn check_tables(&self) -> Result<(), PlanError> {
        for section in [
            Section::Buffers,
            Section::Caches,
            Section::Tensors,
            Section::Ops,
        ] {
            let Some(bytes) = self.section(section) else {
                continue;
            };
            let whole = match section {
                Section::Buffers => try_cast_slice::<u8, BufferRecord>(bytes).is_ok(),
                Section::Caches => try_cast_slice::<u8, CacheRecord>(bytes).is_ok(),
                Section::Tensors => try_cast_slice::<u8, TensorRecord>(bytes).is_ok(),
                _ => try_cast_slice::<u8, OpRecord>(bytes).is_ok(),
            };
            if !whole {
                let fault = "is not a whole number of records";
                return Err(PlanError::Section {
                    section: section.name(),
                    fault,
                });
            }
        }
        let vocab = u64::from(self.model.vocab);
        for (index, buffer) in self.buffers().iter().enumerate() {
            let end = u64::from(buffer.offset) + u64::from(buffer.width);
            let fault = match Stage::from_number(buffer.stage) {
                None => "has an unknown stage",
                _ if buffer.width == 0 => "is empty",
                _ if buffer.offset % 16 != 0 => "is not aligned",
                Some(Stage::Body) if end > MAX_WIDTH => "is wider than any model needs",
                Some(Stage::Head) if end > MAX_WIDTH + vocab => "is wider than any model needs",
                Some(_) => continue,
            };
            return Err(PlanError::Buffer { index, fault });
        }
        self.check_caches()?;
        for (index, tensor) in self
            .table::<TensorRecord>(Section::Tensors)
            .iter()
            .enumerate()
        {
            if let Some(fault) = self.tensor_fault(tensor) {
                return Err(PlanError::Tensor { index, fault });
            }
        }
        Ok(())
    }

    fn check_caches(&self) -> Result<(), PlanError> {
        let mut width = 0u64;
        for (index, cache) in self.caches().iter().enumerate() {
            if cache.heads == 0 || cache.key_dim == 0 || cache.value_dim == 0 {
                return Err(PlanError::Cache {
                    index,
                    fault: "is empty",
                });
            }
            let head = u64::from(cache.key_dim) + u64::from(cache.value_dim);
            width = width.saturating_add(head.saturating_mul(u64::from(cache.heads)));
            if width > MAX_WIDTH {
                return Err(PlanError::Cache {
                    index,
                    fault: "is wider than any model needs",
                });
            }
        }
        Ok(())
    }

    fn tensor_fault(&self, tensor: &TensorRecord) -> Option<&'static str> {
        let Some(encoding) = Encoding::from_number(tensor.encoding) else {
            return Some("has an unknown encoding");
        };
        let (rows, cols) = (tensor.rows as usize, tensor.cols as usize);
        let weights = self.section(Section::Weights).unwrap_or_default().len() as u64;
        let names = self.section(Section::Names).unwrap_or_default().len() as u64;
        if rows == 0 || cols == 0 {
            Some("is empty")
        } else if encoding.tensor_bytes(rows, cols).map(|len| len as u64) != Some(tensor.len) {
            Some("has a length that does not fit its shape")
        } else if !tensor.offset.is_multiple_of(ALIGNMENT as u64) {
            Some("is not aligned")
        } else if tensor
            .offset
            .checked_add(tensor.len)
            .is_none_or(|end| end > weights)
        {
            Some("reaches beyond the weights")
        } else if !tensor.scale.is_finite() {
            Some("has a scale that is no number")
        } else if u64::from(tensor.name_offset) + u64::from(tensor.name_len) > names {
            Some("has a name that reaches beyond the names")
        } else {
            None
        }
    }

    fn check_tokenizer(&self) -> Result<(), PlanError> {
        let fault = |bytes: &[u8]| tokenizer::check::fault(bytes, self.model.vocab);
        self.check_section(Section::TokenTables, fault)
    }

    fn check_constraint(&self) -> Result<(), PlanError> {
        let tokenized = self.section(Section::TokenTables).is_some();
        self.check_section(Section::Constraint, |bytes| match tokenized {
            true => constraint::check::fault(bytes),
            false => Some("needs a tokenizer's tables"),
        })
    }

    /// Looks for a fault in a section, if it is there.
    fn check_section(
        &self,
        section: Section,
        fault: impl Fn(&[u8]) -> Option<&'static str>,
    ) -> Result<(), PlanError> {
        match self.section(section).and_then(fault) {
            None => Ok(()),
            Some(fault) => Err(PlanError::Section {
                section: section.name(),
                fault,
            }),
        }
    }

    fn check_ops(&self) -> Result<(), PlanError> {
        let model = &self.model;
        let records = self.table::<OpRecord>(Section::Ops);
        if model.head as usize > records.len() {
            return Err(PlanError::Model {
                fault: "starts its head beyond the last operator",
            });
        }
        #[cfg(feature = "encoders")]
        if model.whole > 1 {
            return Err(PlanError::Model {
                fault: "neither takes whole texts nor parts of them",
            });
        }
        let logits = self.buffers().get(model.logits as usize);
        if logits.is_none_or(|b| b.width != model.output_width() || b.stage != Stage::Head as u32) {
            return Err(PlanError::Model {
                fault: "names a buffer that cannot hold the logits",
            });
        }
        #[cfg(feature = "recurrence")]
        let mut states = 0;
        for (index, record) in records.iter().enumerate() {
            let checker = Checker {
                buffers: self.buffers(),
                caches: self.caches(),
                tensors: self.table(Section::Tensors),
                vocab: model.vocab,
                context: model.context,
                #[cfg(feature = "encoders")]
                whole: model.whole != 0,
                stage: stage(index, model.head as usize),
            };
            let op = Op::decode(record).ok_or(PlanError::UnknownOp { index })?;
            let fault = |fault| PlanError::Op {
                index,
                name: op.name(),
                fault,
            };
            op.check(&checker).map_err(fault)?;
            #[cfg(feature = "recurrence")]
            if let Op::Recurrence(op) = op {
                if op.state as usize != states {
                    return Err(fault(OpFault::State));
                }
                states = op.state_end();
            }
        }
        Ok(())
    }
}

/// The stage that the operator at `index` runs in.
fn stage(index: usize, head: usize) -> Stage {
    if index < head {
        Stage::Body
    } else {
        Stage::Head
    }
}

type Sections = [Option<(usize, usize)>; Section::ALL.len() + 1];

fn read_structure(bytes: &[u8]) -> Result<(ModelRecord, Sections), PlanError> {
    if bytes.as_ptr().align_offset(ALIGNMENT) != 0 {
        return Err(PlanError::Misaligned);
    }
    let header = header(bytes)?;
    let found = bytes.len() as u64;
    if header.file_len != found {
        return Err(PlanError::Length {
            found,
            expected: header.file_len,
        });
    }
    let records = section_records(bytes).ok_or(PlanError::Section {
        section: "section table",
        fault: "reaches beyond the file",
    })?;
    let mut sections: Sections = Default::default();
    for record in records {
        // Sections that only later versions know are theirs to ignore.
        let Some(section) = Section::from_number(record.kind) else {
            continue;
        };
        let fault = |fault| PlanError::Section {
            section: section.name(),
            fault,
        };
        if record.offset % ALIGNMENT as u64 != 0 {
            return Err(fault("is not aligned"));
        }
        if record
            .offset
            .checked_add(record.len)
            .is_none_or(|end| end > found)
        {
            return Err(fault("reaches beyond the file"));
        }
        let place = &mut sections[section as usize];
        if place.is_some() {
            return Err(fault("is there twice"));
        }
        *place = Some((record.offset as usize, record.len as usize));
    }
    let missing = |section: Section| sections[section as usize].is_none();
    let needed = [
        Section::Model,
        Section::Buffers,
        Section::Tensors,
        Section::Ops,
        Section::Weights,
    ];
    if let Some(section) = needed.into_iter().find(|s| missing(*s)) {
        return Err(PlanError::Section {
            section: section.name(),
            fault: "is missing",
        });
    }
    let (offset, len) = sections[Section::Model as usize].unwrap_or_default();
    let model = try_cast_slice::<u8, ModelRecord>(&bytes[offset..offset + len]);
    let Ok([model]) = model else {
        return Err(PlanError::Section {
            section: "model",
            fault: "is not one record",
        });
    };
    if model.vocab == 0 || u64::from(model.vocab) > MAX_VOCAB {
        return Err(PlanError::Model {
            fault: "has an impossible vocabulary",
        });
    }
    if model.context == 0 || model.context > MAX_CONTEXT {
        return Err(PlanError::Model {
            fault: "has an impossible context",
        });
    }
    Ok((*model, sections))
}

fn header(bytes: &[u8]) -> Result<Header, PlanError> {
    const LEN: usize = size_of::<Header>();
    if !bytes.starts_with(&MAGIC) {
        return Err(PlanError::NotAPlan);
    }
    let Some(first) = bytes.get(..LEN) else {
        return Err(PlanError::Length {
            found: bytes.len() as u64,
            expected: LEN as u64,
        });
    };
    let header: Header = bytemuck::pod_read_unaligned(first);
    if header.version != FORMAT_VERSION {
        return Err(PlanError::Version {
            found: header.version,
            expected: FORMAT_VERSION,
        });
    }
    if header.layout != LAYOUT_VERSION {
        return Err(PlanError::Layout {
            found: header.layout,
            expected: LAYOUT_VERSION,
        });
    }
    Ok(header)
}

fn section_records(bytes: &[u8]) -> Option<&[SectionRecord]> {
    let count = header(bytes).ok()?.sections as usize;
    let len = count.checked_mul(size_of::<SectionRecord>())?;
    try_cast_slice(bytes.get(size_of::<Header>()..)?.get(..len)?).ok()
}
