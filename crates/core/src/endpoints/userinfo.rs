//! Userinfo (OpenID Connect Core section 5.3), with bearer tokens (RFC 6750).

use serde_json::{Map, Value};

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::claim_mapping::ClaimSources;
use crate::model::claims_request::{self, RequestedClaims};
use crate::model::ids::ClientId;
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::records::{Grant, User};
use crate::tokens::bearer::{self, OpenedToken, PresentedToken};

#[derive(Debug)]
pub struct Userinfo {
    token: PresentedToken,
}

const INVALID: Refusal = Refusal::new(
    ErrorCode::InvalidToken,
    "The access token is not valid, has ended, or was revoked.",
);

const NEEDED: Refusal = Refusal::new(ErrorCode::InvalidToken, "An access token is needed.")
    .because(Cause::TokenMissing);

const DPOP: Refusal = Refusal::new(
    ErrorCode::InvalidToken,
    "DPoP is not supported: send the access token as Bearer.",
)
.because(Cause::SchemeNotSupported);

impl Userinfo {
    /// The token is in the `Authorization` header (RFC 6750 section 2.1) or the body of a POST (section 2.2), never in
    /// both and never in the query.
    ///
    /// # Errors
    /// `invalid_token` without a token, `invalid_request` for two.
    pub fn parse(authorization: Option<&[u8]>, body: &Params) -> Result<Self, Refusal> {
        let in_header = authorization.map(bearer_token).transpose()?;
        let in_body = body.opt("access_token").map(Secret::new);
        match (in_header, in_body) {
            (Some(token), None) | (None, Some(token)) => Ok(Self {
                token: PresentedToken::new(token),
            }),
            (Some(_), Some(_)) => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "The access token is sent in two ways.",
            )),
            (None, None) => Err(NEEDED),
        }
    }
}

fn bearer_token(header: &[u8]) -> Result<Secret, Refusal> {
    let text = std::str::from_utf8(header).map_err(|_| INVALID)?;
    let (scheme, token) = text.split_once(' ').ok_or(INVALID)?;
    if scheme.eq_ignore_ascii_case("Bearer") {
        Ok(Secret::new(token.trim()))
    } else if scheme.eq_ignore_ascii_case("DPoP") {
        Err(DPOP)
    } else {
        Err(NEEDED.because(Cause::SchemeNotSupported))
    }
}

impl Operation for Userinfo {
    type Parsed = OpenedToken;
    type Reply = Map<String, Value>;
    type Refused = Refusal;

    fn prepare(&self, realm: &Realm) -> Result<OpenedToken, Refusal> {
        Ok(self.token.open(realm))
    }

    /// Of a token of ours, live or not.
    fn client(&self, opened: &OpenedToken) -> Option<ClientId> {
        opened.known_claims().map(|claims| claims.client_id.clone())
    }

    fn decide(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply>, Stop> {
        let claims = opened.claims(env);
        let claims = claims.ok_or(INVALID.because(Cause::ForgedOrForeignToken))?;
        let live = bearer::verify_live(env, facts, claims, &[])
            .map_err(|stop| stop.map(|cause| INVALID.because(cause)))?;
        let user = live.owner.user();
        let user = user.ok_or(INVALID.because(Cause::UserGone))?;
        if !live.claims.scope.contains("openid") {
            return Err(Refusal::new(
                ErrorCode::InsufficientScope,
                "The access token lacks the scope openid.",
            )
            .into());
        }
        let scope = live.scope(env);
        let mut claims = standard_claims(user, &scope, &live.requested(env, facts)?);
        if let Some(client) = facts.client(env, &live.claims.client_id)? {
            let from = ClaimSources {
                user: Some(user.facts()),
                client_id: &client.id,
                client_name: &client.name,
                grant: live.owner.grant().map(Grant::facts),
            };
            claims.extend(env.realm.claims_of_plain_scopes(&scope, &from));
        }
        // OpenID Connect Core section 5.3.2: "The sub (subject) Claim MUST always be returned".
        claims.insert("sub".to_owned(), user.id.to_string().into());
        Ok(Decision::reply(claims))
    }
}

fn standard_claims(user: &User, scope: &Scope, requested: &RequestedClaims) -> Map<String, Value> {
    let individual = requested.userinfo.iter().map(String::as_str);
    let of_scope: Vec<&str> = claims_request::scope_claims(scope).collect();
    let names = of_scope.into_iter().chain(individual);
    claims_request::user_claims(user.facts(), names)
}
