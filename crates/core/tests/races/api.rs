//! A change by the management API meets the end of its author's rights: in every order, what was changed after they ended is
//! nothing.

use grantor_core::base::secret::Secret;
use grantor_core::manage::users::CreateUser;
use grantor_core::manage::{Admission, Admitted};
use grantor_core::people::{ChangeUser, SetEnabled, SetPassword, UserChange};
use grantor_store::testing::Fault;
use grantor_testkit::world::World;
use grantor_testkit::{AuthorizationRequest, PORTAL, api};
use serde_json::{Value, json};

use crate::schedules::{self, Schedule, every_order};
use crate::{End, Racer, plain, racer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// The administrator boss makes another one.
    MakeAdministrator,
    /// The operator takes the group away from boss.
    TakeGroup,
    Disable,
    /// All tokens of boss end.
    NewPassword,
}

const ENDINGS: [Act; 3] = [Act::TakeGroup, Act::Disable, Act::NewPassword];

struct Scene {
    world: World,
    token: String,
}

fn create(admission: &Admission, user: Value) -> Admitted<CreateUser> {
    let object = user.as_object().cloned().expect("an object");
    Admitted::new(admission, "trace", CreateUser { object })
}

impl Scene {
    fn new() -> Self {
        let mut world = World::with(api::serve);
        let boss = json!({ "username": "boss", "groups": ["admins"], "password": "boss-password" });
        let made = world.ask(create(&Admission::Operator(0), boss)).reply;
        made.expect("the operator may");
        let browser = world.signed_in("boss");
        let scope = format!("openid {}", api::all_rights());
        let request = AuthorizationRequest::new(PORTAL).with("scope", &scope);
        let token = world.app_tokens_by_page(&browser, &request).access;
        Self { world, token }
    }
}

impl schedules::Scene for Scene {
    type Act = Act;

    fn world(&mut self) -> &mut World {
        &mut self.world
    }

    fn begin(&mut self, act: Act) -> Box<dyn Racer> {
        let username = "boss".to_owned();
        let world = &mut self.world;
        match act {
            Act::MakeAdministrator => {
                let header = Secret::new(format!("Bearer {}", self.token));
                let user = json!({ "username": "eve", "groups": ["admins"] });
                let create = create(&Admission::Header(Some(header)), user);
                racer(world, create, |_| End::Done)
            }
            Act::TakeGroup => {
                let change = UserChange {
                    groups: Some(Vec::new()),
                    ..UserChange::default()
                };
                racer(world, ChangeUser { username, change }, plain)
            }
            Act::Disable => {
                let enabled = false;
                racer(world, SetEnabled { username, enabled }, plain)
            }
            Act::NewPassword => {
                let password = Secret::new("another-password");
                racer(world, SetPassword { username, password }, plain)
            }
        }
    }
}

fn check(pair: [Act; 2], schedule: &Schedule) {
    let (wrote, story) = (schedule.wrote(pair), &schedule.story);
    let ended = wrote.iter().position(|act| ENDINGS.contains(act));
    let late = ended.is_some_and(|at| wrote[at..].contains(&Act::MakeAdministrator));
    assert!(
        !late,
        "an administrator made after the author's rights ended: {story}"
    );
}

#[test]
fn nothing_is_changed_by_rights_that_ended_in_any_order() {
    let faults = [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)];
    for ending in ENDINGS {
        let pair = [Act::MakeAdministrator, ending];
        for fault in faults {
            let orders = every_order(Scene::new, pair, fault, |_, schedule| {
                check(pair, &schedule)
            });
            assert!(orders > 3, "{pair:?}: {orders}");
        }
    }
}
