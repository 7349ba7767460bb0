//! Resources: the protected APIs to which scopes belong (RFC 8707, RFC 9068 section 3).

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_jose::Algorithm;

use crate::model::claim_mapping::ClaimMapping;
use crate::model::group_filter::GroupFilter;

/// A protected API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name; its scopes are written `IDENTIFIER/NAME`.
    pub identifier: String,
    /// Its resource indicator (RFC 8707 section 2), if it has one: then also its audience.
    pub uri: Option<String>,
    /// Names of its scopes, and what each allows, in words for people.
    pub scopes: BTreeMap<String, String>,
    /// The form of its access tokens.
    pub token: TokenForm,
    /// How long they live at most; a client's may live shorter.
    pub lifetime: Option<Duration>,
    /// Which of a user's groups they tell.
    pub groups: GroupFilter,
    /// Their further claims.
    pub claims: ClaimMapping,
}

/// The form of a resource's access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// A JWT by RFC 9068, signed with this algorithm.
    Jwt(Algorithm),
    /// Opaque: the same claims sealed; the resource asks by introspection.
    Sealed,
}

impl Resource {
    /// What its access tokens name in `aud`.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.uri.as_deref().unwrap_or(&self.identifier)
    }

    /// Whether a `resource` parameter names it: its URI or its identifier.
    #[must_use]
    pub fn is_named(&self, indicator: &str) -> bool {
        self.uri.as_deref() == Some(indicator) || self.identifier == indicator
    }

    /// What a scope token of this resource allows, in words.
    #[must_use]
    pub fn words(&self, token: &str) -> Option<&str> {
        let (identifier, name) = split(token)?;
        (identifier == self.identifier)
            .then(|| self.scopes.get(name).map(String::as_str))
            .flatten()
    }
}

/// The resource identifier and the scope's name: `IDENTIFIER/NAME`, split at the last slash.
#[must_use]
pub fn split(token: &str) -> Option<(&str, &str)> {
    token.rsplit_once('/')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_scope_token_belongs_to_the_identifier_that_made_it(
            identifier in "[!#-\\[\\]-~]{1,20}", name in "[!#-.0-\\[\\]-~]{1,12}"
        ) {
            let token = format!("{identifier}/{name}");
            prop_assert_eq!(split(&token), Some((identifier.as_str(), name.as_str())));
        }
    }
}
