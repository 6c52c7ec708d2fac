//! Cuts a text into words, as a tokenizer's regular expressions would.

use super::classes::{Class, class, is_space};
use super::pattern::{Contractions, Numbers, Prefix, Rule, Symbols, Words};

/// Calls `each` with the pieces of `text` that are left after all rules, in order.
pub(super) fn cut<E>(
    rules: &[Option<Rule>],
    text: &str,
    each: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    match rules.split_first() {
        Some((Some(rule), rest)) => {
            let mut pieces = Pieces { rule, text };
            pieces.try_for_each(|piece| cut(rest, piece, each))
        }
        _ if text.is_empty() => Ok(()),
        _ => each(text),
    }
}

/// What one rule makes of a text: finds, and what lies between them.
struct Pieces<'r, 't> {
    rule: &'r Rule,
    text: &'t str,
}

impl<'t> Iterator for Pieces<'_, 't> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.text;
        let first = text.chars().next()?;
        let len = self.rule.find(text).unwrap_or_else(|| {
            let mut between = first.len_utf8();
            while let Some(next) = text[between..].chars().next() {
                if self.rule.find(&text[between..]).is_some() {
                    break;
                }
                between += next.len_utf8();
            }
            between
        });
        let (piece, rest) = text.split_at(len);
        self.text = rest;
        Some(piece)
    }
}

impl Rule {
    /// Bytes that the rule finds at the start of a text, never zero.
    fn find(&self, text: &str) -> Option<usize> {
        match self {
            Rule::Numbers(most) => numbers(text, usize::from(*most)),
            Rule::ChineseJapanese => some(run(
                text,
                &|c| matches!(c, '一'..='龥' | '\u{3040}'..='\u{30ff}'),
            )),
            Rule::Words(words) => words.find(text),
        }
    }
}

impl Words {
    fn find(&self, text: &str) -> Option<usize> {
        self.contraction(text)
            .or_else(|| self.punctuated(text))
            .or_else(|| self.word(text))
            .or_else(|| self.number(text))
            .or_else(|| self.symbols(text))
            .or_else(|| self.white_space(text))
    }

    fn contraction(&self, text: &str) -> Option<usize> {
        let mut chars = text.chars();
        if self.contractions == Contractions::None || chars.next() != Some('\'') {
            return None;
        }
        let mut letter = || match (chars.next()?, self.contractions) {
            (c, Contractions::Lower) => Some(c),
            // Besides its capital, only the s has another letter that folds to it.
            ('ſ', _) => Some('s'),
            (c, _) => Some(c.to_ascii_lowercase()),
        };
        match letter()? {
            's' | 't' | 'm' | 'd' => {}
            'r' | 'v' if letter() == Some('e') => {}
            'l' if letter() == Some('l') => {}
            _ => return None,
        }
        Some(text.len() - chars.as_str().len())
    }

    fn punctuated(&self, text: &str) -> Option<usize> {
        let first = text.chars().next().filter(char::is_ascii_punctuation)?;
        let letters = run(&text[first.len_utf8()..], &|c| c.is_ascii_alphabetic());
        (self.punctuated && letters > 0).then_some(first.len_utf8() + letters)
    }

    fn word(&self, text: &str) -> Option<usize> {
        let letters = &|c: char| match class(c) {
            Class::Letter => true,
            Class::Mark => self.marks,
            _ => false,
        };
        let first = text.chars().next()?;
        if self.prefix.allows(first) {
            let start = first.len_utf8();
            let len = run(&text[start..], letters);
            if len > 0 {
                return Some(start + len);
            }
        }
        some(run(text, letters))
    }

    fn number(&self, text: &str) -> Option<usize> {
        match self.numbers {
            Numbers::None => None,
            Numbers::Spaced => spaced(text, &|c| class(c) == Class::Number),
            Numbers::UpTo(most) => numbers(text, usize::from(most)),
        }
    }

