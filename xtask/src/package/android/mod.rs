//! AARs: the layer's classes, and its library for each kind of processor, as Gradle takes them.
//!
//! The format is Android's "AAR file" with the metadata that its Gradle plugin reads. What is
//! packed is read back and held to the rules of `rules.rs`.

mod rules;

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::bindings::jvm::{self, LAYERS, Layer, Tools};
use crate::build_arm::machine::Machine;
use crate::build_arm::preflight::{self, Link, Recipe, Wishes};
use crate::build_arm::targets::{
    ANDROID_API, FEATURES, FFI, JNI, JNI_IMPORT, Platform, Product, TARGETS, Target,
};
use crate::build_arm::{build, report};
use crate::{Outcome, tree};

use super::archive::{self, Entry};
use super::maven::{Artefact, Dependency};
use super::{jvm as jars, licences};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The oldest JNA whose own library loads in pages of 16 KiB.
const JNA: &str = "5.17.0";

#[derive(Args)]
pub(crate) struct Flags {
    /// Processors, such as `arm64-v8a`; all that this machine can build for if left out
    #[arg(long, value_delimiter = ',')]
    abi: Vec<String>,
    /// Only the archive over this kind of native code
    #[arg(long)]
    over: Option<Over>,
    /// Features to leave out: `embedded` is the model that the library carries, `tokenizers` those
    /// other than byte-level BPE
    #[arg(long, value_name = "FEATURE", value_delimiter = ',', value_parser = FEATURES)]
    without: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Over {
    Jni,
    Jna,
}

impl Over {
    fn of(layer: &Layer) -> Over {
        if layer.jna { Over::Jna } else { Over::Jni }
    }
}

/// A library for one kind of processor.
struct Library {
    target: &'static Target,
    bytes: Vec<u8>,
}

pub(super) fn run(flags: &Flags) -> Outcome {
    let tools = Tools::find()?;
    let machine = Machine::this();
    let recipes = recipes(&machine, &flags.abi)?;
    for layer in LAYERS {
        if flags.over.is_some_and(|over| over != Over::of(layer)) {
            continue;
        }
        let product = if layer.jna { FFI } else { JNI };
        let (product, features) = product.without(&flags.without);
        let libraries = libraries(&product, &features, &recipes)?;
        jvm::compile(&tools, layer, &build::unstripped(&recipes[0], &FFI))?;
        aar(&tools, layer, &libraries, shippable(&recipes))?;
    }
    Ok(())
}

/// The AAR over JNI for one kind of processor, as `cargo xtask sizes` has built its library and
/// as the tests have compiled its classes.
pub(crate) fn test() -> Outcome {
    let tools = Tools::find()?;
    let machine = Machine::this();
    let recipes = recipes(&machine, &["arm64-v8a".to_owned()])?;
    let layer = &LAYERS[0];
    let libraries = libraries(&JNI_IMPORT, &[], &recipes)?;
    aar(&tools, layer, &libraries, shippable(&recipes))?;
    Ok(())
}

fn shippable(recipes: &[Recipe<'_>]) -> bool {
    let stubs = |recipe: &Recipe<'_>| matches!(recipe.link, Link::Stubs { .. });
    !recipes.iter().any(stubs)
}

/// How each processor's library is built here: by an NDK, or else against stubs.
fn recipes<'m>(machine: &'m Machine, abis: &[String]) -> Outcome<Vec<Recipe<'m>>> {
    let stubs = Wishes {
        stubs: true,
        ..Wishes::default()
    };
    let mut recipes = Vec::new();
    let mut lacking = Vec::new();
    for target in TARGETS {
        let Platform::Android { abi, .. } = target.platform else {
            continue;
        };
        if !abis.is_empty() && !abis.iter().any(|wanted| wanted == abi) {
            continue;
        }
        let checked = preflight::check(target, machine, &Wishes::default());
        let other = || preflight::check(target, machine, &stubs).outcome.ok();
        match checked.outcome.as_ref().ok().cloned().or_else(other) {
            Some(recipe) => recipes.push(recipe),
            None => lacking.push(checked),
        }
    }
    if !lacking.is_empty() {
        eprint!("{}", report::mending(&lacking, machine.system));
    }
    if recipes.is_empty() || (!abis.is_empty() && recipes.len() != abis.len()) {
        return Err(
            "not every one of these can be built here; --abi names some of \
            arm64-v8a, armeabi-v7a, x86_64"
                .into(),
        );
    }
    Ok(recipes)
}

