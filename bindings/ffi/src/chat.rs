//! A chat, and the answers in it.

use std::sync::Arc;

use tealight::shared;

use crate::{GenerateOptions, TealightError};

/// A conversation with a model.
#[derive(Debug, uniffi::Object)]
pub struct Chat(pub(crate) shared::SharedChat);

#[uniffi::export]
impl Chat {
    /// Says something to the model. The turn counts once the answer's last event was asked for
    /// and does not say that it was cancelled.
    pub fn send(
        &self,
        text: String,
        options: GenerateOptions,
    ) -> Result<Arc<Answering>, TealightError> {
        Ok(Arc::new(Answering(self.0.send(text, &options.into())?)))
    }

    /// The conversation so far, in whole turns.
    pub fn messages(&self) -> Result<Vec<Message>, TealightError> {
        let messages = self.0.messages()?;
        Ok(messages.into_iter().map(Message::from).collect())
    }

    /// Replaces the conversation, for example by one that was saved.
    pub fn restore(&self, messages: Vec<Message>) -> Result<(), TealightError> {
        let messages = messages.into_iter().map(From::from).collect();
        Ok(self.0.restore(messages)?)
    }

    /// Forgets all turns but the system prompt.
    pub fn clear(&self) -> Result<(), TealightError> {
        Ok(self.0.clear()?)
    }

    /// Tokens that there is room for after the last whole turn.
    pub fn context_left(&self) -> Result<u64, TealightError> {
        Ok(self.0.context_left()? as u64)
    }

    /// How many tokens the conversation would have with this message.
    pub fn count_with(&self, text: String) -> Result<u64, TealightError> {
        Ok(self.0.count_with(text)? as u64)
    }

    /// Stops the answer that is being given, if there is one.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Ends the chat and frees its memory, during an answer within one token.
    pub fn release(&self) {
        self.0.close();
    }
}

/// An answer that is being given. Dropping it undoes its turn, unless that is whole.
#[derive(Debug, uniffi::Object)]
pub struct Answering(shared::Answering);

#[uniffi::export]
impl Answering {
    /// Computes until there is something to tell: the first text at once, later text when some
    /// has gathered; none after the last event.
    pub fn next_event(&self) -> Result<Option<Event>, TealightError> {
        Ok(self.0.next_event()?.map(Event::from))
    }

    /// Asks the answer to end, from any thread, within one token.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// Something that happened in an answer.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Event {
    /// More text, in whole characters.
    Text {
        /// The text.
        text: String,
    },
    /// The last event.
    Done {
        /// How the answer ended and what it took.
        summary: Summary,
    },
}

impl From<tealight::Event> for Event {
    fn from(event: tealight::Event) -> Event {
        match event {
            tealight::Event::Text(text) => Event::Text { text },
            tealight::Event::Done(summary) => Event::Done {
                summary: Summary::from(summary),
            },
            // A kind of event that this surface does not know yet has no text to miss.
            _ => Event::Text {
                text: String::new(),
            },
        }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FinishReason {
    /// The model said a token that ends the text.
    EndOfText,
    /// The text reached one of the caller's stop strings, which is not part of it.
    StopString,
    /// The token budget was spent, or the context is full.
    Length,
    /// The caller cancelled.
    Cancelled,
}

/// How an answer ended and what it took.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Summary {
    /// Why it ended.
    pub reason: FinishReason,
    /// Tokens of the prompt, earlier turns included.
    pub prompt_tokens: u64,
    /// How many of them were still in the KV cache and cost nothing.
    pub reused_tokens: u64,
    /// Tokens that the model said.
    pub generated_tokens: u64,
    /// Speed through the rest of the prompt, in tokens/s.
    pub prefill_tokens_per_second: f64,
    /// Speed after the first token, in tokens/s; 0 with fewer than two tokens.
    pub decode_tokens_per_second: f64,
    /// From the call to the first token, in seconds; none if there was none.
    pub seconds_to_first_token: Option<f64>,
}

impl From<tealight::Summary> for Summary {
    fn from(summary: tealight::Summary) -> Summary {
        let usage = summary.usage;
        Summary {
            reason: match summary.reason {
                tealight::FinishReason::EndOfText => FinishReason::EndOfText,
                tealight::FinishReason::StopString => FinishReason::StopString,
                tealight::FinishReason::Cancelled => FinishReason::Cancelled,
                _ => FinishReason::Length,
            },
            prompt_tokens: usage.prompt_tokens as u64,
            reused_tokens: usage.reused_tokens as u64,
            generated_tokens: usage.generated_tokens as u64,
            prefill_tokens_per_second: usage.prefill_tokens_per_second,
            decode_tokens_per_second: usage.decode_tokens_per_second,
            seconds_to_first_token: usage.time_to_first_token.map(|time| time.as_secs_f64()),
        }
    }
}

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Role {
    /// Instructions for the whole conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl From<tealight::Message> for Message {
    fn from(message: tealight::Message) -> Message {
        Message {
            role: match message.role {
                tealight::Role::System => Role::System,
                tealight::Role::Assistant => Role::Assistant,
                _ => Role::User,
            },
            content: message.content,
        }
    }
}

impl From<Message> for tealight::Message {
    fn from(message: Message) -> tealight::Message {
        let role = match message.role {
            Role::System => tealight::Role::System,
            Role::User => tealight::Role::User,
            Role::Assistant => tealight::Role::Assistant,
        };
        tealight::Message::new(role, message.content)
    }
}
