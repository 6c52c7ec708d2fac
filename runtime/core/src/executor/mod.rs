//! Runs tokens through a plan.
//!
//! Enters: token ids, the KV cache of the positions before them. Leaves: logits, and the cache
//! longer by as many positions. The memory for both is the caller's ([`Arena`], [`KvCache`]),
//! laid out once; nothing is allocated between tokens.

mod arena;
#[cfg(feature = "convolution")]
mod history;
mod kv_cache;
mod memory;
mod run;
#[cfg(feature = "experts")]
mod scratch;
#[cfg(feature = "recurrence")]
mod states;
#[cfg_attr(not(feature = "windows"), path = "no_windows.rs")]
mod windows;

pub use arena::Arena;
pub use kv_cache::KvCache;
pub use memory::{Config, KvType, Line, MemoryError};
pub(crate) use run::Run;
#[cfg(feature = "recurrence")]
pub(crate) use states::StateTile;

use crate::kernels::Isa;
#[cfg(feature = "observe")]
use crate::ops::{Op, TensorId};
use crate::plan::Plan;
use crate::pool::Workers;

/// What the inputs of linear maps with integer weights are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activations {
    /// Quantized to int8, a scale for each 32 values.
    #[default]
    Int8,
    /// Left in f32: slow, to tell the error of the activations from that of the weights.
    F32,
}

/// Which positions of a step the logits are wanted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logits {
    /// None: the step only fills the cache.
    None,
    /// The last one.
    Last,
    /// All, in order.
    All,
}

/// Why a step was not run. Cache and arena are as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// Nothing to do.
    #[error("a step needs at least one token")]
    Empty,
    /// More tokens than the arena has room for.
    #[error("a step of {tokens} tokens does not fit an arena made for {most}")]
    TooLong {
        /// Tokens given.
        tokens: usize,
        /// [`Config::step`].
        most: usize,
    },
    /// More rows of logits than the arena has room for.
    #[error("{rows} rows of logits do not fit an arena made for {most}")]
    TooManyLogits {
        /// Rows wanted.
        rows: usize,
        /// [`Config::logits`].
        most: usize,
    },
    /// The model does not know this token.
    #[error("token {token} is outside the vocabulary of {vocab}")]
    UnknownToken {
        /// The token id.
        token: u32,
        /// Number of token ids.
        vocab: u32,
    },
    /// The cache has no room for the tokens.
    #[error("{tokens} tokens after {len} do not fit a context of {capacity}")]
    ContextFull {
        /// Tokens given.
        tokens: usize,
        /// Positions that the cache holds.
        len: usize,
        /// Positions that it has room for.
        capacity: usize,
    },
    /// A text of this plan is one step, and the cache holds one already.
    #[cfg(feature = "encoders")]
    #[error("a text of this model is one step, but the cache holds {len} positions: empty it")]
    Whole {
        /// Positions that the cache holds.
        len: usize,
    },
    /// The arena was made for fewer threads.
    #[error("{threads} threads do not fit an arena made for {most}")]
    TooManyThreads {
        /// Threads of the executor's workers.
        threads: usize,
        /// [`Config::threads`].
        most: usize,
    },
    /// Cache or arena was made for another plan or another context.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Is shown each operator before it runs.
#[cfg(feature = "observe")]
type Watch<'w> = &'w mut dyn FnMut(&Op, &Run<'_>);
/// Nobody looks on.
#[cfg(not(feature = "observe"))]
type Watch<'w> = core::convert::Infallible;

/// Runs steps of one plan. Cheap to make.
#[derive(Clone, Copy)]
pub struct Executor<'a> {
    plan: Plan<&'a [u8]>,
    workers: &'a dyn Workers,
    isa: Isa,
    activations: Activations,
}

