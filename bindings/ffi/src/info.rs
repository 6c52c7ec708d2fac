//! What is known about a model before it is loaded.

use crate::{ModelOptions, ModelSource, TealightError};

/// What a model says about itself, and the memory that it takes with the options it was asked with.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ModelInfo {
    /// The folder's name that the model was compiled from, or what it was opened as.
    pub name: String,
    /// The architecture's name, such as `Qwen2ForCausalLM`.
    pub architecture: Option<String>,
    /// Numbers that were trained.
    pub parameters: Option<u64>,
    /// How most of the weights are stored, such as `int4`.
    pub quantization: Option<String>,
    /// The licence as the author names it.
    pub licence: Option<String>,
    /// Number of token ids.
    pub vocab: u64,
    /// Most tokens that the model can attend over.
    pub context: u64,
    /// Size of the compiled model in bytes.
    pub file_bytes: u64,
    /// Whether it takes and gives text.
    pub has_tokenizer: bool,
    /// Whether it can chat.
    pub has_chat_template: bool,
    /// Tokens that a chat has room for, with the options.
    pub chat_context: u64,
    /// Bytes that a token's keys and values take, with the options. Where attention has windows,
    /// some of that is kept of the last tokens only.
    pub bytes_per_token: u64,
    /// About how many bytes of memory the model takes with one chat, with the options: the file
    /// (which the system can drop and read again), keys and values, working memory, tokenizer.
    pub memory_estimate: u64,
}

impl From<&tealight::ModelInfo> for ModelInfo {
    fn from(info: &tealight::ModelInfo) -> ModelInfo {
        ModelInfo {
            name: info.name.clone(),
            architecture: info.architecture.clone(),
            parameters: info.parameters,
            quantization: info.quantization.clone(),
            licence: info.licence.clone(),
            vocab: info.vocab as u64,
            context: info.context as u64,
            file_bytes: info.file_bytes,
            has_tokenizer: info.has_tokenizer,
            has_chat_template: info.has_chat_template,
            chat_context: info.session_context as u64,
            bytes_per_token: info.kv_bytes_per_token,
            memory_estimate: info.memory_estimate,
        }
    }
}

/// What a model says about itself, without loading it. An ONNX model is compiled first if need
/// be, which takes as long as loading it for the first time.
#[uniffi::export]
pub fn model_info(source: ModelSource, options: ModelOptions) -> Result<ModelInfo, TealightError> {
    let info = tealight::shared::ModelSource::from(source).info(&options.into())?;
    Ok(ModelInfo::from(&info))
}
