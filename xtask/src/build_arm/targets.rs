//! Every processor and system that Tealight is built for, as data: what runs there, what links
//! for it, what is made. Nothing else in these tasks knows a target by its name.

/// The oldest Android that the libraries load on: 7.0.
pub(crate) const ANDROID_API: u32 = 24;

/// The oldest iOS that the libraries run on.
pub(crate) const IOS_MINIMUM: &str = "15.0";

/// Android 15 loads libraries in pages of this many bytes.
pub(crate) const ANDROID_PAGE: u64 = 16 * 1024;

pub(crate) struct Target {
    pub(crate) triple: &'static str,
    /// Machines that a reader owns.
    pub(crate) runs_on: &'static str,
    pub(crate) platform: Platform,
    pub(crate) products: &'static [Product],
}

/// What the linker and the C compiler depend on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// Linked by a C compiler for the target, which brings glibc.
    Gnu(Cross),
    /// Linked by lld with a C library inside: rustup's target carries it.
    Musl {
        /// Where Debian's musl-dev for the processor puts the C library.
        libraries: &'static str,
        /// Assembles what the feature `tract` needs.
        c: Cross,
    },
    /// Linked by the clang of an Android NDK.
    Android {
        /// The clang's name, before the API level.
        clang: &'static str,
        /// The folder in an AAR's `jni`.
        abi: &'static str,
        /// A compiler for the processor, with which stub libraries are linked; none where the
        /// unwinder that goes with them does not know the processor.
        stub: Option<Cross>,
    },
    /// Not linked: Xcode links the static library into an app.
    Ios {
        /// Xcode's name of the headers and libraries.
        sdk: &'static str,
    },
    /// No system: a firmware links the crate.
    Bare,
}

/// C compilers for one kind of processor, by the names that systems give them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cross {
    Aarch64,
    Armv7,
    /// Debian's compiler of the same name starts programs with ARMv7 code.
    Armv6,
    /// For the emulator of phones.
    X86_64,
}

impl Cross {
    pub(crate) fn compilers(self) -> &'static [&'static str] {
        match self {
            Cross::Aarch64 => &["aarch64-linux-gnu-gcc", "aarch64-unknown-linux-gnu-gcc"],
            Cross::Armv7 => &[
                "arm-linux-gnueabihf-gcc",
                "armv7-unknown-linux-gnueabihf-gcc",
            ],
            Cross::X86_64 => &["x86_64-linux-gnu-gcc", "x86_64-unknown-linux-gnu-gcc"],
            Cross::Armv6 => &[
                "arm-unknown-linux-gnueabihf-gcc",
                "armv6-unknown-linux-gnueabihf-gcc",
                "arm-linux-gnueabihf-gcc",
            ],
        }
    }
}

/// A file that is made of a crate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    pub(crate) kind: Kind,
    /// Features beside the default ones.
    pub(crate) features: &'static [&'static str],
    pub(crate) default_features: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Program,
    SharedLibrary,
    StaticLibrary,
    /// For a program in Rust.
    Crate,
}

pub(crate) const COMMAND: Product = Product {
    name: "tealight",
    package: "tealight-cli",
    kind: Kind::Program,
    features: &[],
    default_features: true,
};

const CORE: Product = Product {
    name: "tealight_core",
    package: "tealight-core",
    kind: Kind::Crate,
    features: &[],
    default_features: false,
};

/// For Java, without JNA.
pub(crate) const JNI: Product = Product {
    name: "tealight_jni",
    package: "tealight-jni",
    kind: Kind::SharedLibrary,
    features: &[],
    default_features: true,
};

/// The same for apps that compile no models on the device, or have their tokenizers in tables.
pub(crate) const JNI_SMALL: Product = Product {
    default_features: false,
    ..JNI
};

/// With the importer, and else as small.
pub(crate) const JNI_IMPORT: Product = Product {
    features: &["import"],
    ..JNI_SMALL
};

/// For Kotlin, by UniFFI.
pub(crate) const FFI: Product = Product {
    name: "tealight_ffi",
    package: "tealight-ffi",
    ..JNI
};

/// For Swift, and for programs in C++ that link it in.
pub(crate) const FFI_STATIC: Product = Product {
    kind: Kind::StaticLibrary,
    ..FFI
};

/// Features of the libraries for apps, which have them all unless they are left out.
pub(crate) const FEATURES: [&str; 4] = ["import", "embedded", "answers", "tokenizers"];

impl Product {
    /// Without these of its [`FEATURES`]; and the features that it is left with.
    pub(crate) fn without(self, left_out: &[String]) -> (Product, Vec<String>) {
        if left_out.is_empty() {
            return (self, Vec::new());
        }
        let rest = FEATURES.iter().map(|feature| (*feature).to_owned());
        let rest = rest.filter(|feature| !left_out.contains(feature)).collect();
        let bare = Product {
            default_features: false,
            ..self
        };
        (bare, rest)
    }
}

