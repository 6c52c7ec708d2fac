//! How well hidden states, which embeddings are made of, agree with those of another engine.
//!
//! References are safetensors files with the token ids of a text, `ids`, and the hidden states after
//! each, `hidden`.

use std::fmt;
use std::path::Path;

use safetensors::SafeTensors;
use tealight_core::plan::Plan;

use crate::agreement::tensor;
use crate::run::{Settings, each_position};

/// What another engine computed for a text.
pub struct HiddenReference {
    /// The text.
    pub ids: Vec<u32>,
    /// A row a token.
    pub rows: Vec<Vec<f32>>,
}

/// Agreement over all positions of a text.
#[derive(Clone, Copy, Debug)]
pub struct HiddenAgreement {
    /// Least cosine of the angle between our hidden state and the reference's.
    pub cosine: f64,
    /// Largest difference of a number.
    pub worst: f64,
}

impl HiddenReference {
    /// A reference file; none if it holds logits.
    pub fn read(path: &Path) -> Option<HiddenReference> {
        let bytes = std::fs::read(path).expect("the reference is there");
        let file = SafeTensors::deserialize(&bytes).expect("the reference is a safetensors file");
        file.tensor("hidden").ok()?;
        let ids: Vec<u32> = tensor(&file, "ids");
        let hidden: Vec<f32> = tensor(&file, "hidden");
        let width = hidden.len() / ids.len();
        let rows = hidden.chunks_exact(width).map(<[f32]>::to_vec).collect();
        Some(HiddenReference { ids, rows })
    }

    /// Runs the text through a plan and compares.
    pub fn compare<B: AsRef<[u8]>>(&self, plan: &Plan<B>, settings: Settings) -> HiddenAgreement {
        let mut agreement = HiddenAgreement {
            cosine: 1.0,
            worst: 0.0,
        };
        each_position(plan, settings, &self.ids, |t, row| {
            let theirs = &self.rows[t];
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                products.sum()
            };
            let cosine = dot(row, theirs) / (dot(row, row) * dot(theirs, theirs)).sqrt();
            agreement.cosine = agreement.cosine.min(cosine);
            for (a, b) in row.iter().zip(theirs) {
                agreement.worst = agreement.worst.max(f64::from((a - b).abs()));
            }
        });
        agreement
    }
}

impl fmt::Display for HiddenAgreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cosine at least {:.8}, largest difference {:.2e}",
            self.cosine, self.worst
        )
    }
}
