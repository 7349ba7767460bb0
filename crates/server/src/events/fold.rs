//! Folds events that come too often: of one kind, network and minute only the first ones are lines of their own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{EventClass, EventKind, FoldedEvents};

use super::journal::Entry;

/// How many events of one kind, network and minute are lines of their own.
const UNFOLDED: u32 = 8;
const MAX_SUBJECTS: usize = 8;
/// How many kinds and networks are counted in one minute. Further networks count as one.
const MAX_COUNTED: usize = 4096;
const MINUTE_MS: u64 = 60_000;

/// The counts of one minute.
#[derive(Debug, Default)]
pub(super) struct Folds {
    minute: u64,
    counts: HashMap<(EventKind, Option<IpAddr>), Count>,
    /// How many counts have folded events.
    folded: usize,
}

#[derive(Debug, Default)]
struct Count {
    events: u32,
    last: Timestamp,
    subjects: Vec<String>,
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
        if entry.event.kind.class() == EventClass::Protected {
            return false;
        }
        let network = entry.event.peer.as_ref().map(|peer| network(peer.address));
        let mut key = (entry.event.kind, network);
        if self.counts.len() >= MAX_COUNTED && !self.counts.contains_key(&key) {
            key.1 = None;
        }
        let count = self.counts.entry(key).or_default();
        count.events = count.events.saturating_add(1);
        if count.events <= UNFOLDED {
            return false;
        }
        self.folded += usize::from(count.events == UNFOLDED + 1);
        count.last = entry.at;
        if count.subjects.len() < MAX_SUBJECTS
            && let Some(subject) = entry.event.subject()
            && !count.subjects.contains(&subject)
        {
            count.subjects.push(subject);
        }
        true
    }

    /// Ends the minute: its folded events, each with the time of the last one.
    pub(super) fn end(&mut self, next: Timestamp) -> Vec<(Timestamp, FoldedEvents)> {
        self.minute = next.as_millis() / MINUTE_MS;
        self.folded = 0;
        let counts = std::mem::take(&mut self.counts).into_iter();
        let folded = counts.filter(|(_, count)| count.events > UNFOLDED);
        let mut folded: Vec<_> = folded
            .map(|((kind, network), count)| {
                let folded = FoldedEvents {
                    kind,
                    network: network.map(network_name),
                    count: count.events - UNFOLDED,
                    subjects: count.subjects,
                };
                (count.last, folded)
            })
            .collect();
        folded.sort_by_key(|(last, _)| *last);
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
