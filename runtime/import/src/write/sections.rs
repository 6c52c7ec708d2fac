//! The file's layout: which section lies where, and the bytes of all of them but the weights,
//! which are not read before the file is written.

use bytemuck::Zeroable;
use tealight_core::plan::format::{
    ALIGNMENT, BufferRecord, CacheRecord, FORMAT_VERSION, Header, LAYOUT_VERSION, MAGIC,
    ModelRecord, OpRecord, Section, SectionRecord, TensorRecord,
};

use crate::model_files::{ModelTexts, PlanTokenizer};
use crate::spec::DecoderSpec;

use super::WriteError;
use super::manifest::Manifest;

/// A file about to be written.
pub(super) struct Layout {
    /// In the order in which they lie in the file; the weights come last.
    pub(super) sections: Vec<PlacedSection>,
    /// As the tensors section has to hold them, but for the scales.
    pub(super) tensors: Vec<TensorRecord>,
    /// Where the weights section begins, in bytes.
    pub(super) weights_offset: u64,
    /// Bytes of the weights section.
    pub(super) weights_len: u64,
    /// Bytes of the file.
    pub(super) file_len: u64,
}

/// One section but the weights, with its bytes.
pub(super) struct PlacedSection {
    pub(super) kind: Section,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// Decides where everything lies. `offsets` are the buffers'.
pub(super) fn lay_out(
    spec: &DecoderSpec<'_>,
    texts: &ModelTexts,
    offsets: &[u32],
) -> Result<Layout, WriteError> {
    let (tensors, names, weights_len) = tensors(spec)?;
    let mut contents: Vec<(Section, Vec<u8>)> = Vec::new();
    for kind in Section::ALL {
        let bytes = match kind {
            Section::Manifest => Some(json(&Manifest::new(spec, texts))),
            Section::Model => Some(bytemuck::bytes_of(&model(spec)?).to_vec()),
            Section::Buffers => Some(records(&buffers(spec, offsets)?)),
            Section::Caches => Some(records::<CacheRecord>(&spec.caches)),
            Section::Tensors => Some(records(&tensors)),
            Section::Names => Some(names.clone().into_bytes()),
            Section::Ops => {
                let ops: Vec<OpRecord> = spec.ops.iter().map(|op| op.encode()).collect();
                Some(records(&ops))
            }
            Section::Tokenizer => match &texts.tokenizer {
                Some(PlanTokenizer::Json(json, _)) => Some(json.clone()),
                _ => None,
            },
            Section::TokenTables => match &texts.tokenizer {
                Some(PlanTokenizer::Tables(tables)) => Some(tables.clone()),
                _ => None,
            },
            Section::Constraint => texts.answers.clone(),
            Section::ChatTemplate => texts.chat_template.clone().map(String::into_bytes),
            Section::Generation => Some(json(&texts.generation.within(spec.vocab))),
            Section::Embedding => texts.embedding.as_ref().map(json),
            // Laid down by hand, after all others; a kind that this writer does not know
            // has no bytes.
            Section::Weights => None,
            _ => None,
        };
        contents.extend(bytes.map(|bytes| (kind, bytes)));
    }

    let record_count = contents.len() + 1;
    let front = size_of::<Header>() + record_count * size_of::<SectionRecord>();
    let mut end = front as u64;
    let mut sections = Vec::with_capacity(contents.len());
    for (kind, bytes) in contents {
        let offset = end.next_multiple_of(ALIGNMENT as u64);
        end = offset + bytes.len() as u64;
        sections.push(PlacedSection {
            kind,
            offset,
            bytes,
        });
    }
    let weights_offset = end.next_multiple_of(ALIGNMENT as u64);
    let file_len = weights_offset
        .checked_add(weights_len)
        .ok_or(WriteError::TooLarge {
            what: "weight data",
            count: weights_len,
        })?;
    Ok(Layout {
        sections,
        tensors,
        weights_offset,
        weights_len,
        file_len,
    })
}

/// The first bytes of the file: header and section records.
pub(super) fn front(file_len: u64, records: &[SectionRecord]) -> Vec<u8> {
    let header = Header {
        magic: MAGIC,
        version: FORMAT_VERSION,
        layout: LAYOUT_VERSION,
        file_len,
        sections: records.len() as u32,
        ..Header::zeroed()
    };
    let mut bytes = bytemuck::bytes_of(&header).to_vec();
    bytes.extend_from_slice(bytemuck::cast_slice(records));
    bytes
}

/// The tensors' records, their names in one text, and the bytes that the weights take.
fn tensors(spec: &DecoderSpec<'_>) -> Result<(Vec<TensorRecord>, String, u64), WriteError> {
    let mut names = String::new();
    let mut records = Vec::with_capacity(spec.tensors.len());
    let mut end = 0_u64;
    for tensor in &spec.tensors {
        let too_large = || WriteError::TooLarge {
            what: "weight data",
            count: end,
        };
        let len = tensor
            .encoding
            .tensor_bytes(tensor.rows, tensor.cols)
            .ok_or_else(too_large)?;
        let offset = end.next_multiple_of(ALIGNMENT as u64);
        records.push(TensorRecord {
            encoding: tensor.encoding as u32,
            rows: word("rows of a tensor", tensor.rows)?,
            cols: word("columns of a tensor", tensor.cols)?,
            offset,
            len: len as u64,
            name_offset: word("text in names", names.len())?,
            name_len: word("text in a name", tensor.name.len())?,
            ..TensorRecord::zeroed()
        });
        names.push_str(&tensor.name);
        end = offset.checked_add(len as u64).ok_or_else(too_large)?;
    }
    Ok((records, names, end))
}

fn model(spec: &DecoderSpec<'_>) -> Result<ModelRecord, WriteError> {
    Ok(ModelRecord {
        vocab: word("vocabulary", spec.vocab)?,
        context: word("context", spec.context)?,
        head: word("operators", spec.head)?,
        logits: word("buffers", spec.output)?,
        hidden: word("width of hidden states", spec.hidden.unwrap_or(0))?,
        whole: u32::from(spec.whole),
        ..ModelRecord::zeroed()
    })
}

fn buffers(spec: &DecoderSpec<'_>, offsets: &[u32]) -> Result<Vec<BufferRecord>, WriteError> {
    let placed = spec.buffers.iter().zip(offsets);
    placed
        .map(|(buffer, &offset)| {
            let width = word("width of a buffer", buffer.width)?;
            Ok(BufferRecord {
                width,
                offset,
                stage: buffer.stage as u32,
                reserved: 0,
            })
        })
        .collect()
}

fn word(what: &'static str, count: usize) -> Result<u32, WriteError> {
    u32::try_from(count).map_err(|_| WriteError::TooLarge {
        what,
        count: count as u64,
    })
}

fn records<T: bytemuck::NoUninit>(records: &[T]) -> Vec<u8> {
    bytemuck::cast_slice(records).to_vec()
}

/// Serialization of our own structures, which have text keys and finite numbers only, so that
/// it cannot fail.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
