//! What one connection is doing, and until when it may.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use tokio::time::Instant;

/// How long a connection may take. Only tests have other times than the default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For the TLS handshake, for a connection's first request, and for the rest of a request's headers once they began.
    pub(super) header: Duration,
    /// Between requests. Longer than the pools of usual proxies keep a connection, so that they close it and not we.
    pub(super) idle: Duration,
    /// From the moment when an answer waits for its reader until it is sent.
    pub(super) write: Duration,
    /// For the rest of a body that its handler did not read, and once more when the connection closes.
    pub(super) drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(15),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(2),
        }
    }
}

/// Shared by the stream of a connection, its requests, and the seats.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    pub(super) timeouts: Timeouts,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    had_request: bool,
    /// An answer waits for its reader.
    is_blocked: bool,
    /// The client may still be sending a body that no one reads.
    has_unread_body: bool,
    /// The body that a handler did not read to its end.
    unread: Option<Incoming>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No byte of the next request has come.
    Idle,
    /// Its headers are coming.
    Headers,
    /// It is being answered. Reading its body has a limit of its own.
    Request,
}

impl Activity {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let state = State {
            phase: Phase::Idle,
            since: Instant::now(),
            had_request: false,
            is_blocked: false,
            has_unread_body: false,
            unread: None,
        };
        Self {
            state: Mutex::new(state),
            timeouts,
        }
    }

    /// Since when the connection has nothing to do, if it has not.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.phase == Phase::Idle && !state.is_blocked).then_some(state.since)
    }

    /// When the connection must be closed, unless something happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        let timeout = match state.phase {
            Phase::Idle if state.had_request => self.timeouts.idle,
            Phase::Idle | Phase::Headers => self.timeouts.header,
            Phase::Request => return None,
        };
        Some(state.since + timeout)
    }

    /// The TLS handshake is complete: what came until now was no request.
    pub(super) fn handshake_done(&self) {
        let mut state = self.state();
        (state.phase, state.since) = (Phase::Idle, Instant::now());
    }

    /// Bytes have come.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            (state.phase, state.since) = (Phase::Headers, Instant::now());
        }
    }

    pub(super) fn request_started(&self) {
        self.state().phase = Phase::Request;
    }

    pub(super) fn request_answered(&self) {
        let mut state = self.state();
        (state.phase, state.since) = (Phase::Idle, Instant::now());
        state.had_request = true;
    }

    pub(super) fn set_blocked(&self, is_blocked: bool) {
        self.state().is_blocked = is_blocked;
    }

    pub(super) fn keep_unread(&self, body: Incoming) {
        self.state().unread = Some(body);
    }

    pub(super) fn take_unread(&self) -> Option<Incoming> {
        self.state().unread.take()
    }

    pub(super) fn set_unread_body(&self) {
        self.state().has_unread_body = true;
    }

    /// Whether the client may be sending what no one reads: a body, or headers that are too long or malformed.
    pub(super) fn is_client_sending(&self) -> bool {
        let state = self.state();
        state.has_unread_body || state.phase != Phase::Idle
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
