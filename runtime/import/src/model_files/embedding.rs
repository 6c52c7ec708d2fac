//! How hidden states become embeddings, as sentence-transformers' files beside the graph say it:
//! `modules.json` lists what follows the network, `1_Pooling/config.json` says how it is pooled,
//! `config_sentence_transformers.json` what is put before texts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Folder, TextError};

/// Which modules follow the network.
pub(super) const MODULES: &str = "modules.json";
/// How its hidden states are pooled.
pub(super) const POOLING: &str = "1_Pooling/config.json";
/// What is put before texts.
pub(super) const PROMPTS: &str = "config_sentence_transformers.json";
/// How long texts may be.
pub(super) const LENGTH: &str = "sentence_bert_config.json";

/// The embedding section of a plan, as JSON. Whatever the model's author left open is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmbeddingDefaults {
    /// How a text's hidden states become one vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// Whether that vector is then brought to length 1.
    pub normalize: bool,
    /// Most tokens of a text, those around it included, where that is fewer than the context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// What is put before a text, by the name of what the text is for, such as `query`.
    pub prompts: BTreeMap<String, String>,
    /// Which of the prompts it is unless told otherwise; none where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_prompt: Option<String>,
}

/// How a text's hidden states become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The first token's.
    Cls,
    /// The mean of all tokens'.
    Mean,
    /// The last token's.
    Last,
}

/// An entry of `modules.json`.
#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    /// Such as `sentence_transformers.models.Pooling`.
    #[serde(rename = "type")]
    kind: String,
}

/// `1_Pooling/config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PoolingConfig {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_lasttoken: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    include_prompt: Option<bool>,
}

/// `config_sentence_transformers.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PromptConfig {
    prompts: BTreeMap<String, String>,
    default_prompt_name: Option<String>,
}

/// `sentence_bert_config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LengthConfig {
    max_seq_length: Option<u32>,
}

impl EmbeddingDefaults {
    /// Reads the files; without `modules.json` nothing is known of pooling.
    pub(super) fn read(folder: &Folder) -> Result<EmbeddingDefaults, TextError> {
        let fault = |name: &str, fault: String| TextError::Embedding {
            path: folder.0.join(name),
            fault,
        };
        let prompts: PromptConfig = folder.json(PROMPTS)?.unwrap_or_default();
        let length: LengthConfig = folder.json(LENGTH)?.unwrap_or_default();
        let mut defaults = EmbeddingDefaults {
            max_tokens: length.max_seq_length,
            prompts: prompts.prompts,
            default_prompt: prompts.default_prompt_name,
            ..EmbeddingDefaults::default()
        };
        if let Some(name) = &defaults.default_prompt
            && !defaults.prompts.contains_key(name)
        {
            let what = format!("its default prompt `{name}` is not among its prompts");
            return Err(fault(PROMPTS, what));
        }
        for module in folder.json::<Vec<Module>>(MODULES)?.unwrap_or_default() {
            let kind = module.kind.rsplit('.').next().unwrap_or_default();
            match (kind, defaults.pooling) {
                ("Transformer", None) => {}
                ("Pooling", None) => {
                    let place = POOLING.split('/').next().unwrap_or_default();
                    if module.path != place {
                        let what = format!("its pooling is in `{}`, not `{place}`", module.path);
                        return Err(fault(MODULES, what));
                    }
                    let config: PoolingConfig = folder.json(POOLING)?.ok_or_else(|| {
                        fault(
                            MODULES,
                            format!("it has a pooling, but there is no {POOLING}"),
                        )
                    })?;
                    let pooling = config.pooling().map_err(|what| fault(POOLING, what))?;
                    defaults.pooling = Some(pooling);
                }
                ("Normalize", Some(_)) => defaults.normalize = true,
                _ => {
                    let what = format!(
                        "its module `{}` cannot follow there: known are Transformer, Pooling and \
                         Normalize, in this order",
                        module.kind
                    );
                    return Err(fault(MODULES, what));
                }
            }
        }
        Ok(defaults)
    }
}

impl PoolingConfig {
    fn pooling(&self) -> Result<Pooling, String> {
        if self.include_prompt == Some(false) {
            return Err("it leaves the prompt's tokens out, which is not supported".into());
        }
        let modes = [
            (self.pooling_mode_cls_token, "cls", Some(Pooling::Cls)),
            (self.pooling_mode_mean_tokens, "mean", Some(Pooling::Mean)),
            (
                self.pooling_mode_lasttoken,
                "last token",
                Some(Pooling::Last),
            ),
            (self.pooling_mode_max_tokens, "max", None),
            (
                self.pooling_mode_mean_sqrt_len_tokens,
                "mean over the root of the length",
                None,
            ),
            (self.pooling_mode_weightedmean_tokens, "weighted mean", None),
        ];
        let mut chosen = modes.into_iter().filter(|(on, ..)| *on);
        match (chosen.next(), chosen.next()) {
            (Some((_, _, Some(pooling))), None) => Ok(pooling),
            (Some((_, name, None)), _) => Err(format!(
                "its pooling is by {name}; supported are cls, mean and last token"
            )),
            (None, _) => Err("it names no pooling".into()),
            (Some((_, first, _)), Some((_, second, _))) => Err(format!(
                "it pools by {first} and by {second}; supported is one of cls, mean and last token"
            )),
        }
    }
}
