//! What only a terminal gets to see: colours, progress bars, the prompt.

use std::io::{IsTerminal, stderr, stdin, stdout};

/// Whether colours may be written to a stream: it is a terminal, and the user has not declined
/// with `NO_COLOR` (<https://no-color.org>) or a terminal that knows none.
fn coloured(stream: &impl IsTerminal) -> bool {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    stream.is_terminal() && !declined && !dumb
}

/// `text` in bold red, if standard error shows colours.
pub(crate) fn alarming(text: &str) -> String {
    styled(text, "1;31", coloured(&stderr()))
}

/// `text` in a faint colour, if standard error shows colours.
pub(crate) fn faint(text: &str) -> String {
    styled(text, "2", coloured(&stderr()))
}

/// `text` in bold, if standard output shows colours.
pub(crate) fn bold(text: &str) -> String {
    styled(text, "1", coloured(&stdout()))
}

fn styled(text: &str, code: &str, coloured: bool) -> String {
    if coloured {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Whether a person types into this program and reads what it says.
pub(crate) fn is_conversation() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// Whether a progress bar may be drawn.
pub(crate) fn shows_bars() -> bool {
    stderr().is_terminal()
}
