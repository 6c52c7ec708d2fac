//! Arithmetic over rows: each kernel computes what its thread was given and knows nothing of
//! threads.
//!
//! Float kernels are written once over sixteen `lanes` and compiled for each [`Isa`]; integer
//! products have a form for each. All give the same bits, for any cut of the work into row
//! ranges and of a prompt into steps, because the order of every sum is part of its definition.

#![allow(
    clippy::needless_range_loop,
    reason = "the arrays of a tile share their indices"
)]

#[cfg(all(target_arch = "arm", feature = "std"))]
mod armv7;
#[cfg(any(
    all(target_arch = "arm", feature = "std"),
    all(feature = "dsp", target_os = "none", target_abi = "eabihf")
))]
mod as_scalar;
mod attend;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
#[cfg(feature = "experts")]
mod bend;
#[cfg(feature = "convolution")]
mod convolve;
#[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
mod cortex_m;
mod elementwise;
mod embed;
#[cfg(feature = "encoders")]
mod encoder;
mod isa;
mod kept;
mod lanes;
mod linear;
mod linear_f32;
mod linear_int8;
#[cfg(target_arch = "aarch64")]
mod neon;
mod quantize;
#[cfg(feature = "recurrence")]
mod recur;
#[cfg(feature = "experts")]
mod route;
#[cfg(test)]
mod tests;

pub(crate) use attend::{QUERIES, Queries, Scoring, attend, scores_len};
#[cfg(feature = "experts")]
pub use bend::Bend;
#[cfg(feature = "experts")]
pub(crate) use bend::bend;
#[cfg(feature = "convolution")]
pub(crate) use convolve::{Convolution, MOST_TAPS, convolve, seen};
#[cfg(feature = "experts")]
pub(crate) use elementwise::add_scaled;
pub(crate) use elementwise::{add, gate, rms_norm, rope, softcap};
pub(crate) use embed::embed;
#[cfg(feature = "encoders")]
pub(crate) use encoder::{activate, layer_norm};
pub use isa::Isa;
pub(crate) use kept::{Int8Vector, KvVector, key_tiles, kv_vectors, store_key, store_value};
pub use lanes::LANES;
pub use linear::InputPrecision;
pub(crate) use linear::{Epilogue, Residual, Weight};
pub(crate) use linear_f32::linear_f32;
pub(crate) use linear_int8::linear_int8;
pub(crate) use quantize::{QuantizedRows, quantize_row};
#[cfg(feature = "recurrence")]
pub(crate) use recur::{MOST_KEY_VALUES, Recurrence, recur, tile_columns, tiles};
#[cfg(feature = "experts")]
pub(crate) use route::{MOST_EXPERTS, Routing, route};
#[cfg(feature = "experts")]
pub use route::{RouteGroups, RouteScoring};
