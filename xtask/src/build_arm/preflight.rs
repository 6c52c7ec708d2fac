//! From a target and what the machine has to how it is built, or to what is missing.

use std::path::{Path, PathBuf};

use super::machine::{Machine, Toolchain};
use super::ndk;
use super::needs::Need;
use super::support::START;
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
    /// The same, with a start of our own: the compiler's may be for a newer processor.
    Armv6(PathBuf),
    /// lld, with a C library that Rust brings.
    Lld(PathBuf),
    /// lld, with the C library in this folder.
    Musl { lld: PathBuf, libraries: PathBuf },
    /// lld, asked by a C compiler that knows the processor but not the system, against
    /// libraries that have names and no code.
    Stubs { compiler: PathBuf, lld: PathBuf },
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
            let link = match cross {
                Cross::Armv6 => Link::Armv6(compiler),
                Cross::Aarch64 | Cross::Armv7 | Cross::X86_64 => Link::Compiler(compiler),
            };
            Ok((link, shown))
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
        Platform::Android {
            stub: Some(stub), ..
        } if wishes.stubs => {
            let (compiler, lld) = (compiler(machine, stub)?, lld(machine)?);
            let shown = format!("{}, stub libraries", name(&compiler));
            Ok((Link::Stubs { compiler, lld }, shown))
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
        Platform::Android {
            stub: Some(stub), ..
        } if wishes.stubs => compiler(machine, stub).map(plain),
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
            Link::Armv6(compiler) => flags.extend([
                format!("-Clinker={}", compiler.display()),
                "-Clink-arg=-nostartfiles".to_owned(),
                format!("-Clink-arg={}", support.join(START).display()),
            ]),
            Link::Lld(lld) => flags.extend(with_lld(lld)),
            Link::Musl { lld, libraries } => {
                flags.extend(with_lld(lld));
                flags.extend([folder(support), folder(libraries)]);
            }
            Link::Stubs { compiler, .. } => flags.extend([
                format!("-Clinker={}", compiler.display()),
                "-Clink-arg=-nostdlib".to_owned(),
                // The compiler looks for `ld.lld` in the folder of `-B`.
                "-Clink-arg=-fuse-ld=lld".to_owned(),
                format!("-Clink-arg=-B{}", support.display()),
                folder(support),
            ]),
        }
        if let Platform::Android { .. } = self.target.platform {
            let options = android_options().map(|option| format!("-Clink-arg=-Wl,{option}"));
            flags.extend(options);
        }
        flags
    }
}

/// What the linker is told of Android beside what clang knows.
fn android_options() -> [String; 3] {
    [
        format!("-zmax-page-size={ANDROID_PAGE}"),
        // A tenth of the room for the addresses that the loader fills in, since Android 6.
        "--pack-dyn-relocs=android".to_owned(),
        // Functions with equal code lie in one place. Rust promises no addresses of their own.
        "--icf=all".to_owned(),
    ]
}

