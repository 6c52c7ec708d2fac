//! A conversation in turns: a session with roles and the model's own chat template.
//!
//! A turn is whole or was never there: when an answer is cancelled, dropped or fails, the
//! history and the KV cache go back to the end of the last whole turn.

use std::time::Instant;

use crate::event::{Event, FinishReason};
use crate::generation::{Answer, Generation, whole_answer};
use crate::model::Model;
use crate::options::GenerateOptions;
use crate::session::{Session, SessionOptions};
use crate::template::{Message, Role, Variables};
use crate::{Error, Result};

/// How a chat begins.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ChatOptions {
    /// Instructions for the whole conversation; the template's own if absent.
    pub system: Option<String>,
    /// What the session is made for.
    pub session: SessionOptions,
    /// Values for the template, such as `enable_thinking`.
    pub variables: Variables,
}

impl ChatOptions {
    /// No instructions.
    pub fn new() -> ChatOptions {
        ChatOptions::default()
    }

    /// Instructions for the whole conversation.
    pub fn system(mut self, text: impl Into<String>) -> ChatOptions {
        self.system = Some(text.into());
        self
    }

    /// Tokens that there is room for.
    pub fn context(mut self, tokens: usize) -> ChatOptions {
        self.session = self.session.context(tokens);
        self
    }

    /// Whether models that can think before they answer should; the template's default if
    /// this is never called.
    pub fn thinking(self, enabled: bool) -> ChatOptions {
        self.variable("enable_thinking", enabled)
    }

    /// Sets a value for the template.
    pub fn variable(
        mut self,
        name: impl Into<String>,
        value: impl Into<serde_json::Value>,
    ) -> ChatOptions {
        self.variables.insert(name.into(), value.into());
        self
    }
}

/// A conversation with a model.
///
/// ```no_run
/// use tealight::{Event, GenerateOptions, Model};
///
/// let model = Model::open("smollm2.tea")?;
/// let mut chat = model.chat()?;
/// for event in chat.send("What is the capital of France?", &GenerateOptions::new())? {
///     if let Event::Text(text) = event? {
///         print!("{text}");
///     }
/// }
/// # Ok::<(), tealight::Error>(())
/// ```
#[derive(Debug)]
pub struct Chat {
    session: Session,
    messages: Vec<Message>,
    variables: Variables,
    /// Tokens of the conversation so far.
    used: usize,
}

impl Chat {
    /// A conversation without turns.
    ///
    /// # Errors
    /// If the model has no tokenizer or no chat template, or as [`Session::new`].
    pub fn new(model: &Model, options: &ChatOptions) -> Result<Chat> {
        Chat::over(Session::new(model, &options.session)?, options)
    }

    pub(crate) fn over(session: Session, options: &ChatOptions) -> Result<Chat> {
        let texts = session.texts();
        texts.tokenizer()?;
        if texts.template.is_none() {
            return Err(Error::NoTemplate {
                model: texts.model.clone(),
            });
        }
        let mut chat = Chat {
            session,
            messages: Vec::new(),
            variables: options.variables.clone(),
            used: 0,
        };
        chat.restore(options.system.iter().map(Message::system).collect());
        Ok(chat)
    }

    /// Says something to the model and streams its answer.
    ///
    /// The turn counts once [`Event::Done`] came with any reason but
    /// [`FinishReason::Cancelled`]. Until then history and KV cache can go back: cancelling,
    /// dropping the stream and errors leave the chat at the end of the last whole turn.
    ///
    /// Special tokens that are spelled out in the text are recognised, as `transformers` does:
    /// text of strangers can pretend to be another role.
    ///
    /// # Errors
    /// [`Error::PromptTooLong`] if the conversation with this message does not fit the context;
    /// [`Error::Template`] if the template refuses it. The chat is as before.
    pub fn send(
        &mut self,
        text: impl Into<String>,
        options: &GenerateOptions,
    ) -> Result<Reply<'_>> {
        let called = Instant::now();
        self.messages.push(Message::user(text));
        let prompt = self
            .session
            .texts()
            .encode_chat(&self.messages, true, &self.variables);
        let question = self.messages.pop();
        let generation = Generation::start(&mut self.session, called, prompt?, options)?;
        Ok(Reply {
            turn_start: generation.reused(),
            generation,
            messages: &mut self.messages,
            used: &mut self.used,
            question,
            answer: String::new(),
        })
    }

    /// Says something to the model and waits for its whole answer.
    ///
    /// # Errors
    /// As [`Chat::send`].
    pub fn ask(&mut self, text: impl Into<String>, options: &GenerateOptions) -> Result<Answer> {
        self.send(text, options)?.answer()
    }

    /// The conversation so far, in whole turns, with the system prompt if there is one.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Replaces the conversation, for example by one that was saved. The next
    /// [`send`](Chat::send) reads what the KV cache does not hold.
    pub fn restore(&mut self, messages: Vec<Message>) {
        self.messages = messages;
        self.used = match self.messages.as_slice() {
            [] => 0,
            // A template that refuses an unfinished conversation may still accept the next turn.
            messages => {
                let tokens = self
                    .session
                    .texts()
                    .encode_chat(messages, false, &self.variables);
                tokens.map_or(0, |tokens| tokens.len())
            }
        };
    }

    /// Forgets all turns but the system prompt.
    pub fn clear(&mut self) {
        let mut messages = std::mem::take(&mut self.messages);
        messages.retain(|message| message.role == Role::System);
        self.restore(messages);
    }

    /// Tokens that there is room for after the conversation so far.
    pub fn context_left(&self) -> usize {
        self.capacity().saturating_sub(self.used)
    }

    /// Tokens that there is room for.
    pub fn capacity(&self) -> usize {
        self.session.capacity()
    }

    /// How many tokens the conversation would have with this message.
    ///
    /// # Errors
    /// If the template refuses it.
    pub fn count_with(&self, text: impl Into<String>) -> Result<usize> {
        let mut messages = self.messages.clone();
        messages.push(Message::user(text));
        Ok(self
            .session
            .texts()
            .encode_chat(&messages, true, &self.variables)?
            .len())
    }
}

/// The model's answer as it comes: an iterator over [`Event`]s, of which the last is
/// [`Event::Done`].
#[must_use = "nothing is generated unless the events are asked for"]
#[derive(Debug)]
pub struct Reply<'c> {
    generation: Generation<'c>,
    messages: &'c mut Vec<Message>,
    used: &'c mut usize,
    /// What the answer is to; taken when the turn is whole or undone.
    question: Option<Message>,
    answer: String,
    /// Tokens in the KV cache before this turn.
    turn_start: usize,
}

impl Reply<'_> {
    /// Runs to the end and puts the text together.
    pub fn answer(self) -> Result<Answer> {
        whole_answer(self)
    }

    fn undo(&mut self) {
        if self.question.take().is_some() {
            self.generation.roll_back(self.turn_start);
        }
    }
}

impl Iterator for Reply<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        let event = self.generation.next()?;
        match &event {
            Ok(Event::Text(text)) => self.answer.push_str(text),
            Ok(Event::Done(summary)) if summary.reason != FinishReason::Cancelled => {
                self.messages.extend(self.question.take());
                self.messages
                    .push(Message::assistant(std::mem::take(&mut self.answer)));
                *self.used = self.generation.held();
            }
            Ok(Event::Done(_)) | Err(_) => self.undo(),
        }
        Some(event)
    }
}

impl std::iter::FusedIterator for Reply<'_> {}

impl Drop for Reply<'_> {
    fn drop(&mut self) {
        self.undo();
    }
}

#[cfg(test)]
mod tests;
