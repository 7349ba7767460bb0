//! Folds events that come too often: of one kind, source and minute only the first ones are lines of their own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{Event, EventClass, EventKind, FoldedEvents};
use grantor_core::model::ids::{ClientId, UserId};

use super::journal::Entry;

/// How many events of one kind, source, client and answer are lines of their own in a minute.
const UNFOLDED: u32 = 8;
/// How many clients and answers are told apart for one kind and source, so that the mistakes of one client do not hide those
/// of others in its network.
const MAX_TOLD_APART: usize = 8;
/// How many events of one frequent kind are lines of their own in a minute, of all networks together.
const MAX_LINES: u32 = 1000;
const MAX_SUBJECTS: usize = 8;
/// How many kinds and networks are counted in one minute. Further networks count as one.
const MAX_NETWORKS: usize = 4096;
/// The same for users and clients; nobody alone is so many. Events of further ones are not folded.
const MAX_USERS: usize = 16 * 1024;
const MINUTE_MS: u64 = 60_000;

/// The counts of one minute.
#[derive(Debug, Default)]
pub(super) struct Folds {
    minute: u64,
    of_networks: HashMap<(EventKind, Source), Count>,
    of_users: HashMap<(EventKind, Source), Count>,
    /// The lines of each frequent kind.
    lines: HashMap<EventKind, u32>,
    /// How many counts have folded events.
    folded: usize,
}

/// Whose events are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// Of what anyone can cause.
    Network(IpAddr),
    /// Of what is protected: nobody hides what concerns others.
    User(UserId),
    /// The same, where no user is concerned.
    Client(ClientId),
    Other,
}

impl Source {
    pub(super) fn of(event: &Event) -> Self {
        let source = if event.kind.class() == EventClass::Protected {
            let client = || event.client.clone().map(Self::Client);
            event.user.map(Self::User).or_else(client)
        } else {
            let peer = event.peer.as_ref();
            peer.map(|peer| Self::Network(network(peer.address)))
        };
        source.unwrap_or(Self::Other)
    }
}

/// What was folded of one kind and source.
#[derive(Debug)]
pub(super) struct Folded {
    /// Of the last one.
    pub(super) at: Timestamp,
    pub(super) source: Source,
    pub(super) events: FoldedEvents,
}

/// Of a refusal: the client, as far as it is known, and the code that was answered.
type Answered = (Option<ClientId>, Option<&'static str>);

#[derive(Debug, Default)]
struct Count {
    lines: Vec<(Answered, u32)>,
    folded: u32,
    last: Timestamp,
    subjects: Vec<String>,
}

impl Count {
    /// Takes a line, if there is one left.
    fn has_line_for(&mut self, event: &Event) -> bool {
        let request = event.request.as_ref();
        let answered = match request {
            Some(request) => (event.client.clone(), Some(request.error)),
            None => (None, None),
        };
        let mut known = self.lines.iter_mut();
        if let Some((_, lines)) = known.find(|(known, _)| *known == answered) {
            *lines = lines.saturating_add(1);
            return *lines <= UNFOLDED;
        }
        let is_one_of_few = self.lines.len() < MAX_TOLD_APART;
        if is_one_of_few {
            self.lines.push((answered, 1));
        }
        is_one_of_few
    }
}

impl Folds {
    /// Whether there is something to write at the end of the minute.
    pub(super) const fn is_empty(&self) -> bool {
        self.folded == 0
    }

    /// Whether `at` is in another minute than what is counted.
    pub(super) const fn is_over(&self, at: Timestamp) -> bool {
        at.as_millis() / MINUTE_MS != self.minute
    }

    /// Counts an event; true if it is folded.
    pub(super) fn fold(&mut self, entry: &Entry) -> bool {
        let kind = entry.event.kind;
        let mut key = (kind, Source::of(&entry.event));
        let is_protected = kind.class() == EventClass::Protected;
        let all_lines = self.lines.entry(kind).or_default();
        let is_full = kind.class() == EventClass::Frequent && *all_lines >= MAX_LINES;
        let (counts, max) = if is_protected {
            (&mut self.of_users, MAX_USERS)
        } else {
            (&mut self.of_networks, MAX_NETWORKS)
        };
        if (counts.len() >= max || is_full) && !counts.contains_key(&key) {
            if is_protected {
                return false;
            }
            key.1 = Source::Other;
        }
        let count = counts.entry(key).or_default();
        if !is_full && count.has_line_for(&entry.event) {
            *all_lines += 1;
            return false;
        }
        self.folded += usize::from(count.folded == 0);
        count.folded = count.folded.saturating_add(1);
        count.last = entry.at;
        if count.subjects.len() < MAX_SUBJECTS
            && let Some(subject) = entry.event.subject()
            && !count.subjects.contains(&subject)
        {
            count.subjects.push(subject);
        }
        true
    }

    /// Ends the minute.
    pub(super) fn end(&mut self, next: Timestamp) -> Vec<Folded> {
        let ended = std::mem::take(self);
        self.minute = next.as_millis() / MINUTE_MS;
        let counts = ended.of_networks.into_iter().chain(ended.of_users);
        let mut folded: Vec<_> = counts
            .filter(|(_, count)| count.folded > 0)
            .map(|((kind, source), count)| Folded {
                at: count.last,
                events: FoldedEvents {
                    kind,
                    network: match source {
                        Source::Network(network) => Some(network_name(network)),
                        _ => None,
                    },
                    count: count.folded,
                    subjects: count.subjects,
                },
                source,
            })
            .collect();
        folded.sort_by_key(|folded| folded.at);
        folded
    }
}

/// The first address of the IPv4 /24 or IPv6 /48.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from(v4.to_bits() >> 8 << 8).into(),
        IpAddr::V6(v6) => Ipv6Addr::from(v6.to_bits() >> 80 << 80).into(),
    }
}

fn network_name(network: IpAddr) -> String {
    let bits = if network.is_ipv4() { 24 } else { 48 };
    format!("{network}/{bits}")
}
