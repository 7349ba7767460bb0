//! The process environment as a value.

use std::collections::BTreeMap;
use std::fmt;

/// The environment variables that the configuration may look at. The binary collects them once;
/// nothing else reads the ambient environment.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    is_of_running_server: bool,
}

impl Environment {
    pub fn value(&self, variable: &str) -> Option<&str> {
        self.variables.get(variable).map(String::as_str)
    }

    /// The same, with `variable` set to `value`.
    #[must_use]
    pub fn with(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.variables.insert(variable.to_owned(), value.into());
        self
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// That of a server which reads its file again: mistakes say that a variable must be set there.
    #[must_use]
    pub fn of_running_server(mut self) -> Self {
        self.is_of_running_server = true;
        self
    }

    /// Where a variable is missing, and what to do, after "is not set".
    pub(super) fn place(&self) -> &'static str {
        if self.is_of_running_server {
            " in the server's environment, which it keeps from its start: restart it, or use secret_file"
        } else {
            ""
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        let variables = variables.into_iter();
        Self {
            variables: variables.map(|(k, v)| (k.into(), v.into())).collect(),
            is_of_running_server: false,
        }
    }
}

/// Names only: a value may be a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
