//! Opens the model that the arguments name, with a progress bar if it has to be compiled first.

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tealight::import::{Progress, Step};
use tealight::{Activations, KvType, Model, ModelOptions};

use crate::args::{ActivationsArg, KvArg, ModelArgs};
use crate::exit::Failure;
use crate::resolve::{Place, resolve};
use crate::{interrupt, terminal};

/// Opens the model, with `threads` or as many as suit the machine.
pub(crate) fn model(args: &ModelArgs, threads: Option<usize>) -> Result<Model, Failure> {
    let options = options(args, threads);
    let model = match resolve(args.model.as_deref())? {
        Place::Embedded => Model::embedded_with(&options)?,
        Place::Path(path) => {
            with_progress(|progress| Model::open_with_progress(&path, &options, progress))??
        }
    };
    if let Some(notice) = model.notice() {
        eprintln!("{} {notice}", terminal::faint("note:"));
    }
    let most = model.info().context;
    match args.context {
        Some(asked) if asked > most => Err(Failure::usage(format!(
            "`{}` has room for {most} tokens, not for {asked}",
            model.name()
        ))),
        _ => Ok(model),
    }
}

/// The text in a file.
pub(crate) fn text_of(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::input(format!("cannot read {}", path.display()), &error))
}

fn options(args: &ModelArgs, threads: Option<usize>) -> ModelOptions {
    let mut options = ModelOptions::new();
    options.threads = threads;
    options.context = args.context;
    options.isa = args.isa.clone();
    options.kv = args.kv.map(kv_type);
    options.activations = match args.activations {
        ActivationsArg::Int8 => Activations::Int8,
        ActivationsArg::F32 => Activations::F32,
    };
    options
}

/// How sessions of the model keep keys and values.
pub(crate) fn kv(args: &ModelArgs) -> KvType {
    args.kv.map_or_else(KvType::default, kv_type)
}

fn kv_type(kv: KvArg) -> KvType {
    match kv {
        KvArg::F16 => KvType::F16,
        KvArg::F32 => KvType::F32,
        KvArg::Int8 => KvType::Int8,
    }
}

/// Thrown through an import to end it, so that it takes back what it has written.
struct Interrupted;

/// Does `work`, which reports how far an import has come, under a progress bar.
///
/// # Errors
/// Ctrl-C was pressed. The import has then cleaned up after itself.
pub(crate) fn with_progress<T>(
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> T,
) -> Result<T, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let bar = Bar::new();
    let result = {
        let flag = Arc::clone(&stop);
        let _guard = interrupt::catch(move || flag.store(true, Ordering::Relaxed));
        let mut report = |progress: Progress| {
            if stop.load(Ordering::Relaxed) {
                resume_unwind(Box::new(Interrupted));
            }
            bar.show(progress);
        };
        catch_unwind(AssertUnwindSafe(|| work(&mut report)))
    };
    bar.clear();
    match result {
        Ok(result) => Ok(result),
        Err(panic) if panic.is::<Interrupted>() => Err(Failure::interrupted()),
        Err(panic) => resume_unwind(panic),
    }
}

/// A progress bar on standard error, or nothing where that is no terminal.
struct Bar {
    bar: ProgressBar,
    /// The step that it shows, and whether that one's size is known.
    shown: Cell<Option<(Step, bool)>>,
}

impl Bar {
    fn new() -> Bar {
        Bar {
            bar: ProgressBar::hidden(),
            shown: Cell::new(None),
        }
    }

    fn show(&self, progress: Progress) {
        if !terminal::shows_bars() {
            return;
        }
        let step = (progress.step, progress.total > 0);
        if self.shown.replace(Some(step)) != Some(step) {
            self.begin(progress);
        }
        self.bar.set_position(progress.done);
    }

    fn begin(&self, progress: Progress) {
        let template = match progress {
            Progress { total: 0, .. } => "{msg:>8} {spinner} {elapsed}",
            Progress {
                step: Step::Calibration,
                ..
            } => "{msg:>8} {wide_bar} {pos}/{len} tokens {eta}",
            _ => "{msg:>8} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {eta}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(progress.total);
        self.bar.set_message(match progress.step {
            Step::Hash => "looking",
            Step::Graph => "graph",
            Step::Weights => "weights",
            Step::Calibration => "reading",
            _ => "model",
        });
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
