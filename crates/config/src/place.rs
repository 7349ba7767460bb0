//! The place of a value in the configuration, in the words of the configuration.

use std::fmt;

use grantor_core::model::checks::Pointer;

/// A path from the root of the file to a value, such as `client`, row 2, `scopes`, item 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    /// A table in a list of tables: the second `[[client]]`.
    Row(usize),
    /// A value in a list of values.
    Item(usize),
}

impl Place {
    pub(super) fn root() -> Self {
        Self::default()
    }

    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    pub(super) fn row(&self, index: usize) -> Self {
        self.with(Step::Row(index))
    }

    pub(super) fn item(&self, index: usize) -> Self {
        self.with(Step::Item(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Whether it is this table or inside it.
    pub(super) fn is_in(&self, table: &Self) -> bool {
        self.0.starts_with(&table.0)
    }

    /// The key that it is of this table; none for anything deeper.
    pub(super) fn key_in(&self, table: &Self) -> Option<&str> {
        match self.0.strip_prefix(table.0.as_slice()) {
            Some([Step::Key(key)]) => Some(key),
            _ => None,
        }
    }

    /// As a JSON pointer in the object that this table is.
    pub(super) fn pointer_in(&self, table: &Self) -> Pointer {
        let steps = self.0.strip_prefix(table.0.as_slice()).unwrap_or(&self.0);
        let steps = steps.iter();
        steps.fold(Pointer::default(), |pointer, step| match step {
            Step::Key(key) => pointer.key(key),
            Step::Row(index) | Step::Item(index) => pointer.index(*index),
        })
    }

    pub(super) fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The environment variable that overrides this place: table and key joined by `_`. Rows of a
    /// list have none, since they have no stable name.
    pub(super) fn variable(&self) -> Option<String> {
        let mut name = "GRANTOR".to_owned();
        for step in &self.0 {
            let Step::Key(key) = step else { return None };
            name.push('_');
            name.push_str(&key.to_uppercase());
        }
        Some(name)
    }

    /// The table that this place is, in TOML's brackets; nothing for the root.
    pub(super) fn header(&self) -> Option<String> {
        match self.0.as_slice() {
            [Step::Key(key), Step::Row(_), ..] => Some(format!("[[{key}]]")),
            [Step::Key(key), ..] => Some(format!("[{key}]")),
            _ => None,
        }
    }

    /// ` in [table]`, or ` in scopes.write of [[table]]` for a table within that one; empty at the top level.
    pub(super) fn inside(&self) -> String {
        let Some(header) = self.header() else {
            return String::new();
        };
        let keys = self.0.iter().skip(1).filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Row(_) | Step::Item(_) => None,
        });
        match keys.collect::<Vec<_>>().as_slice() {
            [] => format!(" in {header}"),
            keys => format!(" in {} of {header}", keys.join(".")),
        }
    }
}

/// The key and its table: `scopes in [[client]]`. Positions in lists are left out, since line and
/// column say them.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("the file"),
            [Step::Key(_), Step::Row(_)] => f.write_str(&self.header().unwrap_or_default()),
            [Step::Key(table), Step::Row(_), Step::Key(key), ..] => {
                write!(f, "{key} in [[{table}]]")
            }
            [Step::Key(table), Step::Key(key), ..] => write!(f, "{key} in [{table}]"),
            [Step::Key(key), ..] => f.write_str(key),
            [Step::Row(_) | Step::Item(_), ..] => unreachable!("the root is a table"),
        }
    }
}
