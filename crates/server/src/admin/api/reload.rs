//! A reload of the configuration file, as the operator asks for one and sees it.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use super::AdminRequest;

/// Takes the changed configuration file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// Only says what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Also withdraws the APIs, clients and users that the file no longer declares, as a start does.
    #[serde(default)]
    pub prune: bool,
    /// The canonical path of the file that the operator means: a server with another one refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl AdminRequest for Reload {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reload";
    const NEEDS_SERVER: bool = true;
    type Answer = Reloaded;

    fn body(&self) -> Vec<u8> {
        // Our own types always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What a reload changed. It names things, and never says what is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The path of the file.
    pub file: String,
    /// Whether it only says what would change.
    pub dry_run: bool,
    /// The kinds in which something changed.
    pub changes: Vec<Change>,
    /// Settings that differ, and that a reload cannot take: they stay as they are until a restart.
    pub needs_restart: Vec<String>,
    /// What was left out, as a sentence each.
    pub problems: Vec<String>,
}

impl Reloaded {
    /// Users who were not written are neither added nor changed.
    pub(crate) fn leave_out_users(&mut self, left_out: Vec<String>) {
        if left_out.is_empty() {
            return;
        }
        let place = self.changes.iter().position(|it| it.kind == "user");
        let users = place.map(|place| self.changes.remove(place));
        let mut users = users.unwrap_or_else(|| Change::of("user"));
        let written = |name: &String| !left_out.contains(name);
        users.added.retain(written);
        users.changed.retain(written);
        self.changes.push(Change { left_out, ..users });
    }
}

/// What changed of one kind, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The table of the file, such as `client`; `setting` for what has no name of its own.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// What the file no longer declares, and stays as it was until it is pruned or the server restarts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// What could not be written; `problems` says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What was kept and is in the file again. It has what it was given before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared_again: Vec<String>,
}

impl Change {
    pub(crate) fn of(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            kind: _,
            added,
            changed,
            removed,
            kept,
            left_out,
            declared_again,
        } = self;
        let all = [added, changed, removed, kept, left_out, declared_again];
        all.iter().all(|names| names.is_empty())
    }
}

/// A line for each kind of change, and one for each reason to act.
impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says_changes = |change: &&Change| {
            let Change {
                added,
                changed,
                removed,
                left_out,
                declared_again,
                ..
            } = change;
            let lists = [added, changed, removed, left_out, declared_again];
            lists.iter().any(|names| !names.is_empty())
        };
        let mut changes = self.changes.iter().filter(says_changes).peekable();
        let file = &self.file;
        match (changes.peek().is_some(), self.dry_run) {
            (true, true) => writeln!(f, "A reload of {file} would change:")?,
            (true, false) => writeln!(f, "Reloaded {file}:")?,
            (false, true) => writeln!(f, "A reload of {file} would change nothing.")?,
            (false, false) => writeln!(f, "Reloaded {file}: nothing changed.")?,
        }
        for change in changes {
            let lists = [
                ("added", &change.added),
                ("changed", &change.changed),
                ("removed", &change.removed),
                ("left out", &change.left_out),
                (
                    "declared again, with what it was given:",
                    &change.declared_again,
                ),
            ];
            let lists = lists.into_iter().filter(|(_, names)| !names.is_empty());
            let lists: Vec<_> = lists
                .map(|(what, names)| format!("{what} {}", names.join(", ")))
                .collect();
            writeln!(f, "  {}: {}", change.kind, lists.join("; "))?;
        }
        for Change { kind, kept, .. } in &self.changes {
            if !kept.is_empty() {
                writeln!(
                    f,
                    "No longer in the file but still active, until a restart or `grantor reload --prune`: {kind} {}",
                    kept.join(", ")
                )?;
            }
        }
        if !self.needs_restart.is_empty() {
            writeln!(f, "Needs a restart: {}", self.needs_restart.join(", "))?;
        }
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}
