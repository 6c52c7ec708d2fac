//! From a target and what the machine has to how it is built, or to what is missing.

use std::path::{Path, PathBuf};

use super::machine::{Machine, Toolchain};
use super::ndk;
use super::needs::Need;
use super::targets::{ANDROID_PAGE, Cross, Platform, Target};

/// What was asked for beside the targets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Features of the command and the libraries.
    pub(crate) features: Vec<String>,
    /// Link Android's libraries without an NDK, to be checked but not shipped.
    pub(crate) stubs: bool,
}

impl Wishes {
    fn wants_tract(&self) -> bool {
        self.features.iter().any(|feature| feature == "tract")
    }
}

/// A target, and what building it would take.
pub(crate) struct Checked<'m> {
    pub(crate) target: &'static Target,
    /// Where the standard library comes from, for people.
    pub(crate) library: String,
    /// What links, for people.
    pub(crate) linker: String,
    pub(crate) outcome: Result<Recipe<'m>, Vec<Need>>,
}

/// How a target is built on this machine.
#[derive(Clone)]
pub(crate) struct Recipe<'m> {
    pub(crate) target: &'static Target,
    pub(crate) toolchain: &'m Toolchain,
    /// The toolchain compiles the standard library as well.
    pub(crate) from_source: bool,
    pub(crate) link: Link,
    /// Assembles for crates that carry assembly.
    pub(crate) assembler: Option<Assembler>,
}

/// Who makes the last file of the crates' objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Nobody: an archive is made.
    None,
    /// A C compiler that knows the target's system.
    Compiler(PathBuf),
    /// lld, with a C library that Rust brings.
    Lld(PathBuf),
    /// lld, with the C library in this folder.
    Musl { lld: PathBuf, libraries: PathBuf },
    /// lld, against libraries that have names and no code.
    Stubs(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assembler {
    pub(crate) cc: PathBuf,
    pub(crate) ar: Option<PathBuf>,
}

/// Looks for everything that the target takes, and lists all that is missing.
pub(crate) fn check<'m>(
    target: &'static Target,
    machine: &'m Machine,
    wishes: &Wishes,
) -> Checked<'m> {
    let mut needs = Vec::new();
    let library = library(target, machine);
    let shown_library = match &library {
        Some((toolchain, false)) => format!("Rust {}", toolchain.version),
        Some((toolchain, true)) => format!("Rust {}, from source", toolchain.version),
        None => "missing".to_owned(),
    };
    if library.is_none() {
        needs.push(Need::Library(target.triple));
    }
    let from_source = library.is_some_and(|(_, from_source)| from_source);
    let link = link(target, machine, from_source, wishes);
    let shown_linker = match &link {
        Ok((_, shown)) => shown.clone(),
        Err(_) => "missing".to_owned(),
    };
    let assembler = match wishes.wants_tract() {
        true => assembler(target, machine, wishes).map(Some),
        false => Ok(None),
    };
    for missing in [link.as_ref().err(), assembler.as_ref().err()] {
        needs.extend(missing.filter(|need| !needs.contains(need)).cloned());
    }
    let outcome = match (library, link, assembler) {
        (Some((toolchain, from_source)), Ok((link, _)), Ok(assembler)) => Ok(Recipe {
            target,
            toolchain,
            from_source,
            link,
            assembler,
        }),
        _ => Err(needs),
    };
    Checked {
        target,
        library: shown_library,
        linker: shown_linker,
        outcome,
    }
}

/// A toolchain with the target's library, else one with the library's sources, which takes
/// longer; and whether it is the second.
fn library<'m>(target: &Target, machine: &'m Machine) -> Option<(&'m Toolchain, bool)> {
    let all = || machine.toolchains.iter();
    let compiled = all().find(|toolchain| toolchain.has_target(target.triple));
    let source = || all().find(|toolchain| toolchain.has_sources());
    let compiled = compiled.map(|toolchain| (toolchain, false));
    compiled.or_else(|| source().map(|toolchain| (toolchain, true)))
}

