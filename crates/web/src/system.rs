//! Traits for what the server provides: time, randomness, an event sink, and the keys of trusted issuers.

use std::future::ready;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::Event;
use grantor_core::engine::facts::KeyQuery;
use grantor_jose::{KeyState, VerificationKeys};

use crate::app::Unavailable;

use crate::event_log::EventLog;

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

    /// What was recorded, where it can be read.
    fn log(&self) -> Option<&dyn EventLog> {
        None
    }
}

/// The keys of trusted issuers. Implementations cache keys and limit how often they fetch.
pub trait TrustedKeys: Send + Sync {
    /// The keys of the issuer, including the requested one if it exists. `None` if unavailable.
    fn keys<'a>(&'a self, query: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>>;
}

/// A signing key, as the management API shows one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    pub kid: String,
    /// A name of JOSE.
    pub alg: &'static str,
    pub state: KeyState,
    pub created_at: Timestamp,
    /// When it entered its state.
    pub since: Timestamp,
}

/// What of the management API the server does itself, beyond decisions.
pub trait Management: Send + Sync {
    /// The signing keys, the oldest first.
    fn keys(&self) -> BoxFuture<'_, Vec<SigningKey>>;

    /// Signs with the next keys from now on, and returns those. Goes on if the future is dropped.
    ///
    /// # Errors
    /// The keys cannot be changed now.
    fn rotate_keys(&self) -> BoxFuture<'_, Result<Vec<SigningKey>, Unavailable>>;
}

/// For a realm without trusted issuers.
#[derive(Clone, Copy, Debug)]
pub struct NoTrustedKeys;

impl TrustedKeys for NoTrustedKeys {
    fn keys<'a>(&'a self, _: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>> {
        ready(None).boxed()
    }
}
