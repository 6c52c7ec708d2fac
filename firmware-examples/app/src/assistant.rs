//! The model at work: a request's tokens in, one token of the answer a call out.

use core::fmt;

use heapless::Vec;
use tealight_core::constraint::State;
use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, Line, Logits, MemoryError, StepError,
};
use tealight_core::kernels::Isa;
use tealight_core::plan::{Plan, PlanError};
use tealight_core::pool::Single;
use tealight_core::sampling::greedy;

use crate::intact::{self, Damage};

/// Most tokens of a request and its answer.
pub const MOST: usize = 256;

/// A model in flash, with the memory that it works in.
pub struct Assistant<'m> {
    plan: Plan<&'m [u8]>,
    cache: KvCache<&'m mut [Line]>,
    arena: Arena<&'m mut [Line]>,
    /// What ends an answer.
    stops: &'m [u32],
    isa: Isa,
    sizes: Sizes,
    /// The request, then what was said. The cache holds the first of them.
    tokens: Vec<u32, MOST>,
    busy: bool,
    /// How far the answer has come, where the model says what answers look like.
    course: Option<State>,
}

/// What a step brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: no request is being answered.
    Idle,
    /// A part of the request was read.
    Reading,
    /// A token of the answer.
    Said(u32),
    /// The answer is whole.
    Ended,
    /// The answer was cut off: the context is full.
    Full,
}

/// What a model takes, in bytes but for the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of the plan in flash.
    pub plan: usize,
    /// Most tokens.
    pub context: usize,
    /// Of keys and values for that many.
    pub cache: usize,
    /// Of working memory.
    pub arena: usize,
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sizes {
            plan,
            context,
            cache,
            arena,
        } = self;
        write!(
            f,
            "a model of {plan} bytes, a context of {context} tokens in {cache} bytes, \
             {arena} bytes to work in"
        )
    }
}

/// Why a model cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It is no plan, or not one for this version.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Its bytes have changed.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// It needs more memory than the firmware was built with.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It leaves no room for an answer.
    #[error("a request of {tokens} tokens leaves no room in a context of {context}")]
    TooLong {
        /// The request's.
        tokens: usize,
        /// The memory's.
        context: usize,
    },
}

impl<'m> Assistant<'m> {
    /// Checks the model in `flash`, every byte of it, and takes its memory.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn new(
        flash: &'m [u8],
        config: &Config,
        stops: &'m [u32],
        cache: &'m mut [Line],
        arena: &'m mut [Line],
    ) -> Result<Assistant<'m>, StartError> {
        // What lies in flash may no longer be what the compiler saw and would check in advance.
        let plan = Plan::open(core::hint::black_box(flash))?;
        intact::check(&plan)?;
        let sizes = Sizes {
            plan: flash.len(),
            context: config.context,
            cache: size_of_val(cache),
            arena: size_of_val(arena),
        };
        Ok(Assistant {
            cache: KvCache::new(&plan, config, cache)?,
            arena: Arena::new(&plan, config, arena)?,
            plan,
            stops,
            isa: Isa::best(),
            sizes,
            tokens: Vec::new(),
            busy: false,
            course: None,
        })
    }

    /// The model.
    pub fn plan(&self) -> &Plan<&'m [u8]> {
        &self.plan
    }

    /// The instruction set that it computes with.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// What it takes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Begins to answer a request, which stands alone: earlier ones are forgotten.
    ///
    /// # Errors
    /// If it is too long.
    pub fn ask(&mut self, request: &[u32]) -> Result<(), AskError> {
        let context = self.cache.capacity().min(MOST);
        self.stop();
        if request.len() >= context || self.tokens.extend_from_slice(request).is_err() {
            return Err(AskError::TooLong {
                tokens: request.len(),
                context,
            });
        }
        self.busy = !request.is_empty();
        self.course = self.plan.constraint().map(|constraint| constraint.state());
        Ok(())
    }

    /// Forgets the request that is being answered.
    pub fn stop(&mut self) {
        self.tokens.clear();
        self.cache.truncate(0);
        self.busy = false;
    }

    /// Whether a request is being answered.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// One step: a part of the request, or a token of the answer.
    ///
    /// # Errors
    /// If a token is none of the model's, or the context is full; the request is then forgotten.
    pub fn step(&mut self) -> Result<Turn, StepError> {
        if !self.busy {
            return Ok(Turn::Idle);
        }
        let turn = self.advance();
        if !matches!(turn, Ok(Turn::Reading | Turn::Said(_))) {
            self.busy = false;
        }
        turn
    }

    fn advance(&mut self) -> Result<Turn, StepError> {
        let unseen = &self.tokens[self.cache.len()..];
        let room = self.cache.capacity() - self.cache.len();
        if unseen.len() > room {
            return Ok(Turn::Full);
        }
        let executor = Executor::new(&self.plan, &Single, self.isa, Activations::Int8);
        let most = self.arena.config().step;
        if unseen.len() > most {
            executor.step(
                &mut self.cache,
                &mut self.arena,
                &unseen[..most],
                Logits::None,
            )?;
            return Ok(Turn::Reading);
        }
        let logits = executor.step(&mut self.cache, &mut self.arena, unseen, Logits::Last)?;
        let constraint = self.plan.constraint().zip(self.course);
        let mut constraint = constraint.map(|(constraint, state)| constraint.at(state));
        if let Some(constraint) = &constraint
            && constraint.mask(self.stops, logits) == 0
        {
            return Ok(match constraint.is_whole() {
                true => Turn::Ended,
                false => Turn::Full,
            });
        }
        let token = greedy(logits);
        if self.stops.contains(&token) {
            return Ok(Turn::Ended);
        }
        if let Some(constraint) = &mut constraint {
            constraint.accept(token);
            self.course = Some(constraint.state());
        }
        match self.tokens.push(token) {
            Ok(()) => Ok(Turn::Said(token)),
            Err(_) => Ok(Turn::Full),
        }
    }
}
