//! What ends a token also ends every token exchanged for it, at once.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidRequest};
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::token_type::TokenType;
use grantor_core::people::Password;
use serde_json::json;

use crate::exchange_attacks::actor;
use grantor_testkit::world::{Browser, Tokens, World, declared_user};
use grantor_testkit::{
    AuthorizationRequest, CORP, IDP, SHIPPING, Spans as _, add_services, client, scope,
};

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const TO_SHIPPING: [(&str, &str); 1] = [("audience", SHIPPING)];
const TO_FILES: [(&str, &str); 1] = [("audience", "files.example.com")];
const REFRESH: (&str, &str) = ("requested_token_type", TokenType::RefreshToken.uri());

/// Alice's app, orders that acts for her, shipping that acts for orders, and what shipping refreshes by itself.
struct Chain {
    world: World,
    browser: Browser,
    app: Tokens,
    /// For shipping, by orders.
    first: String,
    /// For files, by shipping.
    second: String,
    /// Shipping's refresh token, and what it gave for files.
    refreshed: Tokens,
}

impl Chain {
    fn new() -> Self {
        let mut world = World::with_exchange();
        world.reconfigure(|realm| realm.exchange[1].issues.push(TokenKind::RefreshToken));
        let browser = world.signed_in("alice");
        let request =
            AuthorizationRequest::new("site").with("scope", "openid orders.example.com/read");
        let app = world.app_tokens(&browser, &request);
        let first = world
            .exchange("orders", &app.access, &TO_SHIPPING)
            .expect("a token")
            .token;
        let second = world
            .exchange("shipping", &first, &TO_FILES)
            .expect("a token")
            .token;
        let refresh = [&TO_FILES[..], &[REFRESH]].concat();
        let refresh = world
            .exchange("shipping", &first, &refresh)
            .expect("a refresh token")
            .token;
        let refreshed = world.refresh("shipping", &refresh).expect("tokens");
        let mut chain = Self {
            world,
            browser,
            app,
            first,
            second,
            refreshed,
        };
        assert!(chain.world.is_active("files", &chain.second));
        assert!(chain.world.is_active("files", &chain.refreshed.access));
        assert!(chain.world.is_active("shipping", chain.refreshed.refresh()));
        chain
    }

    /// None of its tokens is valid any more, at any endpoint.
    fn is_over(&mut self, why: &str) {
        let world = &mut self.world;
        for token in [&self.second, &self.refreshed.access] {
            assert!(!world.is_active("files", token), "{why}");
        }
        let is_enabled =
            |world: &World, id: &str| world.realm.client(id).is_some_and(|client| client.enabled);
        if is_enabled(world, "shipping") {
            assert!(!world.is_active("shipping", &self.first), "{why}");
            assert!(
                !world.is_active("shipping", self.refreshed.refresh()),
                "{why}"
            );
            let reply = world.exchange_refused("shipping", &self.first, &TO_FILES);
            assert_eq!(reply.0, InvalidRequest, "{why}");
            let reply = world.refresh("shipping", self.refreshed.refresh());
            assert_eq!(reply, Err(InvalidGrant), "{why}");
        }
        if is_enabled(world, "orders") {
            let reply = world.exchange_refused("orders", &self.app.access, &TO_SHIPPING);
            assert_eq!(reply.0, InvalidRequest, "{why}");
        }
    }
}

#[test]
fn whatever_ends_the_users_grant_ends_every_exchanged_token_at_once() {
    type End = fn(&mut Chain);
    let ends: [(&str, End); 9] = [
        ("the app revokes", |chain| {
            chain
                .world
                .revoke("site", chain.app.refresh())
                .expect("done");
        }),
        ("the session ends", |chain| {
            chain.world.sign_out(&chain.browser)
        }),
        ("alice is disabled", |chain| {
            chain.world.set_enabled("alice", false)
        }),
        ("the file names alice no more", |chain| {
            chain.world.withdraw("alice")
        }),
        ("alice signs out everywhere", |chain| {
            chain
                .world
                .sign_out_everywhere(&chain.browser)
                .expect("signed in");
        }),
        ("alice has a new password", |chain| {
            let mut alice = declared_user("alice", true);
            alice.password = Password::Hash("plain$new".to_owned());
            assert_eq!(chain.world.provision(alice), Some(true));
        }),
        ("the app's refresh token comes again", |chain| {
            chain
                .world
                .refresh("site", chain.app.refresh())
                .expect("tokens");
            chain.world.advance(11.s());
            assert_eq!(
                chain.world.refresh("site", chain.app.refresh()),
                Err(InvalidGrant)
            );
        }),
        ("alice disconnects the app", |chain| {
            chain.world.disconnect(&chain.browser.clone(), "site");
        }),
        ("the rows are lost", |chain| chain.world.lose_rows("grant")),
    ];
    for (why, end) in ends {
        let mut chain = Chain::new();
        end(&mut chain);
        chain.is_over(why);
    }
}

