use super::*;
use crate::testing::{END, Fake};

fn chat(fake: &Fake, capacity: usize) -> Chat {
    Chat::over(fake.session(capacity, 4), &ChatOptions::new().system("S")).unwrap()
}

fn options() -> GenerateOptions {
    GenerateOptions::new()
}

#[test]
fn turns_add_up() {
    let fake = Fake::default();
    let mut chat = chat(&fake, 1000);
    fake.say("Hello!");
    fake.say_tokens([END]);
    let answer = chat.ask("Hi", &options()).unwrap();
    assert_eq!(answer.text, "Hello!");
    fake.fed();
    fake.say("Fine.");
    chat.ask("How are you?", &options()).unwrap();
    let expected = [
        Message::system("S"),
        Message::user("Hi"),
        Message::assistant("Hello!"),
        Message::user("How are you?"),
        Message::assistant("Fine."),
    ];
    assert_eq!(chat.messages(), expected);
    // Special tokens do not show; the first turn and its answer were not computed again.
    assert_eq!(fake.fed_text(), "\nuser\nHow are you?\nassistant\nFine.");
}

#[test]
fn a_cancelled_answer_undoes_its_turn() {
    let fake = Fake::default();
    let mut chat = chat(&fake, 1000);
    fake.say("One");
    fake.say_tokens([END]);
    chat.ask("1?", &options()).unwrap();
    let (messages, left) = (chat.messages().to_vec(), chat.context_left());
    let held = chat.session.tokens().to_vec();

    fake.say("Two");
    let options = options();
    let mut reply = chat.send("2?", &options).unwrap();
    assert_eq!(reply.next().unwrap().unwrap(), Event::Text("T".into()));
    options.cancel.cancel();
    let Event::Done(summary) = reply.next().unwrap().unwrap() else {
        panic!()
    };
    assert_eq!(summary.reason, FinishReason::Cancelled);
    drop(reply);
    assert_eq!(chat.messages(), messages);
    assert_eq!(chat.context_left(), left);
    assert_eq!(chat.session.tokens(), held);

    fake.fed();
    fake.say_tokens([END, END]);
    chat.ask("3?", &GenerateOptions::new()).unwrap();
    assert!(fake.fed_text().starts_with("\nuser\n3?\nassistant\n"));
}

#[test]
fn dropping_an_answer_undoes_its_turn() {
    let fake = Fake::default();
    let mut chat = chat(&fake, 1000);
    fake.say("Never heard");
    let mut reply = chat.send("Hi", &options()).unwrap();
    assert!(reply.next().is_some());
    drop(reply);
    assert_eq!(chat.messages(), [Message::system("S")]);
    assert!(chat.session.tokens().is_empty());
}

#[test]
fn dropping_an_answer_after_its_end_keeps_its_turn() {
    let fake = Fake::default();
    let mut chat = chat(&fake, 1000);
    fake.say("A");
    let mut reply = chat.send("Hi", &options()).unwrap();
    assert!(reply.by_ref().all(|event| event.is_ok()));
    drop(reply);
    assert_eq!(chat.messages().len(), 3);
}

#[test]
fn an_answer_cut_off_by_the_budget_is_a_turn() {
    let fake = Fake::default();
    let mut chat = chat(&fake, 1000);
    fake.say("Long answer");
    let answer = chat.ask("Hi", &options().max_tokens(4)).unwrap();
    assert_eq!(answer.summary.reason, FinishReason::Length);
    assert_eq!(chat.messages()[2], Message::assistant("Long"));
}

#[test]
fn a_message_that_does_not_fit_changes_nothing() {
    let fake = Fake::default();
    let mut chat = chat(&fake, 60);
    fake.say("Hello");
    chat.ask("Hi", &options()).unwrap();
    let (messages, left) = (chat.messages().to_vec(), chat.context_left());
    let held = chat.session.tokens().to_vec();
    let needed = chat.count_with("x".repeat(50)).unwrap();
    let error = chat.send("x".repeat(50), &options()).unwrap_err();
    assert!(
        matches!(error, Error::PromptTooLong { prompt, context: 60 } if prompt == needed),
        "{error}"
    );
    assert_eq!(chat.messages(), messages);
    assert_eq!(chat.context_left(), left);
    assert_eq!(chat.session.tokens(), held);
}

#[test]
fn a_restored_conversation_goes_on() {
    let fake = Fake::default();
    let mut first = chat(&fake, 1000);
    fake.say("Hello");
    first.ask("Hi", &options()).unwrap();
    let mut second = chat(&fake, 1000);
    second.restore(first.messages().to_vec());
    assert!(second.context_left() < 1000 - 30);
    fake.fed();
    second.ask("Again", &options()).unwrap();
    assert_eq!(
        fake.fed_text(),
        "system\nS\nuser\nHi\nassistant\nHello\nuser\nAgain\nassistant\n"
    );
    second.clear();
    assert_eq!(second.messages(), [Message::system("S")]);
}

#[test]
fn chats_and_sessions_can_move_between_threads() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone>() {}
    is_send::<Chat>();
    is_send::<Session>();
    is_shared::<Model>();
    is_shared::<GenerateOptions>();
}
