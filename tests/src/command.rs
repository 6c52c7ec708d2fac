//! The `tealight` program, called as a script would call it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::models::root;

/// Calls the program with a cache folder of its own, which goes when this value does.
pub struct Tealight {
    /// Where the program keeps the plans of models that it compiled.
    pub cache: PathBuf,
    _folder: TempDir,
}

/// What the program did.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Tealight {
    /// With an empty cache.
    pub fn new() -> Tealight {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        Tealight {
            cache: folder.path().join("cache"),
            _folder: folder,
        }
    }

    /// The command with these arguments, for tests that change more about it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).env("TEALIGHT_CACHE", &self.cache);
        command.env_remove("TEALIGHT_MODEL").stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Done {
        done(
            self.command(arguments)
                .output()
                .expect("the program starts"),
        )
    }
}

impl Default for Tealight {
    fn default() -> Tealight {
        Tealight::new()
    }
}

impl Done {
    /// Fails the test unless the program failed with this exit code and said all of these.
    pub fn fails(&self, code: i32, words: &[&str]) {
        let said = words.iter().all(|word| self.err.contains(word));
        assert!(
            self.code == Some(code) && said,
            "wanted {code} and {words:?}, got {self:#?}"
        );
        assert!(!self.err.contains("panicked"), "{self:#?}");
    }

    /// Fails the test unless the program succeeded; what it printed.
    pub fn succeeds(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:#?}");
        &self.out
    }
}

/// What a finished process left.
pub fn done(output: Output) -> Done {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Done {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The program, built now in the profile of the tests if it is not up to date.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "-p", "tealight-cli"])
            .current_dir(root());
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(
            build.status().expect("cargo starts").success(),
            "the program does not build"
        );
        // Test binaries lie in `deps` beside the programs.
        let test = std::env::current_exe().expect("this test is a file");
        let folder = test.ancestors().nth(2).expect("the profile's folder");
        folder.join(format!("tealight{}", std::env::consts::EXE_SUFFIX))
    })
}

/// Runs a command to its end and gives the most memory that it had in use, in bytes.
pub fn peak_memory(mut command: Command) -> u64 {
    command.stdout(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let name = Path::new(command.get_program()).file_name();
    let name = format!("Name:\t{}\n", name.expect("a program").display());
    let path = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let code = loop {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        // Until it has its name, its memory may still be that of this process.
        if status.starts_with(&name) {
            // The system's own peak: it misses nothing but what comes after the last look.
            most = most.max(peak_of(&status));
        }
        if let Some(code) = child
            .try_wait()
            .expect("the program is a child of this one")
        {
            break code;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(code.success(), "the program failed: {code}");
    assert!(most > 0, "the program was never seen at work");
    most
}

fn peak_of(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
