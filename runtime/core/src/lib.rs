//! Executes compiled language models, the same way on a microcontroller and on a server.
//!
//! A compiled model is a [`plan::Plan`]: a list of fused operators over a buffer plan, with
//! weights that are read where they lie (a mapped file, flash). An [`executor::Executor`] runs
//! tokens through it in working memory that the caller gives, and hands back logits; a
//! [`sampling::Sampler`] turns logits into the next token.
//!
//! - **No `std`, no allocator.** Threads and run-time detection of instruction sets come with
//!   the feature `std`.
//! - **The same bits everywhere.** Every instruction set, any number of threads and any cut of
//!   a prompt into steps give equal logits, compared with `==`.
//! - **Plans are hostile until proved sound.** [`plan::Plan::open`] checks everything once.
//!
//! ```no_run
//! use tealight_core::executor::{Activations, Arena, Config, Executor, KvCache, Line, Logits};
//! use tealight_core::{kernels::Isa, plan::Plan, pool::Single};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let flash: &'static [u8] = &[];
//! let plan = Plan::open(flash)?;
//! let config = Config::new(256);
//! let mut cache = KvCache::new(&plan, &config, vec![Line::ZERO; KvCache::lines(&plan, &config)?])?;
//! let mut arena = Arena::new(&plan, &config, vec![Line::ZERO; Arena::lines(&plan, &config)?])?;
//! let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
//! let logits = executor.step(&mut cache, &mut arena, &[1, 2, 3], Logits::Last)?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(any(test, feature = "std")), no_std)]

#[cfg(target_endian = "big")]
compile_error!("plans are little-endian and read in place");

pub mod constraint;
pub mod executor;
pub mod kernels;
pub mod layout;
mod math;
pub mod ops;
pub mod plan;
pub mod pool;
mod rows;
pub mod sampling;
pub mod tokenizer;
