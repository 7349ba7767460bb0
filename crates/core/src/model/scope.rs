//! Scopes (RFC 6749 section 3.3).

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;

const MAX_TOKENS: usize = 100;

/// A set of scope tokens. Order and repetition have no meaning (RFC 6749 section 3.3), so it is stored as canonical
/// text: sorted, without duplicates, separated by single spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "scope tokens are printable ASCII without space, quote and backslash, separated by single spaces"
)]
pub struct InvalidScope;

/// One scope of an API or of OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(String);

/// The text is not one scope token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not one scope: it must be printable ASCII without space, quote and backslash")]
pub struct InvalidScopeToken;

/// RFC 6749 section 3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Whether a resource may have a scope of this name, which is written `IDENTIFIER/NAME` and split at its last slash.
#[must_use]
pub fn is_scope_name(text: &str) -> bool {
    is_scope_token(text) && !text.contains('/')
}

impl FromStr for ScopeToken {
    type Err = InvalidScopeToken;

    fn from_str(text: &str) -> Result<Self, InvalidScopeToken> {
        is_scope_token(text)
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidScopeToken)
    }
}

impl Deref for ScopeToken {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scope {
    /// The `scope` parameter.
    ///
    /// # Errors
    /// RFC 6749 section 5.2: `invalid_scope`, "The requested scope is invalid, unknown, malformed".
    pub fn from_params(params: &Params) -> Result<Option<Self>, Refusal> {
        let malformed = Refusal::new(ErrorCode::InvalidScope, "The scope is malformed.");
        let text = params.opt("scope");
        text.map(|text| text.parse().map_err(|_| malformed))
            .transpose()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|held| held == token)
    }

    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.iter().all(|token| other.contains(token))
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filter(|token| other.contains(token))
    }

    #[must_use]
    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut kept = String::with_capacity(self.0.len());
        for token in self.iter().filter(|token| keep(token)) {
            if !kept.is_empty() {
                kept.push(' ');
            }
            kept.push_str(token);
        }
        Self(kept)
    }

    /// Sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|token| !token.is_empty())
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    /// RFC 6749 section 3.3: `scope = scope-token *( SP scope-token )`.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut tokens = Vec::new();
        for token in text.split(' ') {
            if !is_scope_token(token) || tokens.len() >= MAX_TOKENS {
                return Err(InvalidScope);
            }
            tokens.push(token);
        }
        Ok(tokens.into_iter().collect())
    }
}

impl<'a> FromIterator<&'a str> for Scope {
    /// The tokens must already be valid.
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Self {
        let mut tokens: Vec<_> = tokens.into_iter().collect();
        tokens.sort_unstable();
        tokens.dedup();
        Self(tokens.join(" "))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc6749_3_3_malformed_scopes_are_refused() {
        for bad in [
            " a",
            "a ",
            "a  b",
            "a\tb",
            "a\"b",
            "a\\b",
            "é",
            "a\0",
            &["x"; 5].join("\n"),
        ] {
            assert_eq!(bad.parse::<Scope>(), Err(InvalidScope), "{bad:?}");
        }
        let many: Vec<_> = (0..101).map(|i| i.to_string()).collect();
        assert_eq!(many.join(" ").parse::<Scope>(), Err(InvalidScope));
    }

    #[test]
    fn rfc6749_3_3_order_does_not_matter() {
        assert_eq!("a b a".parse::<Scope>(), "b a".parse::<Scope>());
    }

    #[test]
    fn the_name_of_a_resources_scope_has_no_slash() {
        assert!(is_scope_name("read:own") && "a/read".parse::<ScopeToken>().is_ok());
        for bad in ["", "a/b", "a b", "é", "a\"b"] {
            assert!(!is_scope_name(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn scopes_round_trip(tokens in prop::collection::vec("[!#-\\[\\]-~]{1,8}", 0..20)) {
            let scope: Scope = tokens.join(" ").parse()?;
            prop_assert_eq!(scope.to_string().parse::<Scope>()?, scope);
        }

        #[test]
        fn an_intersection_is_within_both(a in "[a-d]( [a-d]){0,4}", b in "[a-d]( [a-d]){0,4}") {
            let (a, b): (Scope, Scope) = (a.parse()?, b.parse()?);
            prop_assert!(a.intersection(&b).is_within(&a) && a.intersection(&b).is_within(&b));
        }
    }
}
