//! A conversation in turns: a session with roles and the model's own chat template.
//!
//! A turn is whole or was never there: when an answer is cancelled, dropped or fails, the
//! history and the KV cache go back to the end of the last whole turn.

use std::time::Instant;

use crate::event::{Event, FinishReason};
use crate::generation::{Answer, Run, whole_answer};
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
    turn: Option<Turn>,
}

/// A turn that is not whole yet.
#[derive(Debug)]
struct Turn {
    run: Run,
    question: Message,
    answer: String,
    /// Tokens in the KV cache before it.
    start: usize,
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
            turn: None,
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
        self.begin(text, options)?;
        Ok(Reply { chat: self })
    }

    /// Begins a turn, of which [`advance`](Chat::advance) then gives the events.
    pub(crate) fn begin(
        &mut self,
        text: impl Into<String>,
        options: &GenerateOptions,
    ) -> Result<()> {
        let called = Instant::now();
        self.undo_turn();
        self.messages.push(Message::user(text));
        let prompt = self
            .session
            .texts()
            .encode_chat(&self.messages, true, &self.variables);
        let question = self.messages.pop();
        let run = Run::start(&mut self.session, called, prompt?, options)?;
        self.turn = question.map(|question| Turn {
            start: run.reused(),
            run,
            question,
            answer: String::new(),
        });
        Ok(())
    }

    /// The next event of the turn that has begun; `None` after its last.
    pub(crate) fn advance(&mut self) -> Option<Result<Event>> {
        if let Some(said) = self.say() {
            return Some(said.map(Event::Text));
        }
        let turn = self.turn.as_mut()?;
        let event = turn.run.next(&mut self.session)?;
        match &event {
            Ok(Event::Done(summary)) if summary.reason != FinishReason::Cancelled => {
                let turn = self.turn.take()?;
                self.messages.push(turn.question);
                self.messages.push(Message::assistant(turn.answer));
                self.used = self.session.tokens().len();
            }
            _ => self.undo_turn(),
        }
        Some(event)
    }

    /// More text of the turn that has begun; `None` once all was said, and only the last event
    /// is left.
    pub(crate) fn say(&mut self) -> Option<Result<String>> {
        let turn = self.turn.as_mut()?;
        let said = turn.run.say(&mut self.session)?;
        match &said {
            Ok(text) => turn.answer.push_str(text),
            Err(_) => self.undo_turn(),
        }
        Some(said)
    }

    /// Goes back to the end of the last whole turn.
    pub(crate) fn undo_turn(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.session.truncate(turn.start);
        }
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
        self.undo_turn();
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
    chat: &'c mut Chat,
}

impl Reply<'_> {
    /// Runs to the end and puts the text together.
    pub fn answer(self) -> Result<Answer> {
        whole_answer(self)
    }
}

impl Iterator for Reply<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        self.chat.advance()
    }
}

impl std::iter::FusedIterator for Reply<'_> {}

impl Drop for Reply<'_> {
    fn drop(&mut self) {
        self.chat.undo_turn();
    }
}

#[cfg(test)]
mod tests;
