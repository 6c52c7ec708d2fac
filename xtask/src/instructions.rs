//! `cargo xtask instructions`: how many instructions a start, a token of a prompt and a
//! generated token take, held against what the repository remembers. Unlike time, the number
//! hardly depends on the machine or on what else it does.
//!
//! valgrind counts, on one thread. It knows no AVX-512, so that the kernels for AVX2 are counted,
//! and with them everything that all instruction sets share.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::command::{self, output};
use crate::{Outcome, tree};

#[derive(Args, Default)]
pub(crate) struct Flags {
    /// Remember what was counted now
    #[arg(long)]
    update: bool,
}

/// What is remembered, from the repository's root.
const FILE: &str = "tests/instructions.json";

/// Share that a number may differ by before someone has to look.
const TOLERANCE: f64 = 0.03;

/// The embedded model, and folders looked for where `TEALIGHT_TEST_MODELS` says.
const MODELS: &[&str] = &[EMBEDDED, "smollm2-135m-instruct-int4"];
const EMBEDDED: &str = "embedded";

/// Tokens of the prompt, and tokens generated, that are counted beyond the first.
const PROMPT: u64 = 63;
const GENERATED: u64 = 8;

/// `tealight bench` runs every test once unmeasured before.
const RUNS: u64 = 2;

/// Instructions of one model.
type Counts = BTreeMap<String, u64>;

pub(crate) fn run(flags: &Flags) -> Outcome {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        eprintln!("instructions: skipped, they are counted on x86-64 Linux");
        return Ok(());
    }
    if output(&mut valgrind(&["--version"])).is_err() {
        return Err("valgrind counts instructions: `apt-get install valgrind`".into());
    }
    command::build()?;
    let mut remembered = read()?;
    let mut told = Vec::new();
    for model in MODELS {
        let Some(counts) = count(model)? else {
            eprintln!("instructions: `{model}` skipped, no folder of TEALIGHT_TEST_MODELS has it");
            continue;
        };
        let before = remembered.entry((*model).to_owned()).or_default();
        for (what, now) in &counts {
            let before = before.get(what).copied();
            eprintln!("{model}, {what}: {now}{}", change(before, *now));
            told.extend(judge(before, *now).map(|fault| format!("{model}, {what}: {fault}")));
        }
        *before = counts;
    }
    if flags.update {
        let text = serde_json::to_string_pretty(&remembered)?;
        fs::write(tree::root().join(FILE), text + "\n")?;
        return Ok(());
    }
    if told.is_empty() {
        return Ok(());
    }
    Err(format!(
        "instructions differ from {FILE}:\n  {}\nIf that is meant (or the compiler is another \
         one), run `cargo xtask instructions --update` and hand the file in with the reason",
        told.join("\n  ")
    )
    .into())
}

/// What is wrong with a number, if it differs too much from the one remembered.
fn judge(before: Option<u64>, now: u64) -> Option<String> {
    let Some(before) = before else {
        return Some(format!("{now}, none remembered"));
    };
    let ratio = now as f64 / before.max(1) as f64;
    if ratio > 1.0 + TOLERANCE {
        Some(format!("{now}, more than {before}"))
    } else if ratio < 1.0 - TOLERANCE {
        Some(format!("{now}, less than {before}: remember the progress"))
    } else {
        None
    }
}

fn change(before: Option<u64>, now: u64) -> String {
    before.map_or(String::new(), |before| {
        let change = now as f64 / before.max(1) as f64 - 1.0;
        format!(" ({:+.2} %)", 100.0 * change)
    })
}

fn read() -> Outcome<BTreeMap<String, Counts>> {
    match fs::read(tree::root().join(FILE)) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(format!("cannot read {FILE}: {error}").into()),
    }
}

/// Counts a model's instructions; `None` if it is not there.
fn count(model: &str) -> Outcome<Option<Counts>> {
    let plan = match model {
        EMBEDDED => None,
        _ => match folder(model) {
            None => return Ok(None),
            Some(folder) => Some(compile(model, &folder)?),
        },
    };
    let plan = plan.as_deref();
    let (first, prompt, generated) = (
        (1).to_string(),
        (1 + PROMPT).to_string(),
        (1 + GENERATED).to_string(),
    );
    // One after the other would leave the other cores idle.
    let [start, prefill, decode] = std::thread::scope(|scope| {
        [["0", &first], [&prompt, "0"], ["0", &generated]]
            .map(|test| scope.spawn(move || executed(plan, test).map_err(|e| e.to_string())))
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("counting panicked".into()))
            })
    });
    let (start, prefill, decode) = (start?, prefill?, decode?);
    let per = |all: u64, tokens: u64| all.saturating_sub(start) / (RUNS * tokens);
    Ok(Some(Counts::from([
        ("start".to_owned(), start),
        ("prefill".to_owned(), per(prefill, PROMPT)),
        ("decode".to_owned(), per(decode, GENERATED)),
    ])))
}

/// The folder of a model among those with models to test with.
fn folder(model: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("TEALIGHT_TEST_MODELS")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(model))
        .find(|folder| folder.is_dir())
}

fn compile(model: &str, folder: &Path) -> Outcome<PathBuf> {
    let plans = tree::root().join("target/instructions");
    fs::create_dir_all(&plans)?;
    let plan = plans.join(format!("{model}.tea"));
    let mut compile = Command::new(tealight());
    compile.arg("compile").arg(folder).arg("-o").arg(&plan);
    output(&mut compile)?;
    Ok(plan)
}

/// Instructions of a whole `tealight bench` of so many tokens read and said.
fn executed(plan: Option<&Path>, [prompt, generated]: [&str; 2]) -> Outcome<u64> {
    let mut command = valgrind(&["--tool=cachegrind", "--cache-sim=no"]);
    command
        .arg("--cachegrind-out-file=/dev/null")
        .arg(tealight());
    command.args(["bench", "--json", "-t", "1", "-r", "1", "--isa", "avx2"]);
    command.args(["-p", prompt, "-n", generated]);
    command.args(
        plan.map(|plan| ["--model".as_ref(), plan.as_os_str()])
            .into_iter()
            .flatten(),
    );
    command.env_remove("TEALIGHT_MODEL");
    let said = command
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&said.stderr);
    let counted = said.status.success().then(|| refs(&text)).flatten();
    counted.ok_or_else(|| format!("valgrind counted nothing:\n{text}").into())
}

/// The number in valgrind's line `==7== I   refs:      523,656,405`.
fn refs(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("refs:"))?;
    let digits: String = line
        .rsplit(':')
        .next()?
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

fn valgrind(arguments: &[&str]) -> Command {
    command::program("valgrind", arguments)
}

fn tealight() -> PathBuf {
    tree::root().join("target/release/tealight")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_may_change_a_little() {
        assert_eq!(judge(Some(1000), 1030), None);
        assert_eq!(judge(Some(1000), 970), None);
        assert!(judge(Some(1000), 1031).unwrap().contains("more"));
        assert!(judge(Some(1000), 969).unwrap().contains("less"));
        assert!(judge(None, 5).unwrap().contains("none remembered"));
    }

    #[test]
    fn valgrinds_count_is_read() {
        let text = "==7== Cachegrind\n==7== I   refs:      523,656,405\n";
        assert_eq!(refs(text), Some(523_656_405));
        assert_eq!(refs("==7== error"), None);
    }
}
