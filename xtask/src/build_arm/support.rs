//! Makes what a linker looks for beside the crates: for musl, where Rust's library is compiled
//! from its sources, start files and an unwinder; for ARMv6, where the program begins; for stub
//! linking, libraries without code.

use std::fs;
use std::path::{Path, PathBuf};

use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness};

use super::build;
use super::preflight::{Link, Recipe};
use super::targets::{ANDROID_API, ANDROID_PAGE, Target};
use crate::command::{self, program};
use crate::elf::{SharedLibrary, bionic, shared_library};
use crate::{Outcome, tree};

/// GCC's parts of a program's start. Nothing of C++ runs here, and lld defines the one symbol
/// that Rust asks of them.
const EMPTY: &[&str] = &["crtbegin.o", "crtbeginS.o", "crtend.o", "crtendS.o"];

/// The object that a program for ARMv6 begins with.
pub(super) const START: &str = "start.o";

/// The folder with what the recipe's linker needs, which is made if it is not there.
pub(super) fn prepare(recipe: &Recipe) -> Outcome<PathBuf> {
    let (kind, make): (_, fn(&Recipe, &Path) -> Outcome) = match &recipe.link {
        Link::Musl { .. } => ("musl", musl),
        Link::Stubs { .. } => ("stubs", stubs),
        Link::Armv6(_) => ("start", start),
        Link::None | Link::Compiler(_) | Link::Lld(_) => return Ok(build::folder()),
    };
    let folder = build::folder()
        .join("support")
        .join(format!("{kind}-{}", recipe.toolchain.version))
        .join(recipe.target.triple);
    if !folder.is_dir() {
        let unfinished = folder.with_extension("unfinished");
        fs::create_dir_all(&unfinished)?;
        make(recipe, &unfinished)?;
        fs::rename(&unfinished, &folder)?;
    }
    Ok(folder)
}

fn musl(recipe: &Recipe, folder: &Path) -> Outcome {
    let nothing = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
    let nothing = nothing.write()?;
    for name in EMPTY {
        fs::write(folder.join(name), &nothing)?;
    }
    unwinder(recipe, folder)
}

fn start(recipe: &Recipe, folder: &Path) -> Outcome {
    let Link::Armv6(compiler) = &recipe.link else {
        return Ok(());
    };
    let source = tree::root().join("xtask/data/start-armv6.s");
    let mut assemble = program(compiler, &["-march=armv6", "-mfpu=vfp", "-mfloat-abi=hard"]);
    assemble
        .arg("-c")
        .arg(source)
        .arg("-o")
        .arg(folder.join(START));
    command::run(&mut assemble)
}

fn stubs(recipe: &Recipe, folder: &Path) -> Outcome {
    let processor = android(recipe.target)?;
    for library in bionic::LIBRARIES {
        let exports = bionic::exports(library, processor, ANDROID_API);
        let stub = SharedLibrary {
            machine: processor.machine(),
            name: library,
            needed: &[],
            exports: &exports,
            imports: &[],
            weak_imports: &[],
            page: ANDROID_PAGE,
            code_is_writable: false,
            text_relocations: false,
        };
        fs::write(folder.join(library), shared_library(&stub)?)?;
    }
    if let Link::Stubs { lld, .. } = &recipe.link {
        std::os::unix::fs::symlink(lld, folder.join("ld.lld"))?;
    }
    unwinder(recipe, folder)
}

/// Bionic's name for the processor of an Android target.
pub(crate) fn android(target: &Target) -> Outcome<bionic::Processor> {
    match target.triple.split('-').next() {
        Some("aarch64") => Ok(bionic::Processor::Arm64),
        Some("armv7") => Ok(bionic::Processor::Arm),
        Some("x86_64") => Ok(bionic::Processor::X86_64),
        _ => Err(format!("{} is no Android", target.triple).into()),
    }
}

/// `libunwind.a`, which Rust's library asks for and an NDK or rustup's target would bring.
fn unwinder(recipe: &Recipe, folder: &Path) -> Outcome {
    let target = recipe.target.triple;
    let manifest = tree::root().join("xtask/unwinder/Cargo.toml");
    let mut cargo = program(
        recipe.toolchain.cargo(),
        &["build", "--release", "--locked"],
    );
    cargo.arg("--manifest-path").arg(manifest);
    cargo.args(["--target", target, "--target-dir"]);
    cargo.arg(build::folder());
    build::toolchain(&mut cargo, recipe, "core");
    command::run(&mut cargo)?;
    let built = build::folder().join(target).join("release/libunwind.a");
    fs::copy(built, folder.join("libunwind.a"))?;
    Ok(())
}
