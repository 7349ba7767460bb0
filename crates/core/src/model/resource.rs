//! Resources: the protected APIs that scopes belong to (RFC 8707, RFC 9068 section 3).

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_jose::Algorithm;

use crate::model::claim_mapping::ClaimMapping;
use crate::model::declared_scope::DeclaredScope;
use crate::model::group_filter::GroupFilter;
use crate::model::resource_uri::NormalUri;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Scope tokens are written `IDENTIFIER/NAME`.
    pub identifier: String,
    /// The resource indicator (RFC 8707 section 2), which is then also the audience.
    pub uri: Option<String>,
    /// Of the URI, or else the identifier.
    pub normal: Option<NormalUri>,
    /// By name.
    pub scopes: BTreeMap<String, DeclaredScope>,
    pub token: TokenForm,
    /// The maximum access token lifetime; clients may have a shorter one.
    pub lifetime: Option<Duration>,
    /// Which of a user's groups access tokens contain.
    pub groups: GroupFilter,
    /// Additional claims of access tokens.
    pub claims: ClaimMapping,
}

/// The form of a resource's access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// A signed JWT (RFC 9068).
    Jwt(Algorithm),
    /// Opaque: the same claims, encrypted. The resource uses introspection.
    Sealed,
}

impl Resource {
    /// The `aud` of access tokens.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.uri.as_deref().unwrap_or(&self.identifier)
    }

    /// Whether a `resource` parameter names this resource, by URI or identifier as they are written.
    #[must_use]
    pub fn matches_indicator(&self, indicator: &str) -> bool {
        self.uri.as_deref() == Some(indicator) || self.identifier == indicator
    }
}

/// Splits `IDENTIFIER/NAME` at the last slash.
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
        fn a_scope_token_splits_into_identifier_and_name(
            identifier in "[!#-\\[\\]-~]{1,20}", name in "[!#-.0-\\[\\]-~]{1,12}"
        ) {
            let token = format!("{identifier}/{name}");
            prop_assert_eq!(split(&token), Some((identifier.as_str(), name.as_str())));
        }
    }
}
