//! Texts to vectors whose angles say how alike the texts are.
//!
//! Enters: texts. Each becomes tokens, those run through the model, and the hidden states that
//! they end in become one vector, in the way that the model's files or the caller say. Leaves: a
//! vector a text.

mod defaults;
mod options;
mod pool;

use tealight_core::executor::{Arena, Config, KvCache, Logits};

pub use defaults::{EmbeddingDefaults, Pooling};
pub use options::EmbedOptions;
pub use pool::similarity;

use crate::memory::Memory;
use crate::model::Model;
use crate::step::{arena, cache};
use crate::{Error, Result, TokenId};
use pool::Pool;

/// Makes embeddings with a model, in working memory of its own.
///
/// ```no_run
/// use tealight::{EmbedOptions, Model, similarity};
///
/// let model = Model::open("qwen3-embedding-0.6b")?;
/// let mut embedder = model.embedder()?;
/// let question = embedder.embed(&["Where is Paris?"], &EmbedOptions::new().prompt("query"))?;
/// let answers = embedder.embed(&["Paris is in France.", "I like cheese."], &EmbedOptions::new())?;
/// for answer in &answers {
///     println!("{:.3}", similarity(&question[0], answer));
/// }
/// # Ok::<(), tealight::Error>(())
/// ```
#[derive(Debug)]
pub struct Embedder {
    model: Model,
    config: Config,
    cache: KvCache<Memory>,
    arena: Arena<Memory>,
}

impl Embedder {
    /// An embedder for texts of as many tokens as sessions of the model have room for.
    ///
    /// # Errors
    /// If the model makes no embeddings, or memory cannot be had.
    pub fn new(model: &Model) -> Result<Embedder> {
        if model.dimensions().is_none() {
            return Err(Error::NoEmbeddings {
                model: model.name().to_owned(),
            });
        }
        let context = model.context();
        let plan = model.plan()?;
        let whole = plan.model().whole != 0;
        let step = if whole {
            context
        } else {
            model.step_size().min(context)
        };
        let config = Config {
            context,
            step,
            // A mean is of all positions. What a step does not use stays untouched.
            logits: step,
            threads: model.threads(),
            kv: model.kv(),
        };
        Ok(Embedder {
            model: model.clone(),
            config,
            cache: cache(model, &config)?,
            arena: arena(model, &config)?,
        })
    }

    /// A vector for each text, in their order.
    ///
    /// # Errors
    /// Before anything is computed, if a text is empty, or has more tokens than there is room for
    /// and is not to be cut, if the model has no such prompt, or if neither the model nor the options say how hidden
    /// states are pooled.
    pub fn embed(
        &mut self,
        texts: &[impl AsRef<str>],
        options: &EmbedOptions,
    ) -> Result<Vec<Vec<f32>>> {
        let pooling = self.pooling(options)?;
        let prompt = self.prompt(options)?;
        let tokens = texts
            .iter()
            .enumerate()
            .map(|(index, text)| self.tokens(index, prompt, text.as_ref(), options.truncate))
            .collect::<Result<Vec<_>>>()?;
        let normalize = options
            .normalize
            .unwrap_or(self.model.embedding_defaults().normalize);
        let mut vectors = Vec::with_capacity(tokens.len());
        for tokens in &tokens {
            let pooled = self.pooled(tokens, pooling, options)?;
            vectors.push(pooled.finish(options.dimensions, normalize));
        }
        Ok(vectors)
    }

    /// Numbers in a vector.
    pub fn dimensions(&self) -> usize {
        self.model.dimensions().unwrap_or_default()
    }

    /// Most tokens of a text, its prompt and the tokens around it included.
    pub fn capacity(&self) -> usize {
        let most = self.model.embedding_defaults().max_tokens;
        most.map_or(self.config.context, |most| most.min(self.config.context))
    }

