//! Token introspection (RFC 7662).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::base::error::Refusal;
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::client_auth::{AuthenticatedClient, ClientOperation};
use crate::engine::decide::{Decision, Halt, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::actor::{Actor, MayAct};
use crate::model::client::Client;
use crate::model::endpoint::Endpoint;
use crate::model::realm::Realm;
use crate::model::resource::Resource;
use crate::model::scope::Scope;
use crate::records::{self, Grant, RefreshTokenStatus, User};
use crate::tokens::bearer::{self, OpenedToken, PresentedToken};
use crate::tokens::grant_liveness;

/// `token_type_hint` is ignored: our tokens identify their own type.
#[derive(Debug)]
pub struct Introspect {
    token: PresentedToken,
}

/// RFC 7662 section 2.2. An inactive token has no other members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Also false for a token that the caller may not inspect.
    pub active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub token: Option<ActiveToken>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActiveToken {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    pub client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `Bearer` for an access token; a refresh token has no such type (RFC 6749 section 5.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// In seconds since the epoch.
    pub exp: u64,
    /// In seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    pub sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    pub iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// In seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// RFC 8693 section 4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// RFC 8693 section 4.4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_act: Option<MayAct>,
    /// Mapped claims. RFC 7662 section 2.2: "Specific implementations MAY extend this structure with their own
    /// service-specific response names".
    #[serde(flatten)]
    pub mapped: Map<String, Value>,
}

impl Introspect {
    fn inspect(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Client,
    ) -> Result<Option<ActiveToken>, Halt> {
        if let Some(token) = opened.refresh_token() {
            let key = records::key::<Grant>(&env.realm.name, &token.grant.to_string());
            let Some(grant) = facts.record::<Grant>(env, &key)?.live() else {
                return Ok(None);
            };
            return refresh_token(env, facts, caller, &grant.record, token.generation);
        }
        let Some(claims) = opened.claims(env) else {
            return Ok(None);
        };
        // RFC 7662 section 4: "the authorization server MUST determine whether or not the token can be used at
        // the protected resource making the introspection call".
        let is_own_resource = |resource: &Resource| {
            caller.resources.contains(&resource.identifier) && resource.audience() == claims.aud
        };
        if claims.client_id != caller.id && !env.realm.resources.iter().any(is_own_resource) {
            return Ok(None);
        }
        let live = bearer::verify_live(env, facts, claims, &[]).map(Some);
        let Some(live) = live.or_else(|stop| stop.recover(|_| None))? else {
            return Ok(None);
        };
        let user = live.owner.user();
        let scope = live.scope(env);
        let username = user.and_then(|user| username(user, &scope));
        let mut claims = Arc::unwrap_or_clone(live.claims);
        // The only member of this response whose name a mapped claim can have.
        claims.mapped.remove("username");
        Ok(Some(ActiveToken {
            scope: scope.to_string(),
            client_id: claims.client_id.to_string(),
            username,
            token_type: Some("Bearer"),
            exp: claims.exp,
            iat: Some(claims.iat),
            sub: claims.sub,
            aud: Some(claims.aud),
            iss: claims.iss,
            jti: Some(claims.jti.as_str().to_owned()),
            auth_time: claims.auth_time,
            groups: claims.groups,
            act: claims.act,
            may_act: claims.may_act,
            mapped: claims.mapped,
        }))
    }
}

/// A name is told where the user agreed that it is: by the scope that has `preferred_username` (OpenID Connect Core
/// section 5.4).
fn username(user: &User, scope: &Scope) -> Option<String> {
    scope.contains("profile").then(|| user.username.clone())
}

/// Active only for the client that the refresh token was issued to.
fn refresh_token(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Client,
    grant: &Grant,
    generation: u32,
) -> Result<Option<ActiveToken>, Halt> {
    let presented = grant.refresh_token_status(generation, caller.grace, env.now);
    let expires_at = grant
        .refresh_ends(&caller.refresh_lifetimes())
        .filter(|expires_at| !expires_at.is_past(env.now));
    let (Some(expires_at), Some(authorization)) = (expires_at, grant.active()) else {
        return Ok(None);
    };
    if !grant.is_of(caller) || matches!(presented, None | Some(RefreshTokenStatus::Reused)) {
        return Ok(None);
    }
    let dependencies = grant_liveness::check(env, facts, grant).map(Some);
    let Some(dependencies) = dependencies.or_else(|stop| stop.recover(|_| None))? else {
        return Ok(None);
    };
    let user = dependencies.user;
    let groups = &user.record.groups;
    let scope = (env.realm).within_limits(&authorization.scope, Some(groups), grant.given_at());
    Ok(Some(ActiveToken {
        scope: scope.to_string(),
        client_id: grant.client.to_string(),
        username: username(&user.record, &scope),
        exp: expires_at.as_secs(),
        sub: user.record.id.to_string(),
        iss: env.realm.issuer.clone(),
        auth_time: Some(authorization.auth_time.as_secs()),
        ..ActiveToken::default()
    }))
}

impl ClientOperation for Introspect {
    type Parsed = OpenedToken;
    type Reply = Introspection;
    /// RFC 7662 section 2.1: "the endpoint MUST also require some form of authorization to access this endpoint".
    const ENDPOINT: Endpoint = Endpoint::Introspect;

    fn parse(params: &Params) -> Result<Self, Refusal> {
        let token = PresentedToken::parse(params)?;
        Ok(Self { token })
    }

    fn prepare(&self, realm: &Realm) -> OpenedToken {
        self.token.open(realm)
    }

    fn decide(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
        caller: AuthenticatedClient<'_>,
        _: &Peer,
    ) -> Result<Decision<Introspection>, Stop> {
        let token = self.inspect(opened, env, facts, &caller)?;
        Ok(Decision::reply(Introspection {
            active: token.is_some(),
            token,
        }))
    }
}
