//! Limits the log: whoever causes lines of one kind without end fills no disk with them.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use grantor_server::events::PROTECTED_EVENT;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The lines of one kind in a minute. Further ones are counted, and the count is logged.
pub(super) const LINES_A_MINUTE: u32 = 60;
/// The lines of one kind of protected event, of one user or client, in a minute: as many as are never folded in a file.
const PROTECTED_LINES_A_MINUTE: u32 = 8;
/// How many kinds, users and clients are counted in one minute. Further users and clients of a kind count as one.
const MAX_COUNTED: usize = 16 * 1024;
const MINUTE: Duration = Duration::from_secs(60);

/// Lines of one place in the code are of one kind; events by their `kind`, refusals and failures by their `error`. Protected
/// events are counted for each user, else client: whoever causes them without end hides none that concern others.
#[derive(Clone, Debug, Default)]
pub(super) struct LogLimit {
    counts: Arc<Mutex<Counts>>,
}

type Counts = HashMap<Key, u32>;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    place: Identifier,
    kind: String,
    /// The user, else the client, of a protected event.
    subject: Option<String>,
}

impl Key {
    const fn lines(&self) -> u32 {
        match self.subject {
            Some(_) => PROTECTED_LINES_A_MINUTE,
            None => LINES_A_MINUTE,
        }
    }
}

impl LogLimit {
    /// # Errors
    /// The thread that begins each minute cannot be created.
    pub(super) fn start() -> io::Result<Self> {
        let limit = Self::default();
        let of_thread = limit.clone();
        let thread = thread::Builder::new().name("log-limit".to_owned());
        thread.spawn(move || {
            loop {
                thread::sleep(MINUTE);
                of_thread.end_minute();
            }
        })?;
        Ok(limit)
    }

    /// Logs what was left out, and starts from zero.
    pub(super) fn end_minute(&self) {
        let counts = std::mem::take(&mut *self.counts());
        for (key, lines) in counts {
            let left_out = lines.saturating_sub(key.lines());
            if left_out > 0 {
                let Key { kind, subject, .. } = key;
                tracing::warn!(target: "grantor::log", kind, subject, left_out, "too many lines of one kind in a minute");
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for LogLimit {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let mut kind = Kind {
            member: match metadata.target() {
                "event" => "kind",
                "grantor::refusal" | "grantor::failure" => "error",
                _ => "",
            },
            value: metadata.name().to_owned(),
            user: None,
            client: None,
        };
        event.record(&mut kind);
        let subject = kind.user.or(kind.client);
        let mut counts = self.counts();
        let mut key = Key {
            place: metadata.callsite(),
            kind: kind.value,
            subject: subject.filter(|_| metadata.name() == PROTECTED_EVENT),
        };
        if counts.len() >= MAX_COUNTED && !counts.contains_key(&key) {
            key.subject = None;
        }
        let lines = key.lines();
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
        *count <= lines
    }
}

/// Finds the member that names the kind. It never comes from outside.
struct Kind {
    member: &'static str,
    value: String,
    user: Option<String>,
    client: Option<String>,
}

impl Visit for Kind {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            name if name == self.member => self.value = format!("{value:?}"),
            "user" => self.user = Some(format!("{value:?}")),
            "client" => self.client = Some(format!("{value:?}")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn event(kind: &str) {
        tracing::info!(target: "event", kind = %kind);
    }

    #[test]
    fn a_flood_of_one_users_protected_events_hides_none_of_another() {
        let (log, limit) = (Log::default(), LogLimit::default());
        let to = log.clone();
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || to.clone());
        let subscriber = lines.finish().with(limit.clone());
        tracing::subscriber::with_default(subscriber, || {
            for (user, count) in [("mallory", 100_000), ("alice", 8), ("bob", 1)] {
                for _ in 0..count {
                    let kind = "refresh_reused_grant_revoked";
                    tracing::info!(name: PROTECTED_EVENT, target: "event", kind = %kind, user = %user);
                }
            }
            for user in 0..20_000 {
                tracing::info!(name: PROTECTED_EVENT, target: "event", kind = %"many", user = %user);
            }
            assert_eq!(limit.counts().len(), MAX_COUNTED + 1, "bounded");
            limit.end_minute();
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let count = |text_of: &str| text.lines().filter(|line| line.contains(text_of)).count();
        assert_eq!(count("user=mallory"), 8);
        assert_eq!(count("user=alice"), 8);
        assert_eq!(count("user=bob"), 1);
        assert_eq!(count("left_out=99992"), 1);
    }

    #[test]
    fn of_a_flood_of_one_kind_sixty_lines_a_minute_and_a_count_are_logged_and_other_kinds_stay() {
        let (log, limit) = (Log::default(), LogLimit::default());
        let to = log.clone();
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || to.clone());
        let subscriber = lines.finish().with(limit.clone());
        let minutes = tracing::subscriber::with_default(subscriber, || {
            [100_000, 10].map(|refused| {
                log.0.lock().unwrap().clear();
                for _ in 0..refused {
                    event("tries_used_up");
                    tracing::info!(target: "grantor::refusal", error = "invalid_grant", "refused");
                }
                event("refresh_reused_grant_revoked");
                tracing::info!(target: "grantor::refusal", error = "invalid_client", "refused");
                tracing::info!("of another place");
                limit.end_minute();
                String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
            })
        });
        let count = |minute: usize, text: &str| {
            let lines = minutes[minute].lines();
            lines.filter(|line| line.contains(text)).count()
        };
        println!("{} bytes for 200,000 lines", minutes[0].len());
        assert_eq!(count(0, "event: kind=tries_used_up"), 60);
        assert_eq!(count(0, "invalid_grant"), 60 + 1);
        assert_eq!(count(0, "left_out=99940"), 2);
        for minute in 0..2 {
            assert_eq!(count(minute, "refresh_reused"), 1);
            assert_eq!(count(minute, "invalid_client"), 1);
            assert_eq!(count(minute, "of another place"), 1);
        }
        assert_eq!(
            count(1, "tries_used_up"),
            10,
            "each minute counts for itself"
        );
        assert_eq!(count(1, "left_out"), 0);
    }
}
