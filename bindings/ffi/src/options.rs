//! What can be chosen. Whatever is left open is the library's or the model's own default.

use std::path::PathBuf;

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ModelSource {
    /// The model that the library carries: household requests in, compact JSON out.
    Embedded,
    /// A `.tea` file, an `.onnx` file or a folder with one.
    Path {
        /// Its path.
        path: String,
    },
}

impl From<ModelSource> for tealight::shared::ModelSource {
    fn from(source: ModelSource) -> Self {
        match source {
            ModelSource::Embedded => Self::Embedded,
            ModelSource::Path { path } => Self::Path(path.into()),
        }
    }
}

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum KvType {
    /// Half precision.
    F16,
    /// Single precision: twice the memory.
    F32,
    /// int8 with scales: 0.63 of the memory of half precision.
    Int8,
}

/// How a model is opened.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct ModelOptions {
    /// Threads that compute; as few as are fastest, at most eight, if absent.
    #[uniffi(default = None)]
    pub threads: Option<u32>,
    /// Tokens that chats have room for; the model's context, at most 4096, if absent.
    #[uniffi(default = None)]
    pub context: Option<u32>,
    /// How chats keep keys and values; half precision if absent.
    #[uniffi(default = None)]
    pub kv: Option<KvType>,
    /// Most tokens of a prompt that are computed together; 64 if absent. Cancelling waits for
    /// the end of such a step.
    #[uniffi(default = None)]
    pub step: Option<u32>,
    /// Folder for compiled models; the user's cache folder if absent.
    #[uniffi(default = None)]
    pub cache: Option<String>,
}

impl From<ModelOptions> for tealight::ModelOptions {
    fn from(options: ModelOptions) -> Self {
        let mut own = Self::new();
        own.threads = options.threads.map(size);
        own.context = options.context.map(size);
        own.kv = options.kv.map(|kv| match kv {
            KvType::F16 => tealight::KvType::F16,
            KvType::F32 => tealight::KvType::F32,
            KvType::Int8 => tealight::KvType::Int8,
        });
        own.step = options.step.map(size);
        own.cache = options.cache.map(PathBuf::from);
        own
    }
}

/// How a chat begins.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct ChatOptions {
    /// Instructions for the whole conversation; the template's own if absent.
    #[uniffi(default = None)]
    pub system: Option<String>,
    /// Tokens that there is room for; what the model was opened with if absent.
    #[uniffi(default = None)]
    pub context: Option<u32>,
    /// Whether models that can think before they answer should; the template's default if
    /// absent.
    #[uniffi(default = None)]
    pub thinking: Option<bool>,
}

impl From<ChatOptions> for tealight::ChatOptions {
    fn from(options: ChatOptions) -> Self {
        let mut own = Self::new();
        own.system = options.system;
        own.session.context = options.context.map(size);
        match options.thinking {
            Some(enabled) => own.thinking(enabled),
            None => own,
        }
    }
}

/// How an answer is generated.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct GenerateOptions {
    /// Most tokens that the model says; as many as the context has room for if absent.
    #[uniffi(default = None)]
    pub max_tokens: Option<u32>,
    /// Divides the logits; 0 always takes the likeliest token.
    #[uniffi(default = None)]
    pub temperature: Option<f32>,
    /// Keeps this many of the likeliest tokens.
    #[uniffi(default = None)]
    pub top_k: Option<u32>,
    /// Keeps the likeliest tokens up to this probability together.
    #[uniffi(default = None)]
    pub top_p: Option<f32>,
    /// Keeps tokens of at least this share of the likeliest one's probability.
    #[uniffi(default = None)]
    pub min_p: Option<f32>,
    /// Divides the positive logits of tokens that were there before.
    #[uniffi(default = None)]
    pub repetition_penalty: Option<f32>,
    /// The same seed gives the same text; a new one each time if absent.
    #[uniffi(default = None)]
    pub seed: Option<u64>,
    /// The answer ends before the first of these.
    #[uniffi(default = [])]
    pub stop: Vec<String>,
}

impl From<GenerateOptions> for tealight::GenerateOptions {
    fn from(options: GenerateOptions) -> Self {
        let mut own = Self::new();
        own.max_tokens = options.max_tokens.map(size);
        own.temperature = options.temperature;
        own.top_k = options.top_k.map(size);
        own.top_p = options.top_p;
        own.min_p = options.min_p;
        own.repetition_penalty = options.repetition_penalty;
        own.seed = options.seed;
        own.stop = options.stop;
        own
    }
}

/// No machine that this runs on has smaller sizes.
fn size(number: u32) -> usize {
    number as usize
}
