use std::time::Duration;

use super::*;
use crate::event::{Event, FinishReason};
use crate::testing::{END, Fake, START};
use crate::{CancelToken, Summary};

fn options() -> GenerateOptions {
    GenerateOptions::new()
}

/// The texts of all events, and the summary.
fn run(generation: Generation<'_>) -> (Vec<String>, Summary) {
    let mut texts = Vec::new();
    let mut summary = None;
    for event in generation {
        match event.unwrap() {
            Event::Text(text) => texts.push(text),
            Event::Done(done) => assert!(summary.replace(done).is_none()),
        }
    }
    (texts, summary.unwrap())
}

#[test]
fn text_streams_until_the_end_of_the_text() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("Hi");
    let (texts, summary) = run(session.generate("abc", &options()).unwrap());
    assert_eq!(texts, ["H", "i"]);
    assert_eq!(summary.reason, FinishReason::EndOfText);
    assert_eq!(summary.usage.prompt_tokens, 3);
    assert_eq!(summary.usage.generated_tokens, 3);
    assert!(
        summary
            .usage
            .time_to_first_token
            .is_some_and(|time| time > Duration::ZERO)
    );
    assert!(summary.usage.prefill_tokens_per_second > 0.0);
    assert!(summary.usage.decode_tokens_per_second > 0.0);
}

#[test]
fn each_step_is_fed_what_was_not_seen() {
    let fake = Fake::default();
    let mut session = fake.session(100, 2);
    fake.say("xy");
    let _ = run(session.generate(&vec![1, 2, 3, 4, 5], &options()).unwrap());
    let (x, y) = (u32::from(b'x'), u32::from(b'y'));
    assert_eq!(
        fake.fed(),
        [vec![1, 2], vec![3, 4], vec![5], vec![x], vec![y]]
    );
    assert_eq!(session.tokens(), [1, 2, 3, 4, 5, x, y]);
}

#[test]
fn only_whole_characters_are_told() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("é👍");
    let (texts, _) = run(session.generate("a", &options()).unwrap());
    assert_eq!(texts, ["é", "👍"]);
    fake.say(&"👍".as_bytes()[..3]);
    let (texts, _) = run(session.generate("b", &options()).unwrap());
    assert_eq!(texts, ["\u{fffd}"]);
}

#[test]
fn a_stop_string_ends_the_text_and_is_not_part_of_it() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("one\n\ntwo");
    let (texts, summary) = run(session.generate("a", &options().stop("\n\n")).unwrap());
    assert_eq!(texts.concat(), "one");
    assert_eq!(summary.reason, FinishReason::StopString);
    assert_eq!(summary.usage.generated_tokens, 5);
}

#[test]
fn what_only_looked_like_a_stop_string_is_told_at_the_end() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("one\n");
    let (texts, summary) = run(session.generate("a", &options().stop("\n\n")).unwrap());
    assert_eq!(texts.concat(), "one\n");
    assert_eq!(summary.reason, FinishReason::EndOfText);
}

#[test]
fn a_stop_token_ends_the_text() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("ab!c");
    let stop = options().stop_token(u32::from(b'!'));
    let (texts, summary) = run(session.generate("a", &stop).unwrap());
    assert_eq!(texts.concat(), "ab");
    assert_eq!(summary.reason, FinishReason::EndOfText);
}

#[test]
fn the_end_of_the_text_can_be_ignored() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    let endless = GenerateOptions {
        ignore_end_of_text: true,
        ..options().max_tokens(5)
    };
    let (texts, summary) = run(session.generate("a", &endless).unwrap());
    assert!(texts.is_empty());
    assert_eq!(summary.usage.generated_tokens, 5);
}

#[test]
fn the_token_budget_is_kept() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("abcdef");
    let (texts, summary) = run(session.generate("x", &options().max_tokens(3)).unwrap());
    assert_eq!(texts.concat(), "abc");
    assert_eq!(summary.reason, FinishReason::Length);
    assert_eq!(summary.usage.generated_tokens, 3);
}

#[test]
fn a_budget_of_nothing_only_reads_the_prompt() {
    let fake = Fake::default();
    let mut session = fake.session(100, 2);
    let (texts, summary) = run(session.generate("abc", &options().max_tokens(0)).unwrap());
    assert!(texts.is_empty());
    assert_eq!(summary.reason, FinishReason::Length);
    assert_eq!(summary.usage.time_to_first_token, None);
    assert_eq!(session.tokens().len(), 3);
}

