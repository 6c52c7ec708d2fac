//! Rounding that knows what linear maps are given.
//!
//! Enters: for a linear map, the sum of `x · xᵀ` over the inputs `x` that a text brings it. Leaves:
//! what rounding one weight of a row asks of those behind it, so that the map's output, and not each
//! weight by itself, stays as near as it can ([`Factor`]).
//!
//! GPTQ (Frantar et al. 2022, arXiv:2210.17323) in the form that Chee et al. 2023 (arXiv:2307.13304) show to be
//! the same: with `H = Σ x · xᵀ = Lᵀ · D · L`, `L` lower triangular with ones on its diagonal, a row's error `e` costs
//! `eᵀ · H · e = Σⱼ Dⱼ · (L · e)ⱼ²`. So the weights are rounded in their order, each not from itself but from
//! `wⱼ + Σᵢ Lⱼᵢ · eᵢ` over those before it.

mod factor;
mod products;

use std::error::Error;
use std::fmt;

pub(crate) use factor::Factor;
pub use products::InputProducts;

/// What a text brings a model's linear maps, asked for while their weights are packed.
pub trait Calibration: fmt::Debug {
    /// The products of the inputs of the linear map whose weight [`ImportReport::tensor_names`] calls `weight`;
    /// `None` where nothing is known of it, so that its weights are rounded one by one.
    ///
    /// [`ImportReport::tensor_names`]: crate::ImportReport::tensor_names
    ///
    /// # Errors
    /// If the text could not be run.
    fn products(&self, weight: &str)
    -> Result<Option<InputProducts>, Box<dyn Error + Send + Sync>>;
}
