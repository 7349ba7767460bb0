//! What the user decided on the consent page, and what that page showed.

use aws_lc_rs::digest;

use super::CheckedRedirect;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::records::Consent;

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

/// What a client gets to know and to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disclosure {
    pub scope: Scope,
    /// What its ID tokens tell of the user besides.
    pub claims: Vec<String>,
}

impl Disclosure {
    pub(super) fn new(client: &Client, scope: Scope) -> Self {
        Self {
            claims: client.disclosed_claims(&scope),
            scope,
        }
    }

    /// What a consent still stands for.
    pub(super) fn agreed(realm: &Realm, consent: &Consent) -> Self {
        Self {
            scope: realm.given_since(&consent.scope, consent.at),
            claims: consent.claims.clone(),
        }
    }

    pub(super) fn is_within(&self, realm: &Realm, agreed: &Consent) -> bool {
        let agreed = Self::agreed(realm, agreed);
        let knows = |claim: &String| agreed.claims.contains(claim);
        let over_others = self.scope.iter().any(|token| realm.is_over_others(token));
        !over_others && self.scope.is_within(&agreed.scope) && self.claims.iter().all(knows)
    }

    /// What is remembered of it. Rights over others are asked about each time: else any link to a page that asks for them
    /// would have them.
    pub(super) fn remembered(&self, realm: &Realm) -> Self {
        Self {
            scope: self.scope.filter(|token| !realm.is_over_others(token)),
            claims: self.claims.clone(),
        }
    }

    /// Adds what was agreed to before.
    pub(super) fn and(&self, agreed: &Self) -> Self {
        let mut claims = [&*agreed.claims, &*self.claims].concat();
        claims.sort_unstable();
        claims.dedup();
        let scope = agreed.scope.iter().chain(self.scope.iter()).collect();
        Self { scope, claims }
    }
}

/// A digest of client, redirect URI, scopes and claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownConsent(u128);

impl ShownConsent {
    pub(super) fn new(client: &Client, redirect: &CheckedRedirect, asked: &Disclosure) -> Self {
        let (scope, claims) = (asked.scope.to_string(), asked.claims.join("\n"));
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(&client.instance.to_bytes());
        for part in [client.id.as_str(), redirect.uri(), &scope, &claims] {
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
