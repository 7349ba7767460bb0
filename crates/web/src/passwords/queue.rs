//! Passwords that wait to be hashed: browsers in two lanes, each fair, so that no network and no user fills one.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use grantor_core::base::peer::Width;
use grantor_core::engine::facts::PasswordQueue;

/// How many passwords may wait in each lane.
const LANE_LENGTH: usize = 64;

/// From the widest group to the narrowest: a site, a block and an address; or a user.
type Groups = [u64; 3];

/// Known browsers and the operator in one lane, new browsers in the other. Both get turns while both wait.
#[derive(Debug)]
pub(super) struct Queue<J> {
    known: Lane<J>,
    new: Lane<J>,
    known_was_last: bool,
}

#[derive(Debug)]
struct Lane<J> {
    waiting: Vec<Waiting<J>>,
    /// The turn that was served last.
    turn: u64,
}

#[derive(Debug)]
struct Waiting<J> {
    groups: Groups,
    /// At each level groups take turns, one job each; a job that joins others of its group waits for a later turn.
    turns: [u64; 3],
    job: J,
}

impl<J> Queue<J> {
    pub(super) const fn new() -> Self {
        Self {
            known: Lane::new(),
            new: Lane::new(),
            known_was_last: false,
        }
    }

    /// False if there is no place. In a full lane a job takes the place of the last one of a group that has more
    /// waiting; that one is dropped.
    pub(super) fn push(&mut self, queue: &PasswordQueue, job: J) -> bool {
        match queue {
            PasswordQueue::Network(peer) => {
                let network = |width| number(&peer.network(width));
                let groups = [Width::Site, Width::Block, Width::Address].map(network);
                self.new.push(groups, job)
            }
            PasswordQueue::KnownBrowser(user) => self.known.push([number(user); 3], job),
            PasswordQueue::Operator => self.known.push([0; 3], job),
        }
    }

    pub(super) fn pop(&mut self) -> Option<J> {
        let known_first = !self.known_was_last;
        let lanes = match known_first {
            true => [&mut self.known, &mut self.new],
            false => [&mut self.new, &mut self.known],
        };
        let (at, job) = lanes
            .into_iter()
            .enumerate()
            .find_map(|(at, lane)| Some((at, lane.pop()?)))?;
        self.known_was_last = (at == 0) == known_first;
        Some(job)
    }
}

impl<J> Lane<J> {
    const fn new() -> Self {
        Self {
            waiting: Vec::new(),
            turn: 0,
        }
    }

    fn push(&mut self, groups: Groups, job: J) -> bool {
        if self.waiting.len() >= LANE_LENGTH {
            let Some(last) = self.last_of_the_largest(groups) else {
                return false;
            };
            self.waiting.remove(last);
        }
        let turns = [0, 1, 2].map(|level| self.next_turn(groups, level));
        self.waiting.push(Waiting { groups, turns, job });
        true
    }

    /// The turn after those of the job's group. A group without jobs joins the current turn of the group around it.
    fn next_turn(&self, groups: Groups, level: usize) -> u64 {
        let turns = |of: usize| {
            let same = self
                .waiting
                .iter()
                .filter(move |other| other.groups[of] == groups[of]);
            same.map(move |other| other.turns[level])
        };
        match (turns(level).max(), level.checked_sub(1)) {
            (last, None) => last.unwrap_or_default().max(self.turn) + 1,
            (Some(last), _) => last + 1,
            (None, Some(around)) => turns(around).min().unwrap_or_default(),
        }
    }

    /// The job whose place another one gets: the last of the largest group, and within that of its largest part. None if
    /// the other's own group would then be as large.
    fn last_of_the_largest(&self, groups: Groups) -> Option<usize> {
        let sizes = |groups: Groups| -> [usize; 3] {
            [0, 1, 2].map(|level| {
                let same = |other: &&Waiting<J>| other.groups[level] == groups[level];
                self.waiting.iter().filter(same).count()
            })
        };
        let largest = self.waiting.iter().enumerate();
        let (at, last) = largest.max_by_key(|(at, other)| (sizes(other.groups), *at))?;
        let level = (0..3).find(|&level| last.groups[level] != groups[level])?;
        (sizes(groups)[level] + 1 < sizes(last.groups)[level]).then_some(at)
    }