#[test]
fn disabling_or_removing_a_client_ends_its_tokens_and_those_it_acts_by() {
    for id in ["site", "shipping"] {
        let mut chain = Chain::new();
        chain
            .world
            .reconfigure(|realm| client(realm, id).enabled = false);
        chain.over_but_for_the_app(id);
        let mut chain = Chain::new();
        chain
            .world
            .reconfigure(|realm| realm.clients.retain(|known, _| known.as_str() != id));
        chain.over_but_for_the_app(id);
    }
    // The actor in the middle: it appears in the chain only.
    let mut chain = Chain::new();
    chain
        .world
        .reconfigure(|realm| client(realm, "orders").enabled = false);
    chain.is_over("orders is disabled");
}

impl Chain {
    fn over_but_for_the_app(&mut self, id: &str) {
        match id {
            "site" => self.is_over("the app is disabled"),
            _ => {
                for token in [&self.second, &self.refreshed.access] {
                    assert!(!self.world.is_active("files", token), "{id}");
                }
            }
        }
    }
}

#[test]
fn removing_a_service_ends_its_exchanged_tokens_but_not_the_apps_grant() {
    let mut chain = Chain::new();
    let world = &mut chain.world;
    world.disconnect(&chain.browser, "shipping");
    assert!(!world.is_active("files", &chain.refreshed.access));
    assert_eq!(
        world.refresh("shipping", chain.refreshed.refresh()),
        Err(InvalidGrant)
    );
    world
        .refresh("site", chain.app.refresh())
        .expect("the app goes on");
}

#[test]
fn a_revoked_or_expired_subject_token_is_refused() {
    let mut chain = Chain::new();
    let world = &mut chain.world;
    world.revoke("orders", &chain.first).expect("its own");
    assert_eq!(
        world
            .exchange_refused("shipping", &chain.first, &TO_FILES)
            .0,
        InvalidRequest
    );
    assert_eq!(world.revoke("shipping", &chain.second), Ok(()), "its own");
    assert!(!world.is_active("files", &chain.second));
    assert_eq!(
        world.revoke("files", &chain.refreshed.access),
        Err(InvalidGrant),
        "another's"
    );
    world.revoke("site", &chain.app.access).expect("its own");
    assert_eq!(
        world
            .exchange_refused("orders", &chain.app.access, &TO_SHIPPING)
            .0,
        InvalidRequest
    );
    let mut chain = Chain::new();
    chain.world.advance(10.mins());
    let reply = chain
        .world
        .exchange_refused("orders", &chain.app.access, &TO_SHIPPING);
    assert_eq!(reply.0, InvalidRequest);
    assert!(
        !chain.world.is_active("files", &chain.second),
        "with the token it came of"
    );
}

#[test]
fn a_disabled_user_can_no_longer_act_for_others() {
    let acts = |ends: fn(&mut World)| {
        let mut world = World::with_exchange();
        world.reconfigure(|realm| realm.exchange[0].issues.push(TokenKind::RefreshToken));
        let alice = world.orders_token().access;
        let bob = world.device_tokens_with("tv", "bob", &[("scope", "orders.example.com/read")]);
        let by_bob = actor(&bob.access, TokenType::AccessToken);
        let asked = [&TO_SHIPPING[..], &by_bob].concat();
        let access = world
            .exchange("orders", &alice, &asked)
            .expect("a token")
            .token;
        let asked = [&asked[..], &[REFRESH]].concat();
        let refresh = world
            .exchange("orders", &alice, &asked)
            .expect("a refresh token")
            .token;
        assert!(world.is_active("shipping", &access));
        assert!(world.is_active("orders", &refresh));
        ends(&mut world);
        assert!(!world.is_active("shipping", &access));
        assert!(!world.is_active("orders", &refresh));
        assert_eq!(world.refresh("orders", &refresh), Err(InvalidGrant));
        assert_eq!(
            world.exchange_refused("shipping", &access, &TO_FILES).0,
            InvalidRequest
        );
    };
    acts(|world| world.set_enabled("bob", false));
    acts(|world| world.withdraw("bob"));
}