const LINUX: &[Product] = &[COMMAND];
const ANDROID: &[Product] = &[JNI, FFI, FFI_STATIC];
const IOS: &[Product] = &[FFI_STATIC];
const BARE: &[Product] = &[CORE];

pub(crate) const TARGETS: &[Target] = &[
    Target {
        triple: "aarch64-unknown-linux-gnu",
        runs_on: "64-bit boards and servers (Pi 3 and newer)",
        platform: Platform::Gnu(Cross::Aarch64),
        products: LINUX,
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        runs_on: "any 64-bit ARM Linux, one static file",
        platform: Platform::Musl {
            libraries: "/usr/lib/aarch64-linux-musl",
            c: Cross::Aarch64,
        },
        products: LINUX,
    },
    Target {
        triple: "armv7-unknown-linux-gnueabihf",
        runs_on: "32-bit boards (Pi 2 and newer)",
        platform: Platform::Gnu(Cross::Armv7),
        products: LINUX,
    },
    Target {
        triple: "arm-unknown-linux-gnueabihf",
        runs_on: "ARMv6 boards (Pi Zero, Pi 1)",
        platform: Platform::Gnu(Cross::Armv6),
        products: LINUX,
    },
    Target {
        triple: "aarch64-linux-android",
        runs_on: "Android phones",
        platform: Platform::Android {
            clang: "aarch64-linux-android",
            abi: "arm64-v8a",
            stub: Some(Cross::Aarch64),
        },
        products: ANDROID,
    },
    Target {
        triple: "armv7-linux-androideabi",
        runs_on: "32-bit Android phones",
        platform: Platform::Android {
            clang: "armv7a-linux-androideabi",
            abi: "armeabi-v7a",
            stub: None,
        },
        products: ANDROID,
    },
    Target {
        triple: "x86_64-linux-android",
        runs_on: "the Android emulator",
        platform: Platform::Android {
            clang: "x86_64-linux-android",
            abi: "x86_64",
            stub: Some(Cross::X86_64),
        },
        products: ANDROID,
    },
    Target {
        triple: "aarch64-apple-ios",
        runs_on: "iPhones and iPads",
        platform: Platform::Ios { sdk: "iphoneos" },
        products: IOS,
    },
    Target {
        triple: "aarch64-apple-ios-sim",
        runs_on: "the iOS simulator on Apple silicon",
        platform: Platform::Ios {
            sdk: "iphonesimulator",
        },
        products: IOS,
    },
    Target {
        triple: "x86_64-apple-ios",
        runs_on: "the iOS simulator on Intel Macs",
        platform: Platform::Ios {
            sdk: "iphonesimulator",
        },
        products: IOS,
    },
    Target {
        triple: "thumbv6m-none-eabi",
        runs_on: "Cortex-M0, M0+ (RP2040)",
        platform: Platform::Bare,
        products: BARE,
    },
    Target {
        triple: "thumbv7m-none-eabi",
        runs_on: "Cortex-M3",
        platform: Platform::Bare,
        products: BARE,
    },
    Target {
        triple: "thumbv7em-none-eabi",
        runs_on: "Cortex-M4, M7 without floating point",
        platform: Platform::Bare,
        products: BARE,
    },
    Target {
        triple: "thumbv7em-none-eabihf",
        runs_on: "Cortex-M4F, M7F (STM32F4, nRF52)",
        platform: Platform::Bare,
        products: BARE,
    },
    Target {
        triple: "thumbv8m.main-none-eabi",
        runs_on: "Cortex-M33 without floating point",
        platform: Platform::Bare,
        products: BARE,
    },
    Target {
        triple: "thumbv8m.main-none-eabihf",
        runs_on: "Cortex-M33F, M55 (RP2350, nRF54)",
        platform: Platform::Bare,
        products: BARE,
    },
];

impl Target {
    pub(crate) fn find(triple: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.triple == triple)
    }

    /// The library's crates that are built where no compiled ones are installed.
    pub(crate) fn library_crates(&self) -> &'static str {
        match self.platform {
            Platform::Bare => "core",
            _ => "std,panic_unwind",
        }
    }
}

impl Product {
    /// The file's name on the target.
    pub(crate) fn file(&self) -> String {
        match self.kind {
            Kind::Program => self.name.to_owned(),
            Kind::SharedLibrary => format!("lib{}.so", self.name),
            Kind::StaticLibrary => format!("lib{}.a", self.name),
            Kind::Crate => format!("lib{}.rlib", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_left_out_is_what_the_libraries_have() {
        let features = FEATURES.map(|feature| format!("\"{feature}\"")).join(", ");
        for manifest in [
            include_str!("../../../bindings/ffi/Cargo.toml"),
            include_str!("../../../bindings/jni/Cargo.toml"),
        ] {
            assert!(manifest.contains(&format!("default = [{features}]\n")));
        }
        let (product, rest) = JNI.without(&["embedded".to_owned()]);
        assert!(!product.default_features);
        assert_eq!(rest, ["import", "answers", "tokenizers"]);
        assert!(JNI.without(&[]).0.default_features);
    }
}
