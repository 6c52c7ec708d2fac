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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build_arm::machine::System;

    const CLANG: &str = "aarch64-linux-android";

    /// A machine with these variables, each naming a folder below `root`.
    fn machine(root: &Path, variables: &[(&'static str, &str)]) -> Machine {
        let path = |folder: &str| root.join(folder).display().to_string();
        let variables = variables.iter();
        Machine {
            folders: Vec::new(),
            variables: variables
                .map(|(name, folder)| (*name, path(folder)))
                .collect(),
            system: System::Debian,
            toolchains: Vec::new(),
        }
    }

    /// An NDK with the tools that are looked for.
    fn install(folder: &Path) {
        let tools = folder.join("toolchains/llvm/prebuilt/linux-x86_64/bin");
        fs::create_dir_all(&tools).unwrap();
        fs::write(tools.join(format!("{CLANG}{ANDROID_API}-clang")), "").unwrap();
        let name = folder.file_name().unwrap().to_str().unwrap();
        fs::write(
            folder.join("source.properties"),
            format!("Pkg.Desc = Android NDK\nPkg.Revision = {name}\n"),
        )
        .unwrap();
    }

    #[test]
    fn an_ndk_that_is_named_goes_before_the_newest_of_an_sdk() {
        let root = tempfile::tempdir().unwrap();
        for folder in [
            "named",
            "sdk/ndk/9.0.1",
            "sdk/ndk/28.2.13676358",
            "sdk/ndk/27.3.1",
        ] {
            install(&root.path().join(folder));
        }
        let version = |variables: &[_]| {
            find(&machine(root.path(), variables), CLANG)
                .unwrap()
                .version
        };
        let sdk = ("ANDROID_HOME", "sdk");
        assert_eq!(version(&[sdk]), "28.2.13676358");
        assert_eq!(version(&[sdk, ("NDK_HOME", "named")]), "named");
        let both = [("NDK_HOME", "named"), ("ANDROID_NDK_HOME", "sdk/ndk/9.0.1")];
        assert_eq!(version(&both), "9.0.1");
    }

    #[test]
    fn the_sdk_of_android_studio_is_found_without_variables() {
        let root = tempfile::tempdir().unwrap();
        install(&root.path().join("me/Android/Sdk/ndk/28.0.1"));
        let found = find(&machine(root.path(), &[("HOME", "me")]), CLANG).unwrap();
        assert_eq!(found.version, "28.0.1");
        assert!(
            found
                .clang
                .ends_with(format!("bin/{CLANG}{ANDROID_API}-clang"))
        );
    }

    #[test]
    fn what_is_wrong_with_a_named_ndk_is_said() {
        let root = tempfile::tempdir().unwrap();
        let missing = machine(root.path(), &[("ANDROID_NDK_HOME", "nowhere")]);
        let need = find(&missing, CLANG).unwrap_err();
        assert!(
            need.what().contains("which is no folder"),
            "{}",
            need.what()
        );
        fs::create_dir(root.path().join("empty")).unwrap();
        let empty = machine(root.path(), &[("ANDROID_NDK_HOME", "empty")]);
        let need = find(&empty, CLANG).unwrap_err();
        assert!(need.what().contains("holds no aarch64"), "{}", need.what());
        assert_eq!(
            find(&machine(root.path(), &[]), CLANG),
            Err(Need::Ndk { found: None })
        );
    }
}
