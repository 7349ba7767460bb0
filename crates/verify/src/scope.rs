//! Scopes (RFC 6749 section 3.3).

use std::collections::BTreeSet;
use std::fmt;

/// A set of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this scope is among them. RFC 6749 section 3.3: they are "case-sensitive strings".
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether all of `others` are.
    #[must_use]
    pub fn has_all(&self, others: &Self) -> bool {
        self.0.is_superset(&others.0)
    }

    /// One by one, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }
}

impl From<&str> for Scopes {
    /// Reads scopes with spaces between them.
    fn from(text: &str) -> Self {
        let scopes = text.split(' ').filter(|scope| !scope.is_empty());
        Self(scopes.map(str::to_owned).collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, scope) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}
