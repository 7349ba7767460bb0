//! A reload of the configuration file, as the operator asks for one and sees it.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use super::AdminRequest;

/// Takes the changed configuration file.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// Only says what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Also withdraws the clients and users that the file no longer declares, as a start does.
    #[serde(default)]
    pub prune: bool,
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
    /// Whether it only says what would change.
    pub dry_run: bool,
    /// The kinds in which something changed.
    pub changes: Vec<Change>,
    /// Settings that differ, and that a reload cannot take: they stay as they are until a restart.
    pub restart: Vec<String>,
    /// What was left out, as a sentence each.
    pub problems: Vec<String>,
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
            declared_again,
        } = self;
        let all = [added, changed, removed, kept, declared_again];
        all.iter().all(|names| names.is_empty())
    }
}

/// A line for each kind of change, and one for each reason to act.
impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says_changes = |change: &&Change| {
            let lists = [
                &change.added,
                &change.changed,
                &change.removed,
                &change.declared_again,
            ];
            lists.iter().any(|names| !names.is_empty())
        };
        let mut changes = self.changes.iter().filter(says_changes).peekable();
        f.write_str(match (changes.peek().is_some(), self.dry_run) {
            (true, true) => "A reload would change:\n",
            (true, false) => "Changed:\n",
            (false, true) => "A reload would change nothing.\n",
            (false, false) => "Nothing changed.\n",
        })?;
        for change in changes {
            let lists = [
                ("added", &change.added),
                ("changed", &change.changed),
                ("removed", &change.removed),
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
                    "No longer in the file, and kept until a restart or --prune: {kind} {}",
                    kept.join(", ")
                )?;
            }
        }
        if !self.restart.is_empty() {
            writeln!(f, "Changed only by a restart: {}", self.restart.join(", "))?;
        }
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}
