//! `tealight chat`: a conversation in the terminal, or one message a line from a script.

use std::io::{self, Write};

use clap::Args;
use tealight::{CancelToken, Chat, ChatOptions, Event, FinishReason, Message, Model, Summary};

use crate::args::{AnswerArgs, ModelArgs, ThreadArgs};
use crate::exit::Failure;
use crate::lines::Messages;
use crate::units;
use crate::{generate, interrupt, open, terminal};

/// Talk with a model
#[derive(Args, Debug)]
pub(crate) struct ChatArgs {
    /// Tell after each answer how long it took
    #[arg(long)]
    stats: bool,

    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    threads: ThreadArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

const HELP: &str = "\
/reset          forget the conversation
/system TEXT    begin again with other instructions; without a text, with none
/stats          tell how long answers take, or stop telling
/exit           leave (Ctrl-D does too)
Ctrl-C stops an answer. A pasted text may have several lines; a typed line goes on with a \\ at its end.";

/// What the user wants of a line.
enum Wish<'a> {
    Help,
    Reset,
    System(&'a str),
    Stats,
    Exit,
    Unknown(&'a str),
    Nothing,
    Say,
}

impl Wish<'_> {
    fn of(message: &str) -> Wish<'_> {
        let message = message.trim();
        let (word, rest) = message
            .split_once(char::is_whitespace)
            .unwrap_or((message, ""));
        match word {
            "" => Wish::Nothing,
            "/help" | "/?" => Wish::Help,
            "/reset" | "/clear" => Wish::Reset,
            "/system" => Wish::System(rest.trim()),
            "/stats" => Wish::Stats,
            "/exit" | "/quit" | "/bye" => Wish::Exit,
            // A path or a fraction may begin with a slash; a mistyped command is one short word.
            _ if message.starts_with('/') && message[1..].chars().all(char::is_alphabetic) => {
                Wish::Unknown(word)
            }
            _ => Wish::Say,
        }
    }
}

pub(crate) fn run(args: &ChatArgs) -> Result<(), Failure> {
    let model = open::model(&args.model, args.threads.threads.count())?;
    let mut beginning = ChatOptions::new();
    beginning.system = args.answer.system.clone();
    let mut conversation = Conversation {
        chat: model.chat_with(&beginning)?,
        args,
        stats: args.stats,
        last: None,
        typed: terminal::is_conversation(),
    };
    if conversation.typed {
        greet(&model, &conversation.chat)?;
    }
    let mut messages = Messages::new(io::BufReader::new(io::stdin()), conversation.typed);
    loop {
        conversation.prompt()?;
        let message = messages
            .next()
            .map_err(|error| Failure::input("cannot read standard input", &error))?;
        let Some(message) = message else {
            break conversation.leave();
        };
        if !conversation.hear(&message)? {
            break Ok(());
        }
    }
}

fn greet(model: &Model, chat: &Chat) -> Result<(), Failure> {
    let info = model.info();
    let size = info.parameters.map_or(String::new(), |n| {
        format!("{} parameters, ", units::count(n))
    });
    let greeting = format!(
        "{}: {size}context of {} tokens, {} threads, {}. /help tells more.",
        info.name,
        chat.capacity(),
        model.threads(),
        model.isa(),
    );
    writeln!(io::stdout(), "{}", terminal::faint(&greeting))?;
    Ok(())
}

struct Conversation<'a> {
    chat: Chat,
    args: &'a ChatArgs,
    /// Whether to tell what answers took.
    stats: bool,
    last: Option<Summary>,
    /// Whether a person types; a script gets answers and errors, nothing else.
    typed: bool,
}

impl Conversation<'_> {
    fn prompt(&self) -> Result<(), Failure> {
        if self.typed {
            let mut out = io::stdout().lock();
            write!(out, "{}", terminal::bold("> "))?;
            out.flush()?;
        }
        Ok(())
    }

    /// Does what a message asks for; false to leave.
    fn hear(&mut self, message: &str) -> Result<bool, Failure> {
        match Wish::of(message) {
            Wish::Nothing => {}
            Wish::Exit => return Ok(false),
            Wish::Help => self.tell(HELP)?,
            Wish::Reset => {
                self.chat.clear();
                self.tell("The conversation begins again.")?;
            }
            Wish::System(text) => {
                let system = (!text.is_empty()).then(|| Message::system(text));
                self.chat.restore(system.into_iter().collect());
                self.tell("The conversation begins again.")?;
            }
            Wish::Stats => {
                self.stats = !self.stats;
                match &self.last {
                    Some(summary) if self.stats => self.tell(&generate::stats(summary))?,
                    _ => self.tell(if self.stats {
                        "stats are on"
                    } else {
                        "stats are off"
                    })?,
                }
            }
            Wish::Unknown(word) => {
                self.tell(&format!("{word} is no command; /help lists them"))?;
            }
            Wish::Say => self.answer(message)?,
        }
        Ok(true)
    }

    fn answer(&mut self, message: &str) -> Result<(), Failure> {
        match self.stream(message) {
            Ok(()) => Ok(()),
            // The conversation is as it was, so a person can say something else.
            Err(failure) if self.typed && failure.is_about_text() => {
                failure.advise("/reset forgets the conversation").report();
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    fn stream(&mut self, message: &str) -> Result<(), Failure> {
        let cancel = CancelToken::new();
        let options = generate::options(&self.args.answer, &cancel);
        let _guard = interrupt::catch(move || cancel.cancel());
        let mut out = io::stdout().lock();
        let mut at_line_start = true;
        for event in self.chat.send(message, &options)? {
            match event? {
                Event::Text(text) => {
                    out.write_all(text.as_bytes())?;
                    out.flush()?;
                    at_line_start = text.ends_with('\n');
                }
                Event::Done(summary) => self.last = Some(summary),
                _ => {}
            }
        }
        if !at_line_start {
            writeln!(out)?;
        }
        drop(out);
        let Some(summary) = &self.last else {
            return Ok(());
        };
        if summary.reason == FinishReason::Cancelled {
            if !self.typed {
                return Err(Failure::interrupted());
            }
            self.tell("(stopped; this answer and its question are forgotten)")?;
        }
        if self.stats {
            eprintln!("{}", terminal::faint(&generate::stats(summary)));
        }
        Ok(())
    }

    /// Says something that is no answer: to a person only.
    fn tell(&self, text: &str) -> Result<(), Failure> {
        if self.typed {
            eprintln!("{}", terminal::faint(text));
        }
        Ok(())
    }

    /// The input has ended.
    fn leave(&self) -> Result<(), Failure> {
        if self.typed {
            writeln!(io::stdout())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_begin_with_a_slash_and_other_texts_may_too() {
        assert!(matches!(
            Wish::of("/system  be brief "),
            Wish::System("be brief")
        ));
        assert!(matches!(Wish::of("/helo"), Wish::Unknown("/helo")));
        assert!(matches!(Wish::of("/etc/hosts is what?"), Wish::Say));
        assert!(matches!(Wish::of("lights on"), Wish::Say));
        assert!(matches!(Wish::of("  "), Wish::Nothing));
    }
}
