//! Limits the log: whoever causes lines of one kind without end fills no disk with them, and hides none of others.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use grantor_core::base::peer::{Peer, Width};
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::events::PROTECTED_EVENT;

/// The lines of one kind in a minute; of those with an address, the ones of one client in its network.
const LINES_A_MINUTE: u32 = 60;
/// The same of one network: a client alone hides no other one in it.
const LINES_OF_A_NETWORK: u32 = 2 * LINES_A_MINUTE;
/// The same of all networks together.
const LINES_OF_ALL_NETWORKS: u32 = 10 * LINES_A_MINUTE;
/// Of protected events, those of one user or client: as many as are never folded in a file.
const LINES_OF_ONE: u32 = 8;
/// How many sources are counted in one minute. What further ones cause is counted for their kind only.
const MAX_COUNTED: usize = 16 * 1024;
const MINUTE: Duration = Duration::from_secs(60);

/// Lines of one place in the code are of one kind; events by their `kind`, refusals and failures by their `error`. They are
/// counted by where they come from, protected events by whom they concern. Lines above a limit are counted, and the count
/// is logged.
#[derive(Clone, Debug, Default)]
pub(super) struct LogLimit {
    counts: Arc<Mutex<Counts>>,
}

type Counts = HashMap<Key, Count>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    place: Identifier,
    kind: String,
    source: Source,
}

/// Whose lines are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Source {
    All,
    Network(String),
    /// In one network, since anyone can name a client.
    Client {
        client: String,
        network: String,
    },
    /// The user, else the client, of a protected event.
    Subject(String),
}

#[derive(Debug, Default)]
struct Count {
    logged: u32,
    left_out: u32,
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
        for (Key { kind, source, .. }, Count { left_out, .. }) in counts {
            if left_out > 0 {
                let subject = match source {
                    Source::Subject(subject) => Some(subject),
                    _ => None,
                };
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
        let mut line = Line {
            member: match metadata.target() {
                "event" => "kind",
                "grantor::refusal" | "grantor::failure" => "error",
                _ => "",
            },
            kind: metadata.name().to_owned(),
            network: None,
            user: None,
            client: None,
        };
        event.record(&mut line);
        let mut counts = self.counts();
        let is_full = counts.len() >= MAX_COUNTED;
        let limits = line.limits(metadata.name() == PROTECTED_EVENT);
        let mut limits: Vec<_> = limits
            .map(|(source, limit)| (line.key(metadata.callsite(), source), limit))
            .filter(|(key, _)| !is_full || key.source == Source::All || counts.contains_key(key))
            .collect();
        if limits.is_empty() {
            limits.push((line.key(metadata.callsite(), Source::All), LINES_A_MINUTE));
        }
        let has_room = |(key, limit): &(Key, u32)| {
            let count = counts.get(key);
            count.is_none_or(|count| count.logged < *limit)
        };
        let is_logged = limits.iter().all(has_room);
        if is_logged {
            for (key, _) in limits {
                counts.entry(key).or_default().logged += 1;
            }
        } else if let Some((widest, _)) = limits.pop() {
            let count = counts.entry(widest).or_default();
            count.left_out = count.left_out.saturating_add(1);
        }
        is_logged
    }
}

/// What a line is counted by. The kind never comes from outside.
struct Line {
    /// The member that names the kind.
    member: &'static str,
    kind: String,
    network: Option<String>,
    user: Option<String>,
    client: Option<String>,
}

impl Line {
    fn key(&self, place: Identifier, source: Source) -> Key {
        Key {
            place,
            kind: self.kind.clone(),
            source,
        }
    }