    /// The first job of the group whose turn it is, at each level.
    fn pop(&mut self) -> Option<J> {
        let mut group: Vec<usize> = (0..self.waiting.len()).collect();
        let mut first = [0; 3];
        for (level, first) in first.iter_mut().enumerate() {
            let turn = |&&at: &&usize| self.waiting[at].turns[level];
            *first = *group.iter().min_by_key(turn)?;
            let next = self.waiting[*first].groups[level];
            group.retain(|&at| self.waiting[at].groups[level] == next);
        }
        let served = *group.first()?;
        self.turn = self.waiting[first[0]].turns[0];
        // It uses the turn of its group's first job, which gets its own.
        for (level, first) in first.into_iter().enumerate() {
            self.waiting[first].turns[level] = self.waiting[served].turns[level];
        }
        Some(self.waiting.remove(served).job)
    }
}

/// Groups are compared often, so by number. Attackers gain nothing from two groups with one number: they can be in one
/// group anyway.
fn number(name: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use grantor_core::base::peer::Peer;
    use grantor_core::model::ids::UserId;

    use super::*;

    fn network(address: &str) -> PasswordQueue {
        PasswordQueue::Network(Peer::new(address.parse().unwrap(), ""))
    }

    fn drain(queue: &mut Queue<&'static str>, jobs: usize) -> Vec<&'static str> {
        (0..jobs).map_while(|_| queue.pop()).collect()
    }

    #[test]
    fn networks_take_turns() {
        let mut queue = Queue::new();
        for n in 0..60 {
            assert!(queue.push(&network(&format!("2001:db8:6:{n}::1")), "flood"));
        }
        assert_eq!(drain(&mut queue, 3), ["flood"; 3]);
        assert!(queue.push(&network("203.0.113.1"), "honest 1"));
        assert!(queue.push(&network("203.0.114.1"), "honest 2"));
        assert!(queue.push(&network("203.0.114.1"), "honest 3"));
        let next = drain(&mut queue, 6);
        let waited = |job| next.iter().position(|other| *other == job).unwrap();
        assert!(waited("honest 1") <= 2, "{next:?}");
        assert!(waited("honest 2") <= 2, "{next:?}");
        assert!(waited("honest 3") <= 5, "{next:?}");
    }

    #[test]
    fn in_a_full_queue_a_network_gives_its_places_to_others() {
        type Address = fn(usize) -> String;
        let floods: [(&str, Address); 3] = [
            ("/64", |n| format!("2001:db8:6::{n:x}")),
            ("/48", |n| format!("2001:db8:6:{n:x}::1")),
            ("/24", |n| format!("198.51.100.{n}")),
        ];
        for (name, address) in floods {
            let mut queue = Queue::new();
            let pushed = (0..200).filter(|n| queue.push(&network(&address(*n)), "flood"));
            assert_eq!(pushed.count(), LANE_LENGTH, "{name}");
            for n in 0..12 {
                assert!(
                    queue.push(&network(&format!("203.0.{n}.1")), "honest"),
                    "{name}"
                );
                assert!(!queue.push(&network(&address(250)), "flood"), "{name}");
            }
            let next = drain(&mut queue, 14);
            assert_eq!(
                next.iter().filter(|job| **job == "honest").count(),
                12,
                "{name}"
            );
        }
    }

    #[test]
    fn neighbours_of_a_flood_in_one_site_take_turns_with_it() {
        let mut queue = Queue::new();
        for _ in 0..LANE_LENGTH {
            queue.push(&network("2001:db8:6:100::1"), "flood");
        }
        assert!(queue.push(&network("2001:db8:6:200::1"), "another block"));
        assert!(queue.push(&network("2001:db8:6:101::1"), "the same block"));
        let next = drain(&mut queue, 4);
        assert!(
            next.contains(&"another block") && next.contains(&"the same block"),
            "{next:?}"
        );
    }

    #[test]
    fn known_browsers_have_places_that_no_network_takes_and_no_user_fills() {
        let mut queue = Queue::new();
        for n in 0..1000 {
            queue.push(&network(&format!("203.{}.{}.1", n / 250, n % 250)), "new");
        }
        let user = |n| PasswordQueue::KnownBrowser(UserId::from_bytes([n; 16]));
        for _ in 0..1000 {
            queue.push(&user(1), "their own account");
        }
        assert!(queue.push(&user(2), "known"));
        assert!(queue.push(&PasswordQueue::Operator, "operator"));
        let next = drain(&mut queue, 6);
        assert!(
            next.contains(&"known") && next.contains(&"operator"),
            "{next:?}"
        );
        assert!(
            next.contains(&"new"),
            "and they do not starve the others: {next:?}"
        );
    }
}
