//! A model, opened: its plan, its threads and its texts, shared by any number of sessions.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tealight_core::executor::{Activations, Config, Executor, KvCache, KvType, Line};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::plan::format::{MAGIC, Section};

use crate::bytes::{Bytes, check_sha256};
use crate::chat::{Chat, ChatOptions};
use crate::defaults::GenerationDefaults;
#[cfg(feature = "tract")]
use crate::graph::{self, GraphModel, GraphStep};
use crate::info::ModelInfo;
use crate::session::{Session, SessionOptions};
use crate::step::{PlanStep, Step};
use crate::template::ChatTemplate;
use crate::texts::Texts;
use crate::threads::{Crew, ThreadCounts};
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};

/// Told how far an import has come.
#[cfg(feature = "import")]
pub type OnProgress<'a> = dyn FnMut(tealight_import::Progress) + 'a;

/// Most tokens of context that a session makes room for unless told otherwise.
const DEFAULT_CONTEXT: usize = 4096;
/// Most tokens of a prompt that are computed together unless told otherwise.
const DEFAULT_STEP: usize = 64;

/// How a model is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ModelOptions {
    /// Threads that compute, the calling one included. If absent, as few as are fastest: one for
    /// each core that is not much slower than the fastest, at most eight, within the process's
    /// affinity and quota; or fewer, told apart for prefill and decode, if a calibration said
    /// so. That takes a fraction of a second, the first time that a model of about this size is
    /// opened, and is kept in the folder of compiled models; where there is none, it is left out.
    pub threads: Option<usize>,
    /// Tokens that sessions have room for; the model's context, at most 4096, if absent.
    pub context: Option<usize>,
    /// How sessions keep keys and values; half precision if absent.
    pub kv: Option<KvType>,
    /// What the inputs of quantized linear maps are computed in; `F32` is slow and for
    /// comparisons.
    pub activations: Activations,
    /// Most tokens of a prompt that are computed together; 64 if absent. Cancelling waits for
    /// the end of such a step.
    pub step: Option<usize>,
    /// Name of the instruction set to use, such as `scalar` or `avx2`, one of [`Isa::NAMES`]; if
    /// absent, the one that the environment variable `TEALIGHT_CPU` names, else the best one.
    pub isa: Option<String>,
    /// Folder for compiled models; the user's cache folder if absent. An app on a phone names
    /// its own.
    pub cache: Option<PathBuf>,
}

impl ModelOptions {
    /// What suits this machine.
    pub fn new() -> ModelOptions {
        ModelOptions::default()
    }

    /// Threads that compute, the calling one included.
    pub fn threads(mut self, threads: usize) -> ModelOptions {
        self.threads = Some(threads);
        self
    }

    /// Tokens that sessions have room for.
    pub fn context(mut self, tokens: usize) -> ModelOptions {
        self.context = Some(tokens);
        self
    }

    /// How sessions keep keys and values.
    pub fn kv(mut self, kv: KvType) -> ModelOptions {
        self.kv = Some(kv);
        self
    }

    /// What the inputs of quantized linear maps are computed in.
    pub fn activations(mut self, activations: Activations) -> ModelOptions {
        self.activations = activations;
        self
    }

    /// Most tokens of a prompt that are computed together.
    pub fn step(mut self, tokens: usize) -> ModelOptions {
        self.step = Some(tokens);
        self
    }

    /// Name of the instruction set to use.
    pub fn isa(mut self, name: impl Into<String>) -> ModelOptions {
        self.isa = Some(name.into());
        self
    }

    /// Folder for compiled models.
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> ModelOptions {
        self.cache = Some(folder.into());
        self
    }

    /// Tokens that sessions have room for, with a model that can attend over `most`.
    pub(crate) fn session_context(&self, most: usize) -> usize {
        self.context.unwrap_or(most.min(DEFAULT_CONTEXT))
    }

    pub(crate) fn step_size(&self) -> usize {
        self.step.unwrap_or(DEFAULT_STEP).max(1)
    }
}

/// A language model, ready to run. Cheap to clone; clones share everything.
///
/// Weights are mapped, not read: the system loads the parts that are used and may drop them
/// again when memory is short.
#[derive(Clone)]
pub struct Model(Arc<Inner>);

