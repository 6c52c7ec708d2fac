//! A conversation with a model in tokens or plain text: owns the KV cache.
//!
//! Enters: a prompt. Leaves: a [`Generation`], a stream of events. What the KV cache still
//! holds of an earlier prompt is not computed again.

use std::sync::Arc;
use std::time::Instant;

use tealight_core::executor::{KvType, Logits};
use tealight_core::sampling::{Candidate, Sampler};

use crate::answers::Course;
use crate::generation::Generation;
use crate::model::Model;
use crate::options::GenerateOptions;
use crate::step::Step;
use crate::texts::Texts;
use crate::{Error, Result, TokenId};

/// What a session is made for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Tokens that there is room for, prompt and answers together. If absent, what the model
    /// was [opened with](crate::ModelOptions::context).
    pub context: Option<usize>,
    /// How keys and values are kept. If absent, what the model was opened with.
    pub kv: Option<KvType>,
}

impl SessionOptions {
    /// What the model was opened with.
    pub fn new() -> SessionOptions {
        SessionOptions::default()
    }

    /// Tokens that there is room for.
    pub fn context(mut self, tokens: usize) -> SessionOptions {
        self.context = Some(tokens);
        self
    }

    /// How keys and values are kept.
    pub fn kv(mut self, kv: KvType) -> SessionOptions {
        self.kv = Some(kv);
        self
    }
}

