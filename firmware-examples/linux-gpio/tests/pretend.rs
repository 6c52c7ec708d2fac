//! The whole program on this machine, with pins that only say what they would do.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str], typed: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_linux-gpio"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that refused its arguments reads nothing.
    let _ = stdin.write_all(typed.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn requests_move_pins_and_the_end_of_the_input_ends_it() {
    let typed = "turn on the kitchen light\nlock the door\nturn the bedroom light on\n";
    let output = program(&["--pretend"], typed);
    let said = String::from_utf8(output.stdout).unwrap();
    let pins = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}{pins}");
    let answer = r#"{"device":"light","room":"kitchen","action":"on","value":null}"#;
    assert!(said.starts_with("tealight: ready"), "{said}");
    assert!(
        said.contains(&format!("{answer}\r\n= light 100 %")),
        "{said}"
    );
    assert!(said.contains("= locked"), "{said}");
    assert!(said.contains("! this board is in another room"), "{said}");
    let moved = [
        "[light: 0 of 1000]",
        "[fan: 0 of 1000]",
        "[light: 1000 of 1000]",
        "[lock: high]",
    ];
    assert_eq!(pins.lines().collect::<Vec<_>>(), moved);
}

#[test]
fn without_the_hardware_it_says_what_is_missing_and_what_to_try() {
    let output = program(&["--gpio", "/dev/no-such-chip"], "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("/dev/no-such-chip"), "{error}");
    assert!(error.contains("--pretend"), "{error}");
}
