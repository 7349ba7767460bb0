//! An object in an editor, as TOML.

use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

use grantor_config::Environment;
use serde_json::{Map, Value as Json};
use tempfile::{Builder, NamedTempFile};

use super::CommandError;
use super::object::{members, toml_of};
use grantor_server::admin::client::AdminError;

/// What an object became in the editor.
pub(super) struct Edited {
    pub(super) members: Map<String, Json>,
    /// What was typed: the caller's alone, and removed unless it is kept.
    pub(super) file: NamedTempFile,
}

/// None where nothing was changed. `resume` says how to go on with a file that is kept.
pub(super) fn edit(
    object: &Map<String, Json>,
    environment: &Environment,
    resume: &dyn Fn(&str) -> String,
) -> Result<Option<Edited>, CommandError> {
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| environment.value(name));
    let Some(editor) = editor.filter(|editor| !editor.trim().is_empty()) else {
        let why = "no editor is named: set VISUAL or EDITOR, or use --set KEY=VALUE";
        return Err(CommandError::Usage(why.to_owned()));
    };
    let text = toml_of(object);
    let failed = |error| CommandError::Failed(AdminError::Io(error));
    let mut file = Builder::new()
        .prefix("grantor-")
        .suffix(".toml")
        .tempfile()
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    // As shells and git do, an editor may be named with arguments.
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    let status = command.args(words).arg(file.path()).status();
    let status = status.map_err(|error| {
        CommandError::Usage(format!("the editor {editor:?} cannot be started: {error}"))
    })?;
    if !status.success() {
        return Err(CommandError::Usage(format!(
            "{editor} ended with {status}: nothing was changed"
        )));
    }
    let edited = fs::read_to_string(file.path()).map_err(failed)?;
    if edited == text {
        return Ok(None);
    }
    match members(&edited) {
        // As with git, whoever empties the file has changed their mind.
        Ok(members) if members.is_empty() => Ok(None),
        Ok(members) => Ok(Some(Edited { members, file })),
        Err(why) => {
            let kept = keep(file).map_err(failed)?;
            Err(CommandError::Usage(format!(
                "{kept}: {why}\n{}",
                resume(&kept)
            )))
        }
    }
}

/// Leaves the file where it is. Returns its path.
pub(super) fn keep(file: NamedTempFile) -> io::Result<String> {
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path.display().to_string())
}
