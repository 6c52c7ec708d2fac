//! A stored tensor: its type, its shape and where its bytes lie. Nothing is read until asked for.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bytes::Bytes;
use half::{bf16, f16};

use crate::ImportError;

/// Element types that an import can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DType {
    F32,
    F16,
    Bf16,
    F64,
    U8,
    I8,
    /// Two to a byte where they are stored, the first in the low half; one to a byte once read.
    U4,
    /// Likewise; once read its sign fills the byte.
    I4,
    I32,
    I64,
    Bool,
}

impl DType {
    /// From ONNX's number.
    pub(crate) fn from_onnx(number: i64) -> Option<DType> {
        Some(match number {
            1 => DType::F32,
            2 => DType::U8,
            3 => DType::I8,
            6 => DType::I32,
            7 => DType::I64,
            9 => DType::Bool,
            10 => DType::F16,
            11 => DType::F64,
            16 => DType::Bf16,
            21 => DType::U4,
            22 => DType::I4,
            _ => return None,
        })
    }

    /// Bytes of one element that was read.
    pub(crate) fn size(self) -> usize {
        match self {
            DType::U8 | DType::I8 | DType::U4 | DType::I4 | DType::Bool => 1,
            DType::F16 | DType::Bf16 => 2,
            DType::F32 | DType::I32 => 4,
            DType::F64 | DType::I64 => 8,
        }
    }

    /// Elements that share a byte where they are stored.
    pub(crate) fn per_byte(self) -> usize {
        match self {
            DType::U4 | DType::I4 => 2,
            _ => 1,
        }
    }

    /// Bytes that so many elements take where they are stored; none if there are none.
    pub(crate) fn stored_bytes(self, elements: usize) -> Option<usize> {
        elements.div_ceil(self.per_byte()).checked_mul(self.size())
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F16 | DType::Bf16 | DType::F64)
    }
}

/// A file that tensors' bytes are read from.
#[derive(Debug)]
pub(crate) struct DataFile {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    /// Bytes.
    pub(crate) len: u64,
}

impl DataFile {
    pub(crate) fn open(path: PathBuf) -> Result<DataFile, ImportError> {
        let open = || {
            let file = File::open(&path)?;
            let meta = file.metadata()?;
            if !meta.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
            }
            Ok((file, meta.len()))
        };
        match open() {
            Ok((file, len)) => Ok(DataFile { path, file, len }),
            Err(source) => Err(ImportError::Read { path, source }),
        }
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ImportError> {
        #[cfg(unix)]
        let result = std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset);
        #[cfg(windows)]
        let result = {
            use std::os::windows::fs::FileExt;
            let (mut offset, mut rest) = (offset, out);
            loop {
                if rest.is_empty() {
                    break Ok(());
                }
                match self.file.seek_read(rest, offset) {
                    Ok(0) => break Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(n) => {
                        offset += n as u64;
                        rest = &mut rest[n..];
                    }
                    Err(error) => break Err(error),
                }
            }
        };
        result.map_err(|source| ImportError::read(&self.path, source))
    }
}

/// Where a tensor's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Bytestore {
    /// A part of a file, inside its length when the graph was opened.
    File { file: Rc<DataFile>, offset: u64 },
    /// In memory: values that were given as protobuf fields, or made by the import.
    Memory(Bytes),
    /// Every second run of so many bytes, from the first or from the second on.
    Alternate {
        of: Box<Bytestore>,
        run: usize,
        second: bool,
    },
}

impl Bytestore {
    /// Reads the bytes from `from` on; says whether there are so many.
    fn read(&self, from: usize, out: &mut [u8]) -> Result<bool, ImportError> {
        match self {
            Bytestore::File { file, offset } => file.read_at(offset + from as u64, out)?,
            Bytestore::Memory(bytes) => match bytes.get(from..from + out.len()) {
                Some(bytes) => out.copy_from_slice(bytes),
                None => return Ok(false),
            },
            Bytestore::Alternate { of, run, second } => {
                // Whole pairs of runs, of which one is handed on.
                let (first, last) = (from / run, (from + out.len()).div_ceil(*run));
                let mut pairs = vec![0; 2 * run * (last - first)];
                if !of.read(2 * run * first, &mut pairs)? {
                    return Ok(false);
                }
                let runs = pairs.chunks_exact(*run).skip(usize::from(*second));
                let bytes = runs.step_by(2).flatten().skip(from % run);
                out.iter_mut()
                    .zip(bytes)
                    .for_each(|(out, byte)| *out = *byte);
            }
        }
        Ok(true)
    }

    fn path(&self) -> &Path {
        match self {
            Bytestore::File { file, .. } => &file.path,
            Bytestore::Memory(_) => Path::new(""),
            Bytestore::Alternate { of, .. } => of.path(),
        }
    }
}

impl PartialEq for Tensor {
    fn eq(&self, other: &Tensor) -> bool {
        self.id == other.id
    }
}

/// A stored tensor, row-major, little-endian.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    /// Distinguishes tensors: two with the same number are one and the same.
    pub(crate) id: usize,
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Bytestore,
}

