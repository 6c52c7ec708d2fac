//! A language model that commands pins: what all boards share.
//!
//! Enters: bytes of a serial port. Leaves: an answer a token at a time, and pins that move.
//!
//! ```text
//! serial ──lines──▶ request ──text──▶ tokens ──assistant──▶ answer ──command──▶ house ──▶ pins
//! ```
//!
//! A board makes an [`App`](app::App) of its serial port, its pins and its model in flash, and
//! calls [`poll`](app::App::poll) for ever: each call makes one token at most, so that the loop
//! stays free for other work and the watchdog is fed.
#![cfg_attr(not(test), no_std)]

pub mod absent;
pub mod app;
pub mod assistant;
pub mod command;
pub mod house;
pub mod intact;
pub mod journal;
pub mod lines;
pub mod port;
pub mod text;