impl<'a> Executor<'a> {
    /// An executor that runs on `workers` with the instructions of `isa`.
    pub fn new<B: AsRef<[u8]>>(
        plan: &'a Plan<B>,
        workers: &'a dyn Workers,
        isa: Isa,
        activations: Activations,
    ) -> Executor<'a> {
        Executor {
            plan: plan.borrowed(),
            workers,
            isa,
            activations,
        }
    }

    /// Runs `tokens` at the positions after those in the cache.
    ///
    /// Returns the wanted logits, `vocab` floats for each wanted position, to sample from in
    /// place; of a plan that makes hidden states, those. A plan of whole texts takes each in one step, with
    /// an empty cache. The bits do not depend on how a text is cut into steps.
    ///
    /// # Errors
    /// Before anything has changed, if the tokens do not fit the model, the cache or the arena.
    pub fn step<'m, C, A>(
        &self,
        cache: &mut KvCache<C>,
        arena: &'m mut Arena<A>,
        tokens: &[u32],
        logits: Logits,
    ) -> Result<&'m mut [f32], StepError>
    where
        C: AsMut<[Line]>,
        A: AsMut<[Line]>,
    {
        let wanted = match logits {
            Logits::None => 0,
            Logits::Last => 1,
            Logits::All => tokens.len(),
        };
        self.run(cache, arena, tokens, wanted, None)
    }

    /// As [`Executor::step`] with [`Logits::All`], but shows `each` what linear maps are given: a map's weight, and its inputs
    /// of all tokens, one after the other.
    ///
    /// # Errors
    /// As [`Executor::step`].
    #[cfg(feature = "observe")]
    pub fn observe<C, A>(
        &self,
        cache: &mut KvCache<C>,
        arena: &mut Arena<A>,
        tokens: &[u32],
        mut each: impl FnMut(TensorId, &mut dyn Iterator<Item = &[f32]>),
    ) -> Result<(), StepError>
    where
        C: AsMut<[Line]>,
        A: AsMut<[Line]>,
    {
        let mut watch = |op: &Op, run: &Run<'_>| {
            if let Op::Linear(linear) = op {
                let inputs = run.rows(linear.input);
                each(
                    linear.weight,
                    &mut (0..inputs.count()).map(|t| inputs.row(t)),
                );
            }
        };
        self.run(cache, arena, tokens, tokens.len(), Some(&mut watch))?;
        Ok(())
    }

    /// A step with `wanted` rows of logits.
    fn run<'m, C, A>(
        &self,
        cache: &mut KvCache<C>,
        arena: &'m mut Arena<A>,
        tokens: &[u32],
        wanted: usize,
        #[cfg_attr(not(feature = "observe"), allow(unused))] mut watch: Option<Watch<'_>>,
    ) -> Result<&'m mut [f32], StepError>
    where
        C: AsMut<[Line]>,
        A: AsMut<[Line]>,
    {
        self.check(cache.len(), cache.capacity(), &arena.config, tokens, wanted)?;
        let model = self.plan.model();
        let position = cache.len();
        let memory = arena.regions(&self.plan)?;
        let kv = cache.regions(&self.plan, tokens.len())?;
        let mut run = Run {
            plan: self.plan,
            workers: self.workers,
            isa: self.isa,
            activations: self.activations,
            tokens,
            position,
            first_row: 0,
            memory,
            kv,
        };
        for (index, op) in self.plan.ops().enumerate() {
            if index == model.head as usize {
                run.first_row = tokens.len() - wanted;
                if wanted == 0 {
                    break;
                }
            }
            #[cfg(feature = "observe")]
            if let Some(watch) = &mut watch {
                watch(&op, &run);
            }
            op.run(&run);
        }
        cache.advance(tokens.len());
        Ok(arena.logits(&self.plan, memory.head_offset, wanted))
    }

    fn check(
        &self,
        len: usize,
        capacity: usize,
        config: &Config,
        tokens: &[u32],
        wanted: usize,
    ) -> Result<(), StepError> {
        let vocab = self.plan.model().vocab;
        let threads = self.workers.count();
        #[cfg(feature = "encoders")]
        if self.plan.model().whole != 0 && len > 0 {
            return Err(StepError::Whole { len });
        }
        if tokens.is_empty() {
            Err(StepError::Empty)
        } else if tokens.len() > config.step {
            Err(StepError::TooLong {
                tokens: tokens.len(),
                most: config.step,
            })
        } else if wanted > config.logits {
            Err(StepError::TooManyLogits {
                rows: wanted,
                most: config.logits,
            })
        } else if let Some(&token) = tokens.iter().find(|&&token| token >= vocab) {
            Err(StepError::UnknownToken { token, vocab })
        } else if tokens.len() > capacity - len {
            Err(StepError::ContextFull {
                tokens: tokens.len(),
                len,
                capacity,
            })
        } else if threads > config.threads {
            Err(StepError::TooManyThreads {
                threads,
                most: config.threads,
            })
        } else if capacity > config.context {
            Err(StepError::Memory(MemoryError::OtherContext))
        } else {
            Ok(())
        }
    }
}
