//! What a limit ends is used at the same time: in every order, it is ended whole, or kept whole.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidToken};
use grantor_core::endpoints::authorize::AuthorizeReply;
use grantor_core::model::ids::SessionId;
use grantor_core::people::account::end_excess::{EndExcessGrants, EndExcessSessions};
use grantor_store::testing::Fault;
use grantor_testkit::world::{Browser, Tokens, World, answer};
use grantor_testkit::{AuthorizationRequest, VERIFIER, redirect_uri, user_id};

use crate::schedules::{self, Schedule};
use crate::{End, Racer, plain, racer};

/// What meets the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Redeem,
    Refresh,
    /// The browser whose session the limit ends gets a code.
    Authorize,
    /// The same session is ended on the account page.
    EndSession,
    /// The same limit on another node.
    Limit,
}

struct Scene {
    world: World,
    /// Whether the limit is that of sessions, else that of grants.
    sessions: bool,
    desk: Browser,
    phone: Browser,
    code: String,
    held: Tokens,
}

impl Scene {
    fn new(sessions: bool) -> Self {
        let mut world = World::new();
        let (phone, desk) = (world.signed_in("alice"), world.signed_in("alice"));
        world.reconfigure(|realm| realm.access.sessions = 1);
        let request = AuthorizationRequest::new("spa");
        let first = world.consent(&phone, &request).code();
        let held = world.redeem("spa", &first).expect("tokens");
        let code = world.authorize(&phone, &request).code();
        Self {
            world,
            sessions,
            desk,
            phone,
            code,
            held,
        }
    }

    fn limit(&mut self) -> Box<dyn Racer> {
        let world = &mut self.world;
        let user = user_id("alice");
        if self.sessions {
            let new: SessionId = world.session_of(&self.desk).0;
            let listed = world.list_all("session");
            return racer(world, EndExcessSessions { user, new, listed }, plain);
        }
        let listed = world.list_all("grant").into_iter();
        let grants = listed.map(|row| (row.key, row.version)).collect();
        racer(world, EndExcessGrants { user, grants }, plain)
    }

    fn check(mut self, act: Act, schedule: &Schedule) {
        let (sessions, end) = (self.sessions, &schedule.ends[1]);
        let story = format!("{sessions}, {}", schedule.story);
        let world = &mut self.world;
        let mut held = vec![self.held.clone()];
        match end {
            End::Tokens(Ok(tokens)) => held.push(tokens.clone()),
            End::Tokens(Err(code)) => assert_eq!(*code, InvalidGrant, "{story}"),
            _ => {}
        }
        let mut live = 0;
        for tokens in &held {
            let access = world.userinfo(&tokens.access);
            let grant = world.realm.sealing.open_refresh_token(tokens.refresh());
            let grant = grant.expect("ours").grant;
            let row = world.row(&world.grant_row(grant)).is_some();
            if sessions {
                assert_eq!(access, Err(InvalidToken), "bound to its session: {story}");
            } else {
                // All of it or nothing.
                assert_eq!(access.is_ok(), row, "{story}");
            }
            live += usize::from(row);
        }
        assert_eq!(world.visitor(&self.phone).is_some(), !sessions, "{story}");
        assert!(world.visitor(&self.desk).is_some(), "{story}");
        if !sessions && matches!(end, End::Tokens(Ok(_))) {
            // Only what was used before the limit wrote: its version is another then.
            let used = if act == Act::Refresh { 2 } else { 1 };
            assert!(live == used || live == 0, "{story}: {live}");
        }
        if !sessions && act == Act::Limit {
            assert_eq!(live, 0, "{story}");
        }
        if let End::Code(Some(code)) = end {
            let redeemed = world.redeem("spa", code.reveal());
            assert_eq!(redeemed.is_ok(), !sessions, "{story}");
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
            Act::Redeem => {
                let form = [
                    ("grant_type", "authorization_code"),
                    ("code", &self.code),
                    ("redirect_uri", redirect_uri("spa")),
                    ("code_verifier", VERIFIER),
                ];
                let redeem = world.token_request("spa", &form).expect("a request");
                racer(world, redeem, |outcome| End::Tokens(answer(outcome)))
            }
            Act::Refresh => {
                let refresh = world.refresh_request("spa", self.held.refresh());
                racer(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            Act::Authorize => {
                let request = AuthorizationRequest::new("spa");
                let authorize = self.phone.authorize(&request, None);
                racer(world, authorize, |outcome| match outcome.reply {
                    Ok(AuthorizeReply::Respond(of)) => End::Code(of.outcome.ok()),
                    _ => End::Code(None),
                })
            }
            Act::EndSession => {
                let session = world.session_of(&self.phone).0;
                racer(world, self.desk.end_session(session), plain)
            }
            Act::Limit => self.limit(),
        }
    }
}

fn every_order(act: Act, sessions: bool, fault: Option<Fault>) -> usize {
    let pair = [Act::Limit, act];
    let new = || Scene::new(sessions);
    schedules::every_order(new, pair, fault, |scene, schedule| {
        scene.check(act, &schedule);
    })
}

#[test]
fn every_interleaving_of_a_limit_and_what_uses_the_access_that_it_ends() {
    let mut all = 0;
    for fault in [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)] {
        for act in [Act::Redeem, Act::Refresh, Act::Authorize, Act::Limit] {
            all += every_order(act, false, fault);
        }
        for act in [
            Act::Redeem,
            Act::Refresh,
            Act::Authorize,
            Act::EndSession,
            Act::Limit,
        ] {
            all += every_order(act, true, fault);
        }
    }
    println!("{all} schedules");
    assert!(all > 100, "they do interleave");
}
