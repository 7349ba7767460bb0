//! Verification of trusted issuers' JWTs (RFC 7521 section 5.2, RFC 7523 section 3).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::base::error::Cause;
use crate::base::time::Timestamp;
use crate::engine::decide::{Facts, KeyQuery, Stop};
use crate::engine::env::Env;
use crate::model::actor::MayAct;
use crate::model::endpoint::Endpoint;
use crate::model::realm::Realm;
use crate::model::trusted_issuer::{TrustedIssuer, may_be_subject};

/// A foreign token with a valid signature and us as its audience.
#[derive(Debug)]
pub(crate) struct VerifiedAssertion<'p> {
    pub(crate) issuer: &'p TrustedIssuer,
    pub(crate) claims: Claims,
}

/// The claims of a foreign JWT that matter here (RFC 7519 section 4.1).
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    pub(crate) sub: String,
    aud: OneOrMany,
    exp: NumericDate,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    pub(crate) may_act: Option<MayAct>,
    pub(crate) act: Option<Value>,
    pub(crate) cnf: Option<Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// RFC 7519 section 4.1.3: an array, or a single string.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// RFC 7519 section 2: "A JSON numeric value representing the number of seconds", fractions allowed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
struct NumericDate(Timestamp);

impl TryFrom<f64> for NumericDate {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        // The end of the year 9999.
        if !(0.0..253_402_300_800.0).contains(&seconds) {
            return Err("the NumericDate is out of range");
        }
        Ok(Self(
            Timestamp::default() + Duration::from_secs_f64(seconds),
        ))
    }
}

impl OneOrMany {
    fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(many) => many.iter(),
        }
        .map(String::as_str)
    }
}

/// RFC 7523 section 3: `aud` "identifies the authorization server as an intended audience. The token endpoint URL of
/// the authorization server MAY be used".
fn is_for_us(issuer: &TrustedIssuer, realm: &Realm, aud: &OneOrMany) -> bool {
    let token_endpoint = realm.url(Endpoint::Token);
    aud.iter().any(|aud| {
        aud == realm.issuer
            || aud == token_endpoint
            || issuer.audiences.iter().any(|audience| audience == aud)
    })
}

/// RFC 7523 section 3, items 3 to 7.
fn validate(issuer: &TrustedIssuer, env: &Env<'_>, claims: &Claims) -> Result<(), Cause> {
    // A logout token, typed or not (Back-Channel Logout section 2.4).
    if claims.others.contains_key("events") {
        return Err(Cause::ForeignTokenMalformed);
    }
    if !may_be_subject(&claims.sub) {
        return Err(Cause::ForeignTokenMalformed);
    }
    if !is_for_us(issuer, env.realm, &claims.aud) {
        return Err(Cause::ForeignTokenNotForUs);
    }
    let early = |at: NumericDate| !at.0.is_past(env.now + issuer.skew);
    if claims.nbf.is_some_and(early) || claims.iat.is_some_and(early) {
        return Err(Cause::ForeignTokenMalformed);
    }
    if claims.exp.0.is_past(env.now) {
        return Err(Cause::TokenExpired);
    }
    let Some(max_age) = issuer.max_age else {
        return Ok(());
    };
    match claims.iat {
        Some(iat) if env.now.since(iat.0) <= max_age + issuer.skew => Ok(()),
        _ => Err(Cause::ForeignTokenTooOld),
    }
}

impl Claims {
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.exp.0
    }

    /// The claim, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match name {
            "sub" => Some(&self.sub),
            _ => self.others.get(name)?.as_str(),
        }
    }

    /// Whether the issuer vouches for the claim. OpenID Connect Core section 5.1 has two that it may not have verified,
    /// each with a claim that says so. A text is no boolean: some write `"false"`.
    pub(crate) fn is_verified(&self, name: &str) -> bool {
        match name {
            "email" | "phone_number" => {
                self.others.get(&format!("{name}_verified")) == Some(&Value::Bool(true))
            }
            _ => true,
        }
    }
}

/// # Errors
/// [`Stop`] where the issuer's keys are still needed or unavailable; the inner error for an invalid token.
pub(crate) fn open<'p>(
    env: &Env<'p>,
    facts: &Facts,
    token: &str,
) -> Result<Result<VerifiedAssertion<'p>, Cause>, Stop> {
    let Ok(decoded) = grantor_jose::decode(token) else {
        return Ok(Err(Cause::ForgedOrForeignToken));
    };
    let Some(iss) = unverified_issuer(&decoded) else {
        return Ok(Err(Cause::ForeignTokenMalformed));
    };
    let mut trusted = env.realm.trusted_issuers.iter();
    let Some(issuer) = trusted.find(|trusted| trusted.issuer == iss) else {
        return Ok(Err(Cause::UnknownIssuer));
    };
    let header = decoded.header();
    // RFC 8725 section 3.11: another explicit type, such as a logout token's, is refused.
    let typ = header.typ.as_deref();
    let accepted = [grantor_jose::TokenType::Id, grantor_jose::TokenType::Access];
    if !issuer.algorithms.contains(&header.algorithm)
        || typ.is_some() && !accepted.iter().any(|accepted| accepted.is(typ))
    {
        return Ok(Err(Cause::ForeignTokenMalformed));
    }
    let keys = facts.keys(KeyQuery {
        issuer: iss,
        kid: header.kid.clone(),
        algorithm: header.algorithm,
    })?;
    let Ok(verified) = keys.verify(decoded) else {
        return Ok(Err(Cause::ForgedOrForeignToken));
    };
    let Ok(claims) = verified.claims::<Claims>() else {
        return Ok(Err(Cause::ForeignTokenMalformed));
    };
    if claims.iss != issuer.issuer {
        return Ok(Err(Cause::ForgedOrForeignToken));
    }
    Ok(validate(issuer, env, &claims).map(|()| VerifiedAssertion { issuer, claims }))
}

/// `iss`, only for choosing the keys that verify the token.
pub(crate) fn unverified_issuer(token: &grantor_jose::Unverified) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let issuer: Issuer = serde_json::from_slice(token.unverified_payload()).ok()?;
    Some(issuer.iss)
}
