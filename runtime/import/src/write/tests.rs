//! Writing a small model to all sorts of places.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tealight_core::layout::Encoding;
use tealight_core::ops::{BufferId, Embed, InputPrecision, Linear, Op, RmsNorm, TensorId, View};
use tealight_core::plan::Plan;
use tealight_core::plan::format::{Section, Stage};

use super::*;
use crate::model_files::PlanTokenizer;
use crate::spec::{BufferSpec, TensorShape, TensorSource, TensorSpec};
use crate::token_tables::Unfit;

const VOCAB: usize = 48;
const HIDDEN: usize = 64;

/// Counts upwards, in pieces of odd lengths.
struct Counting {
    bytes: usize,
    scale: f32,
}

impl TensorSource for Counting {
    fn stream(
        &self,
        _shape: &TensorShape,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<f32, ImportError> {
        let bytes: Vec<u8> = (0..self.bytes).map(|i| (i % 251) as u8).collect();
        bytes.chunks(77).try_for_each(sink)?;
        Ok(self.scale)
    }
}

fn tensor(name: &str, encoding: Encoding, rows: usize, cols: usize) -> TensorSpec<'static> {
    let bytes = encoding.tensor_bytes(rows, cols).unwrap();
    let source = Box::new(Counting { bytes, scale: 0.5 });
    TensorSpec {
        name: name.into(),
        encoding,
        rows,
        cols,
        source,
    }
}

/// Embedding, norm, LM head.
fn small() -> DecoderSpec<'static> {
    let view = |id, width: usize| View {
        buffer: BufferId(id),
        start: 0,
        width: width as u32,
    };
    let hidden = view(0, HIDDEN);
    let normed = view(1, HIDDEN);
    let logits = view(2, VOCAB);
    DecoderSpec {
        ops: vec![
            Op::Embed(Embed {
                output: hidden,
                table: TensorId(0),
                scale: 1.0,
            }),
            Op::RmsNorm(RmsNorm {
                input: hidden,
                output: normed,
                weight: TensorId(1),
                epsilon: 1e-6,
            }),
            Op::Linear(Linear {
                input: normed,
                output: logits,
                weight: TensorId(0),
                bias: None,
                residual: None,
                precision: InputPrecision::Int16,
            }),
        ],
        head: 1,
        buffers: vec![
            BufferSpec {
                width: HIDDEN,
                stage: Stage::Body,
            },
            BufferSpec {
                width: HIDDEN,
                stage: Stage::Head,
            },
            BufferSpec {
                width: VOCAB,
                stage: Stage::Head,
            },
        ],
        output: 2,
        hidden: None,
        whole: false,
        caches: Vec::new(),
        tensors: vec![
            tensor("embed", Encoding::Int4, VOCAB, HIDDEN),
            tensor("norm", Encoding::Table, 1, HIDDEN),
        ],
        vocab: VOCAB,
        context: 128,
    }
}

fn texts() -> ModelTexts {
    let mut texts = ModelTexts::default();
    texts.tokenizer = Some(PlanTokenizer::Json(b"{}".to_vec(), Unfit::Other("made up")));
    texts.chat_template = Some("{{ messages }}".into());
    texts.licence = Some("MIT".into());
    texts.generation.stop_token_ids = vec![2, 4_000];
    texts
}

fn aligned(path: &Path) -> memmap2::Mmap {
    // SAFETY: the test's own file.
    unsafe { memmap2::Mmap::map(&fs::File::open(path).unwrap()).unwrap() }
}

fn names(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn what_is_written_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tea");
    let mut reports = Vec::new();
    write_plan(&small(), &texts(), &path, &mut |report| {
        reports.push(report)
    })
    .unwrap();

    let bytes = aligned(&path);
    let plan = Plan::open(&bytes[..]).unwrap();
    assert_eq!(plan.ops().collect::<Vec<_>>(), small().ops);
    assert_eq!(plan.section(Section::Tokenizer).unwrap(), b"{}");
    assert_eq!(
        plan.section(Section::ChatTemplate).unwrap(),
        b"{{ messages }}"
    );
    let embed = plan.tensor(TensorId(0));
    assert_eq!((embed.name, embed.scale), ("embed", 0.5));
    assert_eq!(embed.data[250..253], [250, 0, 1]);
    for record in plan.records() {
        let section = &bytes[record.offset as usize..][..record.len as usize];
        assert_eq!(Sha256::digest(section)[..], record.sha256);
    }
    let last = reports.last().unwrap();
    assert_eq!(last.done, last.total);
    assert_eq!(names(folder.path()), [path]);
}

