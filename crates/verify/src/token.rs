//! A verified access token.

use std::ops::Deref;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::actor::ActorChain;
use crate::refusal::{Invalid, Refusal};
use crate::scope::Scopes;

/// An access token that is valid for this service. Its claims are fields: `token.subject`. Cheap to clone.
///
/// In a handler of `axum` it is an extractor: the token that the layer verified.
#[derive(Clone, Debug)]
pub struct AccessToken(Arc<AccessTokenClaims>);

/// The claims of an access token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessTokenClaims {
    /// `iss`: who issued it.
    pub issuer: String,
    /// `sub`: the user, or without a user the client (RFC 9068 section 2.2). Unique only together with the issuer.
    pub subject: String,
    /// `client_id`: the client that it was issued to.
    pub client_id: Option<String>,
    /// `aud`: the services that it is for, this one among them.
    pub audience: Vec<String>,
    /// `scope`.
    pub scope: Scopes,
    /// `exp`: when it expires, in seconds since 1970.
    pub expires: u64,
    /// `iat`: when it was issued, in seconds since 1970.
    pub issued: Option<u64>,
    /// `jti`: the token's id.
    pub id: Option<String>,
    /// `act`: who acts for the subject; `None` if the subject acts itself.
    pub act: Option<ActorChain>,
    /// All other claims.
    pub claims: Map<String, Value>,
}

impl AccessToken {
    /// Refuses the request unless the token has all of these scopes (separated by spaces).
    ///
    /// # Errors
    /// [`Refusal::InsufficientScope`]
    pub fn require(&self, scopes: &str) -> Result<(), Refusal> {
        let scopes = Scopes::from(scopes);
        match self.scope.has_all(&scopes) {
            true => Ok(()),
            false => Err(Refusal::InsufficientScope(scopes)),
        }
    }

    /// The claims without a field here, deserialized into a type of the service.
    ///
    /// # Errors
    /// The claims do not match the type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.claims)
    }
}

impl From<AccessTokenClaims> for AccessToken {
    fn from(claims: AccessTokenClaims) -> Self {
        Self(Arc::new(claims))
    }
}

impl Deref for AccessToken {
    type Target = AccessTokenClaims;

    fn deref(&self) -> &AccessTokenClaims {
        &self.0
    }
}

impl AccessTokenClaims {
    /// Parses the claims of a JWT or of an introspection response. `issuer` is the default for `iss`.
    pub(crate) fn read(
        mut claims: Map<String, Value>,
        issuer: Option<&str>,
    ) -> Result<Self, Invalid> {
        let client_id = text(&mut claims, "client_id")?;
        let iss = text(&mut claims, "iss")?;
        let issuer = iss.or_else(|| issuer.map(str::to_owned));
        let subject = text(&mut claims, "sub")?;
        Ok(Self {
            issuer: issuer.ok_or(Invalid::Claim("iss"))?,
            // RFC 9068 section 2.2: without a resource owner, `sub` "SHOULD correspond to an identifier the authorization
            // server uses to indicate the client application"; in RFC 7662 section 2.2 it is optional.
            subject: subject
                .or_else(|| client_id.clone())
                .ok_or(Invalid::Claim("sub"))?,
            client_id,
            audience: audience(claims.remove("aud"))?,
            scope: Scopes::from(text(&mut claims, "scope")?.unwrap_or_default().as_str()),
            expires: time(&mut claims, "exp")?.ok_or(Invalid::Claim("exp"))?,
            issued: time(&mut claims, "iat")?,
            id: text(&mut claims, "jti")?,
            act: claims.remove("act").map(ActorChain::read).transpose()?,
            claims,
        })
    }
}

pub(crate) fn text(
    claims: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, Invalid> {
    match claims.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Invalid::Claim(name)),
    }
}

/// RFC 7519 section 4.1.3: "an array of case-sensitive strings [...] In the special case when the JWT has one audience,
/// the "aud" value MAY be a single case-sensitive string".
fn audience(claim: Option<Value>) -> Result<Vec<String>, Invalid> {
    let one = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(Invalid::Claim("aud")),
    };
    match claim {
        None => Ok(Vec::new()),
        Some(Value::Array(several)) => several.into_iter().map(one).collect(),
        Some(value) => one(value).map(|text| vec![text]),
    }
}