impl Tensor {
    /// Elements.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Reads the elements from `first` on that fill `out`.
    pub(crate) fn read(&self, first: usize, out: &mut [u8]) -> Result<(), ImportError> {
        if self.dtype.per_byte() == 1 {
            return self.read_bytes(first * self.dtype.size(), out);
        }
        let last = first + out.len();
        let mut bytes = vec![0; last.div_ceil(2) - first / 2];
        self.read_bytes(first / 2, &mut bytes)?;
        for (at, out) in (first % 2..).zip(out) {
            let half = bytes[at / 2] >> (4 * (at % 2)) & 15;
            *out = match self.dtype {
                DType::I4 if half > 7 => half | 0xf0,
                _ => half,
            };
        }
        Ok(())
    }

    fn read_bytes(&self, from: usize, out: &mut [u8]) -> Result<(), ImportError> {
        match self.bytes.read(from, out)? {
            true => Ok(()),
            false => Err(self.fault("is shorter than its shape")),
        }
    }

    /// Reads `count` numbers from element `first` on, as f32.
    pub(crate) fn read_f32(
        &self,
        first: usize,
        count: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), ImportError> {
        let mut bytes = vec![0; count * self.dtype.size()];
        self.read(first, &mut bytes)?;
        out.clear();
        self.to_f32(&bytes, out);
        Ok(())
    }

    /// The bytes of this tensor as two unsigned values each, the first in the low half.
    pub(crate) fn halves(&self) -> Option<Tensor> {
        let count = self.len().checked_mul(2)?;
        (self.dtype == DType::U8).then(|| Tensor {
            dtype: DType::U4,
            shape: vec![count],
            ..self.clone()
        })
    }

    /// Converts bytes of this tensor to f32.
    pub(crate) fn to_f32(&self, bytes: &[u8], out: &mut Vec<f32>) {
        fn each<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
            bytes
                .chunks_exact(N)
                .map(|chunk| chunk.try_into().unwrap_or([0; N]))
        }
        match self.dtype {
            DType::F32 => out.extend(each(bytes).map(f32::from_le_bytes)),
            DType::F16 => out.extend(each(bytes).map(|b| f16::from_le_bytes(b).to_f32())),
            DType::Bf16 => out.extend(each(bytes).map(|b| bf16::from_le_bytes(b).to_f32())),
            DType::F64 => out.extend(each(bytes).map(|b| f64::from_le_bytes(b) as f32)),
            DType::U8 | DType::U4 | DType::Bool => {
                out.extend(bytes.iter().map(|&b| f32::from(b)));
            }
            DType::I8 | DType::I4 => out.extend(bytes.iter().map(|&b| f32::from(b as i8))),
            DType::I32 => out.extend(each(bytes).map(|b| i32::from_le_bytes(b) as f32)),
            DType::I64 => out.extend(each(bytes).map(|b| i64::from_le_bytes(b) as f32)),
        }
    }

    /// All values as f32.
    pub(crate) fn floats(&self) -> Result<Vec<f32>, ImportError> {
        let mut out = Vec::new();
        self.read_f32(0, self.len(), &mut out)?;
        Ok(out)
    }

    /// All values as integers; `None` for floats.
    pub(crate) fn integers(&self) -> Result<Option<Vec<i64>>, ImportError> {
        let mut bytes = vec![0; self.len() * self.dtype.size()];
        self.read(0, &mut bytes)?;
        Ok(Some(match self.dtype {
            DType::I64 => bytes
                .chunks_exact(8)
                .map(|c| i64::from_le_bytes(c.try_into().unwrap_or_default()))
                .collect(),
            DType::I32 => bytes
                .chunks_exact(4)
                .map(|c| i64::from(i32::from_le_bytes(c.try_into().unwrap_or_default())))
                .collect(),
            DType::U8 | DType::U4 | DType::Bool => bytes.into_iter().map(i64::from).collect(),
            DType::I8 | DType::I4 => bytes.into_iter().map(|b| i64::from(b as i8)).collect(),
            DType::F32 | DType::F16 | DType::Bf16 | DType::F64 => return Ok(None),
        }))
    }

    /// The file that holds the values; nothing for those that no file holds as they are.
    pub(crate) fn path(&self) -> &Path {
        self.bytes.path()
    }

    fn fault(&self, fault: &str) -> ImportError {
        ImportError::Tensor {
            path: self.path().to_owned(),
            tensor: self.name.clone(),
            fault: fault.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_run_is_read_from_wherever_one_begins() {
        let all: Vec<u8> = (0..48).collect();
        for (run, second) in [(1, false), (3, true), (8, false), (24, true)] {
            let runs = all.chunks(run).skip(usize::from(second)).step_by(2);
            let expected: Vec<u8> = runs.flatten().copied().collect();
            let store = Bytestore::Alternate {
                of: Box::new(Bytestore::Memory(Bytes::from(all.clone()))),
                run,
                second,
            };
            for from in 0..24 {
                for to in from..=24 {
                    let mut out = vec![0; to - from];
                    assert!(store.read(from, &mut out).unwrap());
                    assert_eq!(out, expected[from..to], "{run} {from}..{to}");
                }
            }
            assert!(!store.read(24, &mut [0]).unwrap());
        }
    }
}
