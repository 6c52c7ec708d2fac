//! Java and Kotlin on this machine's JVM: compiled strictly, and tested over both backends; and
//! their jars, tested alone.

mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use uniffi_bindgen::bindings::TargetLanguage;

pub(crate) use self::tools::Tools;
use self::tools::property;
use super::{PRINTED, PROFILE, bindgen, build, folder, library, programs};
use crate::{Outcome, command, package, tree};

const SOURCES: &str = "bindings/android/src";

/// Sources of the app.
const SAMPLE: &str = "bindings/android/sample/app/src";

/// The page whose programs have to work.
pub(crate) const PAGE: &str = "bindings/android/README.md";

/// The Kotlin layer over one kind of native code, which brings what it stands on.
pub(crate) struct Layer {
    /// The crate of the native code.
    pub(crate) package: &'static str,
    /// Its library.
    pub(crate) library: &'static str,
    /// Whether it is called by JNA.
    pub(crate) jna: bool,
    /// Folder of the layer's sources.
    sources: &'static str,
    /// Folders of its classes: the layer's own, and those of what it stands on.
    own: &'static str,
    under: &'static str,
}

pub(crate) const LAYERS: &[Layer] = &[
    Layer {
        package: "tealight-jni",
        library: "tealight_jni",
        jna: false,
        sources: "jni/kotlin",
        own: "kotlin-jni",
        under: "java",
    },
    Layer {
        package: "tealight-ffi",
        library: "tealight_ffi",
        jna: true,
        sources: "jna/kotlin",
        own: "kotlin-jna",
        under: "kotlin-generated",
    },
];

impl Layer {
    /// Where `compile` leaves its classes.
    pub(crate) fn classes(&self) -> [PathBuf; 2] {
        [folder(self.own), folder(self.under)]
    }

    /// What they are compiled of.
    pub(crate) fn sources(&self) -> [PathBuf; 3] {
        let sources = tree::root().join(SOURCES);
        let under = if self.jna {
            folder("kotlin-sources")
        } else {
            sources.join("jni/java")
        };
        [
            sources.join("main/kotlin"),
            sources.join(self.sources),
            under,
        ]
    }

    fn beside(&self, tools: &Tools) -> Vec<PathBuf> {
        let jna = self.jna.then(|| tools.jna());
        [folder(self.under)].into_iter().chain(jna).collect()
    }
}

/// Compiles what a layer packs. UniFFI's code is generated from this library of its, which has its
/// symbols.
pub(crate) fn compile(tools: &Tools, layer: &Layer, described: &Path) -> Outcome {
    let [main, over, native] = layer.sources();
    let under = folder(layer.under);
    if layer.jna {
        bindgen::generate(described, TargetLanguage::Kotlin, &native)?;
        // Generated code has warnings of its own.
        tools.kotlinc(&["-nowarn"], &[native], &[tools.jna()], &under)?;
    } else {
        tools.javac(&native, &[], &under)?;
    }
    let strict = ["-Werror", "-Xexplicit-api=strict"];
    let own = [main, over];
    tools.kotlinc(&strict, &own, &layer.beside(tools), &folder(layer.own))
}

pub(crate) fn test() -> Outcome {
    let tools = Tools::find()?;
    build(&["tealight-ffi", "tealight-jni"], PROFILE)?;
    for layer in LAYERS {
        compile(&tools, layer, &library(layer.library, PROFILE))?;
    }

    let sources = tree::root().join(SOURCES);
    let mut beside = vec![folder("java")];
    beside.extend(tools.junit());
    let tests = folder("java-tests");
    tools.javac(&sources.join("testJni/java"), &beside, &tests)?;
    beside.push(tests);
    let classes = ["dev.tealight.ModelTest", "dev.tealight.ChatTest"];
    run_tests(&tools, &beside, &classes)?;
    run_tests(&tools, &beside, &["dev.tealight.SmolLm2Test"])?;

    for layer in LAYERS {
        let mut beside = layer.beside(&tools);
        beside.push(folder(layer.own));
        beside.extend(tools.junit());
        let tests = folder(&format!("{}-tests", layer.own));
        let kotlin = [sources.join("test/kotlin")];
        tools.kotlinc(&["-Werror"], &kotlin, &beside, &tests)?;
        beside.push(tests);
        run_tests(&tools, &beside, &["dev.tealight.kotlin.TealightTest"])?;
        run_tests(&tools, &beside, &["dev.tealight.kotlin.SmolLm2Test"])?;
        run_jar(&tools, layer)?;
    }
    sample(&tools)
}

