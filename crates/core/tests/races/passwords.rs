//! Sign-ins that raise a weak hash meet each other, and what changes the password: in every order, nobody is cut off by a
//! raised hash, and no old password comes back.

use grantor_core::base::secret::Secret;
use grantor_core::model::ids::UserId;
use grantor_core::model::password_hash::StoredHash;
use grantor_core::people::account::ChangePasswordReply;
use grantor_core::people::{
    AddUser, AddUserReply, DeleteUser, SetEnabled, SetPassword, SignInReply,
};
use grantor_core::records::User;
use grantor_store::testing::Fault;

use crate::schedules::{self, Schedule, every_order};
use crate::{End, Racer, plain, racer};
use grantor_testkit::weak_hash;
use grantor_testkit::world::{Browser, SignedIn, World};

const OLD: &str = "dave-password";
const NEW: &str = "correct horse";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    SignIn,
    /// Dave changes the password at another browser.
    Change,
    /// The operator gives him another one.
    Set,
    Disable,
    Delete,
}

/// Dave is signed in at his desk, and his hash is one from elsewhere.
struct Scene {
    world: World,
    desk: Browser,
    before: User,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let dave = AddUser {
            username: "dave".to_owned(),
            password: format!("plain${OLD}"),
            groups: Vec::new(),
            organization: None,
            email: None,
        };
        let Ok(AddUserReply::Added { id }) = world.ask(dave).reply else {
            panic!("the name is free");
        };
        let desk = world.signed_in("dave");
        let mut before = world.user(id).expect("a user");
        before.password = Some(weak_hash(OLD));
        world.put_user(&before);
        Self {
            world,
            desk,
            before,
        }
    }

    fn user(&self) -> Option<User> {
        self.world.user(self.id())
    }

    fn id(&self) -> UserId {
        self.before.id
    }
}

impl schedules::Scene for Scene {
    type Act = Act;

    fn world(&mut self) -> &mut World {
        &mut self.world
    }

    fn begin(&mut self, act: Act) -> Box<dyn Racer> {
        let (world, username) = (&mut self.world, "dave".to_owned());
        match act {
            Act::SignIn => racer(
                world,
                Browser::new().sign_in("dave", OLD),
                |outcome| match outcome.reply {
                    Ok(SignInReply::SignedIn { session, .. }) => End::SignedIn(Some(session)),
                    Ok(SignInReply::Wrong) => End::SignedIn(None),
                    other => panic!("no limit is reached: {other:?}"),
                },
            ),
            Act::Change => racer(
                world,
                self.desk.change_password(OLD, NEW),
                |outcome| match outcome.reply {
                    Ok(ChangePasswordReply::Changed { session, .. }) => End::Code(Some(session)),
                    Ok(ChangePasswordReply::SignIn | ChangePasswordReply::WrongPassword) => {
                        End::Code(None)
                    }
                    other => panic!("no limit is reached: {other:?}"),
                },
            ),
            Act::Set => {
                let password = Secret::new(NEW);
                racer(world, SetPassword { username, password }, plain)
            }
            Act::Disable => {
                let enabled = false;
                racer(world, SetEnabled { username, enabled }, plain)
            }
            Act::Delete => racer(world, DeleteUser { username }, plain),
        }
    }
}

fn check(mut scene: Scene, pair: [Act; 2], schedule: &Schedule) {
    let (ends, story) = (&schedule.ends, &schedule.story);
    let cuts = pair.iter().any(|act| *act != Act::SignIn);
    let sessions: Vec<_> = ends
        .iter()
        .filter_map(|end| match end {
            End::SignedIn(session) => Some(session.clone()),
            _ => None,
        })
        .collect();
    let after = scene.user();
    let browser = |session: &Secret| Browser {
        session: Some(session.clone()),
        ..Browser::new()
    };
    if !cuts {
        let after = after.expect("a user");
        assert!(
            after.epoch == scene.before.epoch,
            "nobody is cut off: {story}"
        );
        let hash = after.password.as_deref().expect("a hash");
        let is_weak = StoredHash::parse(hash).is_ok_and(|hash| hash.is_weak());
        assert!(!is_weak, "{story}");
        for session in &sessions {
            let session = session.as_ref().expect("the right password");
            let visitor = scene.world.visitor(&browser(session));
            assert!(visitor.is_some(), "{story}");
        }
        assert!(scene.world.visitor(&scene.desk).is_some(), "{story}");
        scene.world.signed_in("dave");
        return;
    }
    // Whatever came first: what the sign-in gave has ended.
    for session in sessions.iter().flatten() {
        let visitor = scene.world.visitor(&browser(session));
        assert_eq!(visitor, None, "{story}");
    }
    let mut sign_in = |password: &str| {
        let end = scene.world.sign_in(&mut Browser::new(), "dave", password);
        end == SignedIn::Yes
    };
    let changed = after.is_some_and(|user| user.enabled);
    assert!(!sign_in(OLD), "an old password came back: {story}");
    assert_eq!(sign_in(NEW), changed, "{story}");
    for end in ends {
        if let End::Code(Some(session)) = end {
            let visitor = scene.world.visitor(&browser(session));
            let stays = pair
                .iter()
                .all(|act| matches!(act, Act::Change | Act::SignIn));
            assert!(visitor.is_some() || !stays, "{story}");
        }
    }
}

#[test]
fn every_interleaving_of_sign_ins_that_raise_a_hash_and_what_changes_the_password() {
    use Act::{Change, Delete, Disable, Set, SignIn};
    let acts = [SignIn, Change, Set, Disable, Delete];
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
