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
        .map(|n| devices(world.from(&format!("198.51.100.{n}")), "tv", 1))
        .sum();
    assert_eq!(taken, 10);
    assert_eq!(
        devices(world.from("203.0.113.1"), "tv2", 1),
        1,
        "another client does not notice"
    );
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
