//! The life of a browser's session.

use grantor_testkit::Spans;
use grantor_testkit::world::{Browser, Decided, World};

#[test]
fn an_idle_session_ends_and_a_used_one_goes_on() {
    let mut world = World::new();
    let used = world.signed_in("alice");
    let idle = world.signed_in("alice");
    for _ in 0..3 {
        world.advance(7.h());
        assert!(world.visitor(&used).is_some());
    }
    assert_eq!(world.visitor(&idle), None);
    world.advance(8.h());
    assert_eq!(world.visitor(&used), None);
}

#[test]
fn a_session_ends_at_its_absolute_lifetime_even_when_used() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    for _ in 0..(7 * 24 - 1) {
        world.advance(1.h());
        assert!(world.visitor(&browser).is_some());
    }
    world.advance(1.h());
    assert_eq!(world.visitor(&browser), None);
}

#[test]
fn the_use_of_a_session_is_written_coarsely() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let rows = world.rows();
    let (cost, ()) = world.cost(|world| {
        for _ in 0..1000 {
            world.advance(28.s() + 800.ms());
            assert!(world.visitor(&browser).is_some());
        }
    });
    assert_eq!(
        cost,
        [1000, 15, 15],
        "8 hours of it, at most once in half an hour"
    );
    assert_eq!(world.rows(), rows + 1);
}

#[test]
fn a_sign_out_ends_this_session_and_no_other() {
    let mut world = World::new();
    let (here, there) = (world.signed_in("alice"), world.signed_in("alice"));
    world.sign_out(&here);
    assert_eq!(world.visitor(&here), None);
    assert!(world.visitor(&there).is_some());
    world.sign_out(&here);
    world.sign_out(&Browser::new());
    let codes = world.device_codes("tv");
    assert_eq!(world.decide(&here, &codes, true), Decided::SignIn);
}
