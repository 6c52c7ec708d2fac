//! What cargo's own tools check: formatting, lints, documentation.

use crate::Outcome;
use crate::command::{self, cargo};

pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Whether it also runs for daily work.
    pub(super) quick: bool,
    arguments: &'static [&'static str],
    /// Whether it builds what it checks, so that the slow crate is left out.
    builds: bool,
}

/// The release profile everywhere, which the tests use too: dependencies' build scripts and
/// macros are then compiled once.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "rustfmt",
        quick: true,
        arguments: &["fmt", "--all", "--check"],
        builds: false,
    },
    Tool {
        name: "clippy",
        quick: true,
        arguments: &["clippy", "--release", "--workspace", "--all-targets"],
        builds: true,
    },
    Tool {
        name: "documentation",
        quick: false,
        arguments: &["doc", "--release", "--workspace", "--lib", "--no-deps"],
        builds: true,
    },
];

impl Tool {
    pub(super) fn run(&self, all: bool) -> Outcome {
        let mut command = cargo(self.arguments);
        if self.builds && !all {
            command.args(["--exclude", "tealight-onnx"]);
        }
        match self.name {
            "clippy" => drop(command.args(["--", "-D", "warnings"])),
            "documentation" => {
                command
                    .arg("--document-private-items")
                    .env("RUSTDOCFLAGS", "-D warnings");
            }
            _ => {}
        }
        command::run(&mut command)
    }
}
