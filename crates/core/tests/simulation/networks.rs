//! Guesses from random addresses of nested networks, compared with a model that remembers each: no network of any width
//! gets more than its limit, and no one is refused before a limit is near.

use std::net::IpAddr;
use std::time::Duration;

use grantor_testkit::world::{Browser, SignedIn, World};
use grantor_testkit::{Chance, Spans as _};

/// The bits of a network, by address family, and the wrong passwords that it may send in an hour.
const WIDTHS: [(bool, u32, usize); 5] = [
    (false, 32, 100),
    (false, 24, 1000),
    (true, 64, 100),
    (true, 56, 200),
    (true, 48, 1000),
];

fn prefix(address: IpAddr, bits: u32) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits() >> (32 - bits)),
        IpAddr::V6(v6) => v6.to_bits() >> (128 - bits),
    }
}

/// Mostly from few networks, so that limits are reached.
fn address(chance: &mut Chance) -> String {
    let host = chance.below(3);
    match chance.below(8) {
        0 => format!("198.51.{}.{host}", chance.below(3)),
        1 => format!("198.51.100.{}", chance.below(250)),
        2 => format!("2001:db8:1::{host:x}"),
        3 => format!("2001:db8:1:1{:02x}::{host:x}", chance.below(256)),
        _ => format!("2001:db8:1:{:x}::{host:x}", chance.below(65_536)),
    }
}

#[test]
fn no_network_guesses_more_than_its_limit_and_none_is_refused_before() {
    for seed in 1..=8 {
        let mut chance = Chance::new(seed);
        let mut world = World::new();
        let mut wrong: Vec<(IpAddr, Duration)> = Vec::new();
        let (mut passed, mut refused) = (Duration::ZERO, 0);
        for step in 0..6000 {
            let time = match chance.below(1500) {
                0 => chance.below(90).mins(),
                1 => {
                    // The system's clock steps, and nothing changes.
                    world.now = world.now + chance.below(100).h();
                    Duration::ZERO
                }
                _ => chance.below(600).ms(),
            };
            passed += time;
            world.advance(time);
            let text = address(&mut chance);
            let peer: IpAddr = text.parse().expect("an address");
            let mut browser = Browser {
                address: text,
                ..Browser::new()
            };
            let right = chance.one_in(16);
            let reply = match right {
                true => world.sign_in(&mut browser, "alice", "alice-password"),
                false => world.sign_in(&mut browser, &format!("user-{step}"), "wrong"),
            };
            // Counts end after an hour, and an eighth later at the latest.
            let counts = |kept: Duration| {
                let recent = wrong.iter().filter(move |(_, at)| *at + kept > passed);
                let recent: Vec<IpAddr> = recent.map(|(of, _)| *of).collect();
                WIDTHS
                    .into_iter()
                    .filter(|(v6, ..)| *v6 == peer.is_ipv6())
                    .map(|(_, bits, limit)| {
                        let same = |of: &&IpAddr| {
                            of.is_ipv6() == peer.is_ipv6()
                                && prefix(**of, bits) == prefix(peer, bits)
                        };
                        (recent.iter().filter(same).count(), limit)
                    })
                    .collect::<Vec<_>>()
            };
            match reply {
                SignedIn::TooMany => {
                    refused += 1;
                    let upper = counts(68.mins());
                    assert!(
                        upper.iter().any(|(count, limit)| count >= limit),
                        "{upper:?}"
                    );
                }
                _ => {
                    let lower = counts(1.h());
                    assert!(
                        lower.iter().all(|(count, limit)| count < limit),
                        "{lower:?}"
                    );
                    assert_eq!(reply == SignedIn::Yes, right);
                }
            }
            if reply == SignedIn::Wrong {
                wrong.push((peer, passed));
            }
        }
        assert!(refused > 100, "{refused} refused: the limits are at stake");
    }
}
