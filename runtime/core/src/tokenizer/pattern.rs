//! How a text is cut into words before they are tokenized, as numbers in a plan.
//!
//! Tokenizers state it as regular expressions. Nearly all byte-level BPE models use one of a
//! small family, which these rules describe; `split.rs` applies them without a
//! regex engine.

/// Most rules that apply one after the other.
pub const MAX_RULES: usize = 4;

/// What a text has to be turned into before it is tokenized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum NormalForm {
    /// It stays as it is.
    AsIs = 0,
    /// Unicode's composed form.
    Nfc = 1,
}

impl NormalForm {
    /// The form that a record's number stands for.
    pub fn from_number(number: u32) -> Option<NormalForm> {
        match number {
            0 => Some(NormalForm::AsIs),
            1 => Some(NormalForm::Nfc),
            _ => None,
        }
    }
}

/// One way to cut a text; each piece then goes through the next rule.
///
/// What a rule finds is a piece, and so is what lies between two finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `\p{N}{1,n}`.
    Numbers(u8),
    /// `[一-龥぀-ゟ゠-ヿ]+`
    ChineseJapanese,
    /// The alternatives of [`Words`].
    Words(Words),
}

/// Alternatives of one regular expression, tried in the order of the fields; those for white
/// space, `\s+(?!\S)|\s+`, are always there and come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// `'s|'t|'re|'ve|'m|'ll|'d`.
    pub contractions: Contractions,
    /// A character of ASCII punctuation before `[A-Za-z]+`.
    pub punctuated: bool,
    /// What one character may stand before letters.
    pub prefix: Prefix,
    /// Words are of `[\p{L}\p{M}]`, else of `\p{L}`.
    pub marks: bool,
    /// Which numbers are words.
    pub numbers: Numbers,
    /// What is neither letter nor number.
    pub symbols: Symbols,
    /// `[\r\n]*` belongs to symbols before it.
    pub newlines_after_symbols: bool,
    /// `\s*[\r\n]+`.
    pub newlines: bool,
}

/// English contractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contractions {
    /// Not cut off.
    None,
    /// In lower case.
    Lower,
    /// In any case.
    AnyCase,
}

/// What one character may stand before a word's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// A space.
    Space,
    /// `[^\r\n\p{L}\p{N}]`
    NoLetterOrNumber,
    /// `[^\r\n\p{L}\p{P}\p{S}]`
    NoLetterOrSymbol,
}

/// Which numbers are words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// None.
    None,
    /// ` ?\p{N}+`
    Spaced,
    /// `\p{N}{1,n}`
    UpTo(u8),
}

/// What is neither letter nor number; ` ?` before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbols {
    /// `[^\s\p{L}\p{N}]+`
    NoLetterOrNumber,
    /// `[\p{P}\p{S}]+`
    PunctuationOrSymbol,
}

impl Words {
    /// GPT-2's.
    pub const GPT2: Words = Words {
        contractions: Contractions::Lower,
        punctuated: false,
        prefix: Prefix::Space,
        marks: false,
        numbers: Numbers::Spaced,
        symbols: Symbols::NoLetterOrNumber,
        newlines_after_symbols: false,
        newlines: false,
    };
    /// GPT-4's, which Llama 3 and Qwen have with other numbers.
    pub const CL100K: Words = Words {
        contractions: Contractions::AnyCase,
        punctuated: false,
        prefix: Prefix::NoLetterOrNumber,
        marks: false,
        numbers: Numbers::UpTo(3),
        symbols: Symbols::NoLetterOrNumber,
        newlines_after_symbols: true,
        newlines: true,
    };
    /// DeepSeek V3's, after [`Rule::Numbers`] and [`Rule::ChineseJapanese`].
    pub const DEEPSEEK: Words = Words {
        contractions: Contractions::None,
        punctuated: true,
        prefix: Prefix::NoLetterOrSymbol,
        marks: true,
        numbers: Numbers::None,
        symbols: Symbols::PunctuationOrSymbol,
        newlines_after_symbols: true,
        newlines: true,
    };
}

/// The kind of a rule is its number's lowest byte.
const NUMBERS: u8 = 1;
const CHINESE_JAPANESE: u8 = 2;
const WORDS: u8 = 3;
/// [`Numbers::Spaced`]; `UpTo(n)` is `n`.
const SPACED: u8 = 0xff;

impl Rule {
    /// The number that stands for the rule, never zero.
    pub fn to_number(self) -> u32 {
        u32::from_le_bytes(match self {
            Rule::Numbers(most) => [NUMBERS, most, 0, 0],
            Rule::ChineseJapanese => [CHINESE_JAPANESE, 0, 0, 0],
            Rule::Words(words) => {
                let numbers = match words.numbers {
                    Numbers::None => 0,
                    Numbers::Spaced => SPACED,
                    Numbers::UpTo(most) => most,
                };
                let classes = words.contractions as u8
                    | (words.prefix as u8) << 2
                    | (words.symbols as u8) << 4;
                let flags = u8::from(words.punctuated)
                    | u8::from(words.marks) << 1
                    | u8::from(words.newlines_after_symbols) << 2
                    | u8::from(words.newlines) << 3;
                [WORDS, numbers, classes, flags]
            }
        })
    }

    /// The rule that a number stands for.
    pub fn from_number(number: u32) -> Option<Rule> {
        Some(match number.to_le_bytes() {
            [NUMBERS, most, 0, 0] if most > 0 => Rule::Numbers(most),
            [CHINESE_JAPANESE, 0, 0, 0] => Rule::ChineseJapanese,
            [WORDS, numbers, classes @ ..=0x1f, flags @ ..=0xf] => Rule::Words(Words {
                contractions: match classes & 3 {
                    0 => Contractions::None,
                    1 => Contractions::Lower,
                    2 => Contractions::AnyCase,
                    _ => return None,
                },
                punctuated: flags & 1 != 0,
                prefix: match classes >> 2 & 3 {
                    0 => Prefix::Space,
                    1 => Prefix::NoLetterOrNumber,
                    2 => Prefix::NoLetterOrSymbol,
                    _ => return None,
                },
                marks: flags & 2 != 0,
                numbers: match numbers {
                    0 => Numbers::None,
                    SPACED => Numbers::Spaced,
                    most => Numbers::UpTo(most),
                },
                symbols: if classes >> 4 == 0 {
                    Symbols::NoLetterOrNumber
                } else {
                    Symbols::PunctuationOrSymbol
                },
                newlines_after_symbols: flags & 4 != 0,
                newlines: flags & 8 != 0,
            }),
            _ => return None,
        })
    }
}

/// The rules of a record; `None` if one is unknown or stands after a gap.
pub(super) fn rules(numbers: &[u32; MAX_RULES]) -> Option<[Option<Rule>; MAX_RULES]> {
    let mut rules = [None; MAX_RULES];
    let count = numbers.iter().take_while(|number| **number != 0).count();
    if numbers[count..].iter().any(|number| *number != 0) {
        return None;
    }
    for (rule, number) in rules.iter_mut().zip(&numbers[..count]) {
        *rule = Some(Rule::from_number(*number)?);
    }
    Some(rules)
}
