//! `cargo xtask tidy`: formatting, lints, documentation, and the repository's own rules.
//!
//! Every rule is one file that gives the places where it is broken. All rules run, so that
//! one run shows everything there is to mend.

mod cargo_tools;
mod crates;
mod dependencies;
mod documents;
mod lengths;
mod unsafety;
mod words;

use clap::Args;

use crate::Outcome;

#[derive(Args, Default)]
pub(crate) struct Flags {
    /// Also lint and document the crate that runs on tract, which takes minutes to build
    #[arg(long)]
    all: bool,
    #[arg(skip)]
    quick: bool,
}

impl Flags {
    /// Without the documentation.
    pub(crate) fn quick() -> Flags {
        Flags {
            all: false,
            quick: true,
        }
    }
}

struct Rule {
    name: &'static str,
    /// Where the rule is broken, one line each.
    check: fn() -> Outcome<Vec<String>>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "dependency directions",
        check: dependencies::directions,
    },
    Rule {
        name: "no foreign code",
        check: dependencies::foreign_code,
    },
    Rule {
        name: "crate manifests",
        check: crates::check,
    },
    Rule {
        name: "file lengths",
        check: lengths::check,
    },
    Rule {
        name: "forbidden words",
        check: words::check,
    },
    Rule {
        name: "places of unsafe code",
        check: unsafety::check,
    },
    Rule {
        name: "paths named in documents",
        check: documents::check,
    },
];

pub(crate) fn run(flags: &Flags) -> Outcome {
    let mut broken = Vec::new();
    for rule in RULES {
        let places = (rule.check)()?;
        if !places.is_empty() {
            eprintln!("{}:", rule.name);
            places.iter().for_each(|place| eprintln!("  {place}"));
            broken.push(rule.name);
        }
    }
    for tool in cargo_tools::TOOLS
        .iter()
        .filter(|tool| !flags.quick || tool.quick)
    {
        if let Err(error) = tool.run(flags.all) {
            eprintln!("{error}");
            broken.push(tool.name);
        }
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(format!("not tidy: {}", broken.join(", ")).into())
    }
}
