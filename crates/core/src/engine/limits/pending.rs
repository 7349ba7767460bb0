//! Quotas of pending device codes.

use super::{Counter, Effect, Quota, Window, per_network};
use crate::base::peer::{Peer, Width};
use crate::engine::env::Env;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::records::Grant;

/// While several networks ask for codes of a client, each holds at most this part of them.
const SHARE: u32 = 10;

/// Releases a pending grant's reservation once it is decided.
#[must_use]
pub(crate) fn release(env: &Env<'_>, client: &Client, grant: &Grant) -> Effect {
    Effect::Release {
        quotas: quotas(env, client, &grant.started.by),
        window: window(env.realm),
        age: env.now.since(grant.started.at),
    }
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
    let of_client = env.realm.per_node(device.max_pending);
    let mut quotas = vec![
        realm_quota(),
        Quota {
            counter: Counter::PendingPerClient,
            subject: client.id.to_string(),
            limit: of_client,
        },
    ];
    if !peer.address.is_loopback() {
        let of_address = env.realm.per_node(device.max_pending_per_address);
        quotas.extend(per_network(
            peer,
            Counter::PendingPerNetwork,
            "",
            of_address,
        ));
        quotas.push(Quota {
            counter: Counter::PendingPerClientAndNetwork,
            subject: format!("{}\0{}", client.id, peer.network(Width::Site)),
            limit: of_client.div_ceil(SHARE),
        });
    }
    quotas
}

/// Whether a network that has its share of a client's codes may hold more: while no other network holds any, and
/// half of the client's codes are left for others.
pub(super) fn may_exceed_share<'q>(counts: impl Iterator<Item = (&'q Quota, u32)>) -> bool {
    let (mut of_client, mut of_network, mut half) = (0, 0, 0);
    for (quota, count) in counts {
        match quota.counter {
            Counter::PendingPerClient => (of_client, half) = (count, quota.limit / 2),
            Counter::PendingPerClientAndNetwork => of_network = count,
            _ => {}
        }
    }
    of_client == of_network && of_client < half
}

#[must_use]
pub const fn window(realm: &Realm) -> Window {
    Window::Custom(realm.device.longest_lifetime)
}
