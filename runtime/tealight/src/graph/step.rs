//! Steps of a decoder on tract: what it returns for the tokens so far is fed to it with the next.

use std::sync::Arc;

use tealight_core::executor::{KvType, Logits, MemoryError};
use tealight_onnx::{ElementType, OnnxError, Tensor};

use super::ports::States;
use super::{GraphModel, check_kv};
use crate::model::Model;
use crate::step::Step;
use crate::{Error, Result};

/// Runs tokens through a graph.
pub(crate) struct GraphStep {
    model: String,
    graph: Arc<GraphModel>,
    vocab: usize,
    context: usize,
    most: usize,
    /// How many tokens it has seen.
    seen: usize,
    states: States,
    logits: Vec<f32>,
}

impl GraphStep {
    /// # Errors
    /// If the context is larger than the model's, or keys and values are to be kept in another way.
    pub(crate) fn new(
        model: &Model,
        graph: &Arc<GraphModel>,
        context: usize,
        kv: Option<KvType>,
    ) -> Result<GraphStep> {
        check_kv(model.name(), kv)?;
        let most = model.info().context;
        if !(1..=most).contains(&context) {
            return Err(Error::Memory {
                model: model.name().to_owned(),
                source: MemoryError::Context {
                    asked: context,
                    most,
                },
            });
        }
        Ok(GraphStep {
            model: model.name().to_owned(),
            graph: Arc::clone(graph),
            vocab: model.info().vocab,
            context,
            most: model.step_size(),
            seen: 0,
            states: graph.ports.empty(),
            logits: Vec::new(),
        })
    }
}

impl GraphModel {
    /// The logits of every token of a step, and the states after it.
    pub(super) fn run(
        &self,
        tokens: &[u32],
        past: usize,
        states: &States,
    ) -> Result<(Tensor, States), String> {
        let told = |error: OnnxError| error.to_string();
        let inputs = self.ports.feed(tokens, past, states)?;
        let outputs = match &self.prepared {
            Some(prepared) => self.onnx.run_prepared(prepared, &inputs),
            None => self.onnx.run(&inputs),
        };
        let mut outputs: Vec<Tensor> = outputs
            .map_err(told)?
            .into_iter()
            .map(|(_, tensor)| tensor)
            .collect();
        let mut take = |index: usize| {
            std::mem::replace(&mut outputs[index], Tensor::zeros(ElementType::Bool, &[0]))
        };
        let kept = self.ports.kept.iter().map(|&index| take(index)).collect();
        Ok((take(self.ports.logits), kept))
    }
}

impl Step for GraphStep {
    fn vocab(&self) -> usize {
        self.vocab
    }

    fn capacity(&self) -> usize {
        self.context
    }

    fn most(&self, _: Logits) -> usize {
        self.most
    }

    fn truncate(&mut self, len: usize) -> usize {
        if len < self.seen {
            let states = self.graph.ports.truncated(&self.states, len);
            (self.states, self.seen) = match states {
                Some(states) => (states, len),
                // From the beginning again.
                None => (self.graph.ports.empty(), 0),
            };
        }
        self.seen
    }

    fn step(&mut self, tokens: &[u32], logits: Logits) -> Result<&mut [f32]> {
        let failed = |reason: String| Error::Tract {
            model: self.model.clone(),
            reason,
        };
        let (found, states) = self
            .graph
            .run(tokens, self.seen, &self.states)
            .map_err(failed)?;
        let rows = found.shape().iter().product::<usize>() / self.vocab;
        let wanted = match logits {
            Logits::None => 0,
            Logits::Last => 1,
            Logits::All => tokens.len(),
        };
        if found.shape().last() != Some(&self.vocab) || rows < wanted {
            let shape = found.shape();
            return Err(failed(format!("its logits have the shape {shape:?}")));
        }
        let skipped = (rows - wanted) * self.vocab;
        self.logits.clear();
        match &found {
            Tensor::F32(array) => self.logits.extend(array.iter().skip(skipped)),
            Tensor::F16(array) => {
                let halves = array.iter().skip(skipped);
                self.logits.extend(halves.map(|half| half.to_f32()));
            }
            other => {
                let kind = other.element_type();
                return Err(failed(format!("its logits are of type {kind}")));
            }
        }
        self.states = states;
        self.seen += tokens.len();
        Ok(&mut self.logits)
    }
}