#[test]
fn a_full_context_ends_the_text_without_losing_any() {
    let fake = Fake::default();
    let mut session = fake.session(5, 100);
    fake.say("abcdef");
    let (texts, summary) = run(session.generate("xyz", &options()).unwrap());
    // Two answers fit behind the prompt; the last one said need not be kept.
    assert_eq!(texts.concat(), "abc");
    assert_eq!(summary.reason, FinishReason::Length);
    assert_eq!(session.context_left(), 0);
}

#[test]
fn a_prompt_that_does_not_fit_changes_nothing() {
    let fake = Fake::default();
    let mut session = fake.session(5, 100);
    let _ = run(session.generate("abcd", &options().max_tokens(0)).unwrap());
    let before = session.tokens().to_vec();
    let error = session.generate("abcdef", &options()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::PromptTooLong {
                prompt: 6,
                context: 5
            }
        ),
        "{error}"
    );
    let error = session.generate(&vec![1, 999], &options()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::UnknownToken {
                token: 999,
                vocab: 258
            }
        ),
        "{error}"
    );
    let error = session.generate("", &options()).unwrap_err();
    assert!(matches!(error, Error::EmptyPrompt), "{error}");
    assert_eq!(session.tokens(), before);
}

#[test]
fn a_common_beginning_is_not_computed_again() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("d");
    let _ = run(session.generate("abc", &options()).unwrap());
    fake.fed();
    let (_, summary) = run(session.generate("abcdef", &options()).unwrap());
    assert_eq!(summary.usage.reused_tokens, 4);
    assert_eq!(fake.fed_text(), "ef");
    let (_, summary) = run(session.generate("abX", &options()).unwrap());
    assert_eq!(summary.usage.reused_tokens, 2);
    assert_eq!(fake.fed_text(), "X");
    // The last token has to be seen again for its logits.
    let (_, summary) = run(session.generate("ab", &options()).unwrap());
    assert_eq!(summary.usage.reused_tokens, 1);
    assert_eq!(fake.fed_text(), "b");
}

#[test]
fn what_a_model_cannot_go_back_to_is_computed_again() {
    let fake = Fake::default();
    fake.span(4);
    let mut session = fake.session(100, 100);
    let all = options().max_tokens(0);
    let _ = run(session.generate("abcdefghij", &all).unwrap());
    fake.fed();
    let (_, summary) = run(session.generate("abcdefgXY", &all).unwrap());
    assert_eq!(summary.usage.reused_tokens, 4);
    assert_eq!(fake.fed_text(), "efgXY");
    assert_eq!(session.truncate(6), 4);
    assert_eq!(session.tokens().len(), 4);
    assert_eq!(session.truncate(100), 4);
}

#[test]
fn cancelling_takes_effect_before_the_next_token() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say("abcdef");
    let cancel = CancelToken::new();
    let cancelled = options().cancel_token(cancel.clone());
    let mut generation = session.generate("x", &cancelled).unwrap();
    assert_eq!(generation.next().unwrap().unwrap(), Event::Text("a".into()));
    cancel.cancel();
    let Event::Done(summary) = generation.next().unwrap().unwrap() else {
        panic!()
    };
    assert_eq!(summary.reason, FinishReason::Cancelled);
    assert!(generation.next().is_none());
    assert_eq!(fake.fed().len(), 1);
}

#[test]
fn cancelling_takes_effect_between_steps_of_the_prompt() {
    let fake = Fake::default();
    let mut session = fake.session(100, 2);
    let cancelled = options();
    cancelled.cancel.cancel();
    let (texts, summary) = run(session.generate("abcdef", &cancelled).unwrap());
    assert!(texts.is_empty() && fake.fed().is_empty());
    assert_eq!(summary.reason, FinishReason::Cancelled);
}

#[test]
fn special_tokens_are_not_text() {
    let fake = Fake::default();
    let mut session = fake.session(100, 100);
    fake.say_tokens([START, 104, END]);
    let (texts, _) = run(session.generate("a", &options()).unwrap());
    assert_eq!(texts, ["h"]);
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let text = |seed| {
        let fake = Fake::default();
        let mut session = fake.session(100, 100);
        fake.say([b'.'; 60]);
        let hot = options().temperature(3.0).seed(seed).max_tokens(60);
        run(session.generate("a", &hot).unwrap()).0
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn every_position_is_scored_in_order() {
    let fake = Fake::default();
    let mut session = fake.session(10, 3);
    let tokens: Vec<TokenId> = (10..18).collect();
    let mut seen = Vec::new();
    session
        .score(&tokens, |at, logits| {
            seen.push((at, crate::logprobs::top(logits, 1)[0].token))
        })
        .unwrap();
    let expected: Vec<(usize, TokenId)> = (10..18).enumerate().collect();
    assert_eq!(seen, expected);
    assert_eq!(fake.fed().len(), 3);
    assert_eq!(session.tokens(), tokens);
}
