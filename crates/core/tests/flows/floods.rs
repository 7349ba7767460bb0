//! What honest people and devices still get while one network floods the server: a figure for each width of network.

use grantor_core::engine::limits::{Counter, Quota, Window};
use grantor_testkit::world::{Browser, SignedIn, World};
use grantor_testkit::{password_of, users};

/// An attacker's network.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// IPv6 /64.
    Address,
    /// IPv6 /48, each request from another /64.
    Site,
    /// IPv4 /24, each request from another address.
    Ipv4,
}

const FLOODS: [Flood; 3] = [Flood::Address, Flood::Site, Flood::Ipv4];

impl Flood {
    fn address(self, n: usize) -> String {
        match self {
            Self::Address => format!("2001:db8:666::{n:x}"),
            Self::Site => format!("2001:db8:666:{n:x}::1"),
            Self::Ipv4 => format!("198.51.100.{}", n % 250),
        }
    }
}

fn at(address: String, browser: &Browser) -> Browser {
    Browser {
        address,
        session: None,
        ..browser.clone()
    }
}

/// Honest devices of `tv` in 12 other networks that get a code under a flood, and the codes that the flood holds.
fn devices(flood: Flood) -> (usize, usize) {
    let mut world = World::with(|realm| {
        realm.device.max_pending = 1000;
        realm.device.max_pending_per_address = 100;
    });
    let mut asks = |address: String| world.from(&address).device_codes_with("tv", &[]).is_ok();
    let (mut honest, mut held) = (0, 0);
    for n in 0..12 {
        for k in 0..200 {
            held += usize::from(asks(flood.address(200 * n + k)));
        }
        honest += usize::from(asks(format!("203.0.{n}.7")));
    }
    (honest, held)
}

/// Of 12 known browsers in the flooding network, and of 12 new ones elsewhere, those in which `alice` signs in while the
/// flood guesses at made-up names; and the guesses that were hashed.
fn sign_ins(flood: Flood) -> (usize, usize, usize) {
    let mut world = World::new();
    let alice = users::USERS[0].0;
    let known: Vec<Browser> = (0..12).map(|_| world.signed_in(alice)).collect();
    let (mut inside, mut elsewhere, mut hashed) = (0, 0, 0);
    for (n, known) in known.iter().enumerate() {
        for k in 0..400 {
            let mut guess = at(flood.address(400 * n + k), &Browser::new());
            let name = format!("made-up-{n}-{k}");
            let reply = world.sign_in(&mut guess, &name, "wrong");
            hashed += usize::from(reply == SignedIn::Wrong);
        }
        let mut here = at(flood.address(n), known);
        let mut there = at(format!("203.0.{n}.7"), &Browser::new());
        for (browser, passed) in [(&mut here, &mut inside), (&mut there, &mut elsewhere)] {
            let reply = world.sign_in(browser, alice, &password_of(alice));
            *passed += usize::from(reply == SignedIn::Yes);
        }
    }
    (inside, elsewhere, hashed)
}

#[test]
fn honest_devices_get_codes_while_one_network_floods_their_client() {
    for flood in FLOODS {
        let (honest, held) = devices(flood);
        println!("{flood:?}: {honest} of 12 honest device codes, {held} codes held by the flood");
        assert_eq!(honest, 12, "{flood:?}");
        // Alone, it takes what its own limit or half of the client's allows.
        assert!(held <= 500, "{flood:?} holds {held}");
    }
}

#[test]
fn known_browsers_and_other_networks_sign_in_while_one_network_guesses() {
    for flood in FLOODS {
        let (inside, elsewhere, hashed) = sign_ins(flood);
        println!(
            "{flood:?}: {inside} of 12 known browsers inside, {elsewhere} of 12 elsewhere, {hashed} hashes"
        );
        assert_eq!((inside, elsewhere), (12, 12), "{flood:?}");
        assert!(hashed <= 1000, "{flood:?} is hashed {hashed} times");
    }
}

#[test]
fn a_full_table_of_accounts_and_addresses_ends_no_sign_in() {
    let mut world = World::new();
    // Five wrong passwords each for very many made-up names, from as many networks.
    for n in 0..80_000 {
        let quota = Quota {
            counter: Counter::PasswordsPerAccountAndAddress,
            subject: format!("made-up-{n}\0made-up-network"),
            limit: 10,
        };
        world.limits.preload(world.now, &quota, Window::Hour, 5);
    }
    for n in 0..50 {
        let mut honest = at(format!("203.0.{n}.7"), &Browser::new());
        let alice = users::USERS[0].0;
        let reply = world.sign_in(&mut honest, alice, &password_of(alice));
        assert_eq!(reply, SignedIn::Yes, "{n}");
    }
    let guesses = (0..300).filter(|n| {
        let mut guess = at(format!("198.51.{}.7", n % 250), &Browser::new());
        world.sign_in(&mut guess, "alice", "wrong") == SignedIn::Wrong
    });
    assert_eq!(guesses.count(), 100, "the account has its limit");
}