    fn pooling(&self, options: &EmbedOptions) -> Result<Pooling> {
        let pooling = options
            .pooling
            .or(self.model.embedding_defaults().pooling)
            .ok_or_else(|| Error::NoPooling {
                model: self.model.name().to_owned(),
            })?;
        match options.dimensions {
            Some(asked) if asked == 0 || asked > self.dimensions() => Err(Error::Dimensions {
                asked,
                most: self.dimensions(),
            }),
            _ => Ok(pooling),
        }
    }

    fn prompt<'a>(&'a self, options: &'a EmbedOptions) -> Result<&'a str> {
        let defaults = self.model.embedding_defaults();
        if let Some(text) = &options.prompt_text {
            return Ok(text);
        }
        let Some(name) = options.prompt.as_ref().or(defaults.default_prompt.as_ref()) else {
            return Ok("");
        };
        let prompt = defaults.prompts.get(name);
        prompt.map(String::as_str).ok_or_else(|| {
            let known: Vec<&str> = defaults.prompts.keys().map(String::as_str).collect();
            Error::UnknownPrompt {
                model: self.model.name().to_owned(),
                name: name.clone(),
                known: match known[..] {
                    [] => "none".to_owned(),
                    _ => known.join(", "),
                },
            }
        })
    }

    fn tokens(
        &self,
        index: usize,
        prompt: &str,
        text: &str,
        truncate: bool,
    ) -> Result<Vec<TokenId>> {
        if text.trim().is_empty() {
            return Err(Error::EmptyText { index });
        }
        let most = self.capacity();
        let wanted = if truncate { most } else { usize::MAX };
        let text = format!("{prompt}{text}");
        let tokens = self.model.texts().encode_text_up_to(wanted, &text)?;
        if tokens.is_empty() {
            Err(Error::EmptyText { index })
        } else if tokens.len() > most {
            Err(Error::TextTooLong {
                index,
                tokens: tokens.len(),
                most,
            })
        } else {
            Ok(tokens)
        }
    }

    /// Runs a text and pools what it ends in.
    fn pooled(
        &mut self,
        tokens: &[TokenId],
        pooling: Pooling,
        options: &EmbedOptions,
    ) -> Result<Pool> {
        let width = self.dimensions();
        let mut pool = Pool::new(pooling, width);
        self.cache.truncate(0);
        let steps = tokens.chunks(self.config.step);
        let last = steps.len() - 1;
        for (index, tokens) in steps.enumerate() {
            if options
                .cancel
                .as_ref()
                .is_some_and(|cancel| cancel.is_cancelled())
            {
                return Err(Error::Cancelled);
            }
            let wanted = match pooling {
                Pooling::Last if index < last => Logits::None,
                Pooling::Last => Logits::Last,
                Pooling::Cls | Pooling::Mean => Logits::All,
            };
            let executor = self.model.executor(tokens.len())?;
            let rows = executor.step(&mut self.cache, &mut self.arena, tokens, wanted)?;
            rows.chunks_exact(width).for_each(|row| pool.add(row));
        }
        Ok(pool)
    }
}

impl Model {
    /// An embedder with the model's defaults.
    ///
    /// # Errors
    /// If the model makes no embeddings.
    pub fn embedder(&self) -> Result<Embedder> {
        Embedder::new(self)
    }

    /// A vector for each text; see [`Embedder::embed`], which keeps its working memory for more.
    ///
    /// # Errors
    /// As [`Embedder::new`] and [`Embedder::embed`].
    pub fn embed(
        &self,
        texts: &[impl AsRef<str>],
        options: &EmbedOptions,
    ) -> Result<Vec<Vec<f32>>> {
        self.embedder()?.embed(texts, options)
    }

    /// Numbers in a vector of a model that makes embeddings.
    pub fn dimensions(&self) -> Option<usize> {
        self.info().dimensions
    }

    /// What the model's author says about making embeddings with it.
    pub fn embedding_defaults(&self) -> &EmbeddingDefaults {
        &self.texts().embedding
    }
}
