//! Verification of trusted issuers' JWTs (RFC 7521 section 5.2, RFC 7523 section 3).

use std::cell::OnceCell;
use std::time::Duration;

use grantor_jose::{TokenType, Unverified, VerificationKeys};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::base::error::Cause;
use crate::base::time::Timestamp;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::{Facts, KeyQuery};
use crate::model::actor::MayAct;
use crate::model::endpoint::Endpoint;
use crate::model::realm::Realm;
use crate::model::trusted_issuer::{TrustedIssuer, may_be_subject};
use crate::tokens::bearer::PresentedToken;

/// A token that another issuer signed, or nobody whom we know.
pub(crate) struct Assertion {
    /// Which of the realm's trusted issuers, and the key that verifies it.
    named: Result<(usize, KeyQuery), Cause>,
    token: PresentedToken,
    /// Once the keys are known.
    verified: OnceCell<Result<Claims, Cause>>,
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

impl Assertion {
    /// `None` for a token that names this realm as its issuer.
    pub(crate) fn prepare(realm: &Realm, token: &PresentedToken) -> Option<Self> {
        let named = match grantor_jose::decode(token.reveal()) {
            Err(_) => Err(Cause::ForgedOrForeignToken),
            Ok(decoded) => match unverified_issuer(&decoded) {
                None => Err(Cause::ForeignTokenMalformed),
                Some(issuer) if issuer == realm.issuer => return None,
                Some(issuer) => find_issuer(realm, &decoded, issuer),
            },
        };
        Some(Self {
            named,
            token: token.clone(),
            verified: OnceCell::new(),
        })
    }

    /// The issuer and the claims of a valid token that is meant for us. `env` has the realm that prepared it.
    ///
    /// # Errors
    /// [`Stop`] where the issuer's keys are still needed or unavailable, or with the cause why it is not valid.
    pub(crate) fn verify<'a>(
        &'a self,
        env: &Env<'a>,
        facts: &Facts,
    ) -> Result<(&'a TrustedIssuer, &'a Claims), Stop<Cause>> {
        let (at, query) = self.named.as_ref().map_err(|cause| *cause)?;
        let issuer = env.realm.trusted_issuers.get(*at);
        let issuer = issuer.ok_or(Cause::UnknownIssuer)?;
        let keys = facts.keys(query)?;
        let verify = || verified_claims(issuer, keys, self.token.reveal());
        let claims = self.verified.get_or_init(verify).as_ref();
        let claims = claims.map_err(|cause| *cause)?;
        validate(issuer, env, claims)?;
        Ok((issuer, claims))
    }
}

fn find_issuer(
    realm: &Realm,
    token: &Unverified,
    issuer: String,
) -> Result<(usize, KeyQuery), Cause> {
    let mut all = realm.trusted_issuers.iter().enumerate();
    let found = all.find(|(_, trusted)| trusted.issuer == issuer);
    let (at, trusted) = found.ok_or(Cause::UnknownIssuer)?;
    let header = token.header();
    // RFC 8725 section 3.11: another explicit type, such as a logout token's, is refused.
    let typ = header.typ.as_deref();
    let accepted = [TokenType::Id, TokenType::Access];
    if !trusted.algorithms.contains(&header.algorithm)
        || typ.is_some() && !accepted.iter().any(|accepted| accepted.is(typ))
    {
        return Err(Cause::ForeignTokenMalformed);
    }
    let query = KeyQuery {
        issuer,
        kid: header.kid.clone(),
        algorithm: header.algorithm,
    };
    Ok((at, query))
}

fn verified_claims(
    issuer: &TrustedIssuer,
    keys: &VerificationKeys,
    token: &str,
) -> Result<Claims, Cause> {
    let decoded = grantor_jose::decode(token).map_err(|_| Cause::ForgedOrForeignToken)?;
    let verified = keys.verify(decoded);
    let verified = verified.map_err(|_| Cause::ForgedOrForeignToken)?;
    let claims: Claims = verified
        .claims()
        .map_err(|_| Cause::ForeignTokenMalformed)?;
    match claims.iss == issuer.issuer {
        true => Ok(claims),
        false => Err(Cause::ForgedOrForeignToken),
    }
}

/// `iss`, only for choosing the keys that verify the token.
fn unverified_issuer(token: &Unverified) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let issuer: Issuer = serde_json::from_slice(token.unverified_payload()).ok()?;
    Some(issuer.iss)
}
