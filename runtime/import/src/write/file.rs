//! Writing: the weights first, through a running hash, then everything that depends on them.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tealight_core::plan::Plan;
use tealight_core::plan::format::{Section, SectionRecord};

use crate::ImportError;
use crate::progress::{Progress, Step};
use crate::spec::{DecoderSpec, TensorShape, TensorSpec};

use super::WriteError;
use super::sections::{self, Layout};
use super::temporary::Temporary;

/// Weights go to the system in portions of this many bytes.
const BUFFER_BYTES: usize = 1 << 18;
/// Bytes of weights between two reports of progress.
const REPORT_BYTES: u64 = 1 << 20;

/// Writes the file at `output`, or leaves everything as it was.
pub(super) fn write(
    spec: &DecoderSpec<'_>,
    layout: Layout,
    output: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ImportError> {
    let needed = layout.file_len;
    let failed = |source| WriteError::io(output, needed, source);

    let folder = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let Some(available) = free_bytes(folder).filter(|&bytes| bytes < needed) {
        let path = output.to_owned();
        return Err(WriteError::OutOfSpace {
            path,
            needed,
            available: Some(available),
        }
        .into());
    }
    let temporary = Temporary::new(output, folder).map_err(failed)?;
    let file = temporary.file();
    fill(file, spec, layout, &failed, progress)?;
    file.sync_all().map_err(failed)?;
    verify(file, &failed)?;
    temporary.persist(output).map_err(failed)?;
    sync_folder(folder);
    Ok(())
}

/// Writes every byte of the plan.
pub(super) fn fill(
    file: impl Write + Seek,
    spec: &DecoderSpec<'_>,
    mut layout: Layout,
    failed: &dyn Fn(io::Error) -> WriteError,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ImportError> {
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
    file.seek(SeekFrom::Start(layout.weights_offset))
        .map_err(failed)?;
    let mut weights = Weights {
        file: &mut file,
        hash: Sha256::new(),
        written: 0,
        reported: 0,
        total: layout.weights_len,
        failed,
        progress,
    };
    for (tensor, record) in spec.tensors.iter().zip(&mut layout.tensors) {
        weights.pad_to(record.offset)?;
        record.scale = weights.tensor(tensor, record.len)?;
    }
    let weights_hash = weights.finish();

    let mut records = Vec::with_capacity(layout.sections.len() + 1);
    for section in &mut layout.sections {
        if section.kind == Section::Tensors {
            section.bytes = bytemuck::cast_slice(&layout.tensors).to_vec();
        }
        let hash = Sha256::digest(&section.bytes);
        records.push(record(
            section.kind,
            section.offset,
            section.bytes.len() as u64,
            hash.into(),
        ));
    }
    records.push(record(
        Section::Weights,
        layout.weights_offset,
        layout.weights_len,
        weights_hash,
    ));

    // Gaps between sections stay holes, which read as zeros.
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    file.write_all(&sections::front(layout.file_len, &records))
        .map_err(failed)?;
    for section in &layout.sections {
        file.seek(SeekFrom::Start(section.offset)).map_err(failed)?;
        file.write_all(&section.bytes).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    Ok(())
}

fn record(kind: Section, offset: u64, len: u64, sha256: [u8; 32]) -> SectionRecord {
    SectionRecord {
        kind: kind as u32,
        reserved: 0,
        offset,
        len,
        sha256,
        padding: 0,
    }
}

/// The weights section on its way to the file.
struct Weights<'a, W: Write> {
    file: &'a mut W,
    hash: Sha256,
    written: u64,
    reported: u64,
    total: u64,
    failed: &'a dyn Fn(io::Error) -> WriteError,
    progress: &'a mut dyn FnMut(Progress),
}

impl<W: Write> Weights<'_, W> {
    fn piece(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(self.failed)?;
        self.written += bytes.len() as u64;
        if self.written - self.reported >= REPORT_BYTES {
            self.report();
        }
        Ok(())
    }

    fn report(&mut self) {
        self.reported = self.written;
        let (done, total) = (self.written, self.total);
        (self.progress)(Progress {
            step: Step::Weights,
            done,
            total,
        });
    }

    fn pad_to(&mut self, offset: u64) -> Result<(), WriteError> {
        const ZEROS: [u8; tealight_core::plan::format::ALIGNMENT] = [0; _];
        self.piece(&ZEROS[..(offset - self.written) as usize])
    }

    /// Streams one tensor of `expected` bytes and returns its scale.
    fn tensor(&mut self, tensor: &TensorSpec<'_>, expected: u64) -> Result<f32, ImportError> {
        let shape = TensorShape {
            encoding: tensor.encoding,
            rows: tensor.rows,
            cols: tensor.cols,
        };
        let wrong_length = |found| {
            ImportError::from(WriteError::TensorLength {
                name: tensor.name.clone(),
                expected,
                found,
            })
        };
        let mut found = 0;
        let scale = tensor.source.stream(&shape, &mut |bytes| {
            found += bytes.len() as u64;
            if found > expected {
                return Err(wrong_length(found));
            }
            Ok(self.piece(bytes)?)
        })?;
        if found != expected {
            return Err(wrong_length(found));
        }
        if !scale.is_finite() {
            return Err(WriteError::TensorScale {
                name: tensor.name.clone(),
                scale,
            }
            .into());
        }
        Ok(scale)
    }

    fn finish(mut self) -> [u8; 32] {
        self.report();
        self.hash.finalize().into()
    }
}

/// Opens what was written the way its user will, so that no fault of the import outlives it.
fn verify(file: &File, failed: &dyn Fn(io::Error) -> WriteError) -> Result<(), WriteError> {
    // SAFETY: the file has a random name, was made by this process and is not written any
    // more; the mapping ends here.
    let bytes = unsafe { memmap2::Mmap::map(file) }.map_err(failed)?;
    Plan::open(&bytes[..]).map_err(WriteError::Unsound)?;
    Ok(())
}

/// Bytes that are free in a folder, where the system tells.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

/// Makes the new name last through a power cut, where folders can be synced. The plan is
/// whole either way, so that a failure is no error.
fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        log::debug!("cannot sync `{}`: {error}", folder.display());
    }
}
