//! What the binary hands to the application: time, randomness, a signer, keys of other issuers, a place for events.

use std::future::ready;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::Event;
use grantor_core::engine::facts::KeyQuery;
use grantor_jose::{Algorithm, Kid, SignError, Signer, VerificationKeys};
use grantor_web::{Clock, Entropy, EventLog, EventSink, TrustedKeys};

use super::event_log::Log;
use crate::{ExternalIssuer, START, Seeds, signer};

#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Since [`START`].
    millis: AtomicU64,
    seeds: Seeds,
    signer_down: AtomicBool,
    events: Mutex<Vec<(String, Event)>>,
    /// All of them, as they can be read.
    log: Log,
    /// The key sets of trusted issuers; those of others are not known.
    trusted_keys: Mutex<Vec<(String, Arc<VerificationKeys>)>>,
}

impl Environment {
    pub(super) fn advance(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).expect("a short time");
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Time and seeds go on where those of `before` are.
    pub(super) fn continue_from(&self, before: &Self) {
        let millis = before.millis.load(Ordering::Relaxed);
        self.millis.store(millis, Ordering::Relaxed);
        self.seeds.set_position(before.seeds.position());
    }

    pub(super) fn take_events(&self) -> Vec<(String, Event)> {
        std::mem::take(&mut *self.events.lock().expect("no panic under the lock"))
    }

    pub(super) fn set_signer_down(&self, down: bool) {
        self.signer_down.store(down, Ordering::Relaxed);
    }

    pub(super) fn trust_keys_of(&self, issuer: &ExternalIssuer) {
        let mut known = self.trusted_keys.lock().expect("no panic under the lock");
        known.push((issuer.issuer.clone(), issuer.keys()));
    }
}

impl Clock for Environment {
    fn now(&self) -> Timestamp {
        START + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Timestamp {
        self.now()
    }
}

impl Entropy for Environment {
    fn seed(&self) -> Seed {
        self.seeds.next()
    }
}

impl EventSink for Environment {
    fn record(&self, at: Timestamp, trace_id: &str, event: &Event) {
        self.log.record(at, trace_id, event);
        let mut events = self.events.lock().expect("no panic under the lock");
        events.push((trace_id.to_owned(), event.clone()));
    }

    fn log(&self) -> Option<&dyn EventLog> {
        Some(&self.log)
    }
}

impl TrustedKeys for Environment {
    fn keys<'a>(&'a self, ask: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>> {
        let sets = self.trusted_keys.lock().expect("no panic under the lock");
        let of_issuer = sets.iter().find(|(issuer, _)| *issuer == ask.issuer);
        ready(of_issuer.map(|(_, keys)| Arc::clone(keys))).boxed()
    }
}

impl Signer for Environment {
    fn sign<'a>(
        &'a self,
        kid: &'a Kid,
        alg: Algorithm,
        input: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        if self.signer_down.load(Ordering::Relaxed) {
            let error = std::io::Error::other("the signer is down").into();
            return ready(Err(SignError::Unavailable(error))).boxed();
        }
        signer().sign(kid, alg, input)
    }
}
