//! Where the project is, and how its commands are run: one log file per step, shown only when the step fails.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The checkout, and where things are in it.
pub(crate) struct House {
    pub(crate) root: PathBuf,
}

impl House {
    /// The house whose `xtask` package lies at `package`.
    pub(crate) fn at(package: &Path) -> Result<Self, String> {
        let root = package
            .parent()
            .ok_or("xtask lies in no folder")?
            .to_owned();
        fs::create_dir_all(root.join("target/xtask"))
            .map_err(|why| format!("target/xtask: {why}"))?;
        Ok(Self { root })
    }

    /// The log of the step `name`, begun anew.
    pub(crate) fn log(&self, name: &str) -> Result<Log<'_>, String> {
        let path = self
            .root
            .join("target/xtask")
            .join(name)
            .with_extension("log");
        let file = File::create(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(Log {
            house: self,
            path,
            file,
        })
    }

    /// What cargo is called with; the variables that `cargo run` gave to xtask itself would make build scripts run again.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        for inherited in [
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_PATH",
            "CARGO_PKG_NAME",
            "CARGO_PKG_VERSION",
            "CARGO_PKG_AUTHORS",
            "CARGO_PKG_RUST_VERSION",
        ] {
            cargo.env_remove(inherited);
        }
        cargo.args(arguments).env("CARGO_TERM_COLOR", "never");
        cargo
    }
}

/// One step's output, in a file that can be followed while it runs.
pub(crate) struct Log<'a> {
    house: &'a House,
    path: PathBuf,
    file: File,
}

impl Log<'_> {
    /// Runs `command` in the house's root; its output goes to the log.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<(), String> {
        let line = shown(command);
        self.note(&format!("$ {line}"))?;
        let (out, err) = (self.handle()?, self.handle()?);
        let status = command
            .current_dir(&self.house.root)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .status()
            .map_err(|why| format!("{line}: {why}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{line}` ended with {status}"))
        }
    }

    /// Writes a line of our own.
    pub(crate) fn note(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.file, "{line}").map_err(|why| format!("{}: {why}", self.path.display()))
    }

    /// All that was written.
    pub(crate) fn text(&self) -> String {
        fs::read(&self.path).map_or_else(
            |why| why.to_string(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    fn handle(&self) -> Result<File, String> {
        self.file
            .try_clone()
            .map_err(|why| format!("{}: {why}", self.path.display()))
    }
}

/// What `command` prints, or why there is nothing.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let line = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("{line}: {why}"))?;
    if !output.status.success() {
        return Err(format!(
            "`{line}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How long `work` took, and what came of it.
#[expect(
    clippy::disallowed_methods,
    reason = "a progress line tells how long a step took; nothing is decided by it"
)]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
