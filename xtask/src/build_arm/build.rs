//! Builds the products of a target, and lays what can be shipped beside each other.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::Machine;
use super::preflight::{self, Link, Recipe};
use super::support;
use super::targets::{IOS_MINIMUM, Kind, Platform, Product};
use crate::command::{self, program};
use crate::elf::Facts;
use crate::{Outcome, elf, tree};

/// The profile of what is shipped.
pub(crate) const PROFILE: &str = "dist";

/// What decides which compiler runs and what it does; set here, or not at all.
const VARIABLES: &[&str] = &[
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "RUSTC",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

/// A product that was built.
pub(crate) struct Artefact {
    pub(crate) product: Product,
    pub(crate) path: PathBuf,
    /// Bytes, as built.
    pub(crate) size: u64,
    /// Bytes without symbols for debuggers, which is what lies at `path`. Libraries for a
    /// linker keep theirs.
    pub(crate) stripped: Option<u64>,
}

/// Other compilers' files would only push out those of this one: a folder of their own.
pub(crate) fn folder() -> PathBuf {
    tree::root().join("target/arm")
}

/// Where a target's artefacts lie. What was linked with stubs lies apart.
pub(crate) fn artefacts(recipe: &Recipe) -> PathBuf {
    let stubs = matches!(recipe.link, Link::Stubs { .. });
    let kind = if stubs { "stub-linked" } else { "artefacts" };
    folder().join(kind).join(recipe.target.triple)
}

/// Where cargo leaves a product, with its symbols.
pub(crate) fn unstripped(recipe: &Recipe, product: &Product) -> PathBuf {
    let folder = folder().join(recipe.target.triple).join(PROFILE);
    folder.join(product.file())
}

/// Builds one product and returns where it lies.
pub(crate) fn product(
    recipe: &Recipe,
    product: &Product,
    features: &[String],
) -> Outcome<Artefact> {
    let mut build = cargo(recipe, "rustc")?;
    build.args(["--profile", PROFILE, "-p", product.package]);
    match product.kind {
        Kind::Program => build.args(["--bin", product.name]),
        Kind::SharedLibrary => build.args(["--lib", "--crate-type", "cdylib"]),
        Kind::StaticLibrary => build.args(["--lib", "--crate-type", "staticlib"]),
        Kind::Crate => build.args(["--lib"]),
    };
    if !product.default_features {
        build.arg("--no-default-features");
    }
    // Those that a person asks for are features of the command and the libraries.
    let asked = if product.kind == Kind::Crate {
        &[]
    } else {
        features
    };
    let mut features = asked.to_vec();
    features.extend(product.features.iter().map(|feature| (*feature).to_owned()));
    if !features.is_empty() {
        build.args(["--features", &features.join(",")]);
    }
    command::run(&mut build)?;
    let built = unstripped(recipe, product);
    let bytes =
        fs::read(&built).map_err(|error| format!("cargo made no {}: {error}", built.display()))?;
    if let Platform::Android { .. } = recipe.target.platform {
        loads_on_android(recipe, product, &bytes)?;
    }
    if let Link::Armv6(_) = recipe.link {
        runs_on_armv6(product, &bytes)?;
    }
    lay_out(&built, &bytes, &artefacts(recipe), product)
}

/// An error if the system would refuse to load what was linked for it.
fn loads_on_android(recipe: &Recipe, product: &Product, bytes: &[u8]) -> Outcome {
    if !matches!(product.kind, Kind::Program | Kind::SharedLibrary) {
        return Ok(());
    }
    let processor = support::android(recipe.target)?;
    let broken = elf::rules::check(&Facts::read(bytes)?, processor);
    if broken.is_empty() {
        return Ok(());
    }
    let file = product.file();
    Err(format!(
        "{file} would not load on Android:\n  {}",
        broken.join("\n  ")
    )
    .into())
}

/// Cargo for a target: `build`, `test` or `rustc`, to which packages and profile are added.
pub(crate) fn cargo(recipe: &Recipe, task: &str) -> Outcome<Command> {
    let target = recipe.target;
    let support = support::prepare(recipe)?;
    let mut cargo = program(recipe.toolchain.cargo(), &[task, "--target", target.triple]);
    cargo.arg("--target-dir").arg(folder());
    toolchain(&mut cargo, recipe, target.library_crates());
    let mut flags = callers_flags()?;
    flags.extend(recipe.flags(&support));
    flags.extend(recipe.toolchain.without_folders());
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    if let Platform::Ios { .. } = target.platform {
        cargo.env("IPHONEOS_DEPLOYMENT_TARGET", IOS_MINIMUM);
    }
    if let Some(assembler) = &recipe.assembler {
        let suffix = target.triple.replace(['-', '.'], "_");
        cargo.env(format!("CC_{suffix}"), &assembler.cc);
        if let Some(ar) = &assembler.ar {
            cargo.env(format!("AR_{suffix}"), ar);
        }
    }
    Ok(cargo)
}

/// Builds a firmware, a package of its own, with these of its features and no others; where the
/// ELF file of its program `name` lies. Its build script or its folder has the board's memory map.
pub(crate) fn firmware(
    recipe: &Recipe,
    machine: &Machine,
    package: &Path,
    features: &str,
    name: &str,
) -> Outcome<PathBuf> {
    let lld = preflight::lld(machine).map_err(|need| format!("missing {}", need.what()))?;
    let recipe = Recipe {
        link: Link::Lld(lld),
        ..recipe.clone()
    };
    let triple = recipe.target.triple;
    let mut cargo = program(
        recipe.toolchain.cargo(),
        &["build", "--release", "--locked"],
    );
    cargo.args(["--target", triple, "--bin", name]);
    cargo.arg("--manifest-path").arg(package.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(folder());
    cargo.args(["--no-default-features", "--features", features]);
    toolchain(&mut cargo, &recipe, recipe.target.library_crates());
    let mut flags = recipe.flags(package);
    // The start-up code brings the script, which includes the memory map.
    flags.push("-Clink-arg=-Tlink.x".to_owned());
    // A flag that names a package would have each compile everything for itself.
    if !package.join("build.rs").exists() {
        flags.push(format!("-Lnative={}", package.display()));
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    command::run(&mut cargo)?;
    Ok(folder().join(triple).join("release").join(name))
}

/// Has the recipe's Rust compile, and these crates of its library where it has only sources.
pub(super) fn toolchain(cargo: &mut Command, recipe: &Recipe, library_crates: &str) {
    for variable in VARIABLES {
        cargo.env_remove(variable);
    }
    cargo.env("RUSTC", recipe.toolchain.rustc());
    if recipe.from_source {
        // The library's sources ask for features that only a bootstrapping compiler has.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.arg(format!("-Zbuild-std={library_crates}"));
    }
}

/// The flags that the environment asks for. Those of this machine's processor would make
/// programs that no other processor runs.
fn callers_flags() -> Outcome<Vec<String>> {
    let encoded = env::var("CARGO_ENCODED_RUSTFLAGS").ok();
    let plain = env::var("RUSTFLAGS").ok();
    checked_flags(encoded.as_deref(), plain.as_deref())
}

fn checked_flags(encoded: Option<&str>, plain: Option<&str>) -> Outcome<Vec<String>> {
    let flags: Vec<String> = match (encoded, plain) {
        (Some(encoded), _) => encoded.split('\x1f').map(str::to_owned).collect(),
        (None, Some(plain)) => plain.split_whitespace().map(str::to_owned).collect(),
        (None, None) => Vec::new(),
    };
    if let Some(native) = flags.iter().find(|flag| flag.contains("target-cpu=native")) {
        return Err(format!(
            "RUSTFLAGS has `{native}`, which is this machine's processor: unset it to build for \
             others"
        )
        .into());
    }
    Ok(flags.into_iter().filter(|flag| !flag.is_empty()).collect())
}

/// An error if anything in the program was made for a newer processor.
fn runs_on_armv6(product: &Product, bytes: &[u8]) -> Outcome {
    // ARMv6, v6KZ and v6K, and what came before; v6T2 has instructions that a Pi Zero has not.
    const RUN: &[u64] = &[1, 2, 3, 4, 5, 6, 7, 9];
    match Facts::read(bytes)?.arm_architecture {
        Some(architecture) if RUN.contains(&architecture) => Ok(()),
        found => Err(format!(
            "{} would not run on ARMv6: its attribute Tag_CPU_arch is {found:?}",
            product.file()
        )
        .into()),
    }
}

/// Copies what was built to where it is looked for, without what only debuggers read.
fn lay_out(built: &Path, bytes: &[u8], folder: &Path, product: &Product) -> Outcome<Artefact> {
    fs::create_dir_all(folder)?;
    let path = folder.join(product.file());
    let stripped = match product.kind {
        Kind::Program | Kind::SharedLibrary => {
            let stripped = elf::strip(bytes)?;
            fs::write(&path, &stripped)?;
            fs::set_permissions(&path, fs::metadata(built)?.permissions())?;
            Some(stripped.len() as u64)
        }
        Kind::StaticLibrary | Kind::Crate => {
            fs::write(&path, bytes)?;
            None
        }
    };
    Ok(Artefact {
        product: *product,
        path,
        size: bytes.len() as u64,
        stripped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_flags_are_kept_in_their_order() {
        let flags = checked_flags(None, Some(" -Cdebuginfo=1  --cfg x ")).unwrap();
        assert_eq!(flags, ["-Cdebuginfo=1", "--cfg", "x"]);
        let flags = checked_flags(Some("--cfg\x1fa b"), Some("ignored")).unwrap();
        assert_eq!(flags, ["--cfg", "a b"]);
        assert!(checked_flags(None, None).unwrap().is_empty());
    }

    #[test]
    fn flags_for_this_machines_processor_are_refused() {
        let error = checked_flags(None, Some("-C target-cpu=native")).unwrap_err();
        assert!(error.to_string().contains("target-cpu=native"), "{error}");
    }
}
