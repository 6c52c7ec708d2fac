//! The cache around an importer that only copies.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tealight_core::plan::format::{
    ALIGNMENT, BufferRecord, FORMAT_VERSION, Header, LAYOUT_VERSION, MAGIC, ModelRecord, Section,
    SectionRecord, Stage,
};
use tempfile::TempDir;

use super::*;

/// Counts its imports and writes the smallest plan that opens.
#[derive(Default)]
struct Counting {
    imports: AtomicUsize,
    pause: Duration,
}

impl Counting {
    fn imports(&self) -> usize {
        self.imports.load(Ordering::SeqCst)
    }
}

impl Importer for Counting {
    fn files(&self, model: &Path) -> Result<Vec<SourceFile>, ImportError> {
        let file = |name: &str| SourceFile {
            name: name.into(),
            path: model.join(name),
        };
        Ok(["graph", "weights", "tokenizer.json"].map(file).into())
    }

    fn import(
        &self,
        _model: &Path,
        output: &Path,
        _progress: &mut dyn FnMut(Progress),
    ) -> Result<(), ImportError> {
        self.imports.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(self.pause);
        fs::write(output, smallest_plan()).unwrap();
        Ok(())
    }
}

/// A buffer for the logits and nothing else.
fn smallest_plan() -> Vec<u8> {
    let model = ModelRecord {
        vocab: 16,
        context: 1,
        head: 0,
        logits: 0,
        ..bytemuck::Zeroable::zeroed()
    };
    let logits = BufferRecord {
        width: 16,
        offset: 0,
        stage: Stage::Head as u32,
        reserved: 0,
    };
    let sections: [(Section, &[u8]); 6] = [
        (Section::Model, bytemuck::bytes_of(&model)),
        (Section::Buffers, bytemuck::bytes_of(&logits)),
        (Section::Caches, &[]),
        (Section::Tensors, &[]),
        (Section::Ops, &[]),
        (Section::Weights, &[]),
    ];
    let front = size_of::<Header>() + sections.len() * size_of::<SectionRecord>();
    let mut records = Vec::new();
    let mut body = Vec::new();
    for (kind, bytes) in sections {
        body.resize(body.len().next_multiple_of(ALIGNMENT), 0);
        let (offset, len) = ((front + body.len()) as u64, bytes.len() as u64);
        let kind = kind as u32;
        let sha256 = Sha256::digest(bytes).into();
        records.push(SectionRecord {
            kind,
            reserved: 0,
            offset,
            len,
            sha256,
            padding: 0,
        });
        body.extend_from_slice(bytes);
    }
    let header = Header {
        magic: MAGIC,
        version: FORMAT_VERSION,
        layout: LAYOUT_VERSION,
        file_len: (front + body.len()) as u64,
        sections: records.len() as u32,
        reserved: [0; 9],
    };
    [
        bytemuck::bytes_of(&header),
        bytemuck::cast_slice(&records),
        &body,
    ]
    .concat()
}

struct Setup {
    folder: TempDir,
    importer: Counting,
}

impl Setup {
    fn new() -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup {
            folder,
            importer: Counting::default(),
        };
        fs::create_dir(setup.model()).unwrap();
        setup.write("graph", "nodes");
        setup.write("weights", "numbers");
        setup
    }

    fn model(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("model")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.model().join(name), text).unwrap();
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn compiled(&self) -> Result<PathBuf, CacheError> {
        self.compiled_at(&self.model(), Some(self.place()))
    }

    fn compiled_at(&self, model: &Path, folder: Option<PathBuf>) -> Result<PathBuf, CacheError> {
        Cache {
            importer: &self.importer,
            folder,
        }
        .compiled(model, &mut |_| {})
    }
}

#[test]
fn a_model_is_imported_once() {
    let setup = Setup::new();
    let first = setup.compiled().unwrap();
    let second = setup.compiled().unwrap();
    assert_eq!(first, second);
    assert!(first.starts_with(setup.place()) && is_sound(&first));
    assert_eq!(setup.importer.imports(), 1);
}

#[test]
fn a_second_start_reads_no_file_of_the_model() {
    let setup = Setup::new();
    setup.compiled().unwrap();
    let mut reports = Vec::new();
    let cache = Cache {
        importer: &setup.importer,
        folder: Some(setup.place()),
    };
    cache
        .compiled(&setup.model(), &mut |report| reports.push(report))
        .unwrap();
    assert_eq!(reports, []);
}

#[test]
fn a_changed_file_makes_another_plan() {
    let setup = Setup::new();
    let before = setup.compiled().unwrap();
    setup.write("weights", "numberz");
    let after = setup.compiled().unwrap();
    assert_ne!(before, after);
    assert_eq!(setup.importer.imports(), 2);
}

#[test]
fn a_text_that_appears_makes_another_plan() {
    let setup = Setup::new();
    let before = setup.compiled().unwrap();
    setup.write("tokenizer.json", "{}");
    assert_ne!(before, setup.compiled().unwrap());
}

