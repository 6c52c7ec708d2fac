//! Java and Kotlin on this machine's JVM: compiled strictly, and tested over both backends.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use uniffi_bindgen::bindings::TargetLanguage;

use super::{PRINTED, PROFILE, bindgen, build, files, folder, library, programs};
use crate::command::{self, program};
use crate::{Outcome, tree};

const SOURCES: &str = "bindings/android/src";

/// The page whose programs have to work.
const PAGE: &str = "bindings/android/README.md";

/// How to get what is missing, on Debian.
const ADVICE: &str = "install default-jdk-headless, libjna-java, libjna-jni and junit4, unpack \
    `npm pack kotlin-compiler` and name its folder in KOTLIN_HOME; or leave this out with \
    --without-jvm";

/// Folders that jars are looked for in: the system's, and the Kotlin compiler's.
struct Tools {
    kotlin: PathBuf,
    jars: PathBuf,
}

/// The Kotlin layer over one kind of native code.
struct Backend {
    name: &'static str,
    /// Folder of its sources.
    sources: &'static str,
    /// What they are compiled against.
    over: fn(&Tools) -> Vec<PathBuf>,
}

const BACKENDS: &[Backend] = &[
    Backend {
        name: "kotlin-jni",
        sources: "jni/kotlin",
        over: |_| vec![folder("java")],
    },
    Backend {
        name: "kotlin-jna",
        sources: "jna/kotlin",
        over: |tools| vec![folder("kotlin-generated"), tools.jars.join("jna.jar")],
    },
];

pub(crate) fn test() -> Outcome {
    let tools = Tools::find()?;
    build(&["tealight-ffi", "tealight-jni"], PROFILE)?;
    let kotlin = folder("kotlin-sources");
    bindgen::generate(
        &library("tealight_ffi", PROFILE),
        TargetLanguage::Kotlin,
        &kotlin,
    )?;

    let sources = tree::root().join(SOURCES);
    let junit = [
        tools.jars.join("junit4.jar"),
        tools.jars.join("hamcrest.jar"),
    ];
    javac(&sources.join("jni/java"), &[], &folder("java"))?;
    let mut beside = vec![folder("java")];
    beside.extend(junit.clone());
    javac(
        &sources.join("testJni/java"),
        &beside,
        &folder("java-tests"),
    )?;
    beside.push(folder("java-tests"));
    tools.junit(
        &beside,
        &["dev.tealight.ModelTest", "dev.tealight.ChatTest"],
    )?;

    let jna = [tools.jars.join("jna.jar")];
    // Generated code has warnings of its own.
    tools.kotlinc(&["-nowarn"], &[kotlin], &jna, &folder("kotlin-generated"))?;
    for backend in BACKENDS {
        let strict = ["-Werror", "-Xexplicit-api=strict"];
        let over = (backend.over)(&tools);
        let own = [sources.join("main/kotlin"), sources.join(backend.sources)];
        let compiled = folder(backend.name);
        tools.kotlinc(&strict, &own, &over, &compiled)?;
        let mut beside = over;
        beside.push(compiled);
        beside.extend(junit.clone());
        let tests = folder(&format!("{}-tests", backend.name));
        tools.kotlinc(
            &["-Werror"],
            &[sources.join("test/kotlin")],
            &beside,
            &tests,
        )?;
        let example = write_example("kotlin", &folder(&format!("{}-example", backend.name)))?;
        tools.kotlinc(&["-Werror"], &[example.join("Main.kt")], &beside, &example)?;
        beside.extend([tests, example]);
        tools.junit(&beside, &["dev.tealight.kotlin.TealightTest"])?;
        tools.example("MainKt", &beside)?;
    }
    Ok(())
}

/// The documentation's first program in a language, as a file of its own.
fn write_example(language: &str, folder: &Path) -> Outcome<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let ending = if language == "kotlin" { "kt" } else { language };
    let program = programs(PAGE, language)?.remove(0);
    std::fs::write(folder.join(format!("Main.{ending}")), program)?;
    Ok(folder.to_owned())
}

