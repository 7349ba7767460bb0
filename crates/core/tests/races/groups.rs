//! A user leaves a group, or moves to another organization, while something is given. In every order, what is given after
//! that holds nothing that is limited to the group, and nothing of a client that is there for others.

use grantor_core::base::error::ErrorCode::{AccessDenied, InvalidGrant};
use grantor_core::endpoints::authorize::{AuthorizeReply, ConsentDecision};
use grantor_core::model::organization::{Availability, Organization};
use grantor_core::people::Provision;
use grantor_testkit::world::{Browser, Decided, Tokens, World, answer, decided, declared_user};
use grantor_testkit::{AuthorizationRequest, Codes, client, limit};

use crate::schedules::{self, Schedule, every_order};
use crate::{End, Racer, racer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// The device polls; its code is approved.
    Poll,
    /// The app redeems its code.
    Redeem,
    /// The app refreshes.
    Refresh,
    /// Alice agrees, on a page that showed all.
    Consent,
    /// Alice approves another device, on a page that showed all.
    Approve,
    /// Alice leaves the group.
    Leave,
    /// Alice moves to another organization.
    Move,
}

use Act::{Approve, Consent, Leave, Move, Poll, Redeem, Refresh};

const WRITE: &str = "orders.example.com/write";
const ASKED: &str = "openid orders.example.com/write";

struct Scene {
    world: World,
    alice: Browser,
    approved: Codes,
    pending: Codes,
    app: Tokens,
    code: String,
}

fn alice_in(group: &str, organization: &str) -> Provision {
    let mut alice = declared_user("alice", true);
    alice.groups = Some(vec![group.to_owned()]);
    alice.organization = Some(organization.parse().expect("an id"));
    alice
}

impl Scene {
    fn new() -> Self {
        let mut world = World::with(|realm| {
            limit(realm, WRITE, &["clerks"]);
            for id in ["acme", "other"] {
                let organization = Organization {
                    id: id.parse().expect("an id"),
                    name: id.to_owned(),
                    enabled: true,
                };
                realm
                    .organizations
                    .insert(organization.id.clone(), organization);
            }
            for id in ["tv2", "wiki"] {
                let client = client(realm, id);
                client.organization = Some("acme".parse().expect("an id"));
                client.availability = Availability::Organization;
            }
        });
        world.provision(alice_in("clerks", "acme"));
        let alice = world.signed_in("alice");
        let asked = [("scope", ASKED)];
        let [approved, pending] = [(); 2].map(|()| {
            let codes = world.device_codes_with("tv2", &asked);
            codes.expect("codes")
        });
        assert_eq!(world.decide(&alice, &approved, true), Decided::Approved);
        let asks = AuthorizationRequest::new("wiki").with("scope", ASKED);
        let code = world.consent(&alice, &asks).code();
        let app = world.redeem("wiki", &code).expect("tokens");
        let code = world.authorize(&alice, &asks).code();
        Self {
            world,
            alice,
            approved,
            pending,
            app,
            code,
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
        let request = match act {
            Poll => world.poll_request("tv2", &self.approved.device),
            Redeem => world.redeem_request("wiki", &self.code),
            Refresh => world.refresh_request("wiki", self.app.refresh()),
            Approve => {
                let grant = world.grant_of(&self.pending);
                let mut decision = self.alice.decide(grant, true, None);
                decision.shown = Some(ASKED.parse().expect("a scope"));
                return racer(world, decision, |outcome| End::Page(decided(&outcome)));
            }
            Consent => {
                let asks = AuthorizationRequest::new("wiki").with("scope", ASKED);
                let asks = asks.with("prompt", "consent");
                let answer = world.consent_answer(&asks, ConsentDecision::Approve);
                let consent = self.alice.authorize(&asks, Some(answer));
                return racer(world, consent, |outcome| match outcome.reply {
                    Ok(AuthorizeReply::Respond(response)) => match response.outcome {
                        Ok(code) => End::Code(Some(code)),
                        Err(refusal) => End::Refused(refusal.code),
                    },
                    // The page shows something else now.
                    Ok(AuthorizeReply::Consent(_)) => End::Done,
                    other => panic!("she is signed in: {other:?}"),
                });
            }
            Leave => return racer(world, alice_in("staff", "acme"), |_| End::Done),
            Move => return racer(world, alice_in("clerks", "other"), |_| End::Done),
        };
        racer(world, request, |outcome| End::Tokens(answer(outcome)))
    }
}

/// Whether what was given holds the limited scope, once alice is back.
fn holds_write(scene: &mut Scene, end: &End) -> bool {
    let world = &mut scene.world;
    world.provision(alice_in("clerks", "acme"));
    let tokens = match end {
        End::Tokens(Ok(tokens)) => tokens.clone(),
        End::Code(Some(code)) => world.redeem("wiki", code.reveal()).expect("tokens"),
        End::Page(Decided::Approved) => world.poll(&scene.pending).expect("tokens"),
        _ => return false,
    };
    tokens.scope.split(' ').any(|token| token == WRITE)
}

#[test]
fn what_is_given_after_a_user_left_a_group_or_moved_holds_nothing_of_it() {
    for act in [Poll, Redeem, Refresh, Consent, Approve] {
        for change in [Leave, Move] {
            let pair = [act, change];
            let mut seen = [false; 2];
            let check = |mut scene: Scene, schedule: Schedule| {
                let wrote = schedule.wrote(pair);
                let story = &schedule.story;
                let given_first = wrote.first() == Some(&act);
                seen[usize::from(given_first)] = true;
                assert!(wrote.contains(&change), "{story}");
                let end = &schedule.ends[0];
                if change == Move && !given_first {
                    let refused = matches!(end, End::Done | End::Page(Decided::Withheld))
                        || matches!(end.refused(), Some(InvalidGrant | AccessDenied));
                    assert!(refused, "{story}");
                }
                assert_eq!(holds_write(&mut scene, end), given_first, "{story}");
            };
            let schedules = every_order(Scene::new, pair, None, check);
            assert!(schedules > 1 && seen == [true; 2], "{pair:?}: {seen:?}");
        }
    }
}