#[test]
fn a_touched_file_keeps_its_plan() {
    let setup = Setup::new();
    let before = setup.compiled().unwrap();
    let file = fs::File::options()
        .append(true)
        .open(setup.model().join("graph"))
        .unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(5))
        .unwrap();
    assert_eq!(setup.compiled().unwrap(), before);
    assert_eq!(setup.importer.imports(), 1);
}

#[test]
fn a_copy_of_a_model_uses_its_plan() {
    let setup = Setup::new();
    let original = setup.compiled().unwrap();
    let copy = setup.folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["graph", "weights"] {
        fs::copy(setup.model().join(name), copy.join(name)).unwrap();
    }
    assert_eq!(
        setup.compiled_at(&copy, Some(setup.place())).unwrap(),
        original
    );
    assert_eq!(setup.importer.imports(), 1);
}

#[test]
fn a_damaged_plan_or_stamp_is_replaced() {
    let setup = Setup::new();
    let plan = setup.compiled().unwrap();
    for (damage, imports) in [(&b""[..], 2), (b"TEALIGHT and no more", 3)] {
        fs::write(&plan, damage).unwrap();
        assert_eq!(setup.compiled().unwrap(), plan);
        assert!(is_sound(&plan));
        assert_eq!(setup.importer.imports(), imports);
    }
    let is_stamp = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "stamp")
    };
    let entries = fs::read_dir(setup.place())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for stamp in entries.filter(is_stamp) {
        fs::write(stamp, "{\"key\": \"../..\"}").unwrap();
    }
    assert_eq!(setup.compiled().unwrap(), plan);
    assert_eq!(setup.importer.imports(), 3);
}

#[test]
fn what_an_interrupted_import_left_is_removed() {
    let setup = Setup::new();
    let plan = setup.compiled().unwrap();
    let key = plan.file_stem().unwrap().to_string_lossy().into_owned();
    let leftover = setup.place().join(format!(".{key}.tea.a1b2c3.tmp"));
    let stranger = setup.place().join(".other.tea.a1b2c3.tmp");
    for path in [&leftover, &stranger] {
        fs::write(path, "half").unwrap();
    }
    fs::remove_file(&plan).unwrap();
    setup.compiled().unwrap();
    assert!(!leftover.exists() && stranger.exists());
}

#[test]
fn without_a_cache_folder_the_plan_lies_beside_the_model() {
    let setup = Setup::new();
    let file = setup.folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    for folder in [None, Some(file)] {
        let plan = setup.compiled_at(&setup.model(), folder).unwrap();
        assert!(plan.starts_with(setup.model()));
    }
    assert_eq!(setup.importer.imports(), 1);
}

#[test]
fn without_any_place_the_error_names_all_that_were_tried() {
    let setup = Setup::new();
    let cache = setup.folder.path().join("file");
    for path in [&cache, &setup.model().join(place::BESIDE)] {
        fs::write(path, "not a folder").unwrap();
    }
    let error = setup
        .compiled_at(&setup.model(), Some(cache.clone()))
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&*cache.to_string_lossy()) && message.contains("TEALIGHT_CACHE"));
    assert!(matches!(error, CacheError::NoPlace { tried } if tried.len() == 2));
}

#[test]
fn a_model_that_is_not_there_is_an_error() {
    let setup = Setup::new();
    let result = setup.compiled_at(Path::new("/no/such/model"), Some(setup.place()));
    assert!(matches!(result, Err(CacheError::Model { .. })));
}

#[test]
fn files_that_change_during_the_import_leave_no_plan() {
    struct Meddling(Counting);
    impl Importer for Meddling {
        fn files(&self, model: &Path) -> Result<Vec<SourceFile>, ImportError> {
            self.0.files(model)
        }
        fn import(
            &self,
            model: &Path,
            output: &Path,
            progress: &mut dyn FnMut(Progress),
        ) -> Result<(), ImportError> {
            fs::write(model.join("weights"), "still being downloaded").unwrap();
            self.0.import(model, output, progress)
        }
    }
    let setup = Setup::new();
    let importer = Meddling(Counting::default());
    let cache = Cache {
        importer: &importer,
        folder: Some(setup.place()),
    };
    let result = cache.compiled(&setup.model(), &mut |_| {});
    assert!(matches!(result, Err(CacheError::Changed { .. })));
    let entries = fs::read_dir(setup.place())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    assert!(
        entries
            .into_iter()
            .all(|path| path.extension().is_none_or(|ext| ext != "tea"))
    );
}

#[test]
fn of_several_who_import_at_once_one_works_and_the_others_wait() {
    let mut setup = Setup::new();
    setup.importer.pause = Duration::from_millis(100);
    let start = Barrier::new(4);
    let plans: Vec<PathBuf> = std::thread::scope(|scope| {
        let one = || {
            start.wait();
            setup.compiled().unwrap()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(plans.iter().all(|plan| *plan == plans[0]));
    assert_eq!(setup.importer.imports(), 1);
}
