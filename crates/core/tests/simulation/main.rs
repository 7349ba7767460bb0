//! A simulation: devices, people, thieves and an operator act in random order, with a
//! store that fails, a clock that steps, a process that ends and a store that is restored; after each step, what the
//! server wrote and answered is compared with a small model.
//!
//! The same seed gives the same life. `SIMULATION_STEPS` is the number of steps in all; with `SIMULATION_SEED`
//! one life of so many steps is run, and its last steps are printed when something is wrong.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod access_limits;
mod account;
mod answers;
mod audit;
mod choices;
mod commits;
mod given;
mod keys;
mod life;
mod manner;
mod model;
mod networks;
mod pages;
mod requests;
mod tables;
mod things;

use std::collections::BTreeMap;

use life::Life;

/// The steps of one life: long enough for grants to end, short enough to be repeated.
const LIFE: u64 = 2_000;
const STEPS: u64 = 1_000_000;
/// The lives of one run have numbers from here on.
const FIRST: u64 = 2001;

/// What must have happened, or the test shows nothing.
const AT_STAKE: [&str; 44] = [
    "a client that is declared again",
    "a clock that steps back",
    "a commit in conflict",
    "a commit that is lost with its answer",
    "a commit whose answer is lost",
    "a restart",
    "a store that is restored",
    "a user cut off",
    "account: a look",
    "account: a session ended",
    "account: an app disconnected",
    "account: one grant taken back",
    "account: signed out here",
    "account: signed out everywhere",
    "app: a code, silently",
    "app: a code, since its user agrees",
    "app: a replay that revokes",
    "app: refused",
    "app: sign in first",
    "app: the user is asked",
    "app: tokens",
    "code: a device asks",
    "code: too many",
    "codes: too many",
    "codes: within a share",
    "decision: approved",
    "decision: denied",
    "introspect: active",
    "keys: one is gone",
    "keys: one is promoted",
    "limit: grants are ended",
    "limit: sessions are ended",
    "machine: too many wrong secrets",
    "poll: approved by who was cut off",
    "poll: slow down",
    "poll: tokens",
    "poll: used",
    "refresh: a new successor",
    "refresh: a predecessor from another network",
    "refresh: a reuse that revokes",
    "refresh: a token ahead of its row",
    "refresh: the same successor",
    "sign-in: too many",
    "userinfo: a live token",
];

type Tally = BTreeMap<&'static str, u64>;

fn live(seed: u64, steps: u64, verbose: bool) -> Tally {
    let mut life = Life::new(seed, verbose);
    for _ in 0..steps {
        life.step();
    }
    std::mem::take(&mut life.tally)
}

fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "which life to repeat")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// Lives from all of these seeds, on as many threads as there are processors.
fn live_all(lives: u64) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let share = |thread| (FIRST + thread..FIRST + lives).step_by(threads as usize);
    let of_thread = |thread| {
        let mut tally = Tally::new();
        for seed in share(thread) {
            for (what, times) in live(seed, LIFE, false) {
                *tally.entry(what).or_default() += times;
            }
        }
        tally
    };
    let tallies = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || of_thread(thread)))
            .collect();
        let ends = threads.into_iter().map(|thread| thread.join());
        ends.collect::<Vec<_>>()
    });
    let mut all = Tally::new();
    for tally in tallies {
        for (what, times) in tally.expect("a life went wrong: see above") {
            *all.entry(what).or_default() += times;
        }
    }
    all
}

#[test]
fn a_million_random_steps_break_no_invariant() {
    if let Some(seed) = setting("SIMULATION_SEED") {
        live(seed, setting("SIMULATION_STEPS").unwrap_or(LIFE), true);
        return;
    }
    let steps = setting("SIMULATION_STEPS").unwrap_or(STEPS);
    let tally = live_all(steps.div_ceil(LIFE));
    for (what, times) in &tally {
        println!("{times:>9} {what}");
    }
    // Of some, a short run sees none.
    if steps >= STEPS {
        for what in AT_STAKE {
            assert!(tally.contains_key(what), "never seen: {what}");
        }
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in 0..4 {
        assert_eq!(live(seed, LIFE, false), live(seed, LIFE, false));
    }
}
