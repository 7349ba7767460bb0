//! What is wrong, and where.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// Where a value is in the object that was checked. It is displayed as a JSON pointer (RFC 6901): `/redirect_uris/1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(Vec<PointerStep>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointerStep {
    Key(String),
    Index(usize),
}

impl Pointer {
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.0.push(PointerStep::Key(key.to_owned()));
        self
    }

    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(PointerStep::Index(index));
        self
    }

    #[must_use]
    pub fn steps(&self) -> &[PointerStep] {
        &self.0
    }

    /// Without its first `depth` steps.
    #[must_use]
    pub fn from(&self, depth: usize) -> Self {
        Self(self.0.iter().skip(depth).cloned().collect())
    }

    fn below(mut self, rest: Self) -> Self {
        self.0.extend(rest.0);
        self
    }
}

/// A pointer to a member of the object itself.
pub(super) fn at(key: &str) -> Pointer {
    Pointer::default().key(key)
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                PointerStep::Key(key) => {
                    write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?;
                }
                PointerStep::Index(index) => write!(f, "/{index}")?,
            }
        }
        Ok(())
    }
}

/// One problem. The message never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub pointer: Pointer,
    pub message: String,
    /// Where a name is not known: from this, a reader can tell which name was meant.
    pub unknown: Option<UnknownName>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    pub name: String,
    pub known: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    pub(super) fn add(&mut self, pointer: Pointer, message: impl Into<String>) {
        self.0.push(Problem {
            pointer,
            message: message.into(),
            unknown: None,
        });
    }

    /// Adds the problems of a part of the object.
    pub(super) fn nest(&mut self, prefix: Pointer, problems: Vec<Problem>) {
        self.0.extend(problems.into_iter().map(|problem| Problem {
            pointer: prefix.clone().below(problem.pointer),
            ..problem
        }));
    }

    pub(super) fn add_unknown<'a>(
        &mut self,
        pointer: Pointer,
        message: String,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) {
        self.0.push(Problem {
            pointer,
            message,
            unknown: Some(UnknownName {
                name: name.to_owned(),
                known: known.map(ToOwned::to_owned).collect(),
            }),
        });
    }

    /// Refuses a name of `kind` that is not among those `known`.
    pub(super) fn known_name<'a, K: Iterator<Item = &'a str>>(
        &mut self,
        pointer: Pointer,
        kind: &str,
        name: &str,
        known: impl Fn() -> K,
    ) {
        if known().all(|known| known != name) {
            self.add_unknown(pointer, format!("unknown {kind} {name:?}"), name, known());
        }
    }

    /// Refuses the second of two objects of `kind` with the same value of `key`. Empty values are not compared.
    pub(super) fn unique<S: AsRef<str>>(
        &mut self,
        kind: &str,
        key: &str,
        values: impl Iterator<Item = S>,
    ) {
        let mut seen = BTreeSet::new();
        for (index, value) in values.enumerate() {
            let value = value.as_ref();
            if !value.is_empty() && !seen.insert(value.to_owned()) {
                self.add(
                    at(kind).index(index).key(key),
                    format!("a [[{kind}]] before has {value:?} already"),
                );
            }
        }
    }

    pub(super) fn positive(&mut self, key: &str, duration: Option<Duration>) {
        if duration.is_some_and(|duration| duration.is_zero()) {
            self.add(at(key), "must be more than 0s");
        }
    }
}
