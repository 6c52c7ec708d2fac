//! `cargo xtask build-arm`: from a list of targets to programs and libraries, with what this
//! machine has. `cargo xtask doctor` says what it has and lacks. Nothing is downloaded but the
//! crates that cargo needs.

pub(crate) mod budgets;
pub(crate) mod build;
pub(crate) mod machine;
mod ndk;
pub(crate) mod needs;
pub(crate) mod preflight;
pub(crate) mod report;
pub(crate) mod support;
pub(crate) mod targets;

use std::time::Instant;

use clap::Args;

use self::build::Artefact;
use self::machine::Machine;
use self::preflight::{Checked, Recipe, Wishes};
use self::targets::{TARGETS, Target};
use crate::Outcome;

#[derive(Args)]
pub(crate) struct Flags {
    /// Targets to build for, as `--list` names them
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Build for every target that this machine can build for
    #[arg(long, conflicts_with = "targets")]
    all: bool,
    /// Name the targets and stop
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Args)]
pub(crate) struct DoctorFlags {
    #[command(flatten)]
    shared: Shared,
}

#[derive(Args)]
struct Shared {
    /// Features of the command and the libraries, for instance `tract`
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// Link Android's libraries against stubs instead of an NDK: to be checked, not shipped
    #[arg(long)]
    stub_libraries: bool,
    /// Print one JSON value on standard output
    #[arg(long)]
    json: bool,
}

impl Shared {
    fn wishes(&self) -> Wishes {
        Wishes {
            features: self.features.clone(),
            stubs: self.stub_libraries,
        }
    }
}

/// The preflight alone.
pub(crate) fn doctor(flags: &DoctorFlags) -> Outcome {
    let machine = Machine::this();
    let wishes = flags.shared.wishes();
    let checked = check(TARGETS.iter(), &machine, &wishes);
    if flags.shared.json {
        println!("{:#}", report::json(&checked, &[], machine.system));
        return Ok(());
    }
    print!("{}", report::preflight(&checked));
    let mending = report::mending(&checked, machine.system);
    if !mending.is_empty() {
        print!("\n{mending}");
    }
    Ok(())
}

/// A requested target that cannot be built is an error, before anything is built.
pub(crate) fn run(flags: &Flags) -> Outcome {
    if flags.list {
        for target in TARGETS {
            println!("{:30} {}", target.triple, target.runs_on);
        }
        return Ok(());
    }
    let targets = if flags.all {
        TARGETS.iter().collect()
    } else {
        named(&flags.targets)?
    };
    let machine = Machine::this();
    let checked = check(targets.into_iter(), &machine, &flags.shared.wishes());
    eprint!("{}", report::preflight(&checked));
    let ready = match ready(&checked, &machine, flags.all) {
        Ok(ready) => ready,
        Err(error) => {
            if flags.shared.json {
                println!("{:#}", report::json(&checked, &[], machine.system));
            }
            return Err(error);
        }
    };
    let mut made = Vec::new();
    for (index, recipe) in ready.iter().enumerate() {
        eprintln!("\n[{}/{}] {}", index + 1, ready.len(), recipe.target.triple);
        made.push((
            recipe.target.triple,
            products(recipe, &flags.shared.features)?,
        ));
    }
    if flags.shared.json {
        println!("{:#}", report::json(&checked, &made, machine.system));
    } else {
        print!("\n{}", report::artefacts(&made));
    }
    Ok(())
}

/// How to build each of the targets, for other tasks; an error that says what is missing.
pub(crate) fn recipes<'m>(
    machine: &'m Machine,
    triples: &[&str],
    wishes: &Wishes,
) -> Outcome<Vec<Recipe<'m>>> {
    let checked = check(named(triples)?.into_iter(), machine, wishes);
    let ready = ready(&checked, machine, false)?;
    Ok(ready.into_iter().cloned().collect())
}

/// What can be built, after saying what is missing for the rest; an error if something is,
/// unless it may be skipped.
fn ready<'c, 'm>(
    checked: &'c [Checked<'m>],
    machine: &Machine,
    may_skip: bool,
) -> Outcome<Vec<&'c Recipe<'m>>> {
    let ready: Vec<_> = checked
        .iter()
        .filter_map(|one| one.outcome.as_ref().ok())
        .collect();
    let missing = checked.len() - ready.len();
    if missing == 0 {
        return Ok(ready);
    }
    eprint!("\n{}", report::mending(checked, machine.system));
    let all = checked.len();
    if !may_skip || ready.is_empty() {
        return Err(format!("{missing} of {all} targets cannot be built here").into());
    }
    eprintln!("skipped: {missing} of {all} targets");
    Ok(ready)
}

/// Everything that is made for a target.
fn products(recipe: &Recipe, features: &[String]) -> Outcome<Vec<Artefact>> {
    let began = Instant::now();
    let products = recipe.target.products.iter();
    let made = products
        .map(|product| build::product(recipe, product, features))
        .collect::<Outcome<Vec<_>>>()?;
    let seconds = began.elapsed().as_secs_f32();
    eprintln!("{}: built in {seconds:.0} s", recipe.target.triple);
    Ok(made)
}

fn named<T: AsRef<str>>(triples: &[T]) -> Outcome<Vec<&'static Target>> {
    if triples.is_empty() {
        return Err("name targets, or `--all`; `cargo xtask build-arm --list` lists them".into());
    }
    let named = triples.iter().map(AsRef::as_ref);
    named
        .map(|name| {
            let unknown = || format!("{name} is none of the targets that `--list` lists");
            Ok(Target::find(name).ok_or_else(unknown)?)
        })
        .collect()
}

pub(crate) fn check<'m>(
    targets: impl Iterator<Item = &'static Target>,
    machine: &'m Machine,
    wishes: &Wishes,
) -> Vec<Checked<'m>> {
    targets
        .map(|target| preflight::check(target, machine, wishes))
        .collect()
}
