//! A chat that any thread may use, cancel and close.
//!
//! Two locks. `held` is kept while tokens are computed, by whoever asks for the next event;
//! `told` only for moments, so that what it answers never waits for the model. Nobody waits for
//! `held` but who begins the next turn: at most for the rest of one step.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use super::guard::{guarded, lock};
use crate::template::Message;
use crate::{CancelToken, Chat, Error, Event, GenerateOptions, Result};

/// How long text is gathered before it is handed over. The first text of an answer is not kept
/// back, and an eye sees no difference.
pub const GATHER: Duration = Duration::from_millis(20);

const CLOSED: Error = Error::Closed { what: "the chat" };

/// A chat that any thread may use and close. Clones share it. See the [module](super).
#[derive(Clone, Debug)]
pub struct SharedChat(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: Mutex<Held>,
    told: Mutex<Told>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Held {
    /// Absent once it was closed.
    chat: Option<Chat>,
    /// The turn that the chat is in.
    turn: Option<u64>,
    /// Turns that were begun.
    turns: u64,
}

/// What is known without asking the chat.
#[derive(Debug)]
struct Told {
    messages: Vec<Message>,
    context_left: usize,
    /// The turn that goes on, and how to stop it.
    turn: Option<(u64, CancelToken)>,
}

impl SharedChat {
    /// Shares a chat.
    pub fn new(chat: Chat) -> SharedChat {
        let told = Told {
            messages: chat.messages().to_vec(),
            context_left: chat.context_left(),
            turn: None,
        };
        SharedChat(Arc::new(Inner {
            held: Mutex::new(Held {
                chat: Some(chat),
                turn: None,
                turns: 0,
            }),
            told: Mutex::new(told),
            closed: AtomicBool::new(false),
        }))
    }

    /// Says something to the model. The turn counts once [`Answering::next_event`] gave
    /// [`Event::Done`] with any reason but cancelled; see [`Chat::send`].
    ///
    /// A turn that was cancelled is waited for: at most for the rest of one step.
    ///
    /// # Errors
    /// As [`Chat::send`]; [`Error::Busy`] while another turn goes on; [`Error::Closed`].
    pub fn send(&self, text: impl Into<String>, options: &GenerateOptions) -> Result<Answering> {
        let (mut held, turn) = self.0.reserve(Some(&options.cancel))?;
        let answering = Answering {
            chat: Arc::clone(&self.0),
            turn,
            cancel: options.cancel.clone(),
            spoke: AtomicBool::new(false),
        };
        let begun = held.with_chat(|chat| chat.begin(text, options));
        self.0.release(held);
        // Dropping the answer in case of an error gives up the turn.
        begun.and_then(|begun| begun).map(|()| answering)
    }

    /// The conversation so far, in whole turns.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn messages(&self) -> Result<Vec<Message>> {
        self.0.tell(|told| told.messages.clone())
    }

    /// Tokens that there is room for after the last whole turn.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn context_left(&self) -> Result<usize> {
        self.0.tell(|told| told.context_left)
    }

    /// Replaces the conversation. See [`Chat::restore`].
    ///
    /// # Errors
    /// [`Error::Busy`] during a turn; [`Error::Closed`].
    pub fn restore(&self, messages: Vec<Message>) -> Result<()> {
        self.0.between_turns(|chat| chat.restore(messages))
    }

    /// Forgets all turns but the system prompt.
    ///
    /// # Errors
    /// [`Error::Busy`] during a turn; [`Error::Closed`].
    pub fn clear(&self) -> Result<()> {
        self.0.between_turns(Chat::clear)
    }

    /// How many tokens the conversation would have with this message. See [`Chat::count_with`].
    ///
    /// # Errors
    /// If the template refuses it; [`Error::Busy`] during a turn; [`Error::Closed`].
    pub fn count_with(&self, text: impl Into<String>) -> Result<usize> {
        self.0.between_turns(|chat| chat.count_with(text))?
    }

    /// Stops the turn that goes on, if there is one.
    pub fn cancel(&self) {
        if let Some((_, cancel)) = &lock(&self.0.told).turn {
            cancel.cancel();
        }
    }

    /// Ends the chat and frees its memory: at once, or if tokens are being computed, by whoever
    /// computes them, within one step.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.cancel();
        self.0.bury();
    }
}

/// One answer of a [`SharedChat`]. Dropping it undoes its turn, unless that is whole.
#[derive(Debug)]
#[must_use = "nothing is generated unless the events are asked for"]
pub struct Answering {
    chat: Arc<Inner>,
    turn: u64,
    cancel: CancelToken,
    spoke: AtomicBool,
}

