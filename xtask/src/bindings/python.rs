//! The Python package: the handwritten layer, UniFFI's code and the library, and its tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use uniffi_bindgen::bindings::TargetLanguage;

use super::{PRINTED, PROFILE, bindgen, build, files, folder, library, programs};
use crate::command::{self, program};
use crate::{Outcome, tree};

const SOURCES: &str = "bindings/python/tealight";
const TESTS: &str = "bindings/python/tests";

/// The page whose programs have to work.
pub(crate) const PAGE: &str = "bindings/python/README.md";

/// What the sample programs and the tests run on; what `Requires-Python` promises.
pub(crate) const OLDEST: &str = "3.9";

pub(crate) fn test() -> Outcome {
    build(&["tealight-ffi"], PROFILE)?;
    let place = folder("python");
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    for (name, bytes) in package(&library("tealight_ffi", PROFILE))? {
        let path = place.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&place))?;
        fs::write(path, bytes)?;
    }
    let python = interpreter()?;
    let mut tests = with_package(&python, &place);
    // Whatever Python warns of, such as what nobody waits for, is an error.
    tests.args(["-W", "error", "-m", "unittest", "discover", "-s", TESTS]);
    command::run(&mut tests)?;
    run_page(|| with_package(&python, &place))?;
    install(&python)
}

/// Installs the wheel where nothing else is, and runs the page's programs there. It holds the
/// library that was tested: only the profile is another than in what is shipped.
fn install(python: &str) -> Outcome {
    let wheel = crate::package::python(PROFILE)?;
    let place = folder("python-installed");
    command::run(program(python, &["-m", "venv", "--clear"]).arg(&place))?;
    let installed = place.join("bin/python");
    let pip = ["-m", "pip", "install", "--quiet", "--no-index"];
    command::run(program(&installed, &pip).arg(wheel))?;
    let agreed = "import importlib.metadata as known, tealight; \
        assert known.version('tealight') == tealight.__version__; \
        assert known.distribution('tealight').read_text('RECORD')";
    command::run(&mut program(&installed, &["-I", "-c", agreed]))?;
    run_page(|| program(&installed, &["-I"]))
}

/// The files of the package `tealight` over this library, by their paths in it.
pub(crate) fn package(library: &Path) -> Outcome<Vec<(String, Vec<u8>)>> {
    let generated = folder("python-generated");
    bindgen::generate(library, TargetLanguage::Python, &generated)?;
    let mut contents = Vec::new();
    let sources = tree::root().join(SOURCES);
    for path in [files(&sources, "py")?, files(&sources, "typed")?].concat() {
        let name = path.strip_prefix(&sources)?.to_string_lossy();
        contents.push((format!("tealight/{name}"), fs::read(&path)?));
    }
    let code = fs::read(generated.join("tealight_ffi.py"))?;
    contents.push(("tealight/_ffi.py".to_owned(), code));
    // Where the generated code looks for it: beside itself.
    let name = library.file_name().unwrap_or_default().to_string_lossy();
    contents.push((format!("tealight/{name}"), fs::read(library)?));
    Ok(contents)
}

/// Runs the page's programs, each by itself.
fn run_page(python: impl Fn() -> Command) -> Outcome {
    let programs = programs(PAGE, "python")?;
    for program in &programs {
        let printed = command::output(python().args(["-W", "error", "-c", program]))?;
        if printed.trim() != PRINTED {
            return Err(format!("a program in {PAGE} printed {printed:?}:\n{program}").into());
        }
    }
    eprintln!("{} programs of {PAGE} work", programs.len());
    Ok(())
}

/// The Python to test with: `PYTHON`, or the system's.
fn interpreter() -> Outcome<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let check = "import sys; print('%d.%d' % sys.version_info[:2])";
    let found = Command::new(&python).args(["-c", check]).output();
    let version = found.map(|found| String::from_utf8_lossy(&found.stdout).trim().to_owned());
    let numbers = |version: &str| -> Vec<u32> {
        let numbers = version.split('.').map(str::parse);
        numbers.collect::<Result<_, _>>().unwrap_or_default()
    };
    match version {
        Ok(version) if numbers(&version) >= numbers(OLDEST) => Ok(python),
        _ => Err(format!(
            "`{python}` is no Python {OLDEST} or newer: install python3, name one in PYTHON, or \
             leave this out with --without-python"
        )
        .into()),
    }
}

fn with_package(python: &str, place: &Path) -> Command {
    let mut command = program(python, &[]);
    command.env("PYTHONPATH", place);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    // Tests of memory look at the whole process.
    command.env("MALLOC_ARENA_MAX", "1");
    command
}
