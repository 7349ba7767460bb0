//! Floods of device authorization requests meet a limit (RFC 8628 section 5; design section 6).

use grantor_core::base::error::ErrorCode::TooManyRequests;

use grantor_testkit::Spans;
use grantor_testkit::world::World;

/// How many of `n` devices got codes.
fn devices(world: &mut World, client: &str, n: usize) -> usize {
    (0..n)
        .filter(|_| world.device_codes_with(client, &[]).is_ok())
        .count()
}

fn small() -> World {
    World::with(|realm| {
        realm.device.max_pending = 10;
        realm.device.max_pending_per_address = 4;
    })
}

#[test]
fn pending_codes_of_an_address_are_limited() {
    let mut world = small();
    assert_eq!(devices(world.from("198.51.100.1"), "tv", 20), 4);
    let rows = world.rows();
    let (cost, refused) = world.cost(|world| world.device_codes_with("tv2", &[]));
    let refused = refused.expect_err("the address is full for each client");
    assert_eq!(refused.code, TooManyRequests);
    assert!(
        refused
            .retry_after
            .is_some_and(|seconds| (1..=600).contains(&seconds))
    );
    assert_eq!(
        (cost, world.rows()),
        ([0, 0, 0], rows),
        "and a flood is cheap"
    );
    assert_eq!(devices(world.from("198.51.100.2"), "tv", 1), 1);
}

#[test]
fn an_ipv6_prefix_of_64_bits_counts_as_one_address() {
    let mut world = small();
    let taken: usize = (0..20)
        .map(|n| devices(world.from(&format!("2001:db8::{n:x}")), "tv", 1))
        .sum();
    assert_eq!(taken, 4);
}

#[test]
fn pending_codes_of_a_client_are_limited() {
    let mut world = small();
    let taken: usize = (0..20)
        .map(|n| devices(world.from(&format!("198.51.{n}.1")), "tv", 1))
        .sum();
    assert_eq!(taken, 10);
    assert_eq!(
        devices(world.from("203.0.113.1"), "tv2", 1),
        1,
        "another client does not notice"
    );
}

#[test]
fn while_others_ask_no_network_holds_more_than_a_tenth_of_a_clients_codes() {
    let floods: [fn(usize) -> String; 3] = [
        |n| format!("2001:db8:1:{n:x}::1"),
        |n| format!("2001:db8:1:2{:02x}::1", n % 256),
        |n| format!("198.51.100.{}", n % 250),
    ];
    for address in floods {
        let mut world = World::with(|realm| {
            realm.device.max_pending = 100;
            realm.device.max_pending_per_address = 100;
        });
        assert_eq!(devices(world.from("203.0.113.1"), "tv", 1), 1);
        let flood = |world: &mut World| -> usize {
            (0..200)
                .map(|n| devices(world.from(&address(n)), "tv", 1))
                .sum()
        };
        assert_eq!(flood(&mut world), 10, "{}", address(0));
        for n in 0..8 {
            assert_eq!(devices(world.from(&format!("203.0.{n}.1")), "tv", 10), 10);
            assert_eq!(flood(&mut world), 0);
        }
    }
}

#[test]
fn a_network_that_asks_alone_leaves_half_of_a_clients_codes() {
    let mut world = World::with(|realm| realm.device.max_pending = 100);
    assert_eq!(devices(world.from("198.51.100.1"), "tv", 200), 50);
    let others: usize = (0..20)
        .map(|n| devices(world.from(&format!("203.0.{n}.1")), "tv", 10))
        .sum();
    assert_eq!(others, 50);
    world.advance(12.mins());
    assert_eq!(devices(world.from("203.0.113.1"), "tv", 1), 1);
    assert_eq!(devices(world.from("198.51.100.1"), "tv", 200), 10);
}

#[test]
fn a_decision_after_the_clock_leapt_frees_no_more_than_its_code() {
    let mut world = small();
    world.from("198.51.100.1");
    let codes: Vec<_> = (0..4).map(|_| world.device_codes("tv")).collect();
    world.now = world.now + 5.mins();
    world.approve("alice", &codes[0]);
    assert!(devices(world.from("198.51.100.1"), "tv", 9) <= 1);
}

#[test]
fn loopback_has_no_limit_of_its_own() {
    let mut world = small();
    assert_eq!(
        devices(world.from("127.0.0.1"), "tv", 20),
        10,
        "the client's holds"
    );
    assert_eq!(devices(world.from("::1"), "tv2", 20), 10);
}

#[test]
fn a_decided_code_no_longer_counts_as_pending() {
    let mut world = small();
    world.from("198.51.100.1");
    let codes: Vec<_> = (0..4).map(|_| world.device_codes("tv")).collect();
    assert_eq!(devices(&mut world, "tv", 1), 0);
    world.approve("alice", &codes[0]);
    world.deny("alice", &codes[1]);
    assert_eq!(devices(&mut world, "tv", 5), 2);
}

#[test]
fn an_expired_code_no_longer_counts_as_pending() {
    let mut world = small();
    assert_eq!(devices(world.from("198.51.100.1"), "tv", 9), 4);
    world.advance(12.mins());
    assert_eq!(devices(&mut world, "tv", 9), 4);
}

#[test]
fn a_refused_request_does_not_count_as_pending() {
    let mut world = small();
    world.from("198.51.100.1");
    for _ in 0..20 {
        assert!(
            world
                .device_codes_with("tv", &[("scope", "unknown")])
                .is_err()
        );
    }
    assert_eq!(devices(&mut world, "tv", 9), 4);
}

#[test]
fn rows_of_unused_codes_are_swept() {
    let mut world = World::new();
    let rows = world.rows();
    assert_eq!(devices(&mut world, "tv", 100), 100);
    assert_eq!(world.rows(), rows + 200);
    world.advance(15.mins());
    world.sweep();
    assert_eq!(world.rows(), rows);
}