struct Inner {
    engine: Engine,
    options: ModelOptions,
    texts: Arc<Texts>,
    info: ModelInfo,
}

/// What runs a model's steps.
enum Engine {
    Plan(Planned),
    /// Its graph, on tract.
    #[cfg(feature = "tract")]
    Graph(Arc<GraphModel>),
}

struct Planned {
    plan: Arc<Plan<Bytes>>,
    crew: Crew,
    isa: Isa,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name())
            .field("threads", &self.threads())
            .field("isa", &self.isa())
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Opens a `.tea` file, an `.onnx` file or a folder with one.
    ///
    /// An ONNX model is compiled the first time and kept in the user's cache folder.
    ///
    /// # Errors
    /// If there is no such model, it cannot be compiled, or it is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Model> {
        Model::open_with(path, &ModelOptions::default())
    }

    /// Opens a model with options. See [`Model::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Model> {
        let path = path.as_ref();
        Model::open_found(plan_of(path, options), path, options)
    }

    /// Opens a model and tells how far its compilation has come, if it is compiled now.
    #[cfg(feature = "import")]
    pub fn open_with_progress(
        path: impl AsRef<Path>,
        options: &ModelOptions,
        progress: &mut OnProgress<'_>,
    ) -> Result<Model> {
        let path = path.as_ref();
        Model::open_found(plan_of_with(path, options, progress), path, options)
    }

    /// Opens the model that the library carries: household requests in, compact JSON out.
    #[cfg(feature = "embedded")]
    pub fn embedded() -> Result<Model> {
        Model::embedded_with(&ModelOptions::default())
    }

    /// Opens the model that the library carries with options.
    #[cfg(feature = "embedded")]
    pub fn embedded_with(options: &ModelOptions) -> Result<Model> {
        Model::over(
            Bytes::from_static(tealight_models::HOME)?,
            "embedded model",
            options,
        )
    }

    /// Opens a plan that lies in the program or is kept in memory for good, without copying it
    /// if it starts on a 64-byte boundary.
    pub fn from_static(plan: &'static [u8], options: &ModelOptions) -> Result<Model> {
        Model::over(Bytes::from_static(plan)?, "model in memory", options)
    }

    /// Opens a plan in memory, from a copy.
    pub fn from_bytes(plan: &[u8], options: &ModelOptions) -> Result<Model> {
        Model::over(Bytes::copy(plan)?, "model in memory", options)
    }

    fn open_found(plan: Result<PathBuf>, named: &Path, options: &ModelOptions) -> Result<Model> {
        #[cfg(feature = "tract")]
        let plan = match plan {
            Err(why) if graph::may_run(&why) => return Model::over_graph(named, options, why),
            plan => plan,
        };
        Model::over(Bytes::map(&plan?)?, &named.display().to_string(), options)
    }

    /// Opens a model that runs on tract, since there is no plan of it.
    #[cfg(feature = "tract")]
    fn over_graph(path: &Path, options: &ModelOptions, why: Error) -> Result<Model> {
        let opened = graph::open(path, options, why)?;
        Ok(Model(Arc::new(Inner {
            engine: Engine::Graph(opened.graph),
            options: options.clone(),
            texts: Arc::new(opened.texts),
            info: opened.info,
        })))
    }

    fn over(bytes: Bytes, name: &str, options: &ModelOptions) -> Result<Model> {
        let start = Instant::now();
        let isa = isa(options)?;
        let plan = Arc::new(Plan::open(bytes).map_err(|source| Error::Plan {
            model: name.to_owned(),
            source,
        })?);
        let (texts, (info, crew)) = Texts::read(name, &plan, || {
            let crew = Crew::settled(options, &plan, isa);
            (ModelInfo::of_plan(name, &plan, options), crew)
        })?;
        let info = info?;
        let crew = match crew {
            Some(crew) => crew,
            None => Crew::calibrated(options, &plan, isa)?,
        };
        let options = options.clone();
        log::info!(
            "opened `{name}` in {:.0?}: {:?}, {}, {} MB",
            start.elapsed(),
            crew.counts(),
            isa.name(),
            info.file_bytes / 1_000_000
        );
        Ok(Model(Arc::new(Inner {
            engine: Engine::Plan(Planned { plan, crew, isa }),
            options,
            texts: Arc::new(texts),
            info,
        })))
    }

    /// What is known about the model.
    pub fn info(&self) -> &ModelInfo {
        &self.0.info
    }

    /// A session with the model's defaults.
    pub fn session(&self) -> Result<Session> {
        Session::new(self, &SessionOptions::default())
    }

    /// A chat without system prompt.
    pub fn chat(&self) -> Result<Chat> {
        Chat::new(self, &ChatOptions::default())
    }

    /// A chat with options.
    pub fn chat_with(&self, options: &ChatOptions) -> Result<Chat> {
        Chat::new(self, options)
    }

    /// Compares the SHA-256 of every section, the weights included, with what was written.
    /// Opening a model checks its texts only.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the first section that differs.
    pub fn verify(&self) -> Result<()> {
        let plan = &self.planned()?.plan;
        Section::ALL
            .into_iter()
            .try_for_each(|section| check_sha256(self.name(), plan, section))
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// If the model came without one.
    pub fn tokenizer(&self) -> Result<&Arc<Tokenizer>> {
        self.0.texts.tokenizer()
    }

    /// The chat template, if the model came with one.
    pub fn template(&self) -> Option<&ChatTemplate> {
        self.0.texts.template.as_ref()
    }

    /// What the model's author says about generating with it.
    pub fn defaults(&self) -> &GenerationDefaults {
        &self.0.texts.defaults
    }

    /// The compiled model.
    ///
    /// # Errors
    /// If there is none, since the model runs on tract; never without the feature `tract`.
    pub fn plan(&self) -> Result<&Plan<impl AsRef<[u8]> + use<>>> {
        Ok(&*self.planned()?.plan)
    }

    fn planned(&self) -> Result<&Planned> {
        match &self.0.engine {
            Engine::Plan(planned) => Ok(planned),
            #[cfg(feature = "tract")]
            Engine::Graph(_) => Err(graph::only_plans(self.name(), "plan to look into")),
        }
    }

    /// That the model runs on tract, slower than if it were compiled, and which operators stood in
    /// the way; nothing of a compiled model.
    pub fn notice(&self) -> Option<&str> {
        match &self.0.engine {
            Engine::Plan(_) => None,
            #[cfg(feature = "tract")]
            Engine::Graph(graph) => Some(&graph.notice),
        }
    }

    /// What runs the steps of a session.
    pub(crate) fn step(&self, context: usize, kv: Option<KvType>) -> Result<Box<dyn Step>> {
        match &self.0.engine {
            Engine::Plan(_) => {
                let kv = kv.unwrap_or(self.kv());
                Ok(Box::new(PlanStep::new(self, context, kv)?))
            }
            #[cfg(feature = "tract")]
            Engine::Graph(graph) => Ok(Box::new(GraphStep::new(self, graph, context, kv)?)),
        }
    }

    /// Most threads that compute.
    pub fn threads(&self) -> usize {
        self.thread_counts().most()
    }

    /// Threads that compute when a prompt is read, and when a token follows a token.
    pub fn thread_counts(&self) -> ThreadCounts {
        match &self.0.engine {
            Engine::Plan(planned) => planned.crew.counts(),
            #[cfg(feature = "tract")]
            Engine::Graph(_) => ThreadCounts::both(1),
        }
    }

    /// Name of the instruction set in use; of a model that runs on tract, `tract`.
    pub fn isa(&self) -> &'static str {
        match &self.0.engine {
            Engine::Plan(planned) => planned.isa.name(),
            #[cfg(feature = "tract")]
            Engine::Graph(_) => "tract",
        }
    }

    /// The model's path as it was opened, or what it is called otherwise.
    pub fn name(&self) -> &str {
        &self.0.texts.model
    }

    pub(crate) fn texts(&self) -> &Arc<Texts> {
        &self.0.texts
    }

    /// Runs steps of so many tokens.
    pub(crate) fn executor(&self, tokens: usize) -> Result<Executor<'_>> {
        let Planned { plan, crew, isa } = self.planned()?;
        let activations = self.0.options.activations;
        Ok(Executor::new(plan, crew.of_step(tokens), *isa, activations))
    }

    /// Tokens that sessions have room for unless told otherwise.
    pub(crate) fn context(&self) -> usize {
        self.0.options.session_context(self.info().context)
    }

    /// Bytes of the keys and values, kept in this way, that a token sees at the end of so many:
    /// where attention has windows, fewer than those of all of them.
    pub fn kv_bytes_seen(&self, kv: KvType, tokens: usize) -> u64 {
        match &self.0.engine {
            Engine::Plan(planned) => KvCache::seen_bytes(&planned.plan, kv, tokens),
            #[cfg(feature = "tract")]
            Engine::Graph(_) => self.info().kv_bytes_per_token * tokens as u64,
        }
    }

    /// Bytes in which a session with room for so many tokens keeps what it has seen: keys and
    /// values (where attention has windows, of what can still be seen), what convolutions need to go on, and recurrent states with their copies.
    pub fn cache_bytes(&self, context: usize, kv: KvType) -> u64 {
        let config = Config {
            kv,
            step: self.step_size(),
            ..Config::new(context)
        };
        match &self.0.engine {
            Engine::Plan(planned) => {
                let lines = KvCache::lines(&planned.plan, &config);
                lines.map_or(u64::MAX, |lines| (lines * Line::BYTES) as u64)
            }
            #[cfg(feature = "tract")]
            Engine::Graph(_) => self.info().kv_bytes_per_token * context as u64,
        }
    }

    pub(crate) fn kv(&self) -> KvType {
        self.0.options.kv.unwrap_or_default()
    }

    pub(crate) fn step_size(&self) -> usize {
        self.0.options.step_size()
    }
}

