//! Finds an Android NDK: where its variables say, else the newest below the SDK.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::Machine;
use super::needs::Need;
use super::targets::ANDROID_API;

/// In the order of cargo-ndk: these name the NDK itself.
const VARIABLES: &[&str] = &["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT", "NDK_HOME"];

/// These name an SDK, which may hold several.
const SDK_VARIABLES: &[&str] = &["ANDROID_HOME", "ANDROID_SDK_ROOT"];

/// Where Android Studio puts the SDK, below the home folder.
const SDK_FOLDERS: &[&str] = &["Android/Sdk", "Library/Android/sdk"];

/// The tools of an NDK for one processor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ndk {
    /// Compiles and links for the oldest Android that is supported.
    pub(crate) clang: PathBuf,
    pub(crate) ar: PathBuf,
    /// For instance `28.2.13676358`.
    pub(crate) version: String,
}

/// The NDK's tools for the processor that `clang` names.
pub(crate) fn find(machine: &Machine, clang: &str) -> Result<Ndk, Need> {
    let Some(folder) = folder(machine) else {
        let wrong = VARIABLES
            .iter()
            .find_map(|name| Some((name, machine.variables.get(name)?)));
        return Err(Need::Ndk {
            found: wrong.map(|(name, path)| format!("{name} names {path}, which is no folder")),
        });
    };
    let clang = format!("{clang}{ANDROID_API}-clang");
    let tools = subfolders(&folder.join("toolchains/llvm/prebuilt"))
        .into_iter()
        .map(|host| host.join("bin"))
        .find(|tools| tools.join(&clang).is_file());
    let Some(tools) = tools else {
        let found = Some(format!("{} holds no {clang}", folder.display()));
        return Err(Need::Ndk { found });
    };
    Ok(Ndk {
        clang: tools.join(clang),
        ar: tools.join("llvm-ar"),
        version: revision(&folder).unwrap_or_else(|| "of unknown version".into()),
    })
}

fn folder(machine: &Machine) -> Option<PathBuf> {
    let named = VARIABLES.iter().find_map(|name| machine.folder(name));
    named.or_else(|| {
        let mut sdks: Vec<_> = SDK_VARIABLES
            .iter()
            .filter_map(|name| machine.folder(name))
            .collect();
        if let Some(home) = machine.folder("HOME") {
            sdks.extend(SDK_FOLDERS.iter().map(|folder| home.join(folder)));
        }
        sdks.iter().find_map(|sdk| newest(&sdk.join("ndk")))
    })
}

/// The subfolder with the highest version as its name.
fn newest(folder: &Path) -> Option<PathBuf> {
    let version = |path: &PathBuf| -> Option<Vec<u32>> {
        let name = path.file_name()?.to_str()?;
        name.split('.').map(|part| part.parse().ok()).collect()
    };
    let versions = subfolders(folder).into_iter();
    let versions = versions.filter(|path| version(path).is_some());
    versions.max_by_key(version)
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    paths.sort();
    paths
}

fn revision(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("source.properties")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Pkg.Revision"))?;
    Some(line.trim_start_matches([' ', '=']).trim().to_owned())
}
