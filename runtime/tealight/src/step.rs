//! The one thing that sessions need of a model: run tokens, get logits.

use tealight_core::executor::{Arena, Config, KvCache, KvType, Logits};

use crate::memory::Memory;
use crate::model::Model;
use crate::{Error, Result};

/// Runs tokens at the end of those that it has seen.
///
/// Sessions are tested with one that has no weights.
pub(crate) trait Step: Send {
    /// How many token ids there are, and logits a row.
    fn vocab(&self) -> usize;
    /// How many tokens there is room for.
    fn capacity(&self) -> usize;
    /// Most tokens of one step that wants these logits.
    fn most(&self, logits: Logits) -> usize;
    /// Forgets all tokens from `len` on, or a few more; how many are left.
    fn truncate(&mut self, len: usize) -> usize;
    /// Sees more tokens and returns the wanted rows of logits. Unchanged after an error.
    fn step(&mut self, tokens: &[u32], logits: Logits) -> Result<&mut [f32]>;
}

/// Most positions that are scored in one step: each needs a row of logits.
const SCORED: usize = 16;

/// Runs tokens through a model's plan.
pub(crate) struct PlanStep {
    model: Model,
    config: Config,
    cache: KvCache<Memory>,
    arena: Arena<Memory>,
    /// For steps that want all logits; made when the first one comes.
    scoring: Option<Arena<Memory>>,
}

impl PlanStep {
    pub(crate) fn new(model: &Model, context: usize, kv: KvType) -> Result<PlanStep> {
        if model.dimensions().is_some() {
            return Err(Error::NoLogits {
                model: model.name().to_owned(),
            });
        }
        let config = Config {
            context,
            step: model.step_size(),
            logits: 1,
            threads: model.threads(),
            kv,
        };
        let (cache, arena) = (cache(model, &config)?, arena(model, &config)?);
        Ok(PlanStep {
            model: model.clone(),
            config,
            cache,
            arena,
            scoring: None,
        })
    }
}

impl Step for PlanStep {
    fn vocab(&self) -> usize {
        self.model.info().vocab
    }

    fn capacity(&self) -> usize {
        self.cache.capacity()
    }

    fn most(&self, logits: Logits) -> usize {
        match logits {
            Logits::None | Logits::Last => self.config.step,
            Logits::All => SCORED,
        }
    }

    fn truncate(&mut self, len: usize) -> usize {
        self.cache.truncate(len)
    }

    fn step(&mut self, tokens: &[u32], logits: Logits) -> Result<&mut [f32]> {
        let arena = match logits {
            Logits::None | Logits::Last => &mut self.arena,
            Logits::All => match &mut self.scoring {
                Some(arena) => arena,
                none => {
                    let config = Config {
                        step: SCORED,
                        logits: SCORED,
                        ..self.config
                    };
                    none.insert(arena(&self.model, &config)?)
                }
            },
        };
        Ok(self
            .model
            .executor(tokens.len())?
            .step(&mut self.cache, arena, tokens, logits)?)
    }
}

/// An empty cache for the model.
pub(crate) fn cache(model: &Model, config: &Config) -> Result<KvCache<Memory>> {
    let wrong = |source| Error::Memory {
        model: model.name().to_owned(),
        source,
    };
    let plan = model.plan()?;
    let lines = KvCache::lines(plan, config).map_err(wrong)?;
    KvCache::new(plan, config, Memory::new("KV cache", lines)?).map_err(wrong)
}

/// Working memory for steps of the model.
pub(crate) fn arena(model: &Model, config: &Config) -> Result<Arena<Memory>> {
    let wrong = |source| Error::Memory {
        model: model.name().to_owned(),
        source,
    };
    let plan = model.plan()?;
    let lines = Arena::lines(plan, config).map_err(wrong)?;
    Arena::new(plan, config, Memory::new("working memory", lines)?).map_err(wrong)
}
