//! The parameters of a life: different lives find more than one average life.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::model::client::{Client, ConsentPolicy, DeviceApproval};
use grantor_core::model::realm::{AccessLimits, Realm};
use grantor_core::model::requested_scope::UnknownScopes;
use grantor_jose::Algorithm;

use crate::model::Name;
use crate::things::{APPS, CLIENTS};
use grantor_testkit::{Chance, RealmBuilder, Spans as _, client};

/// What differs from life to life.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// How often each kind of request comes.
    pub(crate) weights: [u64; 20],
    /// How much time passes at once, about.
    pub(crate) pace: Duration,
    /// One commit of so many is not answered.
    pub(crate) faults: u64,
    /// One try of so many is wrong.
    pub(crate) care: u64,
    rotation: bool,
    id_tokens: bool,
    approval: [DeviceApproval; 3],
    grace: [Duration; 3],
    pub(crate) access_lifetime: Duration,
    refresh_idle: Duration,
    refresh_absolute: Duration,
    pub(crate) max_pending: u32,
    /// Whether users of the client `site` are asked for consent.
    pub(crate) site_asks: bool,
    /// Whether the limits on sessions and grants are low.
    little_access: bool,
    unknown_scopes: UnknownScopes,
}

impl Manner {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let usual = &[1, 1, 4, 16];
        let at_times = &[0, 1, 4, 16];
        let rare = &[0, 0, 1, 2];
        let weights = [
            usual, usual, usual, rare, rare, at_times, at_times, at_times, usual, rare, at_times,
            at_times, usual, rare, usual, usual, rare, rare, rare, rare,
        ];
        let approvals = [
            DeviceApproval::Warn,
            DeviceApproval::Warn,
            DeviceApproval::SameNetwork,
            DeviceApproval::Retype,
        ];
        Self {
            weights: weights.map(|of| chance.pick(of)),
            pace: chance.pick(&[10.ms(), 500.ms(), 2.s(), 2.s(), 30.s(), 5.mins()]),
            faults: chance.pick(&[6, 30, 1_000_000]),
            care: chance.pick(&[1, 2, 8, 64]),
            rotation: !chance.one_in(4),
            id_tokens: chance.one_in(8),
            approval: [(); 3].map(|()| chance.pick(&approvals)),
            grace: [(); 3].map(|()| chance.pick(&[0.s(), 10.s(), 60.s()])),
            access_lifetime: chance.pick(&[1.mins(), 10.mins(), 1.h()]),
            refresh_idle: chance.pick(&[5.mins(), 2.h(), 30.days()]),
            refresh_absolute: chance.pick(&[20.mins(), 365.days()]),
            site_asks: chance.one_in(2),
            little_access: chance.one_in(3),
            max_pending: chance.pick(&[5, 100, 100_000]),
            unknown_scopes: match chance.one_in(3) {
                true => UnknownScopes::Refuse,
                false => UnknownScopes::Ignore,
            },
        }
    }

    /// The configuration, with these clients disabled.
    pub(crate) fn realm(&self, disabled: &BTreeSet<Name>) -> Arc<Realm> {
        let mut realm = RealmBuilder::standard().build();
        realm.device.max_pending = self.max_pending;
        realm.unknown_scopes = self.unknown_scopes;
        if self.little_access {
            realm.access = AccessLimits {
                sessions: 2,
                grants_per_client: 2,
                grants: 5,
            };
        }
        realm.device.tokens.id = self.id_tokens;
        if !self.site_asks {
            client(&mut realm, "site").code.consent = ConsentPolicy::Skip;
        }
        for (at, name) in CLIENTS.into_iter().chain(APPS).enumerate() {
            let client: &mut Client = client(&mut realm, name);
            client.enabled = !disabled.contains(name);
            client.device.approval = self.approval[at % 3];
            client.grace = self.grace[at % 3];
            client.rotation = self.rotation || name != "console";
            client.access_lifetime = self.access_lifetime;
            client.refresh_idle = self.refresh_idle;
            client.refresh_absolute = self.refresh_absolute;
            // RSA is slow, and is not the subject of this test.
            client.id_token_alg = Algorithm::Es256;
        }
        Arc::new(realm)
    }
}
