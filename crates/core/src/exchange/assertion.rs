//! JWTs of trusted issuers, verified by the rules of RFC 7521 section 5.2 and RFC 7523 section 3.

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
use crate::model::trusted_issuer::TrustedIssuer;

/// The longest `sub` of a foreign token: OpenID Connect Core section 2: "MUST NOT exceed 255 ASCII characters".
const LONGEST_SUB: usize = 255;

/// What a trusted issuer said, proven by its signature, and for us.
#[derive(Debug)]
pub(crate) struct VerifiedAssertion<'p> {
    pub(crate) by: &'p TrustedIssuer,
    pub(crate) claims: Claims,
}

/// The claims of a foreign JWT (RFC 7519 section 4.1), as far as they matter here.
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

/// RFC 7519 section 2: "A JSON numeric value representing the number of seconds", whole or not.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
struct NumericDate(Timestamp);

impl TryFrom<f64> for NumericDate {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        // The year 9999: beyond it no clock of ours goes.
        if !(0.0..253_402_300_800.0).contains(&seconds) {
            return Err("no time");
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
fn is_for_us(by: &TrustedIssuer, realm: &Realm, aud: &OneOrMany) -> bool {
    let token_endpoint = realm.url(Endpoint::Token);
    aud.iter().any(|aud| {
        aud == realm.issuer
            || aud == token_endpoint
            || by.audiences.iter().any(|audience| audience == aud)
    })
}

/// RFC 7523 section 3, points 3 to 7.
fn judge(by: &TrustedIssuer, env: &Env<'_>, claims: &Claims) -> Result<(), Cause> {
    let plain = |sub: &str| !sub.chars().any(char::is_control);
    // Back-Channel Logout section 2.4: what holds events tells of something that happened, typed or not.
    if claims.others.contains_key("events") {
        return Err(Cause::ForeignTokenMalformed);
    }
    if claims.sub.is_empty() || claims.sub.len() > LONGEST_SUB || !plain(&claims.sub) {
        return Err(Cause::ForeignTokenMalformed);
    }
    if !is_for_us(by, env.realm, &claims.aud) {
        return Err(Cause::ForeignTokenNotForUs);
    }
    let early = |at: NumericDate| !at.0.is_past(env.now + by.skew);
    if claims.nbf.is_some_and(early) || claims.iat.is_some_and(early) {
        return Err(Cause::ForeignTokenMalformed);
    }
    if claims.exp.0.is_past(env.now) {
        return Err(Cause::TokenExpired);
    }
    let Some(max_age) = by.max_age else {
        return Ok(());
    };
    match claims.iat {
        Some(iat) if env.now.since(iat.0) <= max_age + by.skew => Ok(()),
        _ => Err(Cause::ForeignTokenTooOld),
    }
}

impl Claims {
    /// When the token ends.
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.exp.0
    }

    /// A claim that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match name {
            "sub" => Some(&self.sub),
            _ => self.others.get(name)?.as_str(),
        }
    }
}

/// Opens a JWT of a trusted issuer.
///
/// # Errors
/// [`Stop`] where the issuer's keys must be known first, or cannot be had; the inner one where the token is not good.
pub(crate) fn open<'p>(
    env: &Env<'p>,
    facts: &Facts,
    token: &str,
) -> Result<Result<VerifiedAssertion<'p>, Cause>, Stop> {
    let Ok(decoded) = grantor_jose::decode(token) else {
        return Ok(Err(Cause::ForgedOrForeignToken));
    };
    let Some(issuer) = issuer_of(&decoded) else {
        return Ok(Err(Cause::ForeignTokenMalformed));
    };
    let realm = env.realm;
    let by = realm.trusted_issuers.iter().find(|by| by.issuer == issuer);
    let Some(by) = by else {
        return Ok(Err(Cause::UnknownIssuer));
    };
    let header = decoded.header();
    // RFC 8725 section 3.11: what is typed as something else, such as a logout token, is nobody's statement of who acts.
    let typed = header.typ.as_deref();
    let is_statement = [grantor_jose::TokenType::Id, grantor_jose::TokenType::Access];
    if !by.algorithms.contains(&header.algorithm)
        || typed.is_some() && !is_statement.iter().any(|typ| typ.is(typed))
    {
        return Ok(Err(Cause::ForeignTokenMalformed));
    }
    let keys = facts.keys(KeyQuery {
        issuer,
        kid: header.kid.clone(),
        algorithm: header.algorithm,
    })?;
    let Ok(verified) = keys.verify(decoded) else {
        return Ok(Err(Cause::ForgedOrForeignToken));
    };
    let Ok(claims) = verified.claims::<Claims>() else {
        return Ok(Err(Cause::ForeignTokenMalformed));
    };
    if claims.iss != by.issuer {
        return Ok(Err(Cause::ForgedOrForeignToken));
    }
    Ok(judge(by, env, &claims).map(|()| VerifiedAssertion { by, claims }))
}

/// Who says to have signed a JWT. Good for finding the key, and for nothing else.
pub(crate) fn issuer_of(token: &grantor_jose::Unverified) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let issuer: Issuer = serde_json::from_slice(token.unverified_payload()).ok()?;
    Some(issuer.iss)
}
