//! Standard claims, by scope (OpenID Connect Core section 5.4) and individually (section 5.5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::error::{ErrorCode, Refusal};
use crate::model::scope::Scope;

const SCOPE_CLAIMS: [(&str, &[&str]); 5] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    // Not of OpenID Connect Core, but asked for by many clients.
    ("groups", &["groups"]),
];

/// The sources of a user's claims.
#[derive(Clone, Copy, Debug)]
pub struct UserFacts<'u> {
    /// The name that the user signs in with.
    pub username: &'u str,
    pub email: Option<&'u str>,
    pub groups: &'u [String],
    /// Standard claims (OpenID Connect Core section 5.1) and others that the operator set.
    pub claims: &'u BTreeMap<String, Value>,
}

pub fn standard_claims() -> impl Iterator<Item = &'static str> {
    SCOPE_CLAIMS.iter().flat_map(|(_, names)| *names).copied()
}

/// The user's claims with these names. Claims without a value are omitted: OpenID Connect Core section 5.3.2:
/// "If a Claim is not returned, that Claim Name SHOULD be omitted".
pub(crate) fn user_claims<'n>(
    user: UserFacts<'_>,
    wanted: impl Iterator<Item = &'n str>,
) -> Map<String, Value> {
    // Clients take an address without the other claim for one that nobody verified.
    let wanted = wanted.flat_map(|name| {
        let verified = (name == "email").then_some("email_verified");
        std::iter::once(name).chain(verified)
    });
    wanted
        .filter_map(|name| Some((name.to_owned(), claim(user, name)?)))
        .collect()
}

pub(crate) fn claim(user: UserFacts<'_>, name: &str) -> Option<Value> {
    match name {
        "email" => user.email.map(Value::from),
        // The operator wrote the address, and may say that it is not verified.
        "email_verified" => user.email.map(|_| {
            let own = user.claims.get(name).cloned();
            own.unwrap_or(Value::Bool(true))
        }),
        "groups" => (!user.groups.is_empty()).then(|| user.groups.into()),
        "preferred_username" => {
            let own = user.claims.get(name).cloned();
            Some(own.unwrap_or_else(|| user.username.into()))
        }
        _ => user.claims.get(name).cloned(),
    }
}

/// The scope that a claim belongs to.
pub(crate) fn scope_of_claim(name: &str) -> Option<&'static str> {
    let mut scopes = SCOPE_CLAIMS.iter();
    let (scope, _) = scopes.find(|(_, names)| names.contains(&name))?;
    Some(scope)
}

pub(crate) fn scope_claims(scope: &Scope) -> impl Iterator<Item = &'static str> {
    SCOPE_CLAIMS
        .iter()
        .filter(|(token, _)| scope.contains(token))
        .flat_map(|(_, names)| *names)
        .copied()
}

/// The names of individually requested claims; standard claims only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedClaims {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
}

impl RequestedClaims {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The scopes that these claims belong to: the user consents to them, and the client must be allowed them.
    #[must_use]
    pub fn scopes(&self) -> Scope {
        let all = || self.userinfo.iter().chain(&self.id_token);
        SCOPE_CLAIMS
            .iter()
            .filter(|(_, names)| all().any(|name| names.contains(&name.as_str())))
            .map(|(token, _)| *token)
            .collect()
    }

    /// The claims whose scopes are within `allowed`.
    #[must_use]
    pub(crate) fn within(self, allowed: &Scope) -> Self {
        let kept = |names: Vec<String>| {
            let allowed: Vec<&str> = scope_claims(allowed).collect();
            let kept = names.into_iter();
            kept.filter(|name| allowed.contains(&name.as_str()))
                .collect()
        };
        Self {
            userinfo: kept(self.userinfo),
            id_token: kept(self.id_token),
        }
    }
}

