//! Quotas of pending device codes.

use super::{Counter, Effect, Quota, Window};
use crate::base::peer::Peer;
use crate::base::time::Timestamp;
use crate::engine::env::Env;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::records::Grant;

/// Releases a pending grant's reservation once it is decided.
#[must_use]
pub(crate) fn release(env: &Env<'_>, grant: &Grant) -> Option<Effect> {
    let client = env.realm.clients.get(&grant.client)?;
    let at: Timestamp = grant.started.at;
    Some(Effect::Release {
        quotas: quotas(env, client, &grant.started.by),
        window: window(env.realm),
        at,
    })
}

/// Has no limit: its count determines the length of user codes.
#[must_use]
pub fn realm_quota() -> Quota {
    Quota {
        counter: Counter::PendingPerRealm,
        subject: String::new(),
        limit: u32::MAX,
    }
}

pub(crate) fn quotas(env: &Env<'_>, client: &Client, peer: &Peer) -> Vec<Quota> {
    let device = &env.realm.device;
    let mut quotas = vec![
        realm_quota(),
        Quota {
            counter: Counter::PendingPerClient,
            subject: client.id.to_string(),
            limit: env.realm.per_node(device.max_pending),
        },
    ];
    if !peer.address.is_loopback() {
        quotas.push(Quota {
            counter: Counter::PendingPerAddress,
            subject: peer.network(),
            limit: env.realm.per_node(device.max_pending_per_address),
        });
    }
    quotas
}

#[must_use]
pub const fn window(realm: &Realm) -> Window {
    Window::Custom(realm.device.longest_lifetime)
}
