//! What a machine with nothing installed is told.

use std::process::{Command, Output};

/// The tasks, on a machine without programs, variables and a home.
fn bare(arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .env_clear()
        .env("PATH", "")
        .env("HOME", nowhere.path())
        .output()
        .unwrap()
}

#[test]
fn a_bare_machine_is_told_what_to_install_for_android() {
    let output = bare(&["build-arm", "aarch64-linux-android"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    for line in [
        "missing an Android NDK",
        "export ANDROID_NDK_HOME=",
        "missing Rust's library for the target",
        "rustup target add aarch64-linux-android",
        "error: 1 of 1 targets cannot be built here",
    ] {
        assert!(said.contains(line), "no `{line}` in\n{said}");
    }
}

#[test]
fn scripts_read_what_is_missing_from_standard_output() {
    let output = bare(&["build-arm", "aarch64-unknown-linux-gnu", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let target = &value["targets"][0];
    assert_eq!(target["target"], "aarch64-unknown-linux-gnu");
    assert_eq!(target["ready"], false);
    assert_eq!(target["missing"].as_array().unwrap().len(), 2);
}

#[test]
fn the_doctor_reports_every_target_and_is_no_failure() {
    let listed = bare(&["build-arm", "--list"]);
    let reported = bare(&["doctor"]);
    assert!(listed.status.success() && reported.status.success());
    let reported = String::from_utf8(reported.stdout).unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().count() >= 15);
    for line in listed.lines() {
        let target = line.split(' ').next().unwrap();
        let mut lines = reported.lines();
        let row = lines.find(|row| row.split(' ').next() == Some(target));
        assert!(row.is_some_and(|row| row.contains("missing")), "{target}");
    }
}

#[test]
fn an_unknown_target_is_an_error() {
    let output = bare(&["build-arm", "sparc-sun-solaris"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("sparc-sun-solaris is none of the targets"),
        "{said}"
    );
}
