//! Token introspection (RFC 7662).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::base::error::Refusal;
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::client_auth::{self, Credentials};
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::model::actor::{Actor, MayAct};
use crate::model::client::Client;
use crate::model::resource::Resource;
use crate::records::{self, Grant, RefreshTokenStatus};
use crate::tokens::bearer::{self, PresentedToken};
use crate::tokens::grant_liveness;

/// An introspection request. `token_type_hint` is a hint only: our tokens say themselves what they are.
#[derive(Debug)]
pub struct Introspect {
    credentials: Credentials,
    token: PresentedToken,
    peer: Peer,
}

/// The answer (RFC 7662 section 2.2). Of an inactive token nothing more is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Whether the token is good now, for this caller.
    pub active: bool,
    /// What an active one says.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub token: Option<ActiveToken>,
}

/// What an active token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveToken {
    /// Its scopes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Its client.
    pub client_id: String,
    /// Its user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `Bearer` for an access token; a refresh token has no such type (RFC 6749 section 5.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// When it ends, in seconds since the epoch.
    pub exp: u64,
    /// When it was issued, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// Its subject.
    pub sub: String,
    /// Its audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Its issuer.
    pub iss: String,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// When its user signed in, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// Its user's groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Who acts for its subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Who may act for its subject (RFC 8693 section 4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_act: Option<MayAct>,
    /// Its further claims: "Specific implementations MAY extend this structure with their own service-specific response
    /// names".
    #[serde(flatten)]
    pub mapped: Map<String, Value>,
}

impl Introspect {
    /// Reads an introspection request.
    ///
    /// # Errors
    /// A [`Refusal`] for what cannot be read.
    pub fn parse(
        authorization: Option<&[u8]>,
        params: &Params,
        peer: Peer,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            token: PresentedToken::parse(params)?,
            credentials: Credentials::parse(authorization, params)?,
            peer,
        })
    }

    fn look_at(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Client,
    ) -> Result<Option<ActiveToken>, Stop> {
        if let Some(token) = env.realm.sealing.open_refresh_token(self.token.reveal()) {
            let key = records::key::<Grant>(&env.realm.name, &token.grant.to_string());
            let Some(grant) = facts.record::<Grant>(env, &key)?.live() else {
                return Ok(None);
            };
            return refresh_token(env, facts, caller, &grant.record, token.generation);
        }
        let Some(claims) = self.token.claims(env) else {
            return Ok(None);
        };
        // RFC 7662 section 4: "the authorization server MUST determine whether or not the token can be used at
        // the protected resource making the introspection call".
        let of_its_apis = |resource: &Resource| {
            caller.resources.contains(&resource.identifier) && resource.audience() == claims.aud
        };
        if claims.client_id != caller.id && !env.realm.resources.iter().any(of_its_apis) {
            return Ok(None);
        }
        let Ok(live) = bearer::verify_live(env, facts, claims)? else {
            return Ok(None);
        };
        let username = live.owner.user().map(|user| user.username.clone());
        let mut claims = live.claims;
        // The one member here that is no claim of ours and free for a mapping.
        claims.mapped.remove("username");
        Ok(Some(ActiveToken {
            scope: claims.scope.to_string(),
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

/// A refresh token is a matter between its own client and us.
fn refresh_token(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Client,
    grant: &Grant,
    generation: u32,
) -> Result<Option<ActiveToken>, Stop> {
    let presented = grant.refresh_token_status(generation, caller.grace, env.now);
    let ends = grant
        .refresh_ends(&caller.refresh_lifetimes())
        .filter(|ends| !ends.is_past(env.now));
    let (Some(ends), Some(authorization)) = (ends, grant.active()) else {
        return Ok(None);
    };
    if grant.client != caller.id || matches!(presented, None | Some(RefreshTokenStatus::Reused)) {
        return Ok(None);
    }
    let Ok(dependencies) = grant_liveness::check(env, facts, grant)? else {
        return Ok(None);
    };
    let user = dependencies.user;
    Ok(Some(ActiveToken {
        scope: authorization.scope.to_string(),
        client_id: grant.client.to_string(),
        username: Some(user.record.username),
        token_type: None,
        exp: ends.as_secs(),
        iat: None,
        sub: user.record.id.to_string(),
        aud: None,
        iss: env.realm.issuer.clone(),
        jti: None,
        auth_time: Some(authorization.auth_time.as_secs()),
        groups: Vec::new(),
        act: None,
        may_act: None,
        mapped: Map::new(),
    }))
}

impl Operation for Introspect {
    type Reply = Introspection;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Introspection>, Stop> {
        // RFC 7662 section 2.1: "the endpoint MUST also require some form of authorization to access this endpoint".
        let caller = client_auth::authenticate(env, facts, &self.credentials, &self.peer)?;
        let token = self.look_at(env, facts, caller.confidential()?)?;
        Ok(Decision::reply(Introspection {
            active: token.is_some(),
            token,
        }))
    }
}