/// What links, and its name for people.
fn link(
    target: &Target,
    machine: &Machine,
    from_source: bool,
    wishes: &Wishes,
) -> Result<(Link, String), Need> {
    match target.platform {
        Platform::Ios { .. } | Platform::Bare => Ok((Link::None, "not linked".into())),
        Platform::Gnu(cross) => {
            let compiler = compiler(machine, cross)?;
            let shown = name(&compiler);
            Ok((Link::Compiler(compiler), shown))
        }
        Platform::Musl { .. } if !from_source => {
            let lld = lld(machine)?;
            let shown = name(&lld);
            Ok((Link::Lld(lld), shown))
        }
        Platform::Musl { libraries, .. } => {
            let lld = lld(machine)?;
            let libraries = Path::new(libraries);
            if !libraries.join("libc.a").is_file() {
                return Err(Need::Musl);
            }
            let shown = format!("{}, {}", name(&lld), name(libraries));
            let libraries = libraries.to_owned();
            Ok((Link::Musl { lld, libraries }, shown))
        }
        Platform::Android { .. } if wishes.stubs => {
            let lld = lld(machine)?;
            let shown = format!("{}, stub libraries", name(&lld));
            Ok((Link::Stubs(lld), shown))
        }
        Platform::Android { clang, .. } => {
            let ndk = ndk::find(machine, clang)?;
            let shown = format!("NDK {}", ndk.version);
            Ok((Link::Compiler(ndk.clang), shown))
        }
    }
}

/// A C compiler for the crates that assemble, where the linker is none.
fn assembler(target: &Target, machine: &Machine, wishes: &Wishes) -> Result<Assembler, Need> {
    let plain = |cc: PathBuf| Assembler { cc, ar: None };
    match target.platform {
        Platform::Gnu(cross) | Platform::Musl { c: cross, .. } => {
            compiler(machine, cross).map(plain)
        }
        // What tract assembles for this processor is the same on every system with ELF files.
        Platform::Android { .. } if wishes.stubs && target.triple.starts_with("aarch64") => {
            compiler(machine, Cross::Aarch64).map(plain)
        }
        Platform::Android { clang, .. } => {
            let ndk = ndk::find(machine, clang)?;
            Ok(Assembler {
                cc: ndk.clang,
                ar: Some(ndk.ar),
            })
        }
        Platform::Ios { .. } => {
            let sdk = cfg!(target_os = "macos") || machine.folder("SDKROOT").is_some();
            let clang = machine.program("clang").filter(|_| sdk);
            clang.map(plain).ok_or(Need::IosSdk)
        }
        Platform::Bare => Err(Need::Never("`tract` needs an operating system")),
    }
}

fn compiler(machine: &Machine, cross: Cross) -> Result<PathBuf, Need> {
    let mut names = cross.compilers().iter();
    let found = names.find_map(|name| machine.program(name));
    found.ok_or_else(|| Need::Compiler(cross.into()))
}

/// The linker of any Rust here, else the system's.
pub(super) fn lld(machine: &Machine) -> Result<PathBuf, Need> {
    let theirs = machine.toolchains.iter().map(Toolchain::lld);
    let systems = ["rust-lld", "ld.lld"];
    theirs
        .filter(|path| path.is_file())
        .chain(systems.iter().filter_map(|name| machine.program(name)))
        .next()
        .ok_or(Need::Lld)
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Recipe<'_> {
    /// What the target needs of rustc. It comes after the caller's own flags, and so wins.
    pub(crate) fn flags(&self, support: &Path) -> Vec<String> {
        let mut flags = Vec::new();
        let folder = |path: &Path| format!("-Lnative={}", path.display());
        match &self.link {
            Link::None => {}
            Link::Compiler(compiler) => {
                flags.push(format!("-Clinker={}", compiler.display()));
            }
            Link::Lld(lld) => flags.extend(with_lld(lld)),
            Link::Musl { lld, libraries } => {
                flags.extend(with_lld(lld));
                flags.extend([folder(support), folder(libraries)]);
            }
            Link::Stubs(lld) => {
                flags.extend(with_lld(lld));
                flags.push(folder(support));
            }
        }
        if let Platform::Android { .. } = self.target.platform {
            let option = format!("max-page-size={ANDROID_PAGE}");
            flags.push(match &self.link {
                Link::Stubs(_) => format!("-Clink-args=-z {option}"),
                _ => format!("-Clink-arg=-Wl,-z,{option}"),
            });
        }
        flags
    }
}

fn with_lld(lld: &Path) -> [String; 2] {
    [
        format!("-Clinker={}", lld.display()),
        "-Clinker-flavor=ld.lld".to_owned(),
    ]
}