fn isa(options: &ModelOptions) -> Result<Isa> {
    let variable = || std::env::var("TEALIGHT_CPU").ok();
    let asked = options.isa.clone().or_else(variable);
    let Some(name) = asked.filter(|name| !name.is_empty()) else {
        return Ok(Isa::best());
    };
    Isa::by_name(&name).ok_or_else(|| {
        let available: Vec<&str> = Isa::available().map(Isa::name).collect();
        let available = available.join(", ");
        if Isa::NAMES.contains(&&*name) {
            Error::MissingIsa { name, available }
        } else {
            Error::UnknownIsa { name, available }
        }
    })
}

/// The plan of the model at `path`, compiled now if need be.
pub(crate) fn plan_of(path: &Path, options: &ModelOptions) -> Result<PathBuf> {
    #[cfg(feature = "import")]
    return plan_of_with(path, options, &mut |_| {});
    #[cfg(not(feature = "import"))]
    let _ = options;
    #[cfg(not(feature = "import"))]
    match own_plan(path)? {
        Some(plan) => Ok(plan),
        None => Err(Error::ImportNotBuiltIn {
            path: path.to_owned(),
        }),
    }
}

#[cfg(feature = "import")]
fn plan_of_with(
    path: &Path,
    options: &ModelOptions,
    progress: &mut OnProgress<'_>,
) -> Result<PathBuf> {
    match own_plan(path)? {
        Some(plan) => Ok(plan),
        None => Ok(crate::cache::compiled(
            path,
            options.cache.clone(),
            progress,
        )?),
    }
}

/// The plan that `path` is, or the only one in the folder that it is, if that has no graph.
fn own_plan(path: &Path) -> Result<Option<PathBuf>> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    if path.metadata().map_err(failed)?.is_dir() {
        let mut plans = Vec::new();
        for entry in path.read_dir().map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("tea") => plans.push(file),
                Some("onnx") => return Ok(None),
                _ => {}
            }
        }
        return Ok(if plans.len() == 1 { plans.pop() } else { None });
    }
    let mut first = [0; MAGIC.len()];
    let is_plan = path.extension().is_some_and(|extension| extension == "tea")
        || File::open(path)
            .map_err(failed)?
            .read_exact(&mut first)
            .is_ok()
            && first == MAGIC;
    Ok(is_plan.then(|| path.to_owned()))
}
