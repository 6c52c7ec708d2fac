//! What this machine has: programs, variables, the system's name, Rust compilers. Everything
//! that the preflight looks at comes from here, so that tests can describe another machine.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables that say where tools lie, and flags that would change what is built.
const VARIABLES: &[&str] = &[
    "ANDROID_NDK_HOME",
    "ANDROID_NDK_ROOT",
    "NDK_HOME",
    "ANDROID_HOME",
    "ANDROID_SDK_ROOT",
    "RUSTUP_HOME",
    "HOME",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "SDKROOT",
];

pub(crate) struct Machine {
    /// Folders of programs, in the order in which they are searched.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) variables: BTreeMap<&'static str, String>,
    pub(crate) system: System,
    pub(crate) toolchains: Vec<Toolchain>,
}

/// Decides which command installs what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Debian,
    Fedora,
    Arch,
    MacOs,
    Other,
}

/// A Rust compiler with its library.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    /// The folder that holds `bin` and `lib/rustlib`.
    pub(crate) root: PathBuf,
    /// For instance `1.95.0`.
    pub(crate) version: String,
    /// The triple that it runs on.
    pub(crate) host: String,
}

impl Machine {
    pub(crate) fn this() -> Machine {
        let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
        let variables: BTreeMap<_, _> = VARIABLES
            .iter()
            .filter_map(|name| Some((*name, env::var(name).ok()?)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let toolchains = toolchains(&folders, &variables);
        Machine {
            folders,
            variables,
            system: System::this(),
            toolchains,
        }
    }

    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        let mut places = self.folders.iter().map(|folder| folder.join(name));
        places.find(|path| path.is_file())
    }

    pub(crate) fn folder(&self, variable: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.variables.get(variable)?);
        path.is_dir().then_some(path)
    }
}

impl System {
    fn this() -> System {
        if cfg!(target_os = "macos") {
            return System::MacOs;
        }
        System::from_release(&fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    /// From the text of `/etc/os-release`: the system itself, else the one that it is like.
    fn from_release(text: &str) -> System {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let names = format!("{} {}", value("ID="), value("ID_LIKE="));
        let known = names.split_whitespace().find_map(|name| match name {
            "debian" | "ubuntu" => Some(System::Debian),
            "fedora" | "rhel" => Some(System::Fedora),
            "arch" => Some(System::Arch),
            _ => None,
        });
        known.unwrap_or(System::Other)
    }
}

impl Toolchain {
    /// The toolchain in a folder, if there is one that is new enough for this repository.
    fn at(root: &Path) -> Option<Toolchain> {
        if !root.join("lib/rustlib").is_dir() || !root.join("bin/cargo").is_file() {
            return None;
        }
        let output = Command::new(root.join("bin/rustc")).arg("-vV").output();
        let text = String::from_utf8(output.ok()?.stdout).ok()?;
        let value = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name));
            value.map(|value| value.trim().to_owned())
        };
        let toolchain = Toolchain {
            root: root.to_owned(),
            version: value("release:")?,
            host: value("host:")?,
        };
        let needed = minor(env!("CARGO_PKG_RUST_VERSION"));
        (minor(&toolchain.version) >= needed).then_some(toolchain)
    }

    pub(crate) fn rustc(&self) -> PathBuf {
        self.root.join("bin/rustc")
    }

    pub(crate) fn cargo(&self) -> PathBuf {
        self.root.join("bin/cargo")
    }

    /// The linker that comes with it.
    pub(crate) fn lld(&self) -> PathBuf {
        self.root
            .join(format!("lib/rustlib/{}/bin/rust-lld", self.host))
    }

    /// Whether it has the target's compiled library.
    pub(crate) fn has_target(&self, triple: &str) -> bool {
        self.root.join(format!("lib/rustlib/{triple}/lib")).is_dir()
    }

    /// Whether it has the library's sources, and so can compile it for any target.
    pub(crate) fn has_sources(&self) -> bool {
        self.sources().join("Cargo.lock").is_file()
    }

    fn sources(&self) -> PathBuf {
        self.root.join("lib/rustlib/src/rust/library")
    }

    /// Flags that leave this machine's folders out of the names of sources that programs carry for
    /// when they panic: what is shipped is then as large, and the same, wherever it was made.
    pub(crate) fn without_folders(&self) -> Vec<String> {
        let own = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
        let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(own);
        let registries = cargo.and_then(|cargo| fs::read_dir(cargo.join("registry/src")).ok());
        let folders = registries.into_iter().flatten().flatten();
        let mut folders: Vec<_> = folders.map(|folder| folder.path()).collect();
        folders.push(self.sources());
        folders.sort();
        let flag = |folder: &PathBuf| format!("--remap-path-prefix={}/=", folder.display());
        folders.iter().map(flag).collect()
    }
}

/// The second part of a Rust version, which is the only one that grows.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// The toolchain that runs this program, those among the machine's programs, those of rustup.
fn toolchains(folders: &[PathBuf], variables: &BTreeMap<&'static str, String>) -> Vec<Toolchain> {
    let mut programs = folders.to_vec();
    if let Some(cargo) = env::var_os("CARGO").map(PathBuf::from) {
        programs.splice(0..0, cargo.parent().map(Path::to_owned));
    }
    let mut roots: Vec<_> = programs
        .iter()
        .filter(|folder| folder.join("rustc").is_file())
        .filter_map(|folder| Some(folder.canonicalize().ok()?.parent()?.to_owned()))
        .collect();
    let rustup = variables.get("RUSTUP_HOME").map(PathBuf::from);
    let home = variables
        .get("HOME")
        .map(|home| Path::new(home).join(".rustup"));
    if let Some(folder) = rustup.or(home) {
        let installed = fs::read_dir(folder.join("toolchains"));
        let mut installed: Vec<_> = installed
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        installed.sort();
        roots.extend(installed);
    }
    let mut found: Vec<Toolchain> = Vec::new();
    for root in roots {
        if found.iter().all(|known| known.root != root) {
            found.extend(Toolchain::at(&root));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_what_they_are_like() {
        let cases = [
            ("ID=debian\n", System::Debian),
            ("ID=ubuntu\nID_LIKE=debian\n", System::Debian),
            (
                "NAME=x\nID=\"raspbian\"\nID_LIKE=\"debian\"\n",
                System::Debian,
            ),
            ("ID=rocky\nID_LIKE=\"rhel centos fedora\"\n", System::Fedora),
            ("ID=manjaro\nID_LIKE=arch\n", System::Arch),
            ("ID=nixos\n", System::Other),
            ("", System::Other),
        ];
        for (text, system) in cases {
            assert_eq!(System::from_release(text), system, "{text}");
        }
    }

    #[test]
    fn rust_versions_are_ordered_by_their_number_not_their_text() {
        assert!(minor("1.100.0") > minor("1.91"));
        assert!(minor("1.85.0") < minor("1.91"));
        assert!(minor("1.97.0-nightly") > minor("1.91"));
    }
}
