//! The compilers of Java and Kotlin, and Java itself, as this machine has them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bindings::files;
use crate::command::{self, program};
use crate::{Outcome, tree};

/// How to get what is missing, on Debian.
const ADVICE: &str = "install default-jdk-headless, libjna-java, libjna-jni and junit4, unpack \
    `npm pack kotlin-compiler` and name its folder in KOTLIN_HOME; or leave this out with \
    --without-jvm";

/// Folders that jars are looked for in: the system's, and the Kotlin compiler's.
pub(crate) struct Tools {
    kotlin: PathBuf,
    jars: PathBuf,
}

impl Tools {
    pub(crate) fn find() -> Outcome<Tools> {
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
            tools.jna(),
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

    pub(super) fn jna(&self) -> PathBuf {
        self.jars.join("jna.jar")
    }

    pub(super) fn junit(&self) -> [PathBuf; 2] {
        ["junit4.jar", "hamcrest.jar"].map(|jar| self.jars.join(jar))
    }

    /// Kotlin's own libraries, which its compiler brings along.
    fn libraries(&self) -> [PathBuf; 2] {
        ["kotlin-stdlib.jar", "kotlinx-coroutines-core-jvm.jar"].map(|jar| self.kotlin.join(jar))
    }

    /// The version of the compiler, which is that of Kotlin's standard library.
    pub(crate) fn kotlin_version(&self) -> Outcome<String> {
        let build = std::fs::read_to_string(self.kotlin.with_file_name("build.txt"))?;
        Ok(build
            .split('-')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned())
    }

    pub(super) fn javac(&self, sources: &Path, beside: &[PathBuf], out: &Path) -> Outcome {
        anew(out)?;
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

    /// The module is named after the folder of what is compiled.
    pub(super) fn kotlinc(
        &self,
        flags: &[&str],
        sources: &[PathBuf],
        beside: &[PathBuf],
        out: &Path,
    ) -> Outcome {
        anew(out)?;
        let mut places = self.libraries().to_vec();
        places.extend_from_slice(beside);
        let mut command = program("java", &["-Xmx2g", "-XX:TieredStopAtLevel=1"]);
        command.arg("-cp").arg(self.kotlin.join("*"));
        command.arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
        command.args(["-no-stdlib", "-no-reflect", "-jvm-target", "11"]);
        command.arg("-module-name");
        command.arg(out.file_name().unwrap_or_default());
        command.args(flags);
        command.arg("-cp").arg(class_path(&places)?);
        command.arg("-d").arg(out).args(sources);
        command::run(&mut command)
    }

    /// Java with Kotlin's libraries and these beside them.
    pub(super) fn java(&self, beside: &[PathBuf]) -> Outcome<Command> {
        let mut places = self.libraries().to_vec();
        places.extend_from_slice(beside);
        let mut command = program("java", &["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        if places.contains(&self.jna()) {
            // JNA's own native part lies in a folder of the system's on Debian.
            command.arg("-Djna.nosys=false");
        } else {
            // JNA's own code does not stand up to this.
            command.arg("-Xcheck:jni");
        }
        command.arg("-cp").arg(class_path(&places)?);
        Ok(command)
    }
}

/// What an earlier compiler left would be packed.
fn anew(folder: &Path) -> Outcome {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(std::fs::create_dir_all(folder)?)
}

fn class_path(places: &[PathBuf]) -> Outcome<OsString> {
    Ok(std::env::join_paths(places)?)
}

pub(super) fn property(name: &str, path: &Path) -> OsString {
    let mut property = OsString::from(format!("-D{name}="));
    property.push(path);
    property
}
