//! Issuers elsewhere whose word is trusted, with a key of their own; and tokens that a forger makes.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::model::realm::Realm;
use grantor_core::model::trusted_issuer::TrustedIssuer;
use grantor_jose::{Algorithm, Jwks, SigningKey, VerificationKeys};
use serde_json::{Value, json};

use super::house::ISSUER;
use super::{Spans as _, World};

/// Its subjects stay its own.
pub(crate) const IDP: &str = "https://idp.example";
/// It names users of ours.
pub(crate) const CORP: &str = "https://corp.example";

static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
    let key = || SigningKey::generate(Algorithm::Es256);
    [key(), key()].map(|key| key.expect("the machine has memory").0)
});

/// The key of an issuer.
pub(crate) fn key_of(issuer: &str) -> &'static SigningKey {
    &KEYS[usize::from(issuer == CORP)]
}

/// Both issuers, as the operator trusts them.
pub(crate) fn trust(realm: &mut Realm) {
    let trusted = |issuer: &str, user_claim: Option<&str>| TrustedIssuer {
        issuer: issuer.to_owned(),
        algorithms: vec![Algorithm::Es256],
        audiences: Vec::new(),
        user_claim: user_claim.map(ToOwned::to_owned),
        max_age: None,
        skew: 60.s(),
    };
    realm.trusted_issuers = vec![
        trusted(IDP, None),
        trusted(CORP, Some("preferred_username")),
    ];
}

/// A JWS of these very parts.
pub(crate) fn jws(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let [header, claims] = [header, claims].map(|part| encode(part.to_string().as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = encode(&sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// `base` with the members of `changes`; null takes one away.
pub(crate) fn changed(mut base: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut base, changes) else {
        panic!("two objects");
    };
    for (name, value) in changes {
        match value {
            Value::Null => members.remove(&name),
            value => members.insert(name, value),
        };
    }
    base
}

impl World {
    /// What an issuer elsewhere says to us of `sub`.
    pub(crate) fn statement(&self, issuer: &str, sub: &str, changes: Value) -> String {
        let now = self.now.as_secs();
        let claims = json!({
            "iss": issuer,
            "sub": sub,
            "aud": ISSUER,
            "exp": now + 300,
            "iat": now,
            "preferred_username": sub,
        });
        self.statement_of(issuer, json!({}), &changed(claims, changes))
    }

    /// The same, with these claims and no others.
    pub(crate) fn statement_of(&self, issuer: &str, header: Value, claims: &Value) -> String {
        let key = key_of(issuer);
        let own = json!({ "alg": "ES256", "typ": "JWT", "kid": key.kid().as_str() });
        jws(&changed(own, header), claims, |input| {
            key.sign(Algorithm::Es256, input)
                .expect("it is of this key")
        })
    }

    /// The keys of both issuers can be had.
    pub(crate) fn with_trusted(mut self) -> Self {
        self.reconfigure(trust);
        for issuer in [IDP, CORP] {
            let keys = vec![key_of(issuer).jwk()];
            let keys = VerificationKeys::from(&Jwks { keys });
            self.trusted_keys.push((issuer.to_owned(), Arc::new(keys)));
        }
        self
    }
}