    /// The limits that it has to keep, the widest last.
    fn limits(&self, is_protected: bool) -> impl Iterator<Item = (Source, u32)> + use<> {
        let Self {
            network,
            user,
            client,
            ..
        } = self;
        let subject = user.as_ref().or(client.as_ref()).filter(|_| is_protected);
        let limits = match (subject, network) {
            (Some(subject), _) => [
                Some((Source::Subject(subject.clone()), LINES_OF_ONE)),
                None,
                None,
            ],
            (None, None) => [Some((Source::All, LINES_A_MINUTE)), None, None],
            (None, Some(network)) => [
                client.as_ref().map(|client| {
                    let (client, network) = (client.clone(), network.clone());
                    (Source::Client { client, network }, LINES_A_MINUTE)
                }),
                Some((Source::Network(network.clone()), LINES_OF_A_NETWORK)),
                Some((Source::All, LINES_OF_ALL_NETWORKS)),
            ],
        };
        limits.into_iter().flatten()
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            name if name == self.member => self.kind = format!("{value:?}"),
            "user" => self.user = Some(format!("{value:?}")),
            "client" => self.client = Some(format!("{value:?}")),
            // A refusal's and an event's.
            "address" | "peer" => {
                let address: Option<IpAddr> = format!("{value:?}").parse().ok();
                self.network = address.map(|address| Peer::new(address, "").network(Width::Site));
            }
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

    /// The lines that a log with this limit gets, and those of the end of the minute.
    fn logged(limit: &LogLimit, cause: impl FnOnce()) -> Vec<String> {
        let log = Log::default();
        let to = log.clone();
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || to.clone());
        let subscriber = lines.finish().with(limit.clone());
        tracing::subscriber::with_default(subscriber, || {
            cause();
            limit.end_minute();
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn count(lines: &[String], text: &str) -> usize {
        lines.iter().filter(|line| line.contains(text)).count()
    }

    fn event(kind: &str) {
        tracing::info!(target: "event", kind = %kind);
    }

    fn refused(error: &str, client: Option<&str>, address: &str) {
        tracing::info!(target: "grantor::refusal", error, client, address = %address, "refused");
    }

    #[test]
    fn a_flood_of_one_users_protected_events_hides_none_of_another() {
        let limit = LogLimit::default();
        let lines = logged(&limit, || {
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
        });
        assert_eq!(count(&lines, "user=mallory"), 8);
        assert_eq!(count(&lines, "user=alice"), 8);
        assert_eq!(count(&lines, "user=bob"), 1);
        assert_eq!(count(&lines, "left_out=99992"), 1);
    }

    #[test]
    fn a_flood_by_one_client_or_network_hides_no_refusal_of_another() {
        let lines = logged(&LogLimit::default(), || {
            for n in 0..100_000 {
                refused("invalid_client", Some("broken"), "192.0.2.1");
                refused(
                    "invalid_client",
                    Some(&format!("made up {n}")),
                    "198.51.100.1",
                );
                refused("invalid_request", None, "2001:db8:1::1");
                tracing::info!(target: "event", kind = "sign_in_failed", peer = %"198.51.100.1");
            }
            // In its network, and the same client somewhere else.
            refused("invalid_client", Some("orders"), "192.0.2.2");
            refused("invalid_client", Some("broken"), "203.0.113.1");
            refused("invalid_request", None, "2001:db8:2::1");
            tracing::info!(target: "event", kind = "sign_in_failed", peer = %"203.0.113.2");
        });
        for (text, logged) in [
            ("client=\"broken\" address=192.0.2.1", 60),
            ("address=198.51.100.1", 120),
            ("address=2001:db8:1::1", 120),
            ("peer=198.51.100.1", 120),
            ("client=\"orders\"", 1),
            ("address=203.0.113.1", 1),
            ("address=2001:db8:2::1", 1),
            ("peer=203.0.113.2", 1),
            ("left_out", 3),
        ] {
            assert_eq!(count(&lines, text), logged, "{text}");
        }
    }

    #[test]
    fn a_flood_from_countless_networks_is_a_bounded_number_of_lines_and_counters() {
        let limit = LogLimit::default();
        let lines = logged(&limit, || {
            for n in 0..100_000_u32 {
                let address = IpAddr::from((n << 8).to_be_bytes()).to_string();
                refused("invalid_client", Some(&n.to_string()), &address);
            }
            assert_eq!(limit.counts().len(), 2 * 600 + 1);
        });
        let bytes: usize = lines.iter().map(String::len).sum();
        println!("{bytes} bytes for 100,000 lines");
        assert_eq!(lines.len(), 600 + 1);
        assert_eq!(count(&lines, "left_out=99400"), 1);
    }

    #[test]
    fn of_a_flood_of_one_kind_sixty_lines_a_minute_and_a_count_are_logged_and_other_kinds_stay() {
        let limit = LogLimit::default();
        let [first, second] = [100_000, 10].map(|refused| {
            logged(&limit, || {
                for _ in 0..refused {
                    event("tries_used_up");
                    tracing::info!(target: "grantor::refusal", error = "invalid_grant", "refused");
                }
                event("refresh_reused_grant_revoked");
                tracing::info!(target: "grantor::refusal", error = "invalid_client", "refused");
                tracing::info!("of another place");
            })
        });
        let bytes: usize = first.iter().map(String::len).sum();
        println!("{bytes} bytes for 200,000 lines");
        assert_eq!(count(&first, "event: kind=tries_used_up"), 60);
        assert_eq!(count(&first, "invalid_grant"), 60 + 1);
        assert_eq!(count(&first, "left_out=99940"), 2);
        for lines in [&first, &second] {
            assert_eq!(count(lines, "refresh_reused"), 1);
            assert_eq!(count(lines, "invalid_client"), 1);
            assert_eq!(count(lines, "of another place"), 1);
        }
        assert_eq!(
            count(&second, "tries_used_up"),
            10,
            "each minute counts for itself"
        );
        assert_eq!(count(&second, "left_out"), 0);
    }
}
