//! The whole application on this machine.

mod support;

use embedded_hal_mock::eh1::digital::{State, Transaction as Digital};
use embedded_hal_mock::eh1::i2c::Transaction as OnBus;
use embedded_hal_mock::eh1::pwm::Transaction as Duty;
use firmware_app::app::Status;

use support::{Dog, Seen, Serial, board, run};

/// A test in which nothing happens but that the socket goes on, once.
fn socket_goes_on(test: impl Fn(&mut dyn FnMut() -> Status, &Serial, &Dog)) {
    let seen = Seen {
        plug: vec![Digital::set(State::High)],
        ..Seen::default()
    };
    board(seen, 128, |_| {}, test);
}

#[test]
fn requests_move_pins() {
    let seen = Seen {
        light: vec![
            Duty::max_duty_cycle(300),
            Duty::set_duty_cycle(300),
            Duty::max_duty_cycle(300),
            Duty::set_duty_cycle(90),
        ],
        fan: vec![Duty::max_duty_cycle(300), Duty::set_duty_cycle(200)],
        plug: vec![Digital::set(State::High)],
        lock: vec![Digital::set(State::High)],
        // The thermometer's register 0: 21.5 degrees.
        bus: vec![OnBus::write_read(0x48, vec![0], vec![0x15, 0x80])],
    };
    board(
        seen,
        128,
        |_| {},
        |poll, serial, _| {
            assert_eq!(
                serial.shown(),
                format!(
                    "tealight: ready, computing with {:?}\n> ",
                    tealight_core::kernels::Isa::best()
                )
            );
            let requests = [
                ("Turn on the kitchen light", "= light 100 %"),
                ("dim the lights to 30 percent", "= light 30 %"),
                ("set the fan to two", "= fan 2"),
                ("turn on the socket", "= plug on"),
                ("lock the door", "= locked"),
                ("what's the temperature in here?", "= 21.5 degrees"),
                ("open the blinds", "! there is no such device on this board"),
                (
                    "turn on the bedroom light",
                    "! this board is in another room",
                ),
                (
                    "sing me a song",
                    "! this is not among the things that can be done",
                ),
            ];
            for (request, done) in requests {
                serial.type_in(format!("{request}\r"));
                run(poll);
                let shown = serial.shown();
                let lines: Vec<_> = shown.lines().collect();
                assert_eq!(
                    (lines[0], lines[2], lines[3]),
                    (request, done, "> "),
                    "{shown}"
                );
            }
        },
    );
}

#[test]
fn a_poll_makes_one_token_and_feeds_the_watchdog() {
    socket_goes_on(|poll, serial, dog| {
        serial.type_in("turn on the socket\r");
        let before = *dog.0.borrow();
        let polls = run(poll);
        assert_eq!(*dog.0.borrow() - before, polls);
        // A request of six tokens in steps of four, an answer of two or more.
        assert!(polls > 5, "{polls}");
    });
}

#[test]
fn bad_lines_leave_a_prompt_that_works() {
    socket_goes_on(|poll, serial, _| {
        serial.shown();
        let long = "x".repeat(400);
        let lines: [(&[u8], &str); 3] = [
            (b"\xff\xfe\x01\x02\r", "! the line is no text\n> "),
            (long.as_bytes(), ""),
            (b"\r", "! the line is longer than 240 bytes\n> "),
        ];
        for (line, said) in lines {
            serial.type_in(line);
            run(poll);
            let shown = serial.shown();
            assert!(shown.ends_with(said), "{shown}");
        }
        // A letter a token.
        serial.type_in(format!("{}\r", "é".repeat(100)));
        run(poll);
        let shown = serial.shown();
        assert!(
            shown.contains("leaves no room in a context of 128"),
            "{shown}"
        );
        serial.type_in("turn on the socket\r");
        run(poll);
        assert!(serial.shown().ends_with("= plug on\n> "));
    });
}

#[test]
fn an_answer_that_fills_the_context_is_cut_off_and_nothing_is_done() {
    board(
        Seen::default(),
        8,
        |_| {},
        |poll, serial, _| {
            serial.type_in("turn on the socket\r");
            run(poll);
            let shown = serial.shown();
            assert!(shown.ends_with("! the context is full\n> "), "{shown}");
        },
    );
}

#[test]
fn ctrl_c_stops_an_answer_and_the_next_one_is_whole() {
    socket_goes_on(|poll, serial, _| {
        serial.type_in("turn off the socket\r");
        poll();
        poll();
        serial.type_in("nonsense\x03");
        run(poll);
        assert!(serial.shown().ends_with("\nstopped\n> "));
        serial.type_in("turn on the socket\r");
        run(poll);
        assert!(serial.shown().ends_with("= plug on\n> "));
    });
}

/// What befalls a plan in flash.
type Harm = fn(&mut [u8]);

#[test]
fn a_model_that_cannot_be_used_is_named_and_the_prompt_works() {
    let cases: [(Harm, &str); 4] = [
        (|flash| flash[0] ^= 1, "this is not a Tealight plan"),
        (|flash| flash[8] += 1, "compile the model again"),
        (|flash| flash[12] += 1, "compile the model again"),
        (
            |flash| *flash.last_mut().expect("bytes") ^= 0x10,
            "the plan's weights section is damaged",
        ),
    ];
    for (change, said) in cases {
        board(Seen::default(), 128, change, |poll, serial, _| {
            let banner = serial.shown();
            assert!(
                banner.contains("no model") && banner.contains(said),
                "{banner}"
            );
            serial.type_in("turn on the socket\r");
            run(poll);
            let shown = serial.shown();
            assert!(shown.contains(said) && shown.ends_with("\n> "), "{shown}");
        });
    }
}