/// The supported part of the `claims` parameter (OpenID Connect Core section 5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    pub requested: RequestedClaims,
    /// The expected user (section 5.5.1: `sub` with a value).
    pub sub: Option<String>,
    /// Acceptable `acr` values, if `acr` is essential (section 5.5.1.1).
    pub essential_acr: Option<Vec<String>>,
}

const MALFORMED: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The claims parameter is not a JSON object as OpenID Connect Core section 5.5 has it.",
);

impl ClaimsRequest {
    /// Unknown members are ignored: section 5.5: "any members used that are not understood MUST be ignored".
    ///
    /// # Errors
    /// `invalid_request` for malformed JSON.
    pub fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text else {
            return Ok(Self::default());
        };
        let request: Map<String, Value> = serde_json::from_str(text).map_err(|_| MALFORMED)?;
        let empty = Map::new();
        let member = |name| match request.get(name) {
            None => Ok(&empty),
            Some(Value::Object(members)) => Ok(members),
            Some(_) => Err(MALFORMED),
        };
        let (userinfo, id_token) = (member("userinfo")?, member("id_token")?);
        let sub = [userinfo, id_token]
            .into_iter()
            .find_map(|members| values(members, "sub")?.into_iter().next());
        let essential = |acr: &Value| acr.get("essential") == Some(&Value::Bool(true));
        let essential_acr = id_token
            .get("acr")
            .filter(|acr| essential(acr))
            .and_then(|_| values(id_token, "acr"));
        let requested = RequestedClaims {
            userinfo: names(userinfo),
            id_token: names(id_token),
        };
        Ok(Self {
            requested,
            sub,
            essential_acr,
        })
    }
}

fn names(members: &Map<String, Value>) -> Vec<String> {
    standard_claims()
        .filter(|name| members.contains_key(*name))
        .map(ToOwned::to_owned)
        .collect()
}

/// The strings of a claim's `value` or `values`.
fn values(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let claim = members.get(name)?;
    let one = claim.get("value").into_iter();
    let several = claim.get("values").and_then(Value::as_array);
    let texts: Vec<String> = one
        .chain(several.into_iter().flatten())
        .filter_map(|value| value.as_str().map(ToOwned::to_owned))
        .collect();
    (!texts.is_empty()).then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ClaimsRequest, Refusal> {
        let mut request = ClaimsRequest::parse(Some(text))?;
        request.requested = request
            .requested
            .within(&"openid profile email".parse().unwrap());
        Ok(request)
    }

    #[test]
    fn openid_core_5_5_only_allowed_claims_are_returned_individually() {
        let asked = parse(
            r#"{"userinfo":{"name":{"essential":true},"phone_number":null,"favourite":null},
                "id_token":{"email":null,"auth_time":{"essential":true}},"else":{}}"#,
        );
        let asked = asked.unwrap();
        assert_eq!(asked.requested.userinfo, ["name"]);
        assert_eq!(asked.requested.id_token, ["email"]);
        assert_eq!(asked.requested.scopes().to_string(), "email profile");
    }

    #[test]
    fn openid_core_5_5_1_sub_and_acr_can_be_required() {
        let asked = parse(
            r#"{"id_token":{"sub":{"value":"x"},"acr":{"essential":true,"values":["1","2"]}}}"#,
        );
        let asked = asked.unwrap();
        assert_eq!(asked.sub.as_deref(), Some("x"));
        assert_eq!(asked.essential_acr.unwrap(), ["1", "2"]);
        let voluntary = parse(r#"{"id_token":{"acr":{"values":["9"]}}}"#).unwrap();
        assert_eq!(voluntary.essential_acr, None);
    }

    #[test]
    fn openid_core_5_5_malformed_claims_requests_are_refused() {
        for wrong in [
            "",
            "[]",
            "null",
            "{",
            r#"{"userinfo":[]}"#,
            r#"{"id_token":1}"#,
        ] {
            assert_eq!(parse(wrong), Err(MALFORMED), "{wrong}");
        }
    }
}