impl Answering {
    /// Computes on this thread until there is something to tell; `None` after the last event.
    ///
    /// # Errors
    /// If the engine fails, or [`Error::Closed`] if the chat was closed. The turn is undone.
    pub fn next_event(&self) -> Result<Option<Event>> {
        let began = Instant::now();
        let mut held = lock(&self.chat.held);
        if held.turn != Some(self.turn) {
            return Ok(None);
        }
        let event = held.with_chat(|chat| self.gather(chat, began));
        let event = event.and_then(Option::transpose);
        if !matches!(event, Ok(Some(Event::Text(_)))) {
            self.chat.end(&mut held);
        }
        self.chat.release(held);
        if self.chat.closed.load(Ordering::SeqCst) {
            return Err(CLOSED);
        }
        event
    }

    /// Asks the turn to end, from any thread: the next event is then
    /// [`Done`](Event::Done) with the reason cancelled.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// The next text, gathered, or the last event.
    fn gather(&self, chat: &mut Chat, began: Instant) -> Option<Result<Event>> {
        let mut text = String::new();
        while let Some(said) = chat.say() {
            match said {
                Ok(more) => text.push_str(&more),
                Err(error) => return Some(Err(error)),
            }
            let first = !self.spoke.swap(true, Ordering::Relaxed);
            if first || began.elapsed() >= GATHER {
                break;
            }
        }
        // The turn counts with its last event, so that comes by itself.
        match text.is_empty() {
            true => chat.advance(),
            false => Some(Ok(Event::Text(text))),
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        // An answer that has ended must not wait for the tokens of the next.
        if lock(&self.chat.told).turn_number() != Some(self.turn) {
            return;
        }
        let mut held = lock(&self.chat.held);
        if held.turn == Some(self.turn) {
            // If that fails, the chat is given up.
            let _ = held.with_chat(Chat::undo_turn);
            self.chat.end(&mut held);
        }
        self.chat.release(held);
    }
}

impl Held {
    /// Does `work` with the chat; a chat in which something panicked is given up.
    fn with_chat<T>(&mut self, work: impl FnOnce(&mut Chat) -> T) -> Result<T> {
        let chat = self.chat.as_mut().ok_or(CLOSED)?;
        let result = guarded(|| work(chat));
        if result.is_err() {
            self.chat = None;
        }
        result
    }
}

impl Inner {
    /// Locks the chat, which is in no turn that someone still wants; with a token that stops
    /// it, for a new turn.
    fn reserve(&self, cancel: Option<&CancelToken>) -> Result<(MutexGuard<'_, Held>, u64)> {
        // Once without waiting for whoever computes, and once when nobody does.
        self.check_idle()?;
        let mut held = lock(&self.held);
        if let Err(error) = self.check_idle() {
            self.release(held);
            return Err(error);
        }
        held.turns += 1;
        held.turn = cancel.map(|_| held.turns);
        lock(&self.told).turn = cancel.map(|cancel| (held.turns, cancel.clone()));
        let turn = held.turns;
        Ok((held, turn))
    }

    fn check_idle(&self) -> Result<()> {
        match self.tell(Told::is_busy)? {
            true => Err(Error::Busy),
            false => Ok(()),
        }
    }

    /// The turn has ended.
    fn end(&self, held: &mut Held) {
        held.turn = None;
        let mut told = lock(&self.told);
        told.turn = None;
        if let Some(chat) = &held.chat {
            told.messages = chat.messages().to_vec();
            told.context_left = chat.context_left();
        }
    }

    fn tell<T>(&self, read: impl FnOnce(&Told) -> T) -> Result<T> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(CLOSED);
        }
        Ok(read(&lock(&self.told)))
    }

    fn between_turns<T>(&self, work: impl FnOnce(&mut Chat) -> T) -> Result<T> {
        let (mut held, _) = self.reserve(None)?;
        let result = held.with_chat(|chat| {
            // One that was cancelled, and that nobody has asked for its end.
            chat.undo_turn();
            work(chat)
        });
        self.end(&mut held);
        self.release(held);
        result
    }

    /// Ends the use of the chat, and the chat itself if it was closed meanwhile.
    fn release(&self, held: MutexGuard<'_, Held>) {
        drop(held);
        if self.closed.load(Ordering::SeqCst) {
            self.bury();
        }
    }

    /// Frees a closed chat, unless someone computes with it: then that one will.
    fn bury(&self) {
        let chat = match self.held.try_lock() {
            Ok(mut held) => held.chat.take(),
            Err(TryLockError::Poisoned(held)) => held.into_inner().chat.take(),
            Err(TryLockError::WouldBlock) => None,
        };
        // After the lock was given back: unmapping takes a while.
        drop(chat);
    }
}

impl Told {
    fn is_busy(&self) -> bool {
        self.turn
            .as_ref()
            .is_some_and(|(_, cancel)| !cancel.is_cancelled())
    }

    fn turn_number(&self) -> Option<u64> {
        self.turn.as_ref().map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests;
