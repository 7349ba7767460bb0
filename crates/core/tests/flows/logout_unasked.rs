//! OpenID Connect RP-Initiated Logout without a question: an app of the operator ends the session that its ID token names.

use grantor_core::endpoints::logout::{Logout, LogoutReply, LogoutRequest};
use grantor_core::engine::event::EventKind;
use grantor_core::model::client::ConsentPolicy;

use crate::logout::{tokens, world as asking_world};
use grantor_testkit::world::{Browser, World, params, peer};
use grantor_testkit::{Spans as _, client};

const BYE: &str = "https://site.example/bye";

/// Nobody is asked about the site; the wiki needs consent.
fn world() -> World {
    let mut world = asking_world();
    world.reconfigure(|realm| client(realm, "site").code.consent = ConsentPolicy::Skip);
    world
}

fn hint(world: &mut World, browser: &Browser, client: &str) -> String {
    let tokens = tokens(world, browser, client, "openid");
    tokens.id.expect("an ID token")
}

fn ask(world: &mut World, browser: &Browser, pairs: &[(&str, &str)]) -> LogoutReply {
    let logout = Logout {
        request: LogoutRequest::parse(&params(pairs)),
        cookie: browser.cookie(),
        confirmed: false,
        peer: peer(&browser.address),
    };
    world.ask(logout).reply.expect("a reply")
}

#[track_caller]
fn assert_asks(world: &mut World, browser: &Browser, pairs: &[(&str, &str)]) {
    let user = world.visitor(browser);
    assert!(user.is_some(), "someone is signed in");
    let reply = ask(world, browser, pairs);
    assert!(matches!(reply, LogoutReply::Confirm(_)), "{reply:?}");
    assert_eq!(world.visitor(browser), user, "nothing ended");
}

#[test]
fn openid_rpinitiated_2_a_hint_of_the_very_session_ends_it_where_no_consent_is_asked() {
    let mut world = world();
    for (more, ends_at) in [
        (
            &[("post_logout_redirect_uri", BYE), ("state", "s")] as &[_],
            Some(format!("{BYE}?state=s")),
        ),
        (&[("client_id", "site")], None),
    ] {
        let alice = world.signed_in("alice");
        let other = world.signed_in("alice");
        let hint = hint(&mut world, &alice, "site");
        world.events.clear();
        let pairs = [&[("id_token_hint", hint.as_str())], more].concat();
        let location = match ask(&mut world, &alice, &pairs) {
            LogoutReply::Redirect {
                location,
                ended: true,
            } => Some(location),
            LogoutReply::SignedOut { ended: true, .. } => None,
            reply => panic!("{reply:?}"),
        };
        assert_eq!(location, ends_at);
        assert_eq!(world.take_events(), [EventKind::SignedOut]);
        assert!(world.visitor(&alice).is_none());
        assert!(world.visitor(&other).is_some(), "this session alone ended");
        // The link again ends nothing.
        match ask(&mut world, &alice, &pairs) {
            LogoutReply::Redirect { ended, .. } | LogoutReply::SignedOut { ended, .. } => {
                assert!(!ended);
            }
            LogoutReply::Confirm(prompt) => panic!("{prompt:?}"),
        }
    }
}

#[test]
fn an_unasked_sign_out_costs_one_read_and_one_commit() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice, "site");
    let (cost, _) = world.cost(|world| ask(world, &alice, &[("id_token_hint", &hint)]));
    assert_eq!(cost, [1, 1, 1]);
}

/// A link with someone's ID token signs out no browser but the one whose session it names, and that one only for the time that
/// the token is for.
#[test]
fn stolen_foreign_and_expired_hints_sign_no_one_out_without_a_question() {
    let mut world = world();
    let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
    let elsewhere = world.signed_in("alice");
    let of_alice = hint(&mut world, &alice, "site");
    let of_wiki = hint(&mut world, &alice, "wiki");
    let with_uri = [
        ("id_token_hint", of_alice.as_str()),
        ("post_logout_redirect_uri", BYE),
    ];
    // Another user's browser, and another browser of the same user.
    for browser in [&bob, &elsewhere] {
        assert_asks(&mut world, browser, &with_uri[..1]);
        assert_asks(&mut world, browser, &with_uri);
    }
    // A client that needs consent, also under the name of one that needs none.
    let wiki = ("id_token_hint", of_wiki.as_str());
    assert_asks(&mut world, &alice, &[wiki]);
    assert_asks(&mut world, &alice, &[wiki, ("client_id", "site")]);
    // No hint at all, one that is no ID token of ours, one with a part that is not valid.
    assert_asks(&mut world, &alice, &[("client_id", "site")]);
    assert_asks(&mut world, &alice, &[]);
    let cut = &of_alice[..of_alice.len() - 2];
    assert_asks(&mut world, &alice, &[("id_token_hint", cut)]);
    let evil = ("post_logout_redirect_uri", "https://evil.example/");
    assert_asks(&mut world, &alice, &[with_uri[0], evil]);
    // The client is disabled, or needs consent by now.
    world.reconfigure(|realm| client(realm, "site").enabled = false);
    assert_asks(&mut world, &alice, &with_uri);
    world.reconfigure(|realm| {
        client(realm, "site").enabled = true;
        client(realm, "site").code.consent = ConsentPolicy::Ask;
    });
    assert_asks(&mut world, &alice, &with_uri);
    world.reconfigure(|realm| client(realm, "site").code.consent = ConsentPolicy::Skip);
    // The token has ended.
    world.advance(2.h());
    assert_asks(&mut world, &alice, &with_uri);
}
