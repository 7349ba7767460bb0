use proptest::prelude::*;

use super::*;

const ES: Algorithm = Algorithm::Es256;
const ED: Algorithm = Algorithm::EdDsa;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LIFE: Duration = Duration::from_secs(600);
const POLICY: KeyPolicy = KeyPolicy {
    rotation: Some(Duration::from_secs(90 * 24 * 60 * 60)),
    kept: Duration::from_secs(665),
};

/// A node that restarts and whose wall clock jumps, with the stored row and the true time.
struct World {
    keys: SigningKeys,
    policy: KeyPolicy,
    in_use: Vec<Algorithm>,
    /// The true time.
    real: Duration,
    wall: Timestamp,
    /// When the process started.
    began: Duration,
    observed: KeyObservations,
    made: u32,
    /// When each key was first published and last signed.
    published: HashMap<Kid, Duration>,
    signed: HashMap<Kid, Duration>,
}

impl World {
    fn new(in_use: &[Algorithm]) -> Self {
        let mut world = Self {
            keys: SigningKeys::default(),
            policy: POLICY,
            in_use: in_use.to_vec(),
            real: DAY,
            wall: Timestamp::from_secs(1_800_000_000),
            began: DAY,
            observed: KeyObservations::default(),
            made: 0,
            published: HashMap::new(),
            signed: HashMap::new(),
        };
        world.look();
        world
    }

    fn pass(&mut self, time: Duration) {
        self.real += time;
        self.wall = self.wall + time;
    }

    fn plan(&mut self) -> Plan {
        let uptime = self.real - self.began;
        self.observed.record(&self.keys, self.wall, uptime);
        due(
            &self.keys,
            &self.in_use,
            &self.policy,
            self.wall,
            &self.observed,
            uptime,
        )
    }

    fn look(&mut self) -> Plan {
        let plan = self.plan();
        for kid in &plan.promote {
            let had = self.keys.keys.iter().any(|key| {
                key.state == KeyState::Active
                    && self
                        .keys
                        .keys
                        .iter()
                        .any(|next| next.kid == *kid && next.alg == key.alg)
            });
            let published = self.real - self.published[kid];
            assert!(
                !had || published >= PUBLISH_AHEAD,
                "promoted after {published:?} in public"
            );
        }
        self.apply(&plan);
        plan
    }

    fn apply(&mut self, plan: &Plan) {
        for kid in &plan.remove {
            let unused = self
                .signed
                .get(kid)
                .is_none_or(|last| self.real - *last >= LIFE);
            assert!(unused, "removed while a token of it may live");
        }
        let made: Vec<_> = plan.create.clone();
        let made: Vec<_> = made.into_iter().map(|made| self.make(made)).collect();
        let keys = std::mem::take(&mut self.keys);
        self.keys = plan.apply(keys, made, &self.policy, self.wall);
        for key in &self.keys.keys {
            self.published.entry(key.kid.clone()).or_insert(self.real);
        }
    }

    fn make(&mut self, (alg, state): (Algorithm, KeyState)) -> SealedSigningKey {
        self.made += 1;
        let key = SealedSigningKey {
            kid: Kid::from(format!("{alg}-{}", self.made).as_str()),
            alg,
            state: KeyState::Next,
            created_at: self.wall,
            since: self.wall,
            kept_secs: 0,
            private: String::new(),
        };
        match state {
            KeyState::Active => key.promoted(self.wall, self.policy.kept),
            _ => key,
        }
    }

    fn sign(&mut self) {
        for key in &self.keys.keys {
            if key.state == KeyState::Active {
                self.signed.insert(key.kid.clone(), self.real);
            }
        }
    }

    fn kid(&self, state: KeyState) -> Option<Kid> {
        self.keys.find(ES, state).map(|key| key.kid.clone())
    }

    fn kids(&self) -> [Option<String>; 3] {
        [KeyState::Next, KeyState::Active, KeyState::Retiring]
            .map(|state| self.kid(state).map(|kid| kid.to_string()))
    }
}

fn is(kids: [Option<&str>; 3]) -> [Option<String>; 3] {
    kids.map(|kid| kid.map(str::to_owned))
}

#[test]
fn the_first_check_creates_an_active_and_a_next_key() {
    let mut world = World::new(&[ES, ED]);
    assert_eq!(world.kids(), is([Some("ES256-3"), Some("ES256-1"), None]));
    assert_eq!(world.keys.keys.len(), 4);
    assert!(world.plan().is_empty());
    let start = needed(&SigningKeys::default(), &[ES]);
    assert_eq!(start.create, [(ES, KeyState::Active)]);
}

#[test]
fn a_key_retires_on_schedule_and_is_removed_once_its_tokens_expired() {
    let mut world = World::new(&[ES]);
    let rotation = POLICY.rotation.unwrap();
    assert_eq!(world.plan().next_check, Some(world.wall + rotation));
    world.pass(rotation - Duration::from_secs(1));
    assert!(world.look().is_empty());
    world.pass(Duration::from_secs(1));
    world.look();
    assert_eq!(
        world.kids(),
        is([Some("ES256-3"), Some("ES256-2"), Some("ES256-1")])
    );
    assert_eq!(world.plan().next_check, Some(world.wall + POLICY.kept));
    world.pass(POLICY.kept - Duration::from_secs(1));
    assert!(world.look().is_empty());
    world.pass(Duration::from_secs(1));
    world.look();
    assert_eq!(world.kids(), is([Some("ES256-3"), Some("ES256-2"), None]));
}

