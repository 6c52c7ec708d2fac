//! Stop strings: text goes through, but never a part of a string that ends it.

/// Watches a stream of text for strings that end it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopStrings {
    strings: Vec<String>,
    /// Text that may be the beginning of a stop string.
    held: String,
}

/// What came through.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Text before any stop string.
    pub(crate) text: String,
    /// Whether a stop string followed. Nothing may be pushed after it.
    pub(crate) stopped: bool,
}

impl StopStrings {
    /// Empty strings are ignored.
    pub(crate) fn new(strings: &[String]) -> StopStrings {
        let strings = strings.iter().filter(|s| !s.is_empty()).cloned().collect();
        StopStrings {
            strings,
            held: String::new(),
        }
    }

    /// Lets text through up to the first stop string, or to what may become one.
    pub(crate) fn push(&mut self, text: &str) -> Passed {
        if self.strings.is_empty() {
            return Passed {
                text: text.to_owned(),
                stopped: false,
            };
        }
        self.held.push_str(text);
        if let Some(at) = first_stop(&self.strings, &self.held) {
            let mut text = std::mem::take(&mut self.held);
            text.truncate(at);
            return Passed {
                text,
                stopped: true,
            };
        }
        let rest = self.held.split_off(self.undecided());
        Passed {
            text: std::mem::replace(&mut self.held, rest),
            stopped: false,
        }
    }

    /// The text that turned out to be none after all.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the longest end of the held text starts that begins a stop string.
    fn undecided(&self) -> usize {
        let longest = self.strings.iter().map(String::len).max().unwrap_or(0);
        let earliest = self.held.len().saturating_sub(longest);
        self.held
            .char_indices()
            .map(|(at, _)| at)
            .skip_while(|at| *at < earliest)
            .find(|at| {
                self.strings
                    .iter()
                    .any(|stop| stop.starts_with(&self.held[*at..]))
            })
            .unwrap_or(self.held.len())
    }
}

/// Where the stop string starts that is the first to be complete.
fn first_stop(strings: &[String], text: &str) -> Option<usize> {
    let found = strings
        .iter()
        .filter_map(|stop| text.find(stop).map(|at| (at + stop.len(), at)));
    found.min().map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (Vec<String>, bool) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut filter = StopStrings::new(&stops);
        let mut shown = Vec::new();
        for piece in pieces {
            let passed = filter.push(piece);
            shown.push(passed.text);
            if passed.stopped {
                return (shown, true);
            }
        }
        shown.push(filter.finish());
        (shown, false)
    }

    #[test]
    fn text_without_stop_strings_goes_straight_through() {
        assert_eq!(
            run(&[], &["a", "b"]),
            (vec!["a".into(), "b".into(), "".into()], false)
        );
        assert_eq!(run(&[""], &["a"]), (vec!["a".into(), "".into()], false));
    }

    #[test]
    fn a_stop_string_across_pieces_is_never_shown() {
        let (shown, stopped) = run(&["\nUser:"], &["Hi\n", "Us", "er: more"]);
        assert_eq!(shown, ["Hi", "", ""]);
        assert!(stopped);
    }

    #[test]
    fn a_false_alarm_is_shown_late() {
        let (shown, stopped) = run(&["</s>"], &["a</", "b", "</s"]);
        assert_eq!(shown, ["a", "</b", "", "</s"]);
        assert!(!stopped);
    }

    #[test]
    fn the_first_of_several_ends_the_text() {
        let (shown, stopped) = run(&["end", "dot"], &["a dot and an end"]);
        assert_eq!(shown, ["a "]);
        assert!(stopped);
    }

    #[test]
    fn a_stop_string_that_repeats_its_start_is_found() {
        let (shown, stopped) = run(&["aab"], &["a", "a", "a", "b"]);
        assert_eq!(shown.concat(), "a");
        assert!(stopped);
    }

    proptest! {
        #[test]
        fn cutting_the_text_differently_changes_nothing(
            text in "[ab é]{0,30}",
            stops in prop::collection::vec("[ab é]{1,4}", 0..3),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let whole = first_stop(&stops, &text);
            let expected = &text[..whole.unwrap_or(text.len())];
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            at.retain(|at| text.is_char_boundary(*at));
            at.extend([0, text.len()]);
            at.sort();
            let pieces: Vec<&str> = at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let (shown, stopped) = run(&stops, &pieces);
            prop_assert_eq!(shown.concat(), expected);
            prop_assert_eq!(stopped, whole.is_some());
        }
    }
}
