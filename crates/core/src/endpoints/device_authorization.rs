//! The device authorization endpoint (RFC 8628 section 3.1).

use std::time::Duration;

use super::unsupported;
use crate::base::error::{ErrorCode, Failure, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::client_auth::{AuthenticatedClient, ClientOperation, require_grant};
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::engine::limits::{QuotaAnswer, QuotaQuery, pending};
use crate::model::client::Client;
use crate::model::endpoint::Endpoint;
use crate::model::grant_type::GrantType;
use crate::model::ids::GrantId;
use crate::model::realm::Realm;
use crate::model::requested_scope::RequestedScope;
use crate::model::scope::Scope;
use crate::model::target::{RequestedResources, Target};
use crate::records::{self, Grant, GrantOrigin, GrantState, Started, UserCodeRow};
use crate::tokens::handles::Code;

#[derive(Debug)]
pub struct DeviceAuthorization {
    scope: Option<Scope>,
    resources: Vec<String>,
}

/// RFC 8628 section 3.2.
#[derive(Debug)]
pub struct DeviceAuthorizationReply {
    pub device_code: Secret,
    /// Formatted for display.
    pub user_code: String,
    /// The lifetime of both codes.
    pub expires_in: Duration,
    /// The minimum time between polls.
    pub interval: Duration,
}

impl DeviceAuthorization {
    fn decide_for(
        &self,
        resources: RequestedResources,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        peer: &Peer,
    ) -> Result<Decision<DeviceAuthorizationReply>, Stop> {
        let (asked, unknown) = (self.scope.as_ref(), env.realm.unknown_scopes);
        let requested = RequestedScope::new(client, env.realm, asked, &resources, unknown)?;
        // Whoever has a person type a code must not get rights over others that way.
        let is_declared = env.realm.clients.contains_key(&client.id);
        let is_refused = |token: &str| !is_declared && env.realm.is_over_others(token);
        let RequestedScope { scope, left_out } = requested.without(is_refused)?;
        // Fail now, not after approval, where no token can hold these scopes.
        for resource in resources.each() {
            Target::choose(env.realm, &scope, &resource)?;
        }
        let pending_codes = reserve(env, facts, client, peer)?;
        let id = GrantId::newest_first(env.now, env.seed.bytes("grant"));
        let expires_at = env.now + client.device.lifetime;
        let user_code = env.realm.device.user_code.generate(env.seed, pending_codes);
        let name = env.realm.sealing.user_code_names(&user_code).next();
        let name = name.ok_or(Failure::Bug("a realm without a sealing key"))?;
        let device_code = Code {
            grant: id,
            expires_at,
            client: client.id.tag(),
        };
        let grant = Grant {
            id,
            kind: GrantOrigin::Device,
            client: client.id.clone(),
            instance: client.instance,
            scope,
            resources,
            started: Started {
                at: env.now,
                by: peer.clone(),
            },
            expires_at,
            state: GrantState::DevicePending {
                user_code: name.clone(),
            },
        };
        // One commit for both rows, so that neither is left alone.
        Ok(Decision::reply(DeviceAuthorizationReply {
            device_code: Secret::new(env.realm.sealing.device_code(&device_code)),
            user_code: user_code.formatted(),
            expires_in: client.device.lifetime,
            interval: env.realm.device.interval,
        })
        .write(records::insert(&env.realm.name, &grant)?)
        .write(records::insert(
            &env.realm.name,
            &UserCodeRow {
                name,
                grant: id,
                expires_at,
            },
        )?)
        .event(
            Event::new(EventKind::DeviceAuthorizationStarted)
                .client(&client.id)
                .grant(id)
                .peer(peer),
        )
        .events(Event::scopes_left_out(&client.id, &left_out, peer)))
    }
}

/// Counts this code as pending. Returns an estimate of the realm's pending codes.
fn reserve(env: &Env<'_>, facts: &Facts, client: &Client, peer: &Peer) -> Result<u64, Stop> {
    let window = pending::window(env.realm);
    match facts.quota(QuotaQuery::Reserve {
        quotas: pending::quotas(env, client, peer),
        window,
    })? {
        QuotaAnswer::Reserved { count, .. } => {
            Ok(u64::from(count) * u64::from(env.realm.nodes.max(1)))
        }
        QuotaAnswer::Full { retry_after } => {
            let refusal = Refusal::new(
                ErrorCode::TooManyRequests,
                "Too many device codes are waiting for users.",
            );
            Err(refusal.retry_after(retry_after).into())
        }
    }
}

impl ClientOperation for DeviceAuthorization {
    /// The resources that are asked for.
    type Parsed = Result<RequestedResources, Refusal>;
    type Reply = DeviceAuthorizationReply;
    /// RFC 8628 section 3.1: "The client authentication requirements of Section 3.2.1 of \[RFC6749\] apply".
    const ENDPOINT: Endpoint = Endpoint::DeviceAuthorization;

    fn parse(params: &Params) -> Result<Self, Refusal> {
        unsupported::refuse(params, &unsupported::IN_DEVICE_AUTHORIZATION)?;
        Ok(Self {
            scope: Scope::from_params(params)?,
            resources: params.resource_indicators(),
        })
    }

    fn prepare(&self, realm: &Realm) -> Result<RequestedResources, Refusal> {
        RequestedResources::parse(realm, self.resources.iter())
    }

    fn decide(
        &self,
        resources: &Result<RequestedResources, Refusal>,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<DeviceAuthorizationReply>, Stop> {
        require_grant(&client, GrantType::DeviceCode)?;
        self.decide_for(resources.clone()?, env, facts, client.client(), peer)
    }
}
