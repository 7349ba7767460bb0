//! A user removes in one browser the access that another browser is just giving: in every order, it is removed.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidToken};
use grantor_core::endpoints::authorize::AuthorizeReply;
use grantor_core::model::ids::GrantId;
use grantor_core::people::account::RemoveAccessReply;
use grantor_store::testing::Fault;

use crate::schedules::{self, Schedule, every_order};
use crate::{End, Racer, plain, racer};
use grantor_testkit::world::{AuthorizationOutcome, Browser, Tokens, World, answer};
use grantor_testkit::{AuthorizationRequest, VERIFIER, redirect_uri};

/// What may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// The app sends the phone's browser for another code, for which consent exists already.
    Authorize,
    /// The app redeems a code.
    Redeem,
    /// The app refreshes.
    Refresh,
    /// Alice disconnects the app.
    Disconnect,
    /// Alice revokes the grant that the app refreshes.
    Revoke,
    /// Alice signs the phone out.
    EndSession,
    /// Alice signs out everywhere.
    Everywhere,
}

/// Alice at her desk, her phone with an app, and what the app holds.
struct Scene {
    world: World,
    desk: Browser,
    phone: Browser,
    code: String,
    held: Tokens,
    grant: GrantId,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let (desk, phone) = (world.signed_in("alice"), world.signed_in("alice"));
        let first = world
            .consent(&phone, &AuthorizationRequest::new("spa"))
            .code();
        let held = world.redeem("spa", &first).expect("tokens");
        let code = world
            .authorize(&phone, &AuthorizationRequest::new("spa"))
            .code();
        Self {
            grant: world
                .realm
                .sealing
                .open_authorization_code(&first)
                .expect("a code")
                .grant,
            world,
            desk,
            phone,
            code,
            held,
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
            Act::Authorize => {
                let authorize = self
                    .phone
                    .authorize(&AuthorizationRequest::new("spa"), None);
                racer(world, authorize, |outcome| {
                    End::Code(match outcome.reply {
                        Ok(AuthorizeReply::Respond(response)) => {
                            Some(response.outcome.expect("no error"))
                        }
                        Ok(_) => None,
                        Err(refusal) => panic!("the client is known: {refusal:?}"),
                    })
                })
            }
            Act::Redeem => {
                let redirect_uri = redirect_uri("spa");
                let form = [
                    ("grant_type", "authorization_code"),
                    ("code", &self.code),
                    ("redirect_uri", redirect_uri),
                    ("code_verifier", VERIFIER),
                ];
                let redeem = world.token_request("spa", &form).expect("a request");
                racer(world, redeem, |outcome| End::Tokens(answer(outcome)))
            }
            Act::Refresh => {
                let refresh = world.refresh_request("spa", self.held.refresh());
                racer(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            Act::Disconnect => {
                let user = world.session_of(&self.desk).1;
                let grants = world.listed_grants(user, "spa");
                racer(world, self.desk.disconnect("spa", grants), plain)
            }
            Act::Revoke => racer(world, self.desk.revoke_grant(self.grant), plain),
            Act::EndSession => {
                let session = world.session_of(&self.phone).0;
                racer(world, self.desk.end_session(session), plain)
            }
            Act::Everywhere => racer(world, self.desk.sign_out_everywhere(), plain),
        }
    }
}

fn check(mut scene: Scene, pair: [Act; 2], schedule: &Schedule) {
    let (wrote, story) = (schedule.wrote(pair), &schedule.story);
    let late = wrote.iter().position(|act| *act == Act::Disconnect);
    let late = late.is_some_and(|at| wrote[at..].contains(&Act::Authorize));
    assert!(!late, "a silent code after consent was taken back: {story}");
    let has = |act| pair.contains(&act);
    let world = &mut scene.world;
    // The shell lists again until nothing is left.
    if has(Act::Disconnect) && !has(Act::Everywhere) {
        let last = world.disconnect(&scene.desk, "spa").pop();
        assert!(
            matches!(
                last,
                Some(RemoveAccessReply::Done | RemoveAccessReply::Gone)
            ),
            "{story}"
        );
    }
    let all = has(Act::Disconnect) || has(Act::EndSession) || has(Act::Everywhere);
    let mut codes = vec![scene.code.clone()];
    let mut held = vec![scene.held.clone()];
    for (act, end) in pair.iter().zip(&schedule.ends) {
        match end {
            End::Code(Some(code)) => codes.push(code.reveal().to_owned()),
            // Silently or not at all: no user is there to consent.
            End::Code(None) => assert!(all, "{story}"),
            End::Tokens(Ok(tokens)) => held.push(tokens.clone()),
            End::Tokens(Err(code)) => {
                assert_eq!(*code, InvalidGrant, "{story}");
                let twice = pair == [Act::Redeem; 2];
                assert!(
                    all || twice || (has(Act::Revoke) && *act == Act::Refresh),
                    "{story}"
                );
            }
            _ => {}
        }
    }
    for tokens in &held {
        let opened = world.realm.sealing.open_refresh_token(tokens.refresh());
        let grant = opened.expect("a refresh token of ours").grant;
        let dead = all || (has(Act::Revoke) && grant == scene.grant);
        // A code that was used twice revokes its tokens.
        if dead {
            assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken), "{story}");
            assert_eq!(
                world.refresh("spa", tokens.refresh()),
                Err(InvalidGrant),
                "{story}"
            );
        } else if pair != [Act::Redeem; 2] {
            assert!(world.userinfo(&tokens.access).is_ok(), "{story}");
        }
    }
    for code in &codes {
        let stated = world.redeem("spa", code);
        assert!(stated.is_err() || !all, "a code is left: {story}");
    }
    let browser = world.signed_in("alice");
    let asked = matches!(
        world.authorize(&browser, &AuthorizationRequest::new("spa")),
        AuthorizationOutcome::Consent(_)
    );
    assert_eq!(
        asked,
        has(Act::Disconnect) || has(Act::Everywhere),
        "{story}"
    );
    let phone = world.visitor(&scene.phone).is_some();
    assert_eq!(
        phone,
        !has(Act::EndSession) && !has(Act::Everywhere),
        "{story}"
    );
}

#[test]
fn every_interleaving_of_what_an_app_gets_and_what_its_user_takes_back() {
    use Act::{Authorize, Disconnect, EndSession, Everywhere, Redeem, Refresh, Revoke};
    let acts = [
        Authorize, Redeem, Refresh, Disconnect, Revoke, EndSession, Everywhere,
    ];
    let mut all = 0;
    for (at, first) in acts.iter().enumerate() {
        for second in &acts[at..] {
            for fault in [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)] {
                let pair = [*first, *second];
                all += every_order(Scene::new, pair, fault, |scene, schedule| {
                    check(scene, pair, &schedule);
                });
            }
        }
    }
    println!("{all} schedules");
    assert!(all > 500, "they do interleave");
}
