//! How the program ends: exit codes, and the one line that says why.

use std::error::Error;
use std::fmt::Display;
use std::io;

use tealight::CacheError;
use tealight::import::{ImportError, WriteError};

use crate::terminal;

/// What a script can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Success = 0,
    /// Something failed that has no code of its own.
    Failure = 1,
    /// The arguments make no sense. (The argument parser uses the same number.)
    Usage = 2,
    /// A model or an input file is missing, damaged or not supported.
    Input = 3,
    /// The text does not fit the context.
    Context = 4,
    /// The output cannot be written.
    Output = 5,
    /// Ended by Ctrl-C: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

/// The table that `--help` and the README show.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  failed for another reason than those below
    2  the arguments make no sense
    3  a model or an input file is missing, damaged or not supported
    4  the text does not fit the context
    5  the output cannot be written
  130  ended by Ctrl-C";

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// One line, or nothing where the user knows already.
    message: Option<String>,
}

impl Failure {
    /// Fails with `exit`, and the whole chain of causes on one line.
    pub(crate) fn new(exit: Exit, error: &dyn Error) -> Failure {
        Failure {
            exit,
            message: Some(with_causes(error)),
        }
    }

    /// The arguments make no sense together.
    pub(crate) fn usage(message: impl Display) -> Failure {
        Failure::told(Exit::Usage, message)
    }

    /// Fails with `exit` and these words.
    pub(crate) fn told(exit: Exit, message: impl Display) -> Failure {
        Failure {
            exit,
            message: Some(message.to_string()),
        }
    }

    /// A model or an input file is not there.
    pub(crate) fn missing(message: impl Display) -> Failure {
        Failure::told(Exit::Input, message)
    }

    /// An input file cannot be used.
    pub(crate) fn input(what: impl Display, error: &dyn Error) -> Failure {
        Failure::told(Exit::Input, format!("{what}: {}", with_causes(error)))
    }

    /// `what` cannot be written. A reader that has left early (`| head`) is no failure.
    pub(crate) fn output(what: impl Display, error: &io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure {
                exit: Exit::Success,
                message: None,
            };
        }
        Failure::told(Exit::Output, format!("cannot write {what}: {error}"))
    }

    /// Adds what to do about it.
    pub(crate) fn advise(mut self, advice: &str) -> Failure {
        if let Some(message) = &mut self.message {
            message.push_str(&format!(" ({advice})"));
        }
        self
    }

    /// Whether other words may be accepted where these were not.
    pub(crate) fn is_about_text(&self) -> bool {
        matches!(self.exit, Exit::Context | Exit::Usage)
    }

    /// The user pressed Ctrl-C.
    pub(crate) fn interrupted() -> Failure {
        Failure {
            exit: Exit::Interrupted,
            message: None,
        }
    }

    /// Says why on standard error, and gives the code to end with.
    pub(crate) fn report(self) -> Exit {
        if let Some(message) = self.message {
            eprintln!("{} {message}", terminal::alarming("error:"));
        }
        self.exit
    }
}

impl From<tealight::Error> for Failure {
    fn from(error: tealight::Error) -> Failure {
        use tealight::Error as E;
        let failure = Failure::new(of_library(&error), &error);
        match error {
            E::Import(CacheError::Import(ImportError::Unrecognised(_)))
                if !cfg!(feature = "tract") =>
            {
                failure
                    .advise("built with the feature `tract`, it runs such graphs on tract, slower")
            }
            _ => failure,
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        Failure::new(of_import(&error), &error)
    }
}

fn of_library(error: &tealight::Error) -> Exit {
    use tealight::Error as E;
    match error {
        E::PromptTooLong { .. } | E::TextTooLong { .. } => Exit::Context,
        E::EmptyPrompt | E::EmptyText { .. } | E::Memory { .. } => Exit::Usage,
        E::NoPooling { .. } | E::UnknownPrompt { .. } | E::Dimensions { .. } => Exit::Usage,
        E::Cancelled => Exit::Interrupted,
        E::MissingIsa { .. } | E::UnknownIsa { .. } => Exit::Usage,
        E::UnknownToken { .. } | E::OutOfMemory { .. } | E::Step(_) => Exit::Failure,
        E::Import(CacheError::NoPlace { .. }) => Exit::Output,
        E::Import(CacheError::Import(error)) => of_import(error),
        _ => Exit::Input,
    }
}

fn of_import(error: &ImportError) -> Exit {
    match error {
        ImportError::Write(
            WriteError::OutOfSpace { .. } | WriteError::Denied { .. } | WriteError::Io { .. },
        ) => Exit::Output,
        _ => Exit::Input,
    }
}

impl From<io::Error> for Failure {
    /// Errors of standard output; other files have constructors that name them.
    fn from(error: io::Error) -> Failure {
        Failure::output("to standard output", &error)
    }
}

/// `error` and its causes on one line. A cause whose text the line has already is left out.
fn with_causes(error: &dyn Error) -> String {
    let mut text = one_line(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = one_line(error);
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Lists that come one item a line are separated by semicolons.
fn one_line(error: &dyn Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    match lines.split_first() {
        Some((first, rest)) if first.ends_with(':') => format!("{first} {}", rest.join("; ")),
        _ => lines.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Told(&'static str, Option<Box<Told>>);

    impl Display for Told {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Told {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1
                .as_deref()
                .map(|cause| cause as &(dyn Error + 'static))
        }
    }

    #[test]
    fn causes_are_told_once_and_on_one_line() {
        let cause = Told("file\n  not found", None);
        let same = Told("cannot open x", Some(Box::new(cause)));
        let error = Told("cannot open x", Some(Box::new(same)));
        assert_eq!(with_causes(&error), "cannot open x: file not found");
    }

    #[test]
    fn a_list_stays_a_list_on_one_line() {
        let error = Told("2 operators are not recognised:\n  A at x\n  B at y", None);
        assert_eq!(
            with_causes(&error),
            "2 operators are not recognised: A at x; B at y"
        );
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let gone = Failure::output("text", &io::ErrorKind::BrokenPipe.into());
        assert_eq!((gone.exit, gone.message), (Exit::Success, None));
    }
}
