//! `cargo xtask sizes`: what is shipped stays small. Each file is built, stripped and weighed
//! against `xtask/data/budgets.json`.

use std::fs;

use clap::Args;
use serde_json::Value;

use super::machine::Machine;
use super::preflight::{Recipe, Wishes};
use super::targets::{COMMAND, JNI_IMPORT, JNI_SMALL, Product};
use super::{build, recipes, report};
use crate::elf::Facts;
use crate::{Outcome, tree};

const BUDGETS: &str = include_str!("../../data/budgets.json");

#[derive(Args, Default)]
pub(crate) struct Flags {
    /// Names in `xtask/data/budgets.json`; all if left out
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// What is weighed, under its name in the file of budgets.
struct Weighed {
    name: &'static str,
    triple: &'static str,
    make: Make,
}

enum Make {
    /// The stripped file.
    Product(Product),
    /// The bytes that are written to flash.
    Firmware,
}

const WEIGHED: &[Weighed] = &[
    Weighed {
        name: "linux-command",
        triple: "aarch64-unknown-linux-musl",
        make: Make::Product(COMMAND),
    },
    Weighed {
        name: "android-library",
        triple: "aarch64-linux-android",
        make: Make::Product(JNI_SMALL),
    },
    Weighed {
        name: "android-importer",
        triple: "aarch64-linux-android",
        make: Make::Product(JNI_IMPORT),
    },
    Weighed {
        name: "firmware",
        triple: "thumbv7em-none-eabihf",
        make: Make::Firmware,
    },
];

/// An error if anything is larger than it may be, after all are weighed.
pub(crate) fn run(flags: &Flags) -> Outcome {
    let budgets: Value = serde_json::from_str(BUDGETS)?;
    if let Some(unknown) = flags.names.iter().find(|name| budgets[name].is_null()) {
        return Err(format!("{unknown} is not in xtask/data/budgets.json").into());
    }
    let machine = Machine::this();
    let mut rows = vec![["size", "budget", "used", "what"].map(String::from)];
    let mut exceeded = Vec::new();
    for weighed in WEIGHED {
        let wanted = flags.names.is_empty() || flags.names.iter().any(|name| name == weighed.name);
        if !wanted {
            continue;
        }
        let budget = &budgets[weighed.name];
        let most = budget["most_bytes"].as_u64().unwrap_or_default();
        let size = weigh(weighed, &machine)?;
        if size > most {
            exceeded.push(weighed.name);
        }
        rows.push([
            report::bytes(size),
            report::bytes(most),
            format!("{:.0} %", size as f64 / most as f64 * 100.0),
            format!(
                "{}: {}",
                weighed.name,
                budget["what"].as_str().unwrap_or_default()
            ),
        ]);
    }
    print!("\n{}", report::table(&rows));
    if exceeded.is_empty() {
        return Ok(());
    }
    Err(format!("larger than their budget: {}", exceeded.join(", ")).into())
}

/// Builds it and returns its bytes.
fn weigh(weighed: &Weighed, machine: &Machine) -> Outcome<u64> {
    // Sizes need no NDK: what it would add to a library is its start files, which are empty.
    let wishes = Wishes {
        stubs: true,
        ..Wishes::default()
    };
    let recipes = recipes(machine, &[weighed.triple], &wishes)?;
    let recipe = &recipes[0];
    match &weighed.make {
        Make::Product(product) => {
            let made = build::product(recipe, product, &[])?;
            Ok(made.stripped.unwrap_or(made.size))
        }
        Make::Firmware => firmware(recipe, machine),
    }
}

/// The bytes of flash that a firmware with all of core takes.
fn firmware(recipe: &Recipe, machine: &Machine) -> Outcome<u64> {
    let package = tree::root().join("tests/firmware-size");
    let built = build::firmware(recipe, machine, &package, "", "firmware-size")?;
    let facts = Facts::read(&fs::read(built)?)?;
    Ok(facts.loaded().map(|segment| segment.file_size).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_weighed_has_a_budget_and_every_budget_is_weighed() {
        let budgets: Value = serde_json::from_str(BUDGETS).unwrap();
        let mut names: Vec<_> = budgets.as_object().unwrap().keys().collect();
        let mut weighed: Vec<_> = WEIGHED.iter().map(|weighed| weighed.name).collect();
        names.sort();
        weighed.sort();
        assert_eq!(names, weighed);
        for name in weighed {
            assert!(budgets[name]["most_bytes"].as_u64() > Some(0), "{name}");
            assert!(budgets[name]["what"].is_string(), "{name}");
        }
    }
}
