//! What the binary hands in: time, randomness, where events go, and the keys of others.

use std::future::ready;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::decide::KeyQuery;
use grantor_core::engine::event::Event;
use grantor_jose::VerificationKeys;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Draws randomness.
pub trait Entropy: Send + Sync {
    /// 32 fresh bytes of a CSPRNG.
    fn seed(&self) -> Seed;
}

/// Takes what the operator is told. It must not wait: a second of events may be lost in a crash, a request never waits.
pub trait EventSink: Send + Sync {
    /// Takes one event of the request with this trace id.
    fn record(&self, at: Timestamp, trace_id: &str, event: &Event);
}

/// Knows the keys of trusted issuers. It bounds what it fetches, whatever is asked, and answers from what it holds.
pub trait TrustedKeys: Send + Sync {
    /// The keys of this issuer, the one that is asked for among them if there is such a one; none where they cannot
    /// be had.
    fn keys<'a>(&'a self, ask: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>>;
}

/// For a realm that trusts nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoTrustedKeys;

impl TrustedKeys for NoTrustedKeys {
    fn keys<'a>(&'a self, _: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>> {
        ready(None).boxed()
    }
}