fn with_lld(lld: &Path) -> [String; 2] {
    [
        format!("-Clinker={}", lld.display()),
        "-Clinker-flavor=ld.lld".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::build_arm::machine::System;
    use crate::build_arm::targets::TARGETS;

    /// A toolchain below `root`, with the files that say what it has.
    fn toolchain(root: &Path, name: &str, targets: &[&str], sources: bool) -> Toolchain {
        let root = root.join(name);
        for target in targets {
            fs::create_dir_all(root.join(format!("lib/rustlib/{target}/lib"))).unwrap();
        }
        if sources {
            let library = root.join("lib/rustlib/src/rust/library");
            fs::create_dir_all(&library).unwrap();
            fs::write(library.join("Cargo.lock"), "").unwrap();
        }
        Toolchain {
            root,
            version: name.to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    fn machine(toolchains: Vec<Toolchain>, folders: Vec<PathBuf>) -> Machine {
        Machine {
            folders,
            variables: BTreeMap::new(),
            system: System::Debian,
            toolchains,
        }
    }

    fn target(triple: &str) -> &'static Target {
        Target::find(triple).unwrap()
    }

    fn needs(target: &'static Target, machine: &Machine, wishes: &Wishes) -> Vec<Need> {
        check(target, machine, wishes)
            .outcome
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn a_compiled_library_goes_before_sources_of_one() {
        let root = tempfile::tempdir().unwrap();
        let thumb = "thumbv7em-none-eabihf";
        let sources = toolchain(root.path(), "sources", &[], true);
        let compiled = toolchain(root.path(), "compiled", &[thumb], false);
        let both = machine(vec![sources.clone(), compiled], Vec::new());
        let recipe = check(target(thumb), &both, &Wishes::default()).outcome;
        let recipe = recipe.ok().unwrap();
        assert_eq!(
            (recipe.toolchain.version.as_str(), recipe.from_source),
            ("compiled", false)
        );
        let one = machine(vec![sources], Vec::new());
        let recipe = check(target(thumb), &one, &Wishes::default()).outcome;
        assert!(recipe.ok().unwrap().from_source);
    }

    #[test]
    fn everything_that_is_missing_is_listed_for_every_target() {
        let nothing = machine(Vec::new(), Vec::new());
        for target in TARGETS {
            let needs = needs(target, &nothing, &Wishes::default());
            assert!(
                needs.contains(&Need::Library(target.triple)),
                "{}",
                target.triple
            );
            let linked = !matches!(target.platform, Platform::Ios { .. } | Platform::Bare);
            assert_eq!(needs.len(), 1 + usize::from(linked), "{}", target.triple);
        }
    }

    #[test]
    fn every_need_has_something_to_type_on_every_system() {
        let nothing = machine(Vec::new(), Vec::new());
        let tract = Wishes {
            features: vec!["tract".into()],
            stubs: false,
        };
        use System::{Arch, Debian, Fedora, MacOs, Other};
        for system in [Debian, Fedora, Arch, MacOs, Other] {
            for target in TARGETS {
                for need in needs(target, &nothing, &tract) {
                    let nothing_helps = matches!(need, Need::Never(_));
                    assert_eq!(need.mend(system).is_empty(), nothing_helps, "{need:?}");
                }
            }
        }
    }

    #[test]
    fn the_targets_compiler_links_and_the_first_of_its_names_wins() {
        let root = tempfile::tempdir().unwrap();
        let triple = "aarch64-unknown-linux-gnu";
        let rust = toolchain(root.path(), "rust", &[triple], false);
        let tools = root.path().join("tools");
        fs::create_dir(&tools).unwrap();
        fs::write(tools.join("aarch64-unknown-linux-gnu-gcc"), "").unwrap();
        let one = machine(vec![rust.clone()], vec![tools.clone()]);
        let checked = check(target(triple), &one, &Wishes::default());
        assert_eq!(checked.linker, "aarch64-unknown-linux-gnu-gcc");
        fs::write(tools.join("aarch64-linux-gnu-gcc"), "").unwrap();
        let checked = check(target(triple), &one, &Wishes::default());
        assert_eq!(checked.linker, "aarch64-linux-gnu-gcc");
    }

    #[test]
    fn android_is_linked_for_large_pages_by_any_linker() {
        let root = tempfile::tempdir().unwrap();
        let triple = "aarch64-linux-android";
        let rust = toolchain(root.path(), "rust", &[triple], false);
        let stubs = Link::Stubs {
            compiler: "gcc".into(),
            lld: "ld.lld".into(),
        };
        let link = [Link::Compiler("clang".into()), stubs];
        for link in link {
            let recipe = Recipe {
                target: target(triple),
                toolchain: &rust,
                from_source: false,
                link,
                assembler: None,
            };
            let flags = recipe.flags(Path::new("support")).join(" ");
            assert!(flags.contains("max-page-size=16384"), "{flags}");
        }
    }

    #[test]
    fn tract_is_refused_where_there_is_no_system() {
        let root = tempfile::tempdir().unwrap();
        let triple = "thumbv6m-none-eabi";
        let one = machine(
            vec![toolchain(root.path(), "rust", &[triple], false)],
            Vec::new(),
        );
        let tract = Wishes {
            features: vec!["tract".into()],
            stubs: false,
        };
        assert!(
            check(target(triple), &one, &Wishes::default())
                .outcome
                .is_ok()
        );
        assert!(matches!(
            needs(target(triple), &one, &tract)[..],
            [Need::Never(_)]
        ));
    }
}
