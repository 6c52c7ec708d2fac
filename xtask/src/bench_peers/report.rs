//! What was measured, as Markdown: the machine, the versions, the table and the commands.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::{Speeds, Test};
use crate::Outcome;
use crate::command::{output, program};

pub(super) fn markdown(
    engines: &[&str],
    speeds: &Speeds,
    versions: &BTreeMap<&str, String>,
    commands: &[String],
    rounds: usize,
) -> Outcome<String> {
    let date = output(&mut program("date", &["-u", "+%F"]))?;
    let mut text = format!("{}, {}, {rounds} rounds.", date.trim(), machine());
    for (engine, version) in versions {
        text += &format!(" {engine} {version}.");
    }
    text += "\n\n";
    text += &table(engines, speeds);
    text += "\nOn the first number of threads:\n\n";
    for command in commands {
        text += &format!("    {command}\n");
    }
    Ok(text)
}

/// A row for each number of threads and test. Speeds are medians, with the least and the most;
/// a ratio is the median of the rounds' ratios.
fn table(engines: &[&str], speeds: &Speeds) -> String {
    let (own, peers) = (engines[0], &engines[1..]);
    let mut titles = vec!["threads".to_owned(), "test".to_owned()];
    titles.extend(engines.iter().map(|engine| (*engine).to_owned()));
    titles.extend(peers.iter().map(|peer| format!("× {peer}")));
    let mut table = format!(
        "| {} |\n|{}\n",
        titles.join(" | "),
        " ---: |".repeat(titles.len())
    );
    let mut tests: Vec<(usize, Test)> = speeds
        .keys()
        .map(|(_, threads, test)| (*threads, *test))
        .collect();
    tests.sort_by_key(|(threads, test)| (*threads, test.generate, *test));
    tests.dedup();
    for (threads, test) in tests {
        let of = |engine: &str| {
            let found = speeds
                .iter()
                .find(|((name, t, x), _)| (*name, *t, *x) == (engine, threads, test));
            found.map(|(_, speeds)| speeds.as_slice())
        };
        let mut cells = vec![threads.to_string(), test.name()];
        cells.extend(
            engines
                .iter()
                .map(|engine| of(engine).map_or("—".into(), spread)),
        );
        cells.extend(
            peers
                .iter()
                .map(|peer| {
                    let ratio = ratio(of(own)?, of(peer)?);
                    Some(format!("{ratio:.2}"))
                })
                .map(|cell| cell.unwrap_or("—".into())),
        );
        table += &format!("| {} |\n", cells.join(" | "));
    }
    table
}

/// `76.1 (75.0–83.2)`.
fn spread(speeds: &[f64]) -> String {
    let digits = |speed: f64| {
        if speed < 100.0 {
            format!("{speed:.1}")
        } else {
            format!("{speed:.0}")
        }
    };
    let least = speeds.iter().copied().fold(f64::INFINITY, f64::min);
    let most = speeds.iter().copied().fold(0.0, f64::max);
    format!(
        "{} ({}–{})",
        digits(median(speeds.to_vec())),
        digits(least),
        digits(most)
    )
}

/// The median of what the engine was faster than the other in the same round.
fn ratio(own: &[f64], other: &[f64]) -> f64 {
    median(
        own.iter()
            .zip(other)
            .map(|(own, other)| own / other)
            .collect(),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count => (values[count / 2] + values[(count - 1) / 2]) / 2.0,
    }
}

/// The processor, its cores, memory and system.
fn machine() -> String {
    let read = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key));
        let value = line.and_then(|line| line.split([':', '=']).nth(1));
        value.map(|value| value.trim().trim_matches('"').to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
    let memory = read("/proc/meminfo", "MemTotal").and_then(|kilobytes| {
        let kilobytes: u64 = kilobytes.split(' ').next()?.parse().ok()?;
        Some(format!(", {} GB", kilobytes / 1_000_000))
    });
    format!(
        "{}, {cores} cores{}, {}",
        read("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        memory.unwrap_or_default(),
        read("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| std::env::consts::OS.to_owned()),
    )
}

/// A command without the folders of one machine.
pub(super) fn shown(command: &Command) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let short = words.map(|word| {
        let word = word.to_string_lossy();
        let kept = word.trim_end_matches('/');
        if kept.starts_with('/') {
            kept.rsplit('/').next().unwrap_or_default().to_owned()
        } else {
            word.into_owned()
        }
    });
    short.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_every_engine_and_its_ratio() {
        let test = Test {
            prompt: 128,
            generate: 0,
            depth: 0,
        };
        let speeds = Speeds::from([
            (("Tealight", 1, test), vec![200.0, 220.0, 90.0]),
            (("llama.cpp", 1, test), vec![100.0, 100.0, 50.0]),
        ]);
        let table = table(&["Tealight", "llama.cpp", "absent"], &speeds);
        let row = table.lines().nth(2).unwrap();
        assert_eq!(
            row,
            "| 1 | pp128 | 200 (90.0–220) | 100 (50.0–100) | — | 2.00 | — |"
        );
    }

    #[test]
    fn commands_are_shown_without_the_machines_folders() {
        let mut command = Command::new("/home/someone/llama-bench");
        command.args(["-m", "/models/qwen.gguf", "-t", "1"]);
        assert_eq!(shown(&command), "llama-bench -m qwen.gguf -t 1");
    }
}
