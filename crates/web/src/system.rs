//! What the binary hands in: time, randomness, and where events go.

use grantor_core::event::Event;
use grantor_core::seed::Seed;
use grantor_core::time::Timestamp;

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
