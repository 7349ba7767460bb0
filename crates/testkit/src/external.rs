//! Issuers elsewhere that an operator trusts, and tokens that they or a forger make.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::model::trusted_issuer::TrustedIssuer;
use grantor_jose::{Algorithm, Jwk, Jwks, Kid, SigningKey, VerificationKeys};
use serde_json::{Value, json};

use crate::Spans as _;

/// An issuer whose subjects are no users of ours.
pub const IDP: &str = "https://idp.example";
/// An issuer that names users of ours.
pub const CORP: &str = "https://corp.example";

static KNOWN: LazyLock<[ExternalIssuer; 2]> =
    LazyLock::new(|| [IDP, CORP].map(ExternalIssuer::new));

/// An issuer elsewhere, with a key.
#[derive(Debug)]
pub struct ExternalIssuer {
    pub issuer: String,
    pub key: SigningKey,
    kid: Kid,
}

impl ExternalIssuer {
    pub fn new(issuer: &str) -> Self {
        let key = SigningKey::generate(Algorithm::Es256);
        let key = key.expect("enough memory").0;
        Self {
            issuer: issuer.to_owned(),
            kid: key.kid().clone(),
            key,
        }
    }

    /// [`IDP`] or [`CORP`], whose keys are made once.
    pub fn known(issuer: &str) -> &'static Self {
        &KNOWN[usize::from(issuer == CORP)]
    }

    /// Publishes its key under this id.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        self.kid = kid.into();
        self
    }

    /// Its key set.
    pub fn keys(&self) -> Arc<VerificationKeys> {
        let jwk = Jwk {
            kid: Some(self.kid.clone()),
            ..self.key.jwk()
        };
        Arc::new(VerificationKeys::from(&Jwks { keys: vec![jwk] }))
    }

    /// A JWT with these claims; `header` changes the header.
    pub fn jwt(&self, header: Value, claims: &Value) -> String {
        let own = json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid.as_str() });
        self.sign(&changed(own, header), claims)
    }

    /// A JWT with exactly this header.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        jws(header, claims, |input| {
            let signature = self.key.sign(Algorithm::Es256, input);
            signature.expect("a key of this algorithm")
        })
    }
}

/// An issuer as the operator declares it.
pub fn trusted_issuer(issuer: &str, user_claim: Option<&str>) -> TrustedIssuer {
    TrustedIssuer {
        issuer: issuer.to_owned(),
        algorithms: vec![Algorithm::Es256],
        audiences: Vec::new(),
        has_links: false,
        user_claim: user_claim.map(ToOwned::to_owned),
        max_age: None,
        skew: 60.s(),
    }
}

/// A JWS of exactly these parts.
pub fn jws(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let [header, claims] = [header, claims].map(|part| encode(part.to_string().as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = encode(&sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// `base` with the members of `changes`; null removes one.
pub fn changed(mut base: Value, changes: Value) -> Value {
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
