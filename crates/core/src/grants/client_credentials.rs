//! The client credentials grant (RFC 6749 section 4.4).

use super::{GrantOperation, TokenReply};
use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::realm::{OPENID_SCOPES, Realm};
use crate::model::requested_scope::{RequestedScope, UnknownScopes};
use crate::model::scope::Scope;
use crate::model::target::{RequestedResources, Target};
use crate::tokens::issue;

#[derive(Debug)]
pub(crate) struct ClientCredentialsRequest {
    scope: Option<Scope>,
    resources: Vec<String>,
}

const NEEDS_USER: Refusal = Refusal::new(
    ErrorCode::InvalidScope,
    "The scope needs a user, and this grant has none.",
);

impl GrantOperation for ClientCredentialsRequest {
    type Parsed = ();

    fn parse(params: &Params) -> Result<Self, Refusal> {
        Ok(Self {
            scope: Scope::from_params(params)?,
            resources: params.resource_indicators(),
        })
    }

    fn prepare(&self, _: &Realm) {}

    /// Reads and writes no row: the token depends on nothing but its expiry.
    fn decide(
        &self,
        (): &(),
        env: &Env<'_>,
        _: &Facts,
        client: AuthenticatedClient<'_>,
        _: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        // RFC 6749 section 4.4: "The client credentials grant type MUST only be used by confidential clients."
        let client = client.confidential()?;
        let resources = RequestedResources::parse(env.realm, self.resources.iter())?;
        let (asked, unknown) = (self.scope.as_ref(), UnknownScopes::Refuse);
        let RequestedScope { scope, .. } =
            RequestedScope::new(client, env.realm, asked, &resources, unknown)?;
        let needs_user = |token: &&str| OPENID_SCOPES.contains(token);
        if let Some(token) = asked.and_then(|asked| asked.iter().find(needs_user)) {
            return Err(NEEDS_USER.naming(token).into());
        }
        let scope = scope.filter(|token| !needs_user(&token));
        let target = Target::choose(env.realm, &scope, &resources)?;
        issue::for_machine(env, client, &target)
    }
}
