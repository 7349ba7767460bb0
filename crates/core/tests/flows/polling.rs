//! The pace of polling (RFC 8628 section 3.5).

use grantor_core::base::error::ErrorCode::{
    AccessDenied, AuthorizationPending, ExpiredToken, SlowDown,
};
use grantor_core::engine::limits::Limits;

use grantor_testkit::Spans;
use grantor_testkit::world::World;

#[test]
fn rfc8628_3_5_slow_down_adds_five_seconds() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    world.advance(3.s());
    assert_eq!(world.poll(&codes), Err(SlowDown), "3 s of 5");
    world.advance(9.s());
    assert_eq!(world.poll(&codes), Err(SlowDown), "9 s of 10");
    world.advance(14.s());
    assert_eq!(world.poll(&codes), Err(SlowDown), "14 s of 15");
    world.advance(20.s());
    assert_eq!(world.poll(&codes), Err(AuthorizationPending), "20 s of 20");
}

#[test]
fn a_device_that_polled_too_fast_recovers_and_gets_its_tokens() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    world.advance(1.s());
    assert_eq!(world.poll(&codes), Err(SlowDown));
    world.advance(10.s());
    assert_eq!(
        world.poll(&codes),
        Err(AuthorizationPending),
        "obeyed, and not slowed further"
    );
    world.approve("alice", &codes);
    world.advance(10.s());
    assert!(world.poll(&codes).is_ok());
}

#[test]
fn a_poll_half_a_second_early_is_on_time() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    world.advance(4500.ms());
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    world.advance(4499.ms());
    assert_eq!(world.poll(&codes), Err(SlowDown));
}

#[test]
fn slow_down_never_masks_an_approved_code() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    for _ in 0..50 {
        let _ = world.poll(&codes);
        world.advance(100.ms());
    }
    world.approve("alice", &codes);
    assert!(
        world.poll(&codes).is_ok(),
        "at once, though the last poll was 100 ms ago"
    );
}

#[test]
fn slow_down_never_masks_a_denied_or_expired_code() {
    let mut world = World::new();
    let (denied, expired) = (world.device_codes("tv"), world.device_codes("tv"));
    for _ in 0..50 {
        let _ = (world.poll(&denied), world.poll(&expired));
        world.advance(100.ms());
    }
    world.deny("alice", &denied);
    assert_eq!(world.poll(&denied), Err(AccessDenied));
    world.advance(10.mins() - 5.s() - 1.ms());
    assert_eq!(world.poll(&expired), Err(AuthorizationPending));
    world.advance(1.ms());
    assert_eq!(
        world.poll(&expired),
        Err(ExpiredToken),
        "1 ms after the last poll"
    );
}

#[test]
fn a_decision_on_another_node_is_seen_within_a_second() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    // The other node's tables learn of the decision; this node's do not.
    let here = std::mem::replace(&mut world.limits, Limits::new(&[9; 32]));
    world.approve("alice", &codes);
    world.limits = here;
    world.advance(999.ms());
    assert_eq!(world.poll(&codes), Err(SlowDown), "from memory");
    world.advance(1.ms());
    assert!(
        world.poll(&codes).is_ok(),
        "even for a client that ignores slow_down"
    );
}

#[test]
fn each_code_has_its_own_poll_interval() {
    let mut world = World::new();
    let (one, two) = (world.device_codes("tv"), world.device_codes("tv"));
    assert_eq!(world.poll(&one), Err(AuthorizationPending));
    assert_eq!(world.poll(&two), Err(AuthorizationPending));
    world.advance(1.s());
    assert_eq!(world.poll(&one), Err(SlowDown));
    world.advance(4.s());
    assert_eq!(world.poll(&two), Err(AuthorizationPending));
}

#[test]
fn polls_while_pending_write_nothing_and_record_no_event() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.take_events();
    let rows = world.rows();
    for _ in 0..100 {
        let (cost, _) = world.cost(|world| world.poll(&codes));
        assert_eq!(cost[1..], [0, 0]);
        world.advance(1.s());
    }
    assert_eq!((world.rows(), world.take_events()), (rows, vec![]));
}
