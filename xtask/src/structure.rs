//! The structure of the code: which room of `core` and which crate may import which, and how long files are. No compiler is needed.

mod crates;
mod imports;
mod rooms;
mod sizes;
mod tokens;

use std::fs;
use std::process::Command;

use crate::run::{Log, Workspace, output};

pub(crate) fn check(workspace: &Workspace, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let files = tracked_files(workspace)?;
    let mut notes = Vec::new();
    let mut faults = Vec::new();

    let core = with_text(workspace, &files, |path| {
        path.starts_with(rooms::SOURCES) && path.ends_with(".rs")
    })?;
    match rooms::missing(&core).as_slice() {
        [] => faults.extend(rooms::check(&core)),
        missing => notes.push(format!(
            "imports of core not checked, there is no room {}",
            missing.join(", ")
        )),
    }

    let manifests = with_text(workspace, &files, |path| path.ends_with("Cargo.toml"))?;
    faults.extend(crates::check(&manifests));

    let sources = with_text(workspace, &files, |path| path.ends_with(".rs"))?;
    faults.extend(sizes::check(&sources));

    for fault in &faults {
        log.note(fault)?;
    }
    match faults.len() {
        0 => Ok((!notes.is_empty()).then(|| notes.join("; "))),
        count => Err(format!("{count} faults")),
    }
}

/// A file's path from the workspace's root, and its text.
type Source = (String, String);

/// The files that git tracks, from the workspace's root.
fn tracked_files(workspace: &Workspace) -> Result<Vec<String>, String> {
    let list = output(
        Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(&workspace.root),
    )?;
    let mut files: Vec<String> = list.split_terminator('\0').map(str::to_owned).collect();
    // One that was deleted, but not yet in a commit.
    files.retain(|path| workspace.root.join(path).exists());
    Ok(files)
}

fn with_text(
    workspace: &Workspace,
    files: &[String],
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Source>, String> {
    let files = files.iter().filter(|path| wanted(path));
    files
        .map(|path| {
            let text = fs::read_to_string(workspace.root.join(path));
            let text = text.map_err(|error| format!("{path}: {error}"))?;
            Ok((path.clone(), text))
        })
        .collect()
}
