//! Jars for the JVM on machines like this one: classes and the library that they call, where its
//! loader looks for it.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};

use crate::bindings::jvm::{Layer, Tools};
use crate::bindings::{self, jvm};
use crate::{Outcome, elf};

use super::archive::{self, Entry};
use super::licences;
use super::maven::{Artefact, Dependency};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The coroutines that the layer is compiled with, which come with Kotlin's compiler.
const COROUTINES: &str = "1.8.0";

/// The JNA that the layer is tested with.
const JNA: &str = "5.13.0";

/// Makes the jar of every layer, of a library that is built in this profile.
pub(super) fn all(profile: &str) -> Outcome {
    let tools = Tools::find()?;
    let packages: Vec<&str> = jvm::LAYERS.iter().map(|layer| layer.package).collect();
    bindings::build(&packages, profile)?;
    for layer in jvm::LAYERS {
        jvm::compile(&tools, layer, &bindings::library(layer.library, profile))?;
        jar(&tools, layer, profile)?;
    }
    Ok(())
}

/// The jar of a layer that is compiled, over a library that is built.
pub(crate) fn jar(tools: &Tools, layer: &Layer, profile: &str) -> Outcome<PathBuf> {
    let library = bindings::library(layer.library, profile);
    let mut native = fs::read(&library)?;
    if cfg!(target_os = "linux") {
        native = elf::strip(&native)?;
    }
    let id = if layer.jna {
        "tealight-jvm-jna"
    } else {
        "tealight-jvm"
    };
    let mut entries = vec![("META-INF/MANIFEST.MF".to_owned(), manifest(id).into_bytes())];
    entries.extend(classes(layer)?);
    entries.push((place(layer, &library), native));
    for (name, text) in licences::of(layer.package)? {
        entries.push((format!("META-INF/{name}"), text));
    }
    let mut dependencies = kotlin(tools)?;
    if layer.jna {
        dependencies.push(Dependency::jar("net.java.dev.jna", "jna", JNA));
    }
    let over = if layer.jna { "UniFFI and JNA" } else { "JNI" };
    let artefact = Artefact {
        id: id.to_owned(),
        version: VERSION.to_owned(),
        packaging: "jar",
        description: format!("Small language models on small devices, over {over}"),
        dependencies,
    };
    artefact.publish(&archive::zip(&entries)?, &sources(layer)?)
}

/// What the Kotlin layer is compiled with.
pub(super) fn kotlin(tools: &Tools) -> Outcome<Vec<Dependency>> {
    let version = tools.kotlin_version()?;
    Ok(vec![
        Dependency::jar("org.jetbrains.kotlin", "kotlin-stdlib", &version),
        Dependency::jar(
            "org.jetbrains.kotlinx",
            "kotlinx-coroutines-core",
            COROUTINES,
        ),
    ])
}

/// The files that the compilers left, in order.
pub(super) fn classes(layer: &Layer) -> Outcome<Vec<Entry>> {
    let mut entries = Vec::new();
    for folder in layer.classes() {
        for ending in ["class", "kotlin_module"] {
            for path in bindings::files(&folder, ending)? {
                let name = path.strip_prefix(&folder)?.to_string_lossy();
                entries.push((name.replace('\\', "/"), fs::read(&path)?));
            }
        }
    }
    entries.sort();
    Ok(entries)
}

/// An archive of what a layer is compiled of.
pub(super) fn sources(layer: &Layer) -> Outcome<Vec<u8>> {
    let mut entries = Vec::new();
    for folder in layer.sources() {
        for ending in ["java", "kt"] {
            for path in bindings::files(&folder, ending)? {
                let name = path.strip_prefix(&folder)?.to_string_lossy();
                entries.push((name.replace('\\', "/"), fs::read(&path)?));
            }
        }
    }
    entries.sort();
    archive::zip(&entries)
}

fn manifest(id: &str) -> String {
    let module = id.replace('-', ".");
    format!(
        "Manifest-Version: 1.0\r\n\
         Implementation-Title: {id}\r\n\
         Implementation-Version: {VERSION}\r\n\
         Automatic-Module-Name: dev.{module}\r\n\r\n"
    )
}

/// Where a loader looks for this machine's library: ours in `NativeLibrary.java`, or JNA.
fn place(layer: &Layer, library: &Path) -> String {
    let file = library.file_name().unwrap_or_default().to_string_lossy();
    match layer.jna {
        true => format!("{}/{file}", jna_prefix(OS, ARCH)),
        false => format!("dev/tealight/native/{OS}-{ARCH}/{file}"),
    }
}

/// JNA's `Platform.RESOURCE_PREFIX`.
fn jna_prefix(os: &str, arch: &str) -> String {
    let os = match os {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    format!("{os}-{}", arch.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jna_has_names_of_its_own_for_machines() {
        assert_eq!(jna_prefix("linux", "x86_64"), "linux-x86-64");
        assert_eq!(jna_prefix("macos", "aarch64"), "darwin-aarch64");
        assert_eq!(jna_prefix("windows", "x86_64"), "win32-x86-64");
    }
}
