//! A service exchanges for a refresh token, or refreshes one, while the parent grant is removed: in every order,
//! nothing is left of it.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidRequest};
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::ids::GrantId;
use grantor_core::model::token_type::TokenType;
use grantor_store::testing::Fault;

use crate::schedules::{self, Schedule, every_order};
use crate::{End, Racer, plain, racer, refusable};
use grantor_testkit::world::{Browser, Tokens, World, answer, declared_user};
use grantor_testkit::{ACCESS_TOKEN, AuthorizationRequest, add_services, client, scope};

/// What may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Shipping exchanges alice's token, with bob acting, for a refresh token.
    Exchange,
    /// Shipping refreshes one that it got this way.
    Refresh,
    /// The app that alice uses refreshes.
    AppRefreshes,
    /// The app revokes.
    Revoke,
    /// Alice revokes the app's grant.
    TakeBack,
    /// Alice signs out of the browser in which she signed in to the app.
    SignOut,
    /// Alice signs out everywhere.
    Everywhere,
    /// The operator disables alice.
    Disable,
    /// The operator disables bob, who acts.
    DisableActor,
}

use Act::{
    AppRefreshes, Disable, DisableActor, Everywhere, Exchange, Refresh, Revoke, SignOut, TakeBack,
};

const ACTS: [Act; 9] = [
    Exchange,
    Refresh,
    AppRefreshes,
    Revoke,
    TakeBack,
    SignOut,
    Everywhere,
    Disable,
    DisableActor,
];

impl Act {
    const fn ends(self) -> bool {
        !matches!(self, Exchange | Refresh | AppRefreshes)
    }
}

struct Scene {
    world: World,
    alice: Browser,
    app: Tokens,
    grant: GrantId,
    /// Bob's token, by which he acts.
    actor: String,
    held: String,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::with(|realm| {
            add_services(realm);
            realm.exchange[1].issues.push(TokenKind::RefreshToken);
            for id in ["site", "tv2"] {
                client(realm, id).scopes = scope("openid shipping.example.com/read");
            }
        });
        let alice = world.signed_in("alice");
        let read = "shipping.example.com/read";
        let app = world.app_tokens(
            &alice,
            &AuthorizationRequest::new("site").with("scope", read),
        );
        let actor = world
            .device_tokens_with("tv2", "bob", &[("scope", read)])
            .access;
        let refresh = world.realm.sealing.open_refresh_token(app.refresh());
        let grant = refresh.expect("a refresh token of ours").grant;
        let held = world.exchange("shipping", &app.access, &asked(&actor));
        Self {
            world,
            alice,
            app,
            grant,
            actor,
            held: held.expect("a refresh token").token,
        }
    }
}

impl schedules::Scene for Scene {
    type Act = Act;

    fn world(&mut self) -> &mut World {
        &mut self.world
    }

    fn begin(&mut self, act: Act) -> Box<dyn Racer> {
        let world = &mut self.world;
        match act {
            Exchange => {
                let exchange =
                    world.exchange_request("shipping", &self.app.access, &asked(&self.actor));
                racer(
                    world,
                    exchange.expect("a request"),
                    |outcome| match outcome.reply {
                        Ok(_) => End::Code(outcome.tokens.and_then(|tokens| tokens.refresh)),
                        Err(refusal) => End::Refused(refusal.code),
                    },
                )
            }
            Refresh => {
                let refresh = world.refresh_request("shipping", &self.held);
                racer(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            AppRefreshes => {
                let refresh = world.refresh_request("site", self.app.refresh());
                racer(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            Revoke => {
                let revoke = world.revoke_request("site", self.app.refresh());
                racer(world, revoke, refusable)
            }
            TakeBack => racer(world, self.alice.revoke_grant(self.grant), plain),
            SignOut => racer(world, self.alice.sign_out(), refusable),
            Everywhere => racer(world, self.alice.sign_out_everywhere(), plain),
            Disable => racer(world, declared_user("alice", false), plain),
            DisableActor => racer(world, declared_user("bob", false), plain),
        }
    }
}

/// What shipping sends besides its subject token.
fn asked(actor: &str) -> [(&str, &str); 3] {
    [
        ("requested_token_type", TokenType::RefreshToken.uri()),
        ("actor_token", actor),
        ("actor_token_type", ACCESS_TOKEN),
    ]
}

fn check(mut scene: Scene, pair: [Act; 2], schedule: &Schedule) {
    let (wrote, story) = (schedule.wrote(pair), &schedule.story);
    let ended = wrote.iter().position(|act| act.ends());
    let late = ended.is_some_and(|at| {
        wrote[at..]
            .iter()
            .any(|act| matches!(act, Exchange | Refresh))
    });
    assert!(!late, "it is given after it was taken away: {story}");
    let over = pair.iter().any(|act| act.ends());
    let (mut access, mut refresh) = (Vec::new(), vec![scene.held.clone()]);
    for (act, end) in pair.iter().zip(&schedule.ends) {
        match (act, end) {
            (Exchange, End::Code(Some(token))) => refresh.push(token.reveal().to_owned()),
            (Refresh, End::Tokens(Ok(tokens))) => {
                access.push(tokens.access.clone());
                refresh.retain(|token| *token != scene.held);
                refresh.push(tokens.refresh().to_owned());
            }
            (AppRefreshes, End::Tokens(Ok(_))) => {}
            (Exchange, End::Refused(InvalidRequest)) | (_, End::Tokens(Err(InvalidGrant))) => {
                assert!(over, "{story}");
            }
            (act, _) => assert!(act.ends(), "{story}"),
        }
    }
    let world = &mut scene.world;
    for token in &access {
        assert_eq!(world.is_active("files", token), !over, "{story}");
    }
    for token in &refresh {
        assert_eq!(world.refresh("shipping", token).is_ok(), !over, "{story}");
    }
}

#[test]
fn every_interleaving_of_an_exchange_and_of_what_takes_it_away() {
    let mut all = 0;
    for (at, first) in ACTS.iter().enumerate() {
        for second in &ACTS[at..] {
            if first.ends() && second.ends() {
                continue;
            }
            for fault in [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)] {
                let pair = [*first, *second];
                all += every_order(Scene::new, pair, fault, |scene, schedule| {
                    check(scene, pair, &schedule);
                });
            }
        }
    }
    println!("{all} schedules");
    assert!(all > 300, "they do interleave");
}