/// RFC 7519 section 2, NumericDate: seconds, of which "non-integer values can be represented". Fractions are rounded
/// down.
pub(crate) fn time(
    claims: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<u64>, Invalid> {
    let Some(value) = claims.remove(name) else {
        return Ok(None);
    };
    let fraction = || value.as_f64().filter(|seconds| *seconds >= 0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and a cast of what is too large gives the largest"
    )]
    let seconds = value
        .as_u64()
        .or_else(|| fraction().map(|seconds| seconds as u64));
    seconds.map(Some).ok_or(Invalid::Claim(name))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Result<AccessToken, Invalid> {
        let Value::Object(claims) = claims else {
            unreachable!("tests give objects")
        };
        AccessTokenClaims::read(claims, None).map(AccessToken::from)
    }

    fn with(name: &str, value: Value) -> Result<AccessToken, Invalid> {
        let mut claims = json!({ "iss": "i", "sub": "s", "exp": 1 });
        claims[name] = value;
        read(claims)
    }

    #[test]
    fn every_claim_of_a_token_can_be_read() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Own {
            department: String,
            #[serde(default)]
            groups: Vec<String>,
        }

        let token = read(json!({
            "iss": "https://as", "sub": "alice", "client_id": "orders", "aud": ["a", "b"],
            "scope": "write read", "exp": 20, "iat": 10.9, "jti": "1",
            "act": { "sub": "orders" }, "department": "sales",
        }));
        let token = token.unwrap();
        assert_eq!(token.issuer, "https://as");
        assert_eq!(token.subject, "alice");
        assert_eq!(token.client_id.as_deref(), Some("orders"));
        assert_eq!(token.audience, ["a", "b"]);
        assert_eq!(token.scope, Scopes::from("read write"));
        assert_eq!((token.expires, token.issued), (20, Some(10)));
        assert_eq!(token.id.as_deref(), Some("1"));
        let act = token.act.as_ref().unwrap();
        assert_eq!(act.current().subject, "orders");
        assert_eq!(token.claims.len(), 1);
        let own: Own = token.claims().unwrap();
        assert_eq!(own.department, "sales");
        assert!(own.groups.is_empty());
    }

    #[test]
    fn rfc7519_4_1_3_aud_is_a_string_or_several() {
        for (aud, expected) in [
            (json!("a"), &["a"][..]),
            (json!(["a", "b"]), &["a", "b"]),
            (json!([]), &[]),
        ] {
            assert_eq!(with("aud", aud).unwrap().audience, expected);
        }
        for wrong in [json!(1), json!(null), json!(["a", 1]), json!({ "a": "b" })] {
            assert_eq!(with("aud", wrong).unwrap_err(), Invalid::Claim("aud"));
        }
    }

    #[test]
    fn a_claim_of_a_wrong_type_is_refused_and_not_ignored() {
        for name in [
            "iss",
            "sub",
            "client_id",
            "scope",
            "jti",
            "exp",
            "iat",
            "act",
        ] {
            for wrong in [json!(null), json!([]), json!(true), json!(-1)] {
                assert_eq!(with(name, wrong).unwrap_err(), Invalid::Claim(name));
            }
        }
        for name in ["exp", "iat"] {
            assert_eq!(with(name, json!("1")).unwrap_err(), Invalid::Claim(name));
        }
        assert_eq!(with("exp", json!(1e300)).unwrap().expires, u64::MAX);
    }

    #[test]
    fn the_subject_of_a_token_without_sub_is_its_client() {
        let token = read(json!({ "iss": "i", "client_id": "billing", "exp": 1 })).unwrap();
        assert_eq!(token.subject, "billing");
        let without_subject = read(json!({ "iss": "i", "exp": 1 }));
        assert_eq!(without_subject.unwrap_err(), Invalid::Claim("sub"));
        let endless = read(json!({ "iss": "i", "sub": "s" }));
        assert_eq!(endless.unwrap_err(), Invalid::Claim("exp"));
    }

    #[test]
    fn scopes_are_compared_one_by_one_and_case_sensitively() {
        let token = with("scope", json!("orders/read orders/write")).unwrap();
        assert!(token.require("orders/read").is_ok());
        assert!(token.require("orders/write orders/read").is_ok());
        for lacks in ["orders/rea", "orders/Read", "orders", "orders/read admin"] {
            let refusal = token.require(lacks).unwrap_err();
            assert!(
                matches!(&refusal, Refusal::InsufficientScope(scopes) if *scopes == Scopes::from(lacks))
            );
        }
    }
}
