//! The Swift package: handwritten sources, UniFFI's code, and the library in the form that the
//! system wants. For Linux that is this machine's library and a system module; for iOS it is an
//! XCFramework of static libraries, made without Xcode.
//!
//! No Swift compiler is asked, so that what one would complain of last is checked first: every
//! function that the generated code calls is declared in the header and exported by the library, and
//! what the handwritten code asks for was generated.

mod archives;
mod symbols;
mod xcframework;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::bindings::{self, files};
use crate::build_arm::machine::Machine;
use crate::build_arm::preflight::{Recipe, Wishes};
use crate::build_arm::targets::{FEATURES, FFI_STATIC, Platform, TARGETS};
use crate::build_arm::{build, recipes, report};
use crate::elf::Facts;
use crate::{Outcome, tree};

use self::xcframework::{Framework, Slice};
use super::{folder, licences};

const SOURCES: &str = "bindings/swift";

/// The module of the C functions, and of the Swift code that calls them.
const MODULE: &str = "TealightFFI";
const GENERATED: &str = "TealightGenerated";

/// What UniFFI generates from a library.
struct Code {
    swift: String,
    header: String,
}

/// The package over this machine's library: `swift build && swift test` on Linux.
pub(crate) fn host(profile: &str) -> Outcome {
    bindings::build(&["tealight-ffi"], profile)?;
    let library = bindings::library("tealight_ffi", profile);
    let bytes = fs::read(&library)?;
    let exports = Facts::read(&bytes)?.exported.into_iter().collect();
    let code = checked(&library, &[("this machine's library", exports)])?;
    let package = lay_out(&code)?;
    let module = anew(package.join(MODULE))?;
    fs::write(module.join(format!("{MODULE}.h")), &code.header)?;
    // The linker is told by the module.
    let map = format!(
        "module {MODULE} {{\n    header \"{MODULE}.h\"\n    link \"tealight_ffi\"\n    export *\n}}\n"
    );
    fs::write(module.join("module.modulemap"), map)?;
    let name = library.file_name().unwrap_or_default();
    super::write(&module.join(name), &crate::elf::strip(&bytes)?)?;
    eprintln!("target/package/swift: run `swift build && swift test` there, on Linux");
    Ok(())
}

#[derive(Args)]
pub(crate) struct IosFlags {
    /// Features to leave out: `embedded` is the model that the library carries, `tokenizers` those
    /// other than byte-level BPE
    #[arg(long, value_name = "FEATURE", value_delimiter = ',', value_parser = FEATURES)]
    without: Vec<String>,
    /// Leave out the simulator of Macs with Intel processors
    #[arg(long)]
    without_intel: bool,
}

/// The package over an XCFramework for devices and the simulator.
pub(crate) fn ios(flags: &IosFlags) -> Outcome {
    let machine = Machine::this();
    let triples: Vec<&str> = TARGETS
        .iter()
        .filter(|target| matches!(target.platform, Platform::Ios { .. }))
        .map(|target| target.triple)
        .filter(|triple| !(flags.without_intel && triple.starts_with("x86_64")))
        .collect();
    let recipes = recipes(&machine, &triples, &Wishes::default())?;
    let mut archives = Vec::new();
    for recipe in &recipes {
        archives.push((recipe, archive(recipe, &flags.without)?));
    }
    let mut exports = Vec::new();
    for (recipe, bytes) in &archives {
        exports.push((recipe.target.triple, archives::exports(bytes)?));
    }
    let described = build::unstripped(&recipes[0], &FFI_STATIC);
    let code = checked(&described, &exports)?;
    let mut framework = Framework {
        header: code.header.clone(),
        slices: Vec::new(),
    };
    for sdk in ["iphoneos", "iphonesimulator"] {
        let of_sdk = archives.iter().filter(|(recipe, _)| {
            matches!(recipe.target.platform, Platform::Ios { sdk: own } if own == sdk)
        });
        let bytes: Vec<&[u8]> = of_sdk.map(|(_, bytes)| bytes.as_slice()).collect();
        framework
            .slices
            .push(Slice::of(&bytes, sdk == "iphonesimulator")?);
    }
    let package = lay_out(&code)?;
    let place = anew(package.join(format!("{MODULE}.xcframework")))?;
    let libraries = framework.write(&place)?;
    framework.check(&place)?;
    for path in libraries {
        let size = report::bytes(fs::metadata(&path)?.len());
        let shown = path.strip_prefix(tree::root()).unwrap_or(&path);
        eprintln!("{}: {size}", shown.display());
    }
    eprintln!("target/package/swift: name this folder in Xcode's \"Add Local Package\"");
    Ok(())
}

fn archive(recipe: &Recipe<'_>, without: &[String]) -> Outcome<Vec<u8>> {
    let (product, features) = FFI_STATIC.without(without);
    let made = build::product(recipe, &product, &features)?;
    Ok(fs::read(made.path)?)
}

/// Code that is generated from a library; an error where a library could not be linked with it.
fn checked(described: &Path, libraries: &[(&str, BTreeSet<String>)]) -> Outcome<Code> {
    let generated = bindings::swift(described)?;
    let code = Code {
        swift: fs::read_to_string(generated.join(format!("{GENERATED}.swift")))?,
        header: fs::read_to_string(generated.join(format!("{MODULE}.h")))?,
    };
    for (name, exports) in libraries {
        let unresolved = symbols::unresolved(&code.swift, &code.header, exports);
        if !unresolved.is_empty() {
            return Err(format!("{name}: {}", unresolved.join("\n  ")).into());
        }
    }
    let mut layer = String::new();
    for path in files(&tree::root().join(SOURCES).join("Sources"), "swift")? {
        layer += &fs::read_to_string(path)?;
    }
    let undeclared = symbols::undeclared(&layer, &code.swift);
    if !undeclared.is_empty() {
        return Err(undeclared.join("\n  ").into());
    }
    let count = symbols::called(&code.swift).len();
    eprintln!("{count} functions that Swift calls are declared and exported");
    Ok(code)
}

/// Everything of the package but the native code. What another command has made stays.
fn lay_out(code: &Code) -> Outcome<PathBuf> {
    let package = folder("swift");
    let from = tree::root().join(SOURCES);
    fs::create_dir_all(&package)?;
    for name in ["Package.swift", "README.md"] {
        fs::copy(from.join(name), package.join(name))?;
    }
    for part in ["Sources", "Tests"] {
        let own = from.join(part);
        let part = anew(package.join(part))?;
        for path in files(&own, "swift")? {
            let place = part.join(path.strip_prefix(&own)?);
            fs::create_dir_all(place.parent().unwrap_or(&part))?;
            fs::copy(&path, place)?;
        }
    }
    let generated = package.join("Sources").join(GENERATED);
    fs::create_dir_all(&generated)?;
    fs::write(generated.join(format!("{GENERATED}.swift")), &code.swift)?;
    for (name, text) in licences::of("tealight-ffi")? {
        fs::write(package.join(name), text)?;
    }
    Ok(package)
}

fn anew(folder: PathBuf) -> Outcome<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
