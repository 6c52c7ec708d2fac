//! Regular expressions that tokenizers cut text with, and the rules that do the same.

use tealight_core::tokenizer::{Numbers, Rule, Words};

/// Each exactly as files have it. Tests hold the rule equal to the expression on random text.
pub(super) const SPLITS: [(&str, Rule); 9] = [
    // GPT-2.
    (
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        Rule::Words(Words::GPT2),
    ),
    // GPT-4, Llama 3, SmolLM3.
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        Rule::Words(Words::CL100K),
    ),
    // The same as it stands in tiktoken.
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        Rule::Words(Words::CL100K),
    ),
    // Qwen 2, 2.5 and 3.
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        Rule::Words(Words {
            numbers: Numbers::UpTo(1),
            ..Words::CL100K
        }),
    ),
    (r"\p{N}", Rule::Numbers(1)),
    (r"\p{N}{1,3}", Rule::Numbers(3)),
    // DeepSeek V3 and R1, after the one before.
    (r"[一-龥぀-ゟ゠-ヿ]+", Rule::ChineseJapanese),
    (
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
        Rule::Words(Words::DEEPSEEK),
    ),
    // The same with its line ends written out.
    (
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        Rule::Words(Words::DEEPSEEK),
    ),
];

/// The rule of a regular expression.
pub(super) fn rule(expression: &str) -> Option<Rule> {
    let known = SPLITS.iter().find(|(known, _)| *known == expression);
    known.map(|(_, rule)| *rule)
}