fn libraries(
    product: &Product,
    features: &[String],
    recipes: &[Recipe<'_>],
) -> Outcome<Vec<Library>> {
    let built = recipes.iter().map(|recipe| {
        let made = build::product(recipe, product, features)?;
        Ok(Library {
            target: recipe.target,
            bytes: fs::read(made.path)?,
        })
    });
    built.collect()
}

/// Packs, checks and publishes.
fn aar(tools: &Tools, layer: &Layer, libraries: &[Library], shippable: bool) -> Outcome<PathBuf> {
    let id = if layer.jna {
        "tealight-android-jna"
    } else {
        "tealight-android"
    };
    let archive = archive::zip(&entries(layer, id, libraries)?)?;
    let broken = rules::check(&archive, libraries, layer)?;
    if !broken.is_empty() {
        return Err(format!("{id} breaks its rules:\n  {}", broken.join("\n  ")).into());
    }
    let mut dependencies = jars::kotlin(tools)?;
    if layer.jna {
        dependencies.push(Dependency {
            packaging: Some("aar"),
            ..Dependency::jar("net.java.dev.jna", "jna", JNA)
        });
    }
    let (suffix, remark) = match shippable {
        true => ("", ""),
        false => ("-stub", " (linked without an NDK: not to be shipped)"),
    };
    let over = if layer.jna { "UniFFI and JNA" } else { "JNI" };
    let artefact = Artefact {
        id: id.to_owned(),
        version: format!("{VERSION}{suffix}"),
        packaging: "aar",
        description: format!("Small language models on Android, over {over}{remark}"),
        dependencies,
    };
    let path = artefact.publish(&archive, &jars::sources(layer)?)?;
    for library in libraries {
        let size = report::bytes(library.bytes.len() as u64);
        eprintln!("  {}: {size}", place(layer, library.target)?);
    }
    if !shippable {
        eprintln!(
            "  NOT TO BE SHIPPED: there is no NDK here, so the libraries are linked against stubs \
             and have never been loaded"
        );
    }
    Ok(path)
}

/// Where the installer looks for a library.
fn place(layer: &Layer, target: &Target) -> Outcome<String> {
    match target.platform {
        Platform::Android { abi, .. } => Ok(format!("jni/{abi}/lib{}.so", layer.library)),
        _ => Err(format!("{} is no Android", target.triple).into()),
    }
}

fn entries(layer: &Layer, id: &str, libraries: &[Library]) -> Outcome<Vec<Entry>> {
    let text = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    let rules = if layer.jna { "jna.pro" } else { "jni.pro" };
    let rules = tree::root().join("bindings/android/proguard").join(rules);
    let classes = archive::zip(&jars::classes(layer)?)?;
    let mut entries = vec![
        text("AndroidManifest.xml", manifest(id)),
        ("classes.jar".to_owned(), classes),
        // Names of resources, of which there are none.
        text("R.txt", String::new()),
        text("proguard.txt", fs::read_to_string(rules)?),
        text(
            "META-INF/com/android/build/gradle/aar-metadata.properties",
            METADATA.to_owned(),
        ),
    ];
    for library in libraries {
        entries.push((place(layer, library.target)?, library.bytes.clone()));
    }
    // Not in the classes' archive: two of a name there would stop the building of an app.
    entries.extend(licences::of(layer.package)?);
    Ok(entries)
}

fn manifest(id: &str) -> String {
    let package = id.replace('-', ".");
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <manifest xmlns:android=\"http://schemas.android.com/apk/res/android\"\n    \
             package=\"dev.{package}\">\n    \
             <uses-sdk android:minSdkVersion=\"{ANDROID_API}\" />\n\
         </manifest>\n"
    )
}

/// What Android's Gradle plugin has to know: any SDK and any plugin will do.
const METADATA: &str = "aarFormatVersion=1.0\n\
    aarMetadataVersion=1.0\n\
    minCompileSdk=1\n\
    minCompileSdkExtension=0\n\
    minAndroidGradlePluginVersion=1.0.0\n\
    coreLibraryDesugaringEnabled=false\n";
