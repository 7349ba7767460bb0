//! The device authorization endpoint (RFC 8628 section 3.1).

use std::time::Duration;

use crate::base::error::{ErrorCode, Failure, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::client_auth::{self, Credentials};
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::limits::{LimitAnswer, LimitQuery, pending};
use crate::model::client::Client;
use crate::model::grant_type::GrantType;
use crate::model::ids::GrantId;
use crate::model::scope::Scope;
use crate::model::target::{RequestedResources, Target};
use crate::records::{self, Grant, GrantOrigin, GrantState, Started, UserCodeRow};
use crate::tokens::handles::Code;

#[derive(Debug)]
pub struct DeviceAuthorization {
    credentials: Credentials,
    scope: Option<Scope>,
    resources: Vec<String>,
    peer: Peer,
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
    /// # Errors
    /// A [`Refusal`] for a malformed request.
    pub fn parse(
        authorization: Option<&[u8]>,
        params: &Params,
        peer: Peer,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            credentials: Credentials::parse(authorization, params)?,
            scope: Scope::from_params(params)?,
            resources: params.resource_indicators(),
            peer,
        })
    }

    fn decide_for(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
    ) -> Result<Decision<DeviceAuthorizationReply>, Stop> {
        client_auth::require_grant(client, GrantType::DeviceCode)?;
        let scope = client.requested_scope(self.scope.as_ref())?;
        let resources = RequestedResources::parse(env.realm, self.resources.iter())?;
        // Fail now, not after approval, where no token can hold these scopes.
        for resource in resources.each() {
            Target::choose(env.realm, &scope, &resource)?;
        }
        let pending_codes = self.reserve(env, facts, client)?;
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
                by: self.peer.clone(),
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
                .peer(&self.peer),
        ))
    }

    /// Counts this code as pending. Returns an estimate of the realm's pending codes.
    fn reserve(&self, env: &Env<'_>, facts: &Facts, client: &Client) -> Result<u64, Stop> {
        let window = pending::window(env.realm);
        match facts.ask(LimitQuery::Reserve {
            quotas: pending::quotas(env, client, &self.peer),
            window,
        })? {
            LimitAnswer::Reserved { count, .. } => {
                Ok(u64::from(count) * u64::from(env.realm.nodes.max(1)))
            }
            LimitAnswer::Full { retry_after } => {
                let refusal = Refusal::new(
                    ErrorCode::TooManyRequests,
                    "Too many device codes are waiting for users.",
                );
                Err(refusal.retry_after(retry_after).into())
            }
            LimitAnswer::Poll(_) => {
                Err(Failure::Bug("a reservation was answered as a poll").into())
            }
        }
    }
}

impl Operation for DeviceAuthorization {
    type Reply = DeviceAuthorizationReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<DeviceAuthorizationReply>, Stop> {
        // RFC 8628 section 3.1: "The client authentication requirements of Section 3.2.1 of [RFC6749] apply".
        let client = client_auth::authenticate(env, facts, &self.credentials, &self.peer)?;
        self.decide_for(env, facts, client.client())
    }
}
