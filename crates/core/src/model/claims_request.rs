//! Standard claims, by scope (OpenID Connect Core section 5.4) and one by one (section 5.5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::error::{ErrorCode, Refusal};
use crate::model::scope::Scope;

/// Each scope with its claims (OpenID Connect Core section 5.4).
const OF_SCOPES: [(&str, &[&str]); 4] = [
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
];

/// What claims of a user are taken from.
#[derive(Clone, Copy, Debug)]
pub struct UserFacts<'u> {
    /// The name with which the user signs in.
    pub username: &'u str,
    /// The mail address.
    pub email: Option<&'u str>,
    /// The groups.
    pub groups: &'u [String],
    /// What the operator set, standard claims (OpenID Connect Core section 5.1) and others.
    pub claims: &'u BTreeMap<String, Value>,
}

/// Every standard claim of a user.
pub fn standard() -> impl Iterator<Item = &'static str> {
    OF_SCOPES.iter().flat_map(|(_, names)| *names).copied()
}

/// What a user's claims say, of those that `wanted` names. A claim without a value is left out: OpenID Connect Core
/// section 5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted".
pub(crate) fn of_user<'n>(
    user: UserFacts<'_>,
    wanted: impl Iterator<Item = &'n str>,
) -> Map<String, Value> {
    wanted
        .filter_map(|name| Some((name.to_owned(), claim(user, name)?)))
        .collect()
}

/// What a user's claim says.
pub(crate) fn claim(user: UserFacts<'_>, name: &str) -> Option<Value> {
    match name {
        "email" => user.email.map(Value::from),
        "preferred_username" => {
            let own = user.claims.get(name).cloned();
            Some(own.unwrap_or_else(|| user.username.into()))
        }
        _ => user.claims.get(name).cloned(),
    }
}

/// The claims of the scopes.
pub(crate) fn of_scope(scope: &Scope) -> impl Iterator<Item = &'static str> {
    OF_SCOPES
        .iter()
        .filter(|(token, _)| scope.contains(token))
        .flat_map(|(_, names)| *names)
        .copied()
}

/// The names of claims that a client asked for one by one: standard ones only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedClaims {
    /// At userinfo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    /// In the ID token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
}

impl RequestedClaims {
    /// Whether none was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The scopes whose claims these are: what a user is asked about, and what the client must be allowed.
    #[must_use]
    pub fn scopes(&self) -> Scope {
        let all = || self.userinfo.iter().chain(&self.id_token);
        OF_SCOPES
            .iter()
            .filter(|(_, names)| all().any(|name| names.contains(&name.as_str())))
            .map(|(token, _)| *token)
            .collect()
    }

    /// Those whose scopes are within `allowed`.
    #[must_use]
    pub(crate) fn within(self, allowed: &Scope) -> Self {
        let kept = |names: Vec<String>| {
            let allowed: Vec<&str> = of_scope(allowed).collect();
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

/// The `claims` parameter (OpenID Connect Core section 5.5), as far as it can be met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// Claims of the user.
    pub of_user: RequestedClaims,
    /// The user whom the client expects (section 5.5.1: `sub` with a value).
    pub sub: Option<String>,
    /// Classes of authentication, one of which must be met (section 5.5.1.1: `acr`, essential, with values).
    pub essential_acr: Option<Vec<String>>,
}

const MALFORMED: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The claims parameter is not a JSON object as OpenID Connect Core section 5.5 has it.",
);

impl ClaimsRequest {
    /// The claims that a request asks for, of those whose scopes the client may ask for. What is not known here is
    /// ignored: section 5.5: "any members used that are not understood MUST be ignored".
    ///
    /// # Errors
    /// `invalid_request` for what is no such JSON.
    pub fn parse(text: Option<&str>, allowed: &Scope) -> Result<Self, Refusal> {
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
        let of_user = RequestedClaims {
            userinfo: names(userinfo),
            id_token: names(id_token),
        };
        Ok(Self {
            of_user: of_user.within(allowed),
            sub,
            essential_acr,
        })
    }
}

fn names(members: &Map<String, Value>) -> Vec<String> {
    standard()
        .filter(|name| members.contains_key(*name))
        .map(ToOwned::to_owned)
        .collect()
}

/// The texts of a claim's `value` or `values`.
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
        ClaimsRequest::parse(Some(text), &"openid profile email".parse().unwrap())
    }

    #[test]
    fn openid_core_5_5_claims_by_name_and_only_what_the_client_may_have() {
        let asked = parse(
            r#"{"userinfo":{"name":{"essential":true},"phone_number":null,"favourite":null},
                "id_token":{"email":null,"auth_time":{"essential":true}},"else":{}}"#,
        );
        let asked = asked.unwrap();
        assert_eq!(asked.of_user.userinfo, ["name"]);
        assert_eq!(asked.of_user.id_token, ["email"]);
        assert_eq!(asked.of_user.scopes().to_string(), "email profile");
    }

    #[test]
    fn openid_core_5_5_1_a_user_and_a_class_of_authentication_can_be_demanded() {
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
    fn openid_core_5_5_what_is_no_such_object_is_refused() {
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
