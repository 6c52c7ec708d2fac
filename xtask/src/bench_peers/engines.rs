//! The engines: what each needs, how it is run, and what its output means.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{Flags, Test};
use crate::{Outcome, command, tree};

pub(super) struct Engine {
    pub(super) name: &'static str,
    /// How to name what it lacks.
    pub(super) needs: &'static str,
    /// Its program and its model, if both are named.
    pub(super) files: fn(&Flags) -> Option<[PathBuf; 2]>,
    /// What to run for all tests on so many threads.
    pub(super) commands: fn(&Flags, &[PathBuf; 2], usize) -> Vec<Command>,
    /// Reads what one of them printed.
    pub(super) read: fn(&str) -> Outcome<Found>,
}

/// What an engine said.
pub(super) struct Found {
    pub(super) version: String,
    /// Tokens/s.
    pub(super) speeds: Vec<(Test, f64)>,
}

/// Tealight comes first: the others are compared with it.
pub(super) const ENGINES: &[Engine] = &[
    Engine {
        name: "Tealight",
        needs: "",
        files: |flags| {
            let program = tree::root().join("target/release/tealight");
            Some([program, flags.model.clone()])
        },
        commands: tealight,
        read: |printed| {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            rows(printed, ["n_prompt", "n_gen", "depth", "median_ts"], |_| {
                version.clone()
            })
        },
    },
    Engine {
        name: "llama.cpp",
        needs: "--llama-bench and --gguf say where it is",
        files: |flags| Some([flags.llama_bench.clone()?, flags.gguf.clone()?]),
        commands: llama,
        read: |printed| {
            rows(printed, ["n_prompt", "n_gen", "n_depth", "avg_ts"], |row| {
                let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
                format!("{}, {}", text("build_commit"), text("model_type"))
            })
        },
    },
    Engine {
        name: "onnxruntime-genai",
        needs: "--genai-python and --genai say where it is",
        files: |flags| Some([flags.genai_python.clone()?, flags.genai.clone()?]),
        commands: |flags, files, threads| {
            vec![script("xtask/peers/genai.py", flags, files, threads)]
        },
        read: script_output,
    },
    Engine {
        name: "onnxruntime int8",
        needs: "--ort-python and --ort say where it is",
        files: |flags| Some([flags.ort_python.clone()?, flags.ort.clone()?]),
        commands: |flags, files, threads| vec![script("xtask/peers/ort.py", flags, files, threads)],
        read: script_output,
    },
];

fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    numbers.join(",")
}

fn tealight(flags: &Flags, [program, model]: &[PathBuf; 2], threads: usize) -> Vec<Command> {
    let (threads, generate) = (threads.to_string(), flags.generate.to_string());
    let (prompts, depths) = (list(&flags.prompts), list(&flags.depths));
    let tests: [&[&str]; 2] = [
        &["-p", &prompts, "-n", "0"],
        &["-p", "0", "-n", &generate, "-d", &depths],
    ];
    let command = |test: &[&str]| {
        let mut command = command::program(program, &["bench", "-m"]);
        command
            .arg(model)
            .args(["-t", &threads, "-r", "1", "--json"])
            .args(test);
        command
    };
    tests.map(command).into()
}

fn llama(flags: &Flags, [program, model]: &[PathBuf; 2], threads: usize) -> Vec<Command> {
    let (threads, generate) = (threads.to_string(), flags.generate.to_string());
    let (prompts, depths) = (list(&flags.prompts), list(&flags.depths));
    let tests: [&[&str]; 2] = [
        &["-p", &prompts, "-n", "0"],
        &["-p", "0", "-n", &generate, "-d", &depths],
    ];
    let command = |test: &[&str]| {
        let mut command = command::program(program, &["-m"]);
        command
            .arg(model)
            .args(["-t", &threads, "-r", "1", "-o", "json"])
            .args(test);
        command
    };
    tests.map(command).into()
}

/// One of our own Python scripts around a library.
fn script(path: &str, flags: &Flags, [python, model]: &[PathBuf; 2], threads: usize) -> Command {
    let mut command = command::program(python, &[path]);
    command.arg(model).arg(threads.to_string());
    command.args(flags.prompts.iter().map(|prompt| format!("{prompt}:0:0")));
    command.args(
        flags
            .depths
            .iter()
            .map(|depth| format!("0:{}:{depth}", flags.generate)),
    );
    command
}

/// What our scripts print: the version on the first line, then `PROMPT:GENERATE:DEPTH SPEED`.
fn script_output(printed: &str) -> Outcome<Found> {
    let mut lines = printed.lines();
    let version = lines.next().ok_or("nothing was printed")?.to_owned();
    let speed = |line: &str| {
        let (test, speed) = line.split_once(' ')?;
        let mut numbers = test.split(':').map(|number| number.parse().ok());
        let test = Test {
            prompt: numbers.next()??,
            generate: numbers.next()??,
            depth: numbers.next()??,
        };
        Some((test, speed.parse().ok()?))
    };
    let speeds = lines
        .map(speed)
        .collect::<Option<_>>()
        .ok_or("not understood")?;
    Ok(Found { version, speeds })
}

/// An array of objects in JSON, with the keys of prompt, generated, depth and tokens/s.
fn rows(printed: &str, keys: [&str; 4], version: impl Fn(&Value) -> String) -> Outcome<Found> {
    let rows: Vec<Value> = serde_json::from_str(printed)?;
    let test = |row: &Value| {
        let number = |key: &str| Some(row[key].as_u64()? as usize);
        let test = Test {
            prompt: number(keys[0])?,
            generate: number(keys[1])?,
            depth: number(keys[2])?,
        };
        Some((test, row[keys[3]].as_f64()?))
    };
    Ok(Found {
        version: rows.first().map(version).ok_or("no test was run")?,
        speeds: rows
            .iter()
            .map(test)
            .collect::<Option<_>>()
            .ok_or("a key is missing")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: Test = Test {
        prompt: 0,
        generate: 64,
        depth: 128,
    };

    #[test]
    fn what_engines_print_is_read() {
        let found = script_output("1.2.3\n0:64:128 50.5\n").unwrap();
        assert_eq!(
            (found.version.as_str(), found.speeds),
            ("1.2.3", vec![(TEST, 50.5)])
        );
        assert!(script_output("1.2.3\nsomething else\n").is_err());
        let llama = r#"[{"build_commit": "abc", "model_type": "qwen2 Q4_0", "n_prompt": 0,
                         "n_gen": 64, "n_depth": 128, "avg_ts": 42.0}]"#;
        let llama = (ENGINES[1].read)(llama).unwrap();
        assert_eq!(
            (llama.version.as_str(), llama.speeds),
            ("abc, qwen2 Q4_0", vec![(TEST, 42.0)])
        );
        assert!((ENGINES[0].read)("[{}]").is_err());
    }
}
