//! When a change is in effect.

use std::time::Duration;

use crate::base::time::Timestamp;
use crate::model::realm::Realm;

/// The time after which no node of a shared store goes by what was before.
pub const PROPAGATION: Duration = Duration::from_secs(2);

/// When a change that nodes remember for a while is in effect everywhere. What is read each time needs no such time.
#[must_use]
pub fn effective_at(realm: &Realm, now: Timestamp) -> Timestamp {
    match realm.nodes {
        ..=1 => now,
        _ => now + PROPAGATION,
    }
}
