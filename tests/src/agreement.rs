//! How well logits agree with a reference that another engine computed.
//!
//! References are safetensors files, made by `tests/reference/make.py`: for each position the
//! token id, the logsumexp of the logits after it, the largest logits with their ids, and the
//! logit of the token that comes next.

use std::fmt;
use std::path::Path;

use bytemuck::{AnyBitPattern, pod_read_unaligned};
use safetensors::SafeTensors;
use tealight_core::plan::Plan;

use crate::models::root;
use crate::run::{Settings, each_position};

/// What another engine computed for a text.
pub struct Reference {
    /// The text.
    pub ids: Vec<u32>,
    logsumexp: Vec<f32>,
    /// `top` a position, largest first.
    top_ids: Vec<u32>,
    top_logits: Vec<f32>,
    top: usize,
    next_logit: Vec<f32>,
}

/// Agreement over all positions of a text.
#[derive(Clone, Copy, Debug)]
pub struct Agreement {
    /// Positions.
    pub positions: usize,
    /// Share of positions whose likeliest token is the reference's.
    pub top1: f64,
    /// Mean Kullback-Leibler divergence from the reference, in nats; tokens beyond its largest
    /// logits count as one.
    pub kl: f64,
    /// The same sum over the largest logits alone.
    pub kl_top: f64,
    /// Largest difference of one of the reference's logits.
    pub worst: f64,
    /// Of the text, by these logits.
    pub perplexity: f64,
    /// Of the text, by the reference's.
    pub reference_perplexity: f64,
}

impl Reference {
    /// One of the files in `tests/reference`.
    pub fn named(name: &str) -> Reference {
        Reference::read(
            &root()
                .join("tests/reference")
                .join(format!("{name}.safetensors")),
        )
    }

    /// A reference file.
    pub fn read(path: &Path) -> Reference {
        let bytes = std::fs::read(path).expect("the reference is there");
        let file = SafeTensors::deserialize(&bytes).expect("the reference is a safetensors file");
        let top_ids: Vec<u32> = tensor(&file, "top_ids");
        let ids: Vec<u32> = tensor(&file, "ids");
        Reference {
            logsumexp: tensor(&file, "logsumexp"),
            top: top_ids.len() / ids.len(),
            top_logits: tensor(&file, "top_logits"),
            next_logit: tensor(&file, "next_logit"),
            top_ids,
            ids,
        }
    }

    /// Runs the text through a plan and compares.
    pub fn compare<B: AsRef<[u8]>>(&self, plan: &Plan<B>, settings: Settings) -> Agreement {
        let positions = self.ids.len();
        let (mut same, mut kl_top, mut kl_rest) = (0, 0.0, 0.0);
        let (mut worst, mut loss) = (0.0f64, 0.0);
        each_position(plan, settings, &self.ids, |t, logits| {
            let ours = logsumexp(logits);
            let range = t * self.top..(t + 1) * self.top;
            let top = self.top_ids[range.clone()]
                .iter()
                .zip(&self.top_logits[range.clone()]);
            let (mut rest_p, mut rest_q) = (1.0, 1.0);
            for (&id, &theirs) in top {
                let theirs = f64::from(theirs);
                let logit = f64::from(logits[id as usize]);
                let (log_p, log_q) = (theirs - f64::from(self.logsumexp[t]), logit - ours);
                kl_top += log_p.exp() * (log_p - log_q);
                rest_p -= log_p.exp();
                rest_q -= log_q.exp();
                worst = worst.max((logit - theirs).abs());
            }
            kl_rest += rest(rest_p, rest_q);
            same += usize::from(likeliest(logits) == self.top_ids[range.start]);
            if let Some(&next) = self.ids.get(t + 1) {
                loss += ours - f64::from(logits[next as usize]);
            }
        });
        let reference_loss = self.next_logit.iter().zip(&self.logsumexp);
        let reference_loss: f64 = reference_loss
            .map(|(next, all)| f64::from(all - next))
            .sum();
        let perplexity = |loss: f64| (loss / (positions - 1) as f64).exp();
        Agreement {
            positions,
            top1: same as f64 / positions as f64,
            kl: (kl_top + kl_rest) / positions as f64,
            kl_top: kl_top / positions as f64,
            worst,
            perplexity: perplexity(loss),
            reference_perplexity: perplexity(reference_loss),
        }
    }
}

impl Agreement {
    /// How far the perplexity is from the reference's, as a share of it.
    pub fn perplexity_error(&self) -> f64 {
        (self.perplexity / self.reference_perplexity - 1.0).abs()
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} positions: top-1 {:.2} %, mean KL {:.2e} (largest logits alone {:.2e}), largest difference {:.2e}, \
             perplexity {:.3} (reference {:.3}, {:.3} % apart)",
            self.positions,
            100.0 * self.top1,
            self.kl,
            self.kl_top,
            self.worst,
            self.perplexity,
            self.reference_perplexity,
            100.0 * self.perplexity_error(),
        )
    }
}

/// What all other tokens together add to the divergence.
fn rest(p: f64, q: f64) -> f64 {
    // Where the largest logits hold all of the probability, rounding may leave less than none.
    if p > 1e-6 && q > 1e-6 {
        p * (p / q).ln()
    } else {
        0.0
    }
}

/// The first of the largest.
pub fn likeliest(logits: &[f32]) -> u32 {
    let best = (0..logits.len())
        .rev()
        .max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.unwrap_or_default() as u32
}

fn logsumexp(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - largest).exp()).sum();
    f64::from(largest) + sum.ln()
}

/// Numbers of a tensor, wherever its bytes lie.
pub(crate) fn tensor<T: AnyBitPattern>(file: &SafeTensors<'_>, name: &str) -> Vec<T> {
    let view = file
        .tensor(name)
        .unwrap_or_else(|error| panic!("no {name}: {error}"));
    view.data()
        .chunks_exact(size_of::<T>())
        .map(pod_read_unaligned)
        .collect()
}
