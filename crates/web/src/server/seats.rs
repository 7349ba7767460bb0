//! The open connections of a server. When all seats are taken, the one that has been idle for longest makes room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::activity::Activity;

/// How many idle connections one search finds: it looks at all connections.
const FOUND_AT_ONCE: usize = 64;
/// The time without a search after one that found nothing.
const SEARCH_PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
pub(super) struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug)]
struct Taken {
    seats: HashMap<u64, Occupant>,
    max: usize,
    next_id: u64,
    /// Connections that were idle at the last search, the longest last, each with the time since when.
    idle: Vec<(Instant, u64)>,
    next_search: Option<Instant>,
}

#[derive(Debug)]
struct Occupant {
    activity: Arc<Activity>,
    closing: CancellationToken,
}

/// One open connection. Dropping it frees the seat.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    id: u64,
    /// Cancelled when the connection must make room, or the server stops.
    pub(super) closing: CancellationToken,
}

impl Seats {
    pub(super) fn new(max: usize) -> Self {
        Self(Arc::new(Mutex::new(Taken {
            seats: HashMap::new(),
            max,
            next_id: 0,
            idle: Vec::new(),
            next_search: None,
        })))
    }

    /// A seat, if there is one or an idle connection makes room. That one closes a moment later.
    pub(super) fn take(
        &self,
        activity: &Arc<Activity>,
        stopping: &CancellationToken,
    ) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.seats.len() >= taken.max && !taken.evict() {
            return None;
        }
        let id = taken.next_id;
        taken.next_id += 1;
        let closing = stopping.child_token();
        let occupant = Occupant {
            activity: Arc::clone(activity),
            closing: closing.clone(),
        };
        taken.seats.insert(id, occupant);
        drop(taken);
        let seats = self.clone();
        Some(Seat { seats, id, closing })
    }

    /// Closes an idle connection, such as where the system has no file left for a new one.
    pub(super) fn evict(&self) -> bool {
        self.taken().evict()
    }

    /// The guard must not be held across an await.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn evict(&mut self) -> bool {
        if self.idle.is_empty() {
            self.search();
        }
        while let Some((since, id)) = self.idle.pop() {
            let is_still = |seat: &Occupant| seat.activity.idle_since() == Some(since);
            if self.seats.get(&id).is_some_and(is_still)
                && let Some(occupant) = self.seats.remove(&id)
            {
                occupant.closing.cancel();
                return true;
            }
        }
        false
    }

    fn search(&mut self) {
        let now = Instant::now();
        if self.next_search.is_some_and(|next| now < next) {
            return;
        }
        let idle = |(id, seat): (&u64, &Occupant)| Some((seat.activity.idle_since()?, *id));
        let mut found: Vec<_> = self.seats.iter().filter_map(idle).collect();
        if found.len() > FOUND_AT_ONCE {
            found.select_nth_unstable(FOUND_AT_ONCE);
            found.truncate(FOUND_AT_ONCE);
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        self.next_search = found.is_empty().then(|| now + SEARCH_PAUSE);
        self.idle = found;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().seats.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::activity::Timeouts;

    #[test]
    fn the_longest_idle_connection_makes_room_and_a_busy_one_never() {
        let (seats, stopping) = (Seats::new(3), CancellationToken::new());
        let new = || Arc::new(Activity::new(Timeouts::default()));
        let connections = [new(), new(), new()];
        let taken = connections.each_ref().map(|it| seats.take(it, &stopping));
        let taken = taken.map(Option::unwrap);
        let closing = || taken.each_ref().map(|seat| seat.closing.is_cancelled());
        connections[0].request_started();
        connections[1].set_blocked(true);
        let busy = new();
        busy.request_started();
        let fourth = seats.take(&busy, &stopping).unwrap();
        assert_eq!(closing(), [false, false, true]);
        assert!(seats.take(&busy, &stopping).is_none(), "all are busy");

        // An answered request makes its connection the youngest idle one.
        connections[1].set_blocked(false);
        connections[0].request_answered();
        seats.taken().next_search = None;
        let fifth = seats.take(&busy, &stopping).unwrap();
        assert_eq!(closing(), [false, true, true]);
        drop((fourth, fifth, taken));
        assert!(seats.taken().seats.is_empty());
    }
}
