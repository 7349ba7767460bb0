//! What the user decided on the consent page, and what that page showed.

use aws_lc_rs::digest;

use super::CheckedRedirect;
use crate::model::client::Client;
use crate::model::scope::Scope;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentDecision {
    Approve,
    Deny,
}

/// A decision counts only for what was on the page: another client may have been declared under the id since, or the same one
/// may get other scopes by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentAnswer {
    pub decision: ConsentDecision,
    pub shown: ShownConsent,
}

/// A digest of client, redirect URI and scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownConsent(u128);

impl ShownConsent {
    pub(super) fn new(client: &Client, redirect: &CheckedRedirect, scope: &Scope) -> Self {
        let scope = scope.to_string();
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(&client.instance.to_bytes());
        for part in [client.id.as_str(), redirect.uri(), &scope] {
            hash.update(&part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut shown = [0; 16];
        shown.copy_from_slice(&hash.finish().as_ref()[..16]);
        Self(u128::from_be_bytes(shown))
    }

    /// 32 hexadecimal digits, for the form.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:032x}", self.0)
    }

    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}
