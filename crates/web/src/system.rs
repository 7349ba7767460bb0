//! Traits for what the server provides: time, randomness, an event sink, and the keys of trusted issuers.

use std::future::ready;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::Event;
use grantor_core::engine::facts::KeyQuery;
use grantor_jose::VerificationKeys;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// The time of a clock that no one sets, from any beginning. Limits run on it.
    fn monotonic(&self) -> Timestamp;
}

pub trait Entropy: Send + Sync {
    /// 32 fresh bytes from a CSPRNG.
    fn seed(&self) -> Seed;
}

pub trait EventSink: Send + Sync {
    /// Must not block. A crash may lose the events of the last second.
    fn record(&self, at: Timestamp, trace_id: &str, event: &Event);
}

/// The keys of trusted issuers. Implementations cache keys and limit how often they fetch.
pub trait TrustedKeys: Send + Sync {
    /// The keys of the issuer, including the requested one if it exists. `None` if unavailable.
    fn keys<'a>(&'a self, query: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>>;
}

/// For a realm without trusted issuers.
#[derive(Clone, Copy, Debug)]
pub struct NoTrustedKeys;

impl TrustedKeys for NoTrustedKeys {
    fn keys<'a>(&'a self, _: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>> {
        ready(None).boxed()
    }
}
