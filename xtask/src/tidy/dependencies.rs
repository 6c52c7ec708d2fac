//! Who may depend on whom, and what may not be depended on at all.

use std::path::PathBuf;

use serde_json::Value;

use crate::Outcome;
use crate::command::{cargo, output};

/// Arguments of cargo that describe our own crates.
pub(super) const OURS: &[&str] = &["metadata", "--format-version", "1", "--no-deps"];

/// What one of our crates may use of the others.
struct Room {
    name: &'static str,
    uses: &'static [&'static str],
    /// Behind a feature.
    may_use: &'static [&'static str],
    /// In its build script.
    builds_with: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room {
        name: "tealight-core",
        uses: &[],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "tealight-import",
        uses: &["tealight-core"],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "tealight-onnx",
        uses: &[],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "tealight-models",
        uses: &[],
        may_use: &[],
        builds_with: &["tealight-import"],
    },
    Room {
        name: "tealight",
        uses: &["tealight-core"],
        may_use: &["tealight-import", "tealight-models", "tealight-onnx"],
        builds_with: &[],
    },
    Room {
        name: "tealight-cli",
        uses: &["tealight"],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "tealight-ffi",
        uses: &["tealight"],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "tealight-jni",
        uses: &["tealight"],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "tealight-tests",
        uses: &[
            "tealight",
            "tealight-core",
            "tealight-import",
            "tealight-models",
        ],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "firmware-app",
        uses: &["tealight-core", "tealight-models"],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "firmware-build",
        uses: &["tealight-core", "tealight-import", "tealight-models"],
        may_use: &[],
        builds_with: &[],
    },
    Room {
        name: "linux-gpio",
        uses: &["firmware-app", "tealight-core"],
        may_use: &[],
        builds_with: &["firmware-build"],
    },
    Room {
        name: "xtask",
        uses: &[],
        may_use: &[],
        builds_with: &[],
    },
];

/// Crates that would break a promise if the command or a binding pulled them in.
const FOREIGN: &[(&str, &str)] = &[
    ("cc", "compiles C: every target would need a C compiler"),
    ("cmake", "compiles C: every target would need a C compiler"),
    ("bindgen", "needs libclang"),
    ("pkg-config", "looks for libraries of the system"),
    ("vcpkg", "looks for libraries of the system"),
    ("openssl-sys", "needs a library of the system"),
    ("onig_sys", "needs a library of the system"),
    ("reqwest", "opens network connections"),
    ("ureq", "opens network connections"),
    ("hyper", "opens network connections"),
    ("hf-hub", "opens network connections"),
    (
        "tokio",
        "an engine that never waits for input or output needs no runtime",
    ),
];

/// One of our crates as cargo describes it.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest: PathBuf,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    build: bool,
    optional: bool,
}

pub(super) fn packages(metadata: &str) -> Outcome<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let dependency = |value: &Value| Dependency {
        name: text(&value["name"]),
        build: value["kind"] == "build",
        optional: value["optional"] == true,
    };
    let package = |value: &Value| Package {
        name: text(&value["name"]),
        manifest: PathBuf::from(text(&value["manifest_path"])),
        dependencies: list(&value["dependencies"])
            .iter()
            .map(dependency)
            .collect(),
    };
    Ok(list(&metadata["packages"]).iter().map(package).collect())
}

pub(super) fn directions() -> Outcome<Vec<String>> {
    let packages = packages(&output(&mut cargo(OURS))?)?;
    let mut places = Vec::new();
    for package in &packages {
        let Some(room) = ROOMS.iter().find(|room| room.name == package.name) else {
            places.push(format!(
                "{}: has no place in the table of directions",
                package.name
            ));
            continue;
        };
        let ours = |name: &str| packages.iter().any(|package| package.name == name);
        for dependency in package
            .dependencies
            .iter()
            .filter(|found| ours(&found.name))
        {
            if let Some(fault) = room.fault(dependency) {
                places.push(format!("{} → {}: {fault}", package.name, dependency.name));
            }
        }
    }
    Ok(places)
}

impl Room {
    fn fault(&self, dependency: &Dependency) -> Option<&'static str> {
        let name = dependency.name.as_str();
        if dependency.build {
            let allowed = self.builds_with.contains(&name);
            (!allowed).then_some("may not be used in the build script")
        } else if self.may_use.contains(&name) {
            (!dependency.optional).then_some("may only be used behind a feature")
        } else {
            (!self.uses.contains(&name)).then_some("may not be used")
        }
    }
}

/// What is shipped to other machines.
const SHIPPED: &[&str] = &["tealight-cli", "tealight-ffi", "tealight-jni"];

pub(super) fn foreign_code() -> Outcome<Vec<String>> {
    let mut tree = vec!["tree", "-e", "normal,build", "--target", "all"];
    tree.extend(SHIPPED.iter().flat_map(|package| ["-p", package]));
    let listed = output(cargo(&tree).args(["--prefix", "none", "--format", "{p}"]))?;
    let found = |name: &str| {
        listed
            .lines()
            .any(|line| line.split(' ').next() == Some(name))
    };
    let found = FOREIGN.iter().filter(|(name, _)| found(name));
    Ok(found.map(|(name, why)| format!("{name}: {why}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, build: bool, optional: bool) -> Dependency {
        Dependency {
            name: name.to_owned(),
            build,
            optional,
        }
    }

    fn room(name: &str) -> &'static Room {
        ROOMS
            .iter()
            .find(|room| room.name == name)
            .expect("a crate of ours")
    }

    #[test]
    fn only_the_allowed_directions_pass() {
        let core = |build, optional| dependency("tealight-core", build, optional);
        assert!(room("tealight-import").fault(&core(false, false)).is_none());
        assert!(room("tealight-cli").fault(&core(false, false)).is_some());
        assert!(room("tealight-import").fault(&core(true, false)).is_some());
        let import = |optional| dependency("tealight-import", false, optional);
        assert!(room("tealight").fault(&import(true)).is_none());
        assert!(room("tealight").fault(&import(false)).is_some());
        assert!(room("tealight-core").fault(&import(true)).is_some());
    }
}
