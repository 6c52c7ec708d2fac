use std::sync::mpsc;
use std::thread;

use super::*;
use crate::event::FinishReason;
use crate::testing::Fake;
use crate::{ChatOptions, ErrorKind};

fn chat(fake: &Fake) -> SharedChat {
    let options = ChatOptions::new().system("S");
    SharedChat::new(Chat::over(fake.session(1000, 4), &options).unwrap())
}

fn options() -> GenerateOptions {
    GenerateOptions::new()
}

fn hear(answering: &Answering) -> (String, FinishReason) {
    let mut text = String::new();
    loop {
        match answering.next_event().unwrap().unwrap() {
            Event::Text(more) => text += &more,
            Event::Done(summary) => return (text, summary.reason),
        }
    }
}

#[test]
fn an_answer_comes_first_at_once_and_then_gathered() {
    let fake = Fake::default();
    let chat = chat(&fake);
    fake.say("Hello!");
    let answering = chat.send("Hi", &options()).unwrap();
    assert_eq!(
        answering.next_event().unwrap(),
        Some(Event::Text("H".into()))
    );
    // All that was said until the end, since it took no time; the turn does not count yet.
    assert_eq!(
        answering.next_event().unwrap(),
        Some(Event::Text("ello!".into()))
    );
    assert_eq!(chat.messages().unwrap().len(), 1);
    assert_eq!(hear(&answering), (String::new(), FinishReason::EndOfText));
    assert_eq!(chat.messages().unwrap().len(), 3);
    assert!(answering.next_event().unwrap().is_none());
}

#[test]
fn a_cancelled_turn_is_undone_and_the_next_one_works() {
    let fake = Fake::default();
    let chat = chat(&fake);
    let left = chat.context_left().unwrap();
    fake.say("Never heard");
    let first = chat.send("Hi", &options()).unwrap();
    first.next_event().unwrap();
    first.cancel();
    fake.fed();
    assert_eq!(hear(&first), (String::new(), FinishReason::Cancelled));
    assert!(fake.fed().is_empty(), "nothing is computed after it");
    assert_eq!(chat.context_left().unwrap(), left);
    fake.say_tokens([crate::testing::END]);
    let second = chat.send("Again", &options()).unwrap();
    hear(&second);
    assert_eq!(chat.messages().unwrap()[1], Message::user("Again"));
}

#[test]
fn a_turn_need_not_be_heard_to_its_cancelled_end() {
    let fake = Fake::default();
    let chat = chat(&fake);
    fake.say("Never heard");
    let first = chat.send("Hi", &options()).unwrap();
    first.next_event().unwrap();
    chat.cancel();
    let second = chat.send("Again", &options()).unwrap();
    assert!(first.next_event().unwrap().is_none());
    drop(first);
    hear(&second);
    assert_eq!(chat.messages().unwrap()[1], Message::user("Again"));
}

#[test]
fn dropping_an_answer_undoes_its_turn() {
    let fake = Fake::default();
    let chat = chat(&fake);
    fake.say("Never heard");
    let answering = chat.send("Hi", &options()).unwrap();
    answering.next_event().unwrap();
    drop(answering);
    assert_eq!(chat.messages().unwrap().len(), 1);
    hear(&chat.send("Again", &options()).unwrap());
    assert_eq!(chat.messages().unwrap().len(), 3);
}

#[test]
fn one_turn_at_a_time() {
    let fake = Fake::default();
    let chat = chat(&fake);
    fake.say("Hello");
    let answering = chat.send("Hi", &options()).unwrap();
    for error in [
        chat.send("You too", &options()).err(),
        chat.clear().err(),
        chat.restore(Vec::new()).err(),
        chat.count_with("x").err(),
    ] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Busy);
    }
    hear(&answering);
    assert!(chat.count_with("x").unwrap() > 0);
    chat.clear().unwrap();
    assert_eq!(chat.messages().unwrap(), [Message::system("S")]);
}

#[test]
fn a_message_that_is_refused_leaves_the_chat_free() {
    let fake = Fake::default();
    let chat = chat(&fake);
    let error = chat.send("x".repeat(2000), &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextFull);
    hear(&chat.send("Hi", &options()).unwrap());
}

#[test]
fn a_closed_chat_says_so() {
    let fake = Fake::default();
    let chat = chat(&fake);
    fake.say("Hello");
    let answering = chat.send("Hi", &options()).unwrap();
    answering.next_event().unwrap();
    chat.close();
    chat.close();
    assert!(lock(&chat.0.held).chat.is_none(), "its memory is free");
    let closed = |error: Error| assert_eq!(error.kind(), ErrorKind::Closed);
    closed(answering.next_event().unwrap_err());
    closed(chat.send("Hi", &options()).unwrap_err());
    closed(chat.messages().unwrap_err());
    closed(chat.clear().unwrap_err());
}

#[test]
fn closing_during_a_step_frees_the_chat_after_it() {
    let fake = Fake::default();
    let chat = chat(&fake);
    fake.say("x".repeat(500));
    let answering = chat.send("Hi", &options()).unwrap();
    let (begun, heard) = mpsc::channel();
    let ended = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            loop {
                let event = answering.next_event();
                let _ = begun.send(());
                if !matches!(event, Ok(Some(Event::Text(_)))) {
                    return event;
                }
            }
        });
        heard.recv().unwrap();
        chat.close();
        worker.join().unwrap()
    });
    match ended {
        Err(error) => assert_eq!(error.kind(), ErrorKind::Closed),
        // It may have ended by itself before.
        Ok(event) => assert!(matches!(event, Some(Event::Done(_)))),
    }
    assert!(lock(&chat.0.held).chat.is_none());
}

#[test]
fn a_panic_of_the_engine_is_an_error_and_gives_the_chat_up() {
    let fake = Fake::default();
    let chat = chat(&fake);
    // A token that the fake model has no logits for.
    fake.say_tokens([1_000_000]);
    let answering = chat.send("Hi", &options()).unwrap();
    let error = answering.next_event().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    assert!(answering.next_event().unwrap().is_none());
    let error = chat.send("Hi", &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}