/// The part of the sample app that knows nothing of Android.
fn sample(tools: &Tools) -> Outcome {
    let layer = &LAYERS[0];
    let mut beside = layer.classes().to_vec();
    beside.extend(tools.junit());
    let classes = folder("sample");
    let sources = ["main", "test"].map(|kind| tree::root().join(SAMPLE).join(kind));
    let own = [
        sources[0].join("kotlin/dev/tealight/sample/conversation"),
        sources[1].join("kotlin"),
    ];
    tools.kotlinc(&["-Werror"], &own, &beside, &classes)?;
    beside.push(classes);
    run_tests(tools, &beside, &["dev.tealight.sample.ConversationTest"])
}

/// Runs the documentation's programs with the jar and what its POM asks for, and nothing that says
/// where native code is. The jar holds the libraries that were tested: only the profile is another
/// than in what is shipped.
fn run_jar(tools: &Tools, layer: &Layer) -> Outcome {
    let mut beside = vec![package::jvm::jar(tools, layer, PROFILE)?];
    beside.extend(layer.jna.then(|| tools.jna()));
    let sources = folder(&format!("{}-programs", layer.own));
    let classes = folder(&format!("{}-programs-classes", layer.own));
    let kotlin = write_program("kotlin", &sources, "Main.kt")?;
    tools.kotlinc(&["-Werror"], &[kotlin], &beside, &classes)?;
    run_program(tools, &beside, &classes, "MainKt")?;
    if !layer.jna {
        write_program("java", &sources, "Main.java")?;
        tools.javac(&sources, &beside, &classes)?;
        run_program(tools, &beside, &classes, "Main")?;
    }
    Ok(())
}

/// The documentation's first program in a language, as a file of its own.
fn write_program(language: &str, folder: &Path, name: &str) -> Outcome<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(name);
    std::fs::write(&path, programs(PAGE, language)?.remove(0))?;
    Ok(path)
}

fn run_program(tools: &Tools, beside: &[PathBuf], classes: &Path, main: &str) -> Outcome {
    let places = [beside, &[classes.to_owned()]].concat();
    let printed = command::output(tools.java(&places)?.arg(main))?;
    match printed.trim() == PRINTED {
        true => Ok(()),
        false => Err(format!("a program in {PAGE} printed {printed:?}").into()),
    }
}

fn run_tests(tools: &Tools, beside: &[PathBuf], classes: &[&str]) -> Outcome {
    let mut command = with_libraries(tools, beside)?;
    command.arg("org.junit.runner.JUnitCore").args(classes);
    command::run(&mut command)
}

/// Java with the libraries under test.
fn with_libraries(tools: &Tools, beside: &[PathBuf]) -> Outcome<Command> {
    let mut command = tools.java(beside)?;
    // Tests of memory look at the whole process: a heap that is there from the beginning, and
    // neither a compiler nor a collector that takes more as it goes.
    command.args(["-Xmx96m", "-Xms96m", "-XX:+AlwaysPreTouch"]);
    command.env("MALLOC_ARENA_MAX", "1");
    let libraries = tree::root().join("target").join(PROFILE);
    let export = tree::root().join("models/home/onnx");
    let native = library("tealight_jni", PROFILE);
    command.arg(property("dev.tealight.library", &native));
    command.arg(property("jna.library.path", &libraries));
    command.arg(property("dev.tealight.home", &export));
    Ok(command)
}
