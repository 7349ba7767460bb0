//! Issuers elsewhere that the world's operator trusts.

use grantor_core::model::realm::Realm;
use serde_json::{Value, json};

use super::World;
use crate::{CORP, ExternalIssuer, IDP, ISSUER, changed, trusted_issuer};

/// Both issuers, as the operator trusts them.
pub fn trust(realm: &mut Realm) {
    realm.trusted_issuers = vec![
        trusted_issuer(IDP, None),
        trusted_issuer(CORP, Some("preferred_username")),
    ];
}

impl World {
    /// What an issuer elsewhere states to us about `sub`.
    pub fn statement(&self, issuer: &str, sub: &str, changes: Value) -> String {
        let now = self.now.as_secs();
        let claims = json!({
            "iss": issuer,
            "sub": sub,
            "aud": ISSUER,
            "exp": now + 300,
            "iat": now,
            "preferred_username": sub,
        });
        ExternalIssuer::known(issuer).jwt(json!({}), &changed(claims, changes))
    }

    /// The operator trusts both issuers, and their keys are known.
    pub fn with_trusted(mut self) -> Self {
        self.reconfigure(trust);
        for issuer in [IDP, CORP] {
            let keys = ExternalIssuer::known(issuer).keys();
            self.trusted_keys.push((issuer.to_owned(), keys));
        }
        self
    }
}
