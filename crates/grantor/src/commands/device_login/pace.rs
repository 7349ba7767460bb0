//! How fast to poll, and what the answers mean (RFC 8628 section 3.5).

use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::client::Reply;
use super::failure::Failure;

pub(super) struct Pace {
    interval: Duration,
    /// Longer than the interval while the server cannot answer.
    next: Duration,
}

/// What to do after a poll.
pub(super) enum Step {
    Again,
    Done(Map<String, Json>),
    Stop(Failure),
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        // An interval of nothing would keep the server busy with this client alone.
        let interval = interval.max(Duration::from_secs(1));
        Self {
            interval,
            next: interval,
        }
    }

    /// How long to wait before the next poll.
    pub(super) fn next(&self) -> Duration {
        self.next
    }

    /// Takes the response of a poll.
    pub(super) fn judge(&mut self, reply: Result<Reply, Failure>) -> Step {
        let reply = match reply {
            Ok(reply) => reply,
            // "On encountering a connection timeout, clients MUST unilaterally reduce their polling
            // frequency before retrying."
            Err(Failure::Unreachable { .. }) => return self.back_off(None),
            Err(failure) => return Step::Stop(failure),
        };
        match (reply.status, reply.text("error")) {
            (200, _) if !reply.body.is_empty() => Step::Done(reply.body),
            (_, Some("authorization_pending")) => {
                self.next = self.interval;
                Step::Again
            }
            // "the interval MUST be increased by 5 seconds for this and all subsequent requests."
            (_, Some("slow_down")) => {
                self.interval += Duration::from_secs(5);
                self.next = self.interval;
                Step::Again
            }
            // A server that is busy or restarting has not refused.
            (429 | 502 | 503 | 504, _) => self.back_off(reply.retry_after),
            _ => Step::Stop(Failure::refused(&reply)),
        }
    }

    fn back_off(&mut self, retry_after: Option<Duration>) -> Step {
        const LONGEST: Duration = Duration::from_secs(60);
        let doubled = (self.next * 2).min(LONGEST).max(self.interval);
        self.next = retry_after.map_or(doubled, |time| time.min(LONGEST).max(self.interval));
        Step::Again
    }
}
