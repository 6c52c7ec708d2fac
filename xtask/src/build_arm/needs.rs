//! What can be missing to build for a target, and the command that brings it, for each system.

use super::machine::System;
use super::targets::{ANDROID_API, Cross};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// A compiled standard library for the target, or the sources of one.
    Library(&'static str),
    /// A C compiler that links for the processor, with glibc.
    Compiler(CrossName),
    Lld,
    /// The C library of a static program, where Rust's own is built from its sources.
    Musl,
    Ndk {
        /// What is wrong with the one that was found.
        found: Option<String>,
    },
    /// Clang and the headers of iOS, for what `tract` assembles.
    IosSdk,
    /// The emulator of whole ARM machines.
    Qemu,
    /// Nothing brings it.
    Never(&'static str),
}

/// The name by which systems pack a cross compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CrossName {
    Aarch64,
    Armhf,
    Armv6,
    X86_64,
}

impl From<Cross> for CrossName {
    fn from(cross: Cross) -> CrossName {
        match cross {
            Cross::Aarch64 => CrossName::Aarch64,
            Cross::Armv7 => CrossName::Armhf,
            Cross::Armv6 => CrossName::Armv6,
            Cross::X86_64 => CrossName::X86_64,
        }
    }
}

impl Need {
    /// In a few words, for the table.
    pub(crate) fn what(&self) -> String {
        match self {
            Need::Library(_) => "Rust's library for the target".into(),
            Need::Compiler(CrossName::Aarch64) => "a C compiler for 64-bit ARM, to link".into(),
            Need::Compiler(CrossName::Armhf) => "a C compiler for 32-bit ARM, to link".into(),
            Need::Compiler(CrossName::Armv6) => "a C compiler for ARMv6, to link".into(),
            Need::Compiler(CrossName::X86_64) => "a C compiler for x86-64, to link".into(),
            Need::Lld => "the linker lld".into(),
            Need::Musl => "musl's C library for 64-bit ARM".into(),
            Need::Ndk { found: None } => "an Android NDK".into(),
            Need::Ndk { found: Some(wrong) } => format!("a whole Android NDK: {wrong}"),
            Need::IosSdk => "clang and an iOS SDK".into(),
            Need::Qemu => "QEMU for ARM machines".into(),
            Need::Never(why) => (*why).into(),
        }
    }

    /// What to type, a line each; empty where there is nothing.
    pub(crate) fn mend(&self, system: System) -> Vec<String> {
        let lines: &[&str] = match (self, system) {
            (Need::Library(triple), _) => return library(triple, system),
            (Need::Ndk { .. }, _) => return ndk(system),
            (Need::Compiler(CrossName::Aarch64), System::Debian) => {
                &["sudo apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"]
            }
            (Need::Compiler(CrossName::Armhf | CrossName::Armv6), System::Debian) => {
                &["sudo apt-get install gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"]
            }
            (Need::Compiler(CrossName::Aarch64), System::Arch) => {
                &["sudo pacman -S aarch64-linux-gnu-gcc"]
            }
            (Need::Compiler(CrossName::Armhf | CrossName::Armv6), System::Arch) => {
                &["install arm-linux-gnueabihf-gcc from the AUR"]
            }
            (Need::Compiler(CrossName::Aarch64), System::MacOs) => {
                &["brew install messense/macos-cross-toolchains/aarch64-unknown-linux-gnu"]
            }
            (Need::Compiler(CrossName::Armhf), System::MacOs) => {
                &["brew install messense/macos-cross-toolchains/armv7-unknown-linux-gnueabihf"]
            }
            (Need::Compiler(CrossName::Armv6), System::MacOs) => {
                &["brew install messense/macos-cross-toolchains/arm-unknown-linux-gnueabihf"]
            }
            (Need::Compiler(CrossName::X86_64), System::Debian) => &[
                "sudo apt-get install gcc",
                "or on another processor: sudo apt-get install gcc-x86-64-linux-gnu",
            ],
            (Need::Compiler(CrossName::X86_64), System::MacOs) => {
                &["brew install messense/macos-cross-toolchains/x86_64-unknown-linux-gnu"]
            }
            (Need::Compiler(CrossName::X86_64), _) => {
                &["put a GCC for x86-64 on PATH as x86_64-linux-gnu-gcc"]
            }
            // Fedora's cross compilers come without a C library.
            (Need::Compiler(CrossName::Aarch64), System::Fedora | System::Other) => &[
                "put a GCC with glibc on PATH as aarch64-linux-gnu-gcc",
                "or build aarch64-unknown-linux-musl instead, which needs no C compiler",
            ],
            (Need::Compiler(_), System::Fedora | System::Other) => {
                &["put a GCC with glibc on PATH as arm-linux-gnueabihf-gcc"]
            }
            (Need::Lld, System::Debian) => &["sudo apt-get install lld"],
            (Need::Lld, System::Fedora) => &["sudo dnf install lld"],
            (Need::Lld, System::Arch) => &["sudo pacman -S lld"],
            (Need::Lld, System::MacOs) => &["brew install lld"],
            (Need::Lld, System::Other) => &["install LLVM's lld"],
            (Need::Musl, System::Debian) => &[
                "sudo dpkg --add-architecture arm64 && sudo apt-get update",
                "sudo apt-get install musl-dev:arm64",
                "or use rustup: rustup target add aarch64-unknown-linux-musl",
            ],
            (Need::Musl, _) => &["rustup target add aarch64-unknown-linux-musl"],
            (Need::IosSdk, System::MacOs) => &["xcode-select --install"],
            (Need::IosSdk, _) => &["build it on macOS with Xcode, or without the feature `tract`"],
            (Need::Qemu, System::Debian) => &["sudo apt-get install qemu-system-arm"],
            (Need::Qemu, System::Fedora) => &["sudo dnf install qemu-system-arm"],
            (Need::Qemu, System::Arch) => &["sudo pacman -S qemu-system-arm"],
            (Need::Qemu, System::MacOs) => &["brew install qemu"],
            (Need::Qemu, System::Other) => &["install QEMU with the program qemu-system-arm"],
            (Need::Never(_), _) => &[],
        };
        lines.iter().map(|line| (*line).to_owned()).collect()
    }
}

fn library(triple: &str, system: System) -> Vec<String> {
    let mut lines = vec![format!("rustup target add {triple}")];
    match system {
        System::Debian => {
            lines.push("or: sudo apt-get install rustc-web cargo-web rust-web-src".into());
        }
        _ => lines.push("or: rustup component add rust-src".into()),
    }
    lines
}

fn ndk(system: System) -> Vec<String> {
    let mut lines = Vec::new();
    match system {
        System::MacOs => lines.push("brew install --cask android-ndk".to_owned()),
        System::Arch => lines.push("install android-ndk from the AUR".to_owned()),
        _ => {}
    }
    lines.extend([
        "Android Studio: Settings > Languages & Frameworks > Android SDK > SDK Tools > NDK"
            .to_owned(),
        "or unpack https://developer.android.com/ndk/downloads (r28 or newer)".to_owned(),
        "then: export ANDROID_NDK_HOME=<the folder that holds `toolchains`>".to_owned(),
        format!("(any NDK with API level {ANDROID_API} will do)"),
    ]);
    lines
}
