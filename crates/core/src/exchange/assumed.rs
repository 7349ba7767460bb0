//! A hypothetical access token of a user, for explanations only.

use super::party::{Party, Role, find_user};
use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::exchange_rule::TokenKind;
use crate::model::ids::ClientId;
use crate::model::requested_scope::{RequestedScope, UnknownScopes};
use crate::model::scope::Scope;
use crate::model::target::RequestedResources;
use crate::model::target::Target;
use crate::tokens::bearer::TokenOwner;

#[derive(Debug)]
pub(super) struct AssumedToken {
    username: String,
    client: ClientId,
    /// Defaults to the client's default scopes.
    scope: Option<Scope>,
    audience: Option<String>,
}

const NO_CLIENT: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "There is no such client that the user could have used.",
);
const NO_SCOPE: Refusal = Refusal::new(
    ErrorCode::InvalidScope,
    "The client that the user would have used may not have this scope.",
);

const NOT_A_MEMBER: Refusal = Refusal::new(
    ErrorCode::InvalidScope,
    "The user is in none of the groups to which the scopes are limited.",
);

impl AssumedToken {
    /// `assumed_user`, `assumed_client`, `assumed_scope` and `assumed_audience` are our own names; no client sends them.
    pub(super) fn parse(params: &Params) -> Result<Option<Self>, Refusal> {
        let Some(username) = params.opt("assumed_user") else {
            return Ok(None);
        };
        let client = params.opt("assumed_client").ok_or(NO_CLIENT)?;
        let scope = params.opt("assumed_scope").map(str::parse).transpose();
        Ok(Some(Self {
            username: username.to_owned(),
            client: client.parse().map_err(|_| NO_CLIENT)?,
            scope: scope.map_err(|_| NO_SCOPE)?,
            audience: params.opt("assumed_audience").map(ToOwned::to_owned),
        }))
    }

    /// The party of such a token, if it were issued now.
    pub(super) fn open(&self, env: &Env<'_>, facts: &Facts) -> Result<Party, Stop> {
        let client = facts.enabled_client(env, &self.client)?.ok_or(NO_CLIENT)?;
        let resources = RequestedResources::parse(env.realm, self.audience.as_deref().into_iter())?;
        let (asked, unknown) = (self.scope.as_ref(), UnknownScopes::Refuse);
        let requested = RequestedScope::new(client, env.realm, asked, &resources, unknown);
        let RequestedScope { scope, .. } = requested.map_err(|_| NO_SCOPE)?;
        let user = find_user(env, facts, &self.username, Role::Subject)?;
        let given = (env.realm).within_limits(&scope, Some(&user.groups), env.now);
        if given.is_empty() && !scope.is_empty() {
            return Err(NOT_A_MEMBER.into());
        }
        let target = Target::choose(env.realm, &given, &resources)?;
        Ok(Party {
            issuer: None,
            kind: TokenKind::AccessToken,
            sub: user.id.to_string(),
            foreign_sub: None,
            client: Some(client.id.clone()),
            aud: Some(target.audience(env.realm).to_owned()),
            expires_at: env.now + target.lifetime(client),
            max_scope: target.scope,
            act: None,
            may_act: client.may_act(),
            owner: TokenOwner::User(Box::new(user)),
        })
    }
}
