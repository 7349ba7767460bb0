//! The device authorization endpoint (RFC 8628 section 3.1): a device gets its codes.

use std::time::Duration;

use crate::client::Client;
use crate::client_auth::{self, Credentials};
use crate::decide::{Decision, Found, Operation, Stop};
use crate::env::Env;
use crate::error::{ErrorCode, Failure, Refusal};
use crate::event::{Event, EventKind};
use crate::grant_type::GrantType;
use crate::grants;
use crate::id::GrantId;
use crate::limits::{Answer, Ask, Counter, Effect, Quota, Window};
use crate::params::Params;
use crate::peer::Peer;
use crate::pool::Pool;
use crate::records::{self, Grant, Kind, Started, State, UserCodeRow};
use crate::scope::Scope;
use crate::sealed::Code;
use crate::secret::Secret;
use crate::target::{Named, Target};
use crate::time::Timestamp;

/// A device authorization request.
#[derive(Debug)]
pub struct DeviceAuthorization {
    credentials: Credentials,
    scope: Option<Scope>,
    resources: Vec<String>,
    peer: Peer,
}

/// The answer (RFC 8628 section 3.2).
#[derive(Debug)]
pub struct DeviceAuthorizationReply {
    /// `device_code`.
    pub device_code: Secret,
    /// `user_code`, as it is shown.
    pub user_code: String,
    /// How long both live.
    pub expires_in: Duration,
    /// How long to wait between polls.
    pub interval: Duration,
}

impl DeviceAuthorization {
    /// Reads a device authorization request.
    ///
    /// # Errors
    /// A [`Refusal`] for what cannot be read.
    pub fn parse(
        authorization: Option<&[u8]>,
        params: &Params,
        peer: Peer,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            credentials: Credentials::parse(authorization, params)?,
            scope: grants::scope(params)?,
            resources: grants::indicators(params),
            peer,
        })
    }

    fn decide_for(
        &self,
        env: &Env<'_>,
        found: &Found,
        client: &Client,
    ) -> Result<Decision<DeviceAuthorizationReply>, Stop> {
        if !client.may_use(GrantType::DeviceCode) {
            return Err(Refusal::new(
                ErrorCode::UnauthorizedClient,
                "The client may not use this grant type.",
            )
            .into());
        }
        let scope = grants::requested(client, self.scope.as_ref())?;
        let resources = Named::parse(env.pool, self.resources.iter().map(String::as_str))?;
        // A device learns now, and not when its user has approved, that no token can hold these scopes.
        for named in resources.one_by_one() {
            Target::choose(env.pool, &scope, &named)?;
        }
        let live = self.reserve(env, found, client)?;
        let id = GrantId::from_bytes(env.seed.bytes("grant"));
        let expires_at = env.now + client.device.lifetime;
        let user_code = env.pool.device.user_code.generate(env.seed, live);
        let name = env.pool.sealing.user_code_names(&user_code).next();
        let name = name.ok_or(Failure::Bug("a pool without a sealing key"))?;
        let device_code = Code {
            grant: id,
            expires_at,
            client: client.id.tag(),
        };
        let grant = Grant {
            id,
            kind: Kind::Device,
            client: client.id.clone(),
            scope,
            resources,
            started: Started {
                at: env.now,
                by: self.peer.clone(),
            },
            expires_at,
            state: State::DevicePending {
                user_code: name.clone(),
            },
        };
        // The codes' rows go together: one commit, and no orphan.
        Ok(Decision::reply(DeviceAuthorizationReply {
            device_code: Secret::new(env.pool.sealing.device_code(&device_code)),
            user_code: user_code.shown(),
            expires_in: client.device.lifetime,
            interval: env.pool.device.interval,
        })
        .write(records::insert(env, &grant)?)
        .write(records::insert(
            env,
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

    /// Counts one pending code more, and tells how many there are in the pool.
    fn reserve(&self, env: &Env<'_>, found: &Found, client: &Client) -> Result<u64, Stop> {
        let window = window(env.pool);
        match found.ask(Ask::Reserve {
            quotas: quotas(env, client, &self.peer),
            window,
        })? {
            Answer::Reserved { count, .. } => {
                Ok(u64::from(count) * u64::from(env.pool.nodes.max(1)))
            }
            Answer::Full { retry_after } => {
                let refusal = Refusal::new(
                    ErrorCode::TooManyRequests,
                    "Too many device codes are waiting for users.",
                );
                Err(refusal.retry_after(retry_after).into())
            }
            Answer::Poll(_) => Err(Failure::Bug("a reservation was answered as a poll").into()),
        }
    }
}

impl Operation for DeviceAuthorization {
    type Reply = DeviceAuthorizationReply;

    fn decide(
        &self,
        env: &Env<'_>,
        found: &Found,
    ) -> Result<Decision<DeviceAuthorizationReply>, Stop> {
        // RFC 8628 section 3.1: "The client authentication requirements of Section 3.2.1 of [RFC6749] apply".
        let client = client_auth::authenticate(env, found, &self.credentials, &self.peer)?;
        self.decide_for(env, found, client.client())
    }
}

/// What a pending grant gives back when somebody decides on it.
#[must_use]
pub(crate) fn decided(env: &Env<'_>, grant: &Grant) -> Option<Effect> {
    let client = env.pool.clients.get(&grant.client)?;
    let at: Timestamp = grant.started.at;
    Some(Effect::GiveBack {
        quotas: quotas(env, client, &grant.started.by),
        window: window(env.pool),
        at,
    })
}

/// The counter of the whole pool, without a limit: its count makes user codes longer.
#[must_use]
pub fn pool_quota() -> Quota {
    Quota {
        what: Counter::PendingOfPool,
        whom: String::new(),
        limit: u32::MAX,
    }
}

fn quotas(env: &Env<'_>, client: &Client, peer: &Peer) -> Vec<Quota> {
    let device = &env.pool.device;
    let mut quotas = vec![
        pool_quota(),
        Quota {
            what: Counter::PendingOfClient,
            whom: client.id.to_string(),
            limit: env.pool.share(device.max_pending),
        },
    ];
    if !peer.address.is_loopback() {
        quotas.push(Quota {
            what: Counter::PendingOfAddress,
            whom: peer.network(),
            limit: env.pool.share(device.max_pending_of_address),
        });
    }
    quotas
}

/// The time over which a pool's pending codes are counted.
#[must_use]
pub const fn window(pool: &Pool) -> Window {
    Window::Of(pool.device.longest_lifetime)
}
