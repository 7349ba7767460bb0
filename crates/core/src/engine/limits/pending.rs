//! How device codes that wait for a user are counted.

use super::{Counter, Effect, Quota, Window};
use crate::base::peer::Peer;
use crate::base::time::Timestamp;
use crate::engine::env::Env;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::records::Grant;

/// What a pending grant gives back when somebody decides on it.
#[must_use]
pub(crate) fn give_back(env: &Env<'_>, grant: &Grant) -> Option<Effect> {
    let client = env.realm.clients.get(&grant.client)?;
    let at: Timestamp = grant.started.at;
    Some(Effect::GiveBack {
        quotas: quotas(env, client, &grant.started.by),
        window: window(env.realm),
        at,
    })
}

/// The counter of the whole realm, without a limit: its count makes user codes longer.
#[must_use]
pub fn realm_quota() -> Quota {
    Quota {
        what: Counter::PendingOfRealm,
        whom: String::new(),
        limit: u32::MAX,
    }
}

pub(crate) fn quotas(env: &Env<'_>, client: &Client, peer: &Peer) -> Vec<Quota> {
    let device = &env.realm.device;
    let mut quotas = vec![
        realm_quota(),
        Quota {
            what: Counter::PendingOfClient,
            whom: client.id.to_string(),
            limit: env.realm.share(device.max_pending),
        },
    ];
    if !peer.address.is_loopback() {
        quotas.push(Quota {
            what: Counter::PendingOfAddress,
            whom: peer.network(),
            limit: env.realm.share(device.max_pending_of_address),
        });
    }
    quotas
}

/// The time over which a realm's pending codes are counted.
#[must_use]
pub const fn window(realm: &Realm) -> Window {
    Window::Custom(realm.device.longest_lifetime)
}
