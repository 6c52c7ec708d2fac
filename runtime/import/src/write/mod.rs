//! A [`DecoderSpec`] and the texts beside the graph go in, a `.tea` file comes out.
//!
//! [`buffers`] lays out the working memory, [`sections`] the file, [`mod@file`] writes it: first
//! to a temporary file in the target's folder, under its own name only once it is whole, on
//! disk and accepted by the reader. The weights pass through one piece at a time. The same
//! input gives the same bytes.

mod buffers;
mod error;
mod file;
mod manifest;
mod sections;
mod temporary;

use std::path::Path;

pub use error::WriteError;
pub use manifest::{Manifest, Source, TensorSummary};

use crate::ImportError;
use crate::model_files::ModelTexts;
use crate::progress::Progress;
use crate::spec::DecoderSpec;

/// A number of the import's sources. Plans that were kept from before and have another one are
/// not taken for this version's.
pub const REVISION: &str = env!("TEALIGHT_IMPORT_REVISION");

/// Writes the plan to `output`, replacing what was there.
///
/// On an error `output` is as it was, and nothing else is left in its folder.
pub fn write_plan(
    spec: &DecoderSpec<'_>,
    texts: &ModelTexts,
    output: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ImportError> {
    texts.check_vocab(spec.vocab)?;
    let offsets = buffers::place(spec)?;
    let layout = sections::lay_out(spec, texts, &offsets)?;
    file::write(spec, layout, output, progress)
}

#[cfg(test)]
mod tests;