    fn symbols(&self, text: &str) -> Option<usize> {
        let len = match self.symbols {
            Symbols::NoLetterOrNumber => spaced(text, &|c| {
                !is_space(c) && !matches!(class(c), Class::Letter | Class::Number)
            }),
            Symbols::PunctuationOrSymbol => spaced(text, &|c| class(c) == Class::Symbol),
        }?;
        if !self.newlines_after_symbols {
            return Some(len);
        }
        Some(len + run(&text[len..], &is_newline))
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`, the first where it is asked for.
    fn white_space(&self, text: &str) -> Option<usize> {
        let len = run(text, &is_space);
        let spaces = &text[..len];
        if self.newlines
            && let Some(last) = spaces.rfind(is_newline)
        {
            return Some(last + 1);
        }
        // What follows takes the last one, unless it is the only one.
        let last = (0..len).rfind(|at| spaces.is_char_boundary(*at))?;
        let followed = len < text.len() && last > 0;
        Some(if followed { last } else { len })
    }
}

impl Prefix {
    fn allows(self, c: char) -> bool {
        match self {
            Prefix::Space => c == ' ',
            _ if is_newline(c) => false,
            Prefix::NoLetterOrNumber => !matches!(class(c), Class::Letter | Class::Number),
            Prefix::NoLetterOrSymbol => !matches!(class(c), Class::Letter | Class::Symbol),
        }
    }
}

fn is_newline(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

/// Bytes of the characters at the start of a text that are of a kind. One function for all kinds:
/// flash is short.
pub(super) fn run(text: &str, of_kind: &dyn Fn(char) -> bool) -> usize {
    text.find(|c| !of_kind(c)).unwrap_or(text.len())
}

/// Bytes of one or more characters of a kind, and of a space before them.
fn spaced(text: &str, of_kind: &dyn Fn(char) -> bool) -> Option<usize> {
    let start = usize::from(text.starts_with(' '));
    some(run(&text[start..], of_kind)).map(|len| start + len)
}

/// Bytes of up to so many numbers at the start of a text.
fn numbers(text: &str, most: usize) -> Option<usize> {
    let len = run(text, &|c| class(c) == Class::Number);
    let end = text.char_indices().nth(most);
    some(end.map_or(len, |(end, _)| len.min(end)))
}

fn some(len: usize) -> Option<usize> {
    (len > 0).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(rules: &[Rule], text: &str) -> Vec<String> {
        let rules: Vec<_> = rules.iter().copied().map(Some).collect();
        let mut pieces = Vec::new();
        let mut each = |piece: &str| {
            pieces.push(piece.to_owned());
            Ok::<(), ()>(())
        };
        cut(&rules, text, &mut each).unwrap();
        pieces
    }

    #[test]
    fn gpt2_keeps_the_space_before_a_word_and_leaves_the_others() {
        let gpt2 = [Rule::Words(Words::GPT2)];
        assert_eq!(
            pieces(&gpt2, "I'm  here: 12 x\n\n y "),
            ["I", "'m", " ", " here", ":", " 12", " x", "\n\n", " y", " "]
        );
        assert_eq!(pieces(&gpt2, "I'M"), ["I", "'", "M"]);
    }

    #[test]
    fn gpt4_cuts_contractions_in_any_case_and_numbers_in_threes() {
        let cl100k = [Rule::Words(Words::CL100K)];
        assert_eq!(
            pieces(&cl100k, "HE'LL pay $1234!\r\n  \n  x's'ſ"),
            [
                "HE", "'LL", " pay", " $", "123", "4", "!\r\n", "  \n", " ", " x", "'s", "'ſ"
            ]
        );
    }

    #[test]
    fn what_no_alternative_matches_stays_together() {
        let rules = [
            Rule::Numbers(3),
            Rule::ChineseJapanese,
            Rule::Words(Words::DEEPSEEK),
        ];
        assert_eq!(
            pieces(&rules, "a\u{1}\u{2}12345漢字.x!?"),
            ["a", "\u{1}\u{2}", "123", "45", "漢字", ".x", "!?"]
        );
    }

    #[test]
    fn a_rule_is_the_number_that_it_is_stored_as() {
        for words in [Words::GPT2, Words::CL100K, Words::DEEPSEEK] {
            let rule = Rule::Words(words);
            assert_eq!(Rule::from_number(rule.to_number()), Some(rule));
        }
        for rule in [Rule::Numbers(3), Rule::ChineseJapanese] {
            assert_eq!(Rule::from_number(rule.to_number()), Some(rule));
        }
        for number in [0, 1, 4, 2 | 1 << 8, 3 | 3 << 16, 3 | 1 << 28] {
            assert_eq!(Rule::from_number(number), None, "{number:#x}");
        }
    }
}