#[test]
fn the_manifest_and_the_generation_section_say_what_was_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tea");
    write_plan(&small(), &texts(), &path, &mut |_| {}).unwrap();

    let bytes = aligned(&path);
    let plan = Plan::open(&bytes[..]).unwrap();
    let manifest: Manifest =
        serde_json::from_slice(plan.section(Section::Manifest).unwrap()).unwrap();
    assert_eq!(manifest.parameters, (VOCAB * HIDDEN + HIDDEN) as u64);
    assert_eq!(manifest.licence.as_deref(), Some("MIT"));
    assert_eq!(manifest.tensors[0].encoding, "int4");
    let generation: crate::model_files::GenerationDefaults =
        serde_json::from_slice(plan.section(Section::Generation).unwrap()).unwrap();
    assert_eq!(generation.stop_token_ids, [2]);
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.tea", "b.tea"].map(|name| folder.path().join(name));
    for path in &paths {
        write_plan(&small(), &texts(), path, &mut |_| {}).unwrap();
    }
    assert_eq!(fs::read(&paths[0]).unwrap(), fs::read(&paths[1]).unwrap());
}

#[test]
fn a_source_of_the_wrong_length_leaves_the_old_plan_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tea");
    fs::write(&path, "old").unwrap();
    for bytes in [1, 100_000] {
        let mut spec = small();
        spec.tensors[0].source = Box::new(Counting { bytes, scale: 1.0 });
        let result = write_plan(&spec, &texts(), &path, &mut |_| {});
        assert!(matches!(
            result,
            Err(ImportError::Write(WriteError::TensorLength { .. }))
        ));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), std::slice::from_ref(&path));
    }
}

#[test]
fn an_unsound_spec_never_becomes_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = small();
    spec.vocab = VOCAB + 1;
    let result = write_plan(
        &spec,
        &texts(),
        &folder.path().join("small.tea"),
        &mut |_| {},
    );
    assert!(matches!(
        result,
        Err(ImportError::Write(WriteError::Unsound(_)))
    ));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn nobody_sees_a_plan_before_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    let mut reports = 0;
    write_plan(
        &small(),
        &texts(),
        &folder.path().join("small.tea"),
        &mut |_| {
            reports += 1;
            assert!(names(folder.path()).iter().all(hidden));
        },
    )
    .unwrap();
    assert!(reports > 0);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_its_name() {
    let error = write_plan(
        &small(),
        &texts(),
        Path::new("/no/such/small.tea"),
        &mut |_| {},
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("/no/such/small.tea")
    );
}

/// A file on a disk with room for so many bytes.
struct SmallDisk {
    room: u64,
    at: u64,
}

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.at += bytes.len() as u64;
        match self.at <= self.room {
            true => Ok(bytes.len()),
            false => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if let SeekFrom::Start(at) = to {
            self.at = at;
        }
        Ok(self.at)
    }
}

#[test]
fn a_disk_that_fills_up_is_named_with_the_bytes_needed() {
    let spec = small();
    let lay_out = || sections::lay_out(&spec, &texts(), &buffers::place(&spec).unwrap()).unwrap();
    let file_len = lay_out().file_len;
    for room in (0..file_len).step_by(64) {
        let path = Path::new("small.tea");
        let failed = |source| WriteError::io(path, file_len, source);
        let disk = SmallDisk { room, at: 0 };
        let result = file::fill(disk, &spec, lay_out(), &failed, &mut |_| {});
        match result {
            Err(ImportError::Write(WriteError::OutOfSpace {
                path: at, needed, ..
            })) => {
                assert_eq!((at.as_path(), needed), (path, file_len));
            }
            other => panic!("{room} bytes of room: {other:?}"),
        }
    }
}
