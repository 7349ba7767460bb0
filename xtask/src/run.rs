//! Where the workspace is, and how commands run in it: one log file per step, shown only when the step fails.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The checkout.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// The workspace whose `xtask` package is in the folder `package`.
    pub(crate) fn new(package: &Path) -> Result<Self, String> {
        let root = package
            .parent()
            .ok_or("xtask is not in a folder of a workspace")?
            .to_owned();
        fs::create_dir_all(root.join("target/xtask"))
            .map_err(|error| format!("target/xtask: {error}"))?;
        Ok(Self { root })
    }

    /// A new log for the step `name`.
    pub(crate) fn log(&self, name: &str) -> Result<Log<'_>, String> {
        let path = self
            .root
            .join("target/xtask")
            .join(name)
            .with_extension("log");
        let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Log {
            workspace: self,
            path,
            file,
        })
    }

    /// A cargo command, without the variables that `cargo run` set for xtask itself: they would make build scripts run again.
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

/// The output of one step, in a file that can be followed while the step runs.
pub(crate) struct Log<'a> {
    workspace: &'a Workspace,
    path: PathBuf,
    file: File,
}

impl Log<'_> {
    /// Runs `command` in the workspace's root; its output goes to the log.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<(), String> {
        let line = command_line(command);
        self.note(&format!("$ {line}"))?;
        let (out, err) = (self.handle()?, self.handle()?);
        let status = command
            .current_dir(&self.workspace.root)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .status()
            .map_err(|error| format!("{line}: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{line}` failed: {status}"))
        }
    }

    /// Writes one line.
    pub(crate) fn note(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.file, "{line}").map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Everything that was written.
    pub(crate) fn text(&self) -> String {
        fs::read(&self.path).map_or_else(
            |error| error.to_string(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    fn handle(&self) -> Result<File, String> {
        self.file
            .try_clone()
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// What `command` prints to stdout.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let line = command_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{line}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "`{line}` failed: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program that cargo built next to this one, wherever the target folder is.
pub(crate) fn built(program: &str) -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| format!("this program: {error}"))?;
    Ok(own.with_file_name(program))
}

/// The result of `work`, and how long it took.
#[expect(
    clippy::disallowed_methods,
    reason = "only for the report of how long a step took"
)]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