#[test]
fn without_a_schedule_only_a_command_rotates() {
    let mut world = World::new(&[ES]);
    world.policy.rotation = None;
    world.pass(DAY * 1000);
    assert!(world.look().is_empty());
    let before = world.kids();
    let plan = by_command(&world.keys, &[ES], &world.observed);
    world.apply(&plan);
    let after = world.kids();
    assert_eq!((&after[1], &after[2]), (&before[0], &before[1]));
    assert!(after[0].is_some());
}

#[test]
fn a_newly_used_algorithm_gets_keys_at_the_next_check() {
    let mut world = World::new(&[ES]);
    world.in_use.push(ED);
    world.look();
    assert!(world.keys.find(ED, KeyState::Active).is_some());
    assert!(world.keys.find(ED, KeyState::Next).is_some());
}

#[test]
fn an_unused_algorithm_keeps_its_keys_until_a_command() {
    let mut world = World::new(&[ES, ED]);
    world.in_use = vec![ES];
    assert!(
        world.look().is_empty(),
        "another node may be configured otherwise"
    );
    let plan = by_command(&world.keys, &[ES], &world.observed);
    world.apply(&plan);
    let of = |state| world.keys.find(ED, state).is_some();
    assert_eq!(
        [KeyState::Next, KeyState::Active, KeyState::Retiring].map(of),
        [false, false, true]
    );
}

#[test]
fn a_key_is_kept_for_the_longest_lifetime_that_it_ever_signed() {
    let mut world = World::new(&[ES]);
    world.policy.kept = DAY;
    assert_eq!(world.look().extend.len(), 1);
    world.policy.kept = POLICY.kept;
    let plan = by_command(&world.keys, &[ES], &world.observed);
    world.apply(&plan);
    world.look();
    world.pass(DAY - Duration::from_secs(1));
    assert_eq!(world.look().remove, []);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.look().remove.len(), 1);
}

#[test]
fn a_clock_that_jumps_ahead_removes_nothing_and_rotates_once() {
    let mut world = World::new(&[ES]);
    world.pass(PUBLISH_AHEAD);
    world.look();
    let plan = by_command(&world.keys, &[ES], &world.observed);
    world.sign();
    world.apply(&plan);
    world.look();
    world.wall = world.wall + DAY * 400;
    assert!(world.look().is_empty());
    world.pass(PUBLISH_AHEAD);
    let plan = world.look();
    assert_eq!((plan.promote.len(), plan.remove.len()), (1, 1));
    world.pass(PUBLISH_AHEAD);
    assert_eq!(world.look().promote, []);
    world.wall = world.wall - DAY * 400;
    assert!(world.look().is_empty(), "nor does it when it is set back");
}

#[test]
fn a_key_that_signed_while_the_clock_was_ahead_is_kept_until_its_tokens_expired() {
    let mut world = World::new(&[ES]);
    world.wall = world.wall + DAY;
    world.look();
    let ends = world.wall + POLICY.kept;
    world.wall = world.wall - DAY;
    let plan = by_command(&world.keys, &[ES], &world.observed);
    world.apply(&plan);
    assert_eq!(world.plan().next_check, Some(ends));
    world.pass(DAY);
    assert_eq!(world.look().remove, []);
    world.pass(POLICY.kept);
    assert_eq!(world.look().remove.len(), 1);
}

#[derive(Clone, Debug)]
enum Event {
    Pass(u64),
    Leap(i64),
    Restart,
    Command,
    Look,
    Sign,
    Kept(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_u64..200_000).prop_map(Event::Pass),
        4 => (0_u64..900).prop_map(Event::Pass),
        1 => (-40_000_000_i64..40_000_000).prop_map(Event::Leap),
        1 => Just(Event::Restart),
        1 => Just(Event::Command),
        6 => Just(Event::Look),
        6 => Just(Event::Sign),
        1 => (665_u64..5000).prop_map(Event::Kept),
    ]
}

proptest! {
    #[test]
    fn no_live_token_loses_its_key_despite_clock_jumps_commands_and_restarts(
        days in proptest::option::of(0_u64..5),
        events in proptest::collection::vec(event(), 1..120),
    ) {
        let mut world = World::new(&[ES, ED]);
        world.policy.rotation = days.map(|days| DAY * u32::try_from(days).unwrap());
        for event in events {
            match event {
                Event::Pass(secs) => world.pass(Duration::from_secs(secs)),
                Event::Leap(secs) => {
                    let leap = Duration::from_secs(secs.unsigned_abs());
                    world.wall = if secs < 0 { world.wall - leap } else { world.wall + leap };
                }
                Event::Restart => {
                    world.began = world.real;
                    world.observed = KeyObservations::default();
                }
                Event::Command => {
                    let plan = by_command(&world.keys, &world.in_use, &world.observed);
                    world.apply(&plan);
                }
                Event::Look => {
                    world.look();
                    prop_assert!(world.plan().is_empty(), "a second look finds nothing to do");
                }
                Event::Sign => world.sign(),
                Event::Kept(secs) => world.policy.kept = Duration::from_secs(secs),
            }
            for alg in [ES, ED] {
                let count = |state| world.keys.keys.iter().filter(|key| key.alg == alg && key.state == state).count();
                prop_assert_eq!([count(KeyState::Next), count(KeyState::Active)], [1, 1]);
            }
            // A key that may have signed a live token is published.
            for (kid, last) in &world.signed {
                let published = world.keys.keys.iter().any(|key| key.kid == *kid);
                prop_assert!(published || world.real - *last >= LIFE);
            }
        }
    }
}