/// A world that trusts other issuers; orders may act for their subjects.
fn trusting() -> World {
    let mut world = World::with(|realm| {
        add_services(realm);
        for issuer in [IDP, CORP] {
            let mut of_theirs = realm.exchange[0].clone();
            of_theirs.subject.issuer = Some(issuer.to_owned());
            of_theirs.gives = scope("shipping.example.com/read");
            realm.exchange.push(of_theirs);
        }
    });
    world = world.with_trusted();
    world
}

const FOREIGN: [(&str, &str); 2] = [TO_SHIPPING[0], ("subject_token_type", JWT)];

#[test]
fn a_user_for_whom_another_issuer_vouches_is_cut_off_like_any() {
    type End = fn(&mut World, &Browser);
    let ends: [End; 4] = [
        |world, _| world.set_enabled("alice", false),
        |world, _| world.withdraw("alice"),
        |world, browser| {
            world.sign_out_everywhere(browser).expect("signed in");
        },
        |world, _| world.reconfigure(|realm| client(realm, "orders").enabled = false),
    ];
    for end in ends {
        let mut world = trusting();
        let browser = world.signed_in("alice");
        let vouched = world.statement(CORP, "alice", json!({}));
        let first = world
            .exchange("orders", &vouched, &FOREIGN)
            .expect("a token")
            .token;
        let second = world
            .exchange("shipping", &first, &TO_FILES)
            .expect("a token")
            .token;
        assert!(world.is_active("files", &second));
        end(&mut world, &browser);
        assert!(!world.is_active("files", &second));
        assert!(!world.is_active("shipping", &first));
        assert_eq!(
            world.exchange_refused("shipping", &first, &TO_FILES).0,
            InvalidRequest
        );
    }
}

#[test]
fn a_trusted_issuer_cannot_vouch_for_a_disabled_or_unknown_user() {
    let mut world = trusting();
    world.set_enabled("bob", false);
    for (sub, claim) in [
        ("bob", json!("bob")),
        ("nobody", json!("nobody")),
        ("alice", json!(null)),
        ("alice", json!(["alice"])),
        ("alice", json!("")),
    ] {
        let vouched = world.statement(CORP, sub, json!({ "preferred_username": claim }));
        let reply = world.exchange_refused("orders", &vouched, &FOREIGN);
        assert_eq!(reply.0, InvalidRequest, "{sub} {claim}");
    }
}

#[test]
fn withdrawing_trust_in_an_issuer_ends_tokens_of_its_subjects_and_actors() {
    let mut world = trusting();
    world.reconfigure(|realm| realm.exchange[0].actor.issuer = Some(IDP.to_owned()));
    let theirs = world.statement(IDP, "alice", json!({}));
    let of_theirs = world
        .exchange("orders", &theirs, &FOREIGN)
        .expect("a token")
        .token;
    let alice = world.orders_token().access;
    let asked = [&TO_SHIPPING[..], &actor(&theirs, TokenType::Jwt)].concat();
    let by_theirs = world
        .exchange("orders", &alice, &asked)
        .expect("a token")
        .token;
    let further = world
        .exchange("shipping", &by_theirs, &TO_FILES)
        .expect("a token")
        .token;
    world.reconfigure(|realm| {
        realm
            .trusted_issuers
            .retain(|trusted| trusted.issuer != IDP)
    });
    assert!(!world.is_active("shipping", &of_theirs));
    assert!(!world.is_active("shipping", &by_theirs));
    assert!(!world.is_active("files", &further));
    assert_eq!(
        world.exchange_refused("orders", &theirs, &FOREIGN).0,
        InvalidRequest
    );
}