/// What is to be continued.
#[derive(Clone, Copy, Debug)]
pub enum Prompt<'p> {
    /// Text. The tokens that a text begins with are added.
    Text(&'p str),
    /// Tokens as they are.
    Tokens(&'p [TokenId]),
}

impl<'p> From<&'p str> for Prompt<'p> {
    fn from(text: &'p str) -> Prompt<'p> {
        Prompt::Text(text)
    }
}

impl<'p> From<&'p String> for Prompt<'p> {
    fn from(text: &'p String) -> Prompt<'p> {
        Prompt::Text(text)
    }
}

impl<'p> From<&'p [TokenId]> for Prompt<'p> {
    fn from(tokens: &'p [TokenId]) -> Prompt<'p> {
        Prompt::Tokens(tokens)
    }
}

impl<'p, const N: usize> From<&'p [TokenId; N]> for Prompt<'p> {
    fn from(tokens: &'p [TokenId; N]) -> Prompt<'p> {
        Prompt::Tokens(tokens)
    }
}

impl<'p> From<&'p Vec<TokenId>> for Prompt<'p> {
    fn from(tokens: &'p Vec<TokenId>) -> Prompt<'p> {
        Prompt::Tokens(tokens)
    }
}

/// Generates with a model, and remembers what it has seen.
///
/// ```no_run
/// use tealight::{Event, GenerateOptions, Model};
///
/// let model = Model::open("smollm2.tea")?;
/// let mut session = model.session()?;
/// for event in session.generate("Once upon a time", &GenerateOptions::new().max_tokens(50))? {
///     match event? {
///         Event::Text(text) => print!("{text}"),
///         Event::Done(summary) => println!("\n{:.1} tokens/s", summary.usage.decode_tokens_per_second),
///         _ => {}
///     }
/// }
/// # Ok::<(), tealight::Error>(())
/// ```
pub struct Session {
    step: Box<dyn Step>,
    /// The tokens in the KV cache.
    tokens: Vec<TokenId>,
    texts: Arc<Texts>,
    scratch: Vec<Candidate>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("model", &self.texts.model)
            .field("tokens", &self.tokens.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session with room for as many tokens as the options say.
    ///
    /// # Errors
    /// If the context is larger than the model's, or memory for it cannot be had.
    pub fn new(model: &Model, options: &SessionOptions) -> Result<Session> {
        let context = options.context.unwrap_or(model.context());
        let step = model.step(context, options.kv)?;
        Ok(Session::over(step, Arc::clone(model.texts())))
    }

    pub(crate) fn over(step: Box<dyn Step>, texts: Arc<Texts>) -> Session {
        Session {
            step,
            tokens: Vec::new(),
            texts,
            scratch: Vec::new(),
        }
    }

    /// Continues a prompt, as a stream of events.
    ///
    /// The prompt is everything that the model is to see, earlier answers included. Nothing is
    /// computed before the first event is asked for. Dropping the stream ends the generation.
    ///
    /// # Errors
    /// If the prompt is empty, has unknown tokens or does not fit. The session is as before.
    pub fn generate<'p>(
        &mut self,
        prompt: impl Into<Prompt<'p>>,
        options: &GenerateOptions,
    ) -> Result<Generation<'_>> {
        let called = Instant::now();
        let tokens = match prompt.into() {
            Prompt::Text(text) => self.texts.encode_text(text)?,
            Prompt::Tokens(tokens) => tokens.to_vec(),
        };
        Generation::start(self, called, tokens, options)
    }

    /// The logits at every position of `tokens`: what the model expects after each.
    ///
    /// Calls `each` with the position and its logits, one for each token of the vocabulary. See
    /// [`logprobs`](crate::logprobs) for what to make of them. Afterwards the session holds
    /// these tokens instead of what it held before.
    ///
    /// # Errors
    /// As [`Session::generate`].
    pub fn score(&mut self, tokens: &[TokenId], mut each: impl FnMut(usize, &[f32])) -> Result<()> {
        self.check_prompt(tokens)?;
        self.truncate(0);
        let vocab = self.step.vocab();
        let most = self.step.most(Logits::All);
        for portion in tokens.chunks(most) {
            let first = self.tokens.len();
            let logits = self.step.step(portion, Logits::All)?;
            for (index, row) in logits.chunks_exact(vocab).enumerate() {
                each(first + index, row);
            }
            self.tokens.extend_from_slice(portion);
        }
        Ok(())
    }

    /// The tokens that the session holds, in the order in which the model saw them.
    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// Tokens that there is room for.
    pub fn capacity(&self) -> usize {
        self.step.capacity()
    }

    /// Tokens that there is room for after those that the session holds.
    pub fn context_left(&self) -> usize {
        self.capacity() - self.tokens.len()
    }

    /// Forgets all tokens from `len` on; how many are left.
    ///
    /// Models with convolutions, such as LFM2, can go on from any of the last few dozen tokens, and
    /// from every 64th before: of those it may leave up to 63 fewer than `len`. Models with recurrent
    /// states, such as Qwen3.5, go on from 8 tokens before the end of recent prompts, from a position
    /// within the last 64 generated tokens, or from the beginning. Models whose attention has windows,
    /// such as Gemma 3, go back by 256 tokens at any time, or to where the last prompt began, to 8
    /// tokens before its end, or to the beginning.
    pub fn truncate(&mut self, len: usize) -> usize {
        let left = self.step.truncate(len.min(self.tokens.len()));
        self.tokens.truncate(left);
        left
    }

    /// The tokens of a text, with those that a text begins with.
    pub fn encode(&self, text: &str) -> Result<Vec<TokenId>> {
        self.texts.encode_text(text)
    }

    /// The text of tokens.
    pub fn decode(&self, tokens: &[TokenId]) -> Result<String> {
        Ok(self.texts.tokenizer()?.decode(tokens))
    }

    pub(crate) fn texts(&self) -> &Arc<Texts> {
        &self.texts
    }

    pub(crate) fn check_prompt(&self, tokens: &[TokenId]) -> Result<()> {
        let vocab = self.step.vocab();
        let unknown = |token: &&TokenId| **token as usize >= vocab;
        if tokens.is_empty() {
            Err(Error::EmptyPrompt)
        } else if tokens.len() > self.capacity() {
            Err(Error::PromptTooLong {
                prompt: tokens.len(),
                context: self.capacity(),
            })
        } else if let Some(&token) = tokens.iter().find(unknown) {
            Err(Error::UnknownToken { token, vocab })
        } else {
            Ok(())
        }
    }

    /// Forgets what does not begin `tokens`; how many of them are left. The last one never is,
    /// since its logits are needed.
    pub(crate) fn reuse(&mut self, tokens: &[TokenId]) -> usize {
        let common = self
            .tokens
            .iter()
            .zip(tokens)
            .take_while(|(a, b)| a == b)
            .count();
        self.truncate(common.min(tokens.len().saturating_sub(1)))
    }

    /// Tokens that can be evaluated at once.
    pub(crate) fn most(&self) -> usize {
        self.step.most(Logits::Last)
    }

    /// Sees more tokens.
    pub(crate) fn evaluate(&mut self, tokens: &[TokenId]) -> Result<()> {
        self.step.step(tokens, Logits::None)?;
        self.tokens.extend_from_slice(tokens);
        Ok(())
    }

    /// Sees more tokens and chooses the next, `None` if the answer's `course` lets none follow.
    /// `history` is what penalties look at, `ends` are the tokens that end an answer.
    pub(crate) fn evaluate_and_sample(
        &mut self,
        tokens: &[TokenId],
        history: &[TokenId],
        sampler: &mut Sampler,
        course: Option<&Course>,
        ends: &[TokenId],
    ) -> Result<Option<TokenId>> {
        if !sampler.params().is_greedy() {
            self.scratch.resize(self.step.vocab(), Candidate::default());
        }
        let logits = self.step.step(tokens, Logits::Last)?;
        self.tokens.extend_from_slice(tokens);
        if course.is_some_and(|course| !course.mask(ends, logits)) {
            return Ok(None);
        }
        Ok(Some(sampler.sample(logits, history, &mut self.scratch)))
    }
}

#[cfg(test)]
mod tests;