fn javac(sources: &Path, beside: &[PathBuf], out: &Path) -> Outcome {
    std::fs::create_dir_all(out)?;
    // What Android's tools read as well.
    let mut command = program("javac", &["--release", "11", "-Xlint:all", "-Werror"]);
    command
        .arg("-d")
        .arg(out)
        .arg("-cp")
        .arg(class_path(beside)?);
    command.args(files(sources, "java")?);
    command::run(&mut command)
}

fn class_path(places: &[PathBuf]) -> Outcome<OsString> {
    Ok(std::env::join_paths(places)?)
}

impl Tools {
    fn find() -> Outcome<Tools> {
        let kotlin = std::env::var_os("KOTLIN_HOME").map_or_else(
            || tree::root().join("target/kotlin-compiler/package"),
            PathBuf::from,
        );
        let tools = Tools {
            kotlin: kotlin.join("lib"),
            jars: PathBuf::from("/usr/share/java"),
        };
        let needed = [
            tools.kotlin.join("kotlin-compiler.jar"),
            tools.jars.join("jna.jar"),
            tools.jars.join("junit4.jar"),
        ];
        if let Some(missing) = needed.iter().find(|path| !path.exists()) {
            return Err(format!("{} is not there: {ADVICE}", missing.display()).into());
        }
        if Command::new("javac").arg("-version").output().is_err() {
            return Err(format!("there is no javac: {ADVICE}").into());
        }
        Ok(tools)
    }

    /// Kotlin's own libraries, which its compiler brings along.
    fn libraries(&self) -> [PathBuf; 2] {
        ["kotlin-stdlib.jar", "kotlinx-coroutines-core-jvm.jar"].map(|jar| self.kotlin.join(jar))
    }

    fn kotlinc(
        &self,
        flags: &[&str],
        sources: &[PathBuf],
        beside: &[PathBuf],
        out: &Path,
    ) -> Outcome {
        std::fs::create_dir_all(out)?;
        let mut places = self.libraries().to_vec();
        places.extend_from_slice(beside);
        let mut command = program("java", &["-Xmx2g", "-XX:TieredStopAtLevel=1"]);
        command.arg("-cp").arg(self.kotlin.join("*"));
        command.arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
        command.args(["-no-stdlib", "-no-reflect", "-jvm-target", "11"]);
        command.args(flags);
        command.arg("-cp").arg(class_path(&places)?);
        command.arg("-d").arg(out).args(sources);
        command::run(&mut command)
    }

    fn junit(&self, beside: &[PathBuf], classes: &[&str]) -> Outcome {
        let mut command = self.java(beside)?;
        command.arg("org.junit.runner.JUnitCore").args(classes);
        command::run(&mut command)
    }

    fn example(&self, class: &str, beside: &[PathBuf]) -> Outcome {
        let printed = command::output(self.java(beside)?.arg(class))?;
        match printed.trim() == PRINTED {
            true => Ok(()),
            false => Err(format!("the program in {PAGE} printed {printed:?}").into()),
        }
    }

    /// Java with the libraries under test, strict about what our native code does.
    fn java(&self, beside: &[PathBuf]) -> Outcome<Command> {
        let mut places = self.libraries().to_vec();
        places.extend_from_slice(beside);
        // Tests of memory look at the whole process: a heap that is there from the beginning,
        // and neither a compiler nor a collector that takes more as it goes.
        let mut command = program("java", &["-Xmx96m", "-Xms96m"]);
        command.args([
            "-XX:+AlwaysPreTouch",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
        ]);
        command.env("MALLOC_ARENA_MAX", "1");
        command.arg(property(
            "dev.tealight.library",
            &library("tealight_jni", PROFILE),
        ));
        command.arg(property(
            "jna.library.path",
            &tree::root().join("target/release"),
        ));
        // JNA's own native part lies in a folder of the system's on Debian.
        command.arg("-Djna.nosys=false");
        command.arg(property(
            "dev.tealight.home",
            &tree::root().join("models/home/onnx"),
        ));
        if !places.contains(&self.jars.join("jna.jar")) {
            // JNA's own code does not stand up to this.
            command.arg("-Xcheck:jni");
        }
        command.arg("-cp").arg(class_path(&places)?);
        Ok(command)
    }
}

fn property(name: &str, path: &Path) -> OsString {
    let mut property = OsString::from(format!("-D{name}="));
    property.push(path);
    property
}
