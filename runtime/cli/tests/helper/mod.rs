//! Calls the program as a script would: `tealight(&["run", "hello"]).fails(3, "…")`.
#![allow(dead_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program with these arguments, no input, and an environment that is the test's own.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tealight"));
    command.args(arguments).stdin(Stdio::null());
    command
        .env_remove("TEALIGHT_MODEL")
        .env_remove("TEALIGHT_MODELS");
    command.env("TEALIGHT_CACHE", cache());
    command
}

/// Runs the program to its end.
pub fn tealight(arguments: &[&str]) -> Done {
    finish(&mut command(arguments))
}

/// Runs a [`command`] to its end.
pub fn finish(command: &mut Command) -> Done {
    Done::of(command.output().expect("the program starts"))
}

/// Runs the program to its end with `input` on standard input.
pub fn tealight_told(arguments: &[&str], input: &str) -> Done {
    let mut command = command(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input.as_bytes())
        .expect("the program reads");
    Done::of(child.wait_with_output().expect("the program ends"))
}

/// What a finished program left behind.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    fn of(output: Output) -> Done {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text is UTF-8");
        Done {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Standard output of a success.
    #[track_caller]
    pub fn prints(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// Standard output of a success, which is JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let out = self.prints();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// A failure with this code, one line that has these words, and nothing on standard output.
    #[track_caller]
    pub fn fails(self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.out, "", "{self:#?}");
        assert!(
            self.err.starts_with("error: ") && self.err.contains(words),
            "{self:#?}"
        );
        assert_eq!(self.err.trim_end().lines().count(), 1, "{self:#?}");
    }
}

/// The path of a model for tests, where this machine has it.
pub fn test_model(name: &str) -> Option<String> {
    let folder = std::env::var_os("TEALIGHT_TEST_MODELS").map(PathBuf::from);
    let path = folder
        .map(|folder| folder.join(name))
        .filter(|path| path.exists());
    if path.is_none() {
        eprintln!("skipped: TEALIGHT_TEST_MODELS has no {name}");
    }
    path.map(|path| path.to_str().expect("a path in UTF-8").to_owned())
}

/// A file with a text, under a folder that goes when the value does.
pub fn text_file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("text.txt");
    std::fs::write(&path, text).expect("the text is written");
    let path = path.to_str().expect("a path in UTF-8").to_owned();
    (folder, path)
}

fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}
