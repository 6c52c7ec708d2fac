//! What the application logs. A program has one logger, so that this test stands alone.

mod support;

use embedded_hal_mock::eh1::digital::{State, Transaction as Digital};
use log::LevelFilter;

use support::{Seen, board, run};

#[test]
fn what_happens_is_told_in_comments_before_the_prompt_and_never_inside_an_answer() {
    let seen = Seen {
        plug: vec![Digital::set(State::High)],
        ..Seen::default()
    };
    board(
        seen,
        128,
        |_| {},
        |poll, serial, _| {
            assert!(!serial.shown().contains('#'), "errors only, and none");
            log::set_max_level(LevelFilter::Debug);
            serial.type_in("turn on the socket\r");
            run(poll);
            let answer = r#"{"device":"plug","room":null,"action":"on","value":null}"#;
            let expected = [
                "turn on the socket",
                answer,
                "= plug on",
                "# INFO a request of 6 tokens",
                "# DEBUG an answer of 56 bytes",
                "# INFO done: plug on",
                "> ",
            ];
            assert_eq!(serial.shown().lines().collect::<Vec<_>>(), expected);
            serial.type_in(b"\x01\r");
            run(poll);
            let expected = [
                "! the line is no text",
                "# WARN a line was refused: the line is no text",
                "> ",
            ];
            assert_eq!(serial.shown().lines().collect::<Vec<_>>(), expected);
        },
    );
}
