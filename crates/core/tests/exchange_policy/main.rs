//! Random rules, tokens and requests, compared with the most that token exchange may give. The oracle (`oracle`) is written
//! from the words of the issue, and knows only what was asked and configured: it reads no token.
//!
//! Each request is explained first, with the same randomness: the explanation and the answer must be one.
//! `EXCHANGE_SEED` repeats one scene and prints what happens in it.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod asks;
mod exchanges;
mod facts;
mod oracle;
mod policies;
mod scene;
mod tokens;

use std::collections::BTreeMap;

use grantor_core::exchange::Unmet;

use scene::Scene;

const SCENES: u64 = 250;
const REQUESTS: usize = 40;

/// How many requests ended how, and what else happened.
pub(crate) type Tally = BTreeMap<String, u64>;

/// Each reason for which a rule does not apply.
const UNMET: [Unmet; 15] = [
    Unmet::Audience,
    Unmet::Issues,
    Unmet::SubjectIssuer,
    Unmet::SubjectToken,
    Unmet::SubjectClient,
    Unmet::SubjectAudience,
    Unmet::SubjectGroups,
    Unmet::ActorToken,
    Unmet::ActorIssuer,
    Unmet::ActorAudience,
    Unmet::MayAct,
    Unmet::ActsForItself,
    Unmet::Cycle,
    Unmet::Depth,
    Unmet::Scope,
];

/// Reasons to refuse a request regardless of the rules.
const REFUSALS: [&str; 14] = [
    "A refresh token cannot be an actor token.",
    "A resource must be an absolute URI without a fragment.",
    "A resource or audience is not known here.",
    "A token is for one resource; ask for one at a time.",
    "A token that is bound to a key cannot be exchanged.",
    "An ID token is for the client that asks for it.",
    "An ID token or refresh token is exchanged only by the client to which it was given.",
    "Name the target by audience or resource.",
    "The actor token is not valid, has ended, or was revoked.",
    "The client may not use refresh tokens.",
    "The subject token is not valid, has ended, or was revoked.",
    "The subject token says by may_act that somebody else may act.",
    "The token is of a party for whom somebody else acts already.",
    "The tokens of this resource are sealed: it takes no JWT.",
];

/// What must have been issued, or the test shows nothing.
const ISSUED: [&str; 12] = [
    "issued: an access token, a JWT",
    "issued: an access token, sealed",
    "issued: an ID token",
    "issued: a refresh token",
    "issued: for an ID token",
    "issued: for a refresh token",
    "issued: for a refresh token by exchange",
    "issued: for a token of another issuer",
    "issued: with an actor token",
    "issued: without an actor claim",
    "issued: with a chain of three",
    "refreshed: by exchange",
];

fn seed() -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "which scene to repeat")]
    let text = std::env::var("EXCHANGE_SEED").ok()?;
    Some(text.parse().expect("a number"))
}

fn live(seed: u64, verbose: bool) -> Tally {
    let mut scene = Scene::new(seed, verbose);
    let mut asked = 0;
    while asked < REQUESTS {
        asked += usize::from(scene.step());
    }
    scene.is_as_alive_as_it_should();
    scene.tally
}

#[test]
fn what_is_issued_is_what_the_rules_allow_and_what_the_explanation_says() {
    if let Some(seed) = seed() {
        live(seed, true);
        return;
    }
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let tallies: Vec<_> = std::thread::scope(|scope| {
        let of_thread = |first| {
            move || {
                (first..SCENES)
                    .step_by(threads as usize)
                    .map(|seed| live(seed, false))
                    .collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..threads)
            .map(|first| scope.spawn(of_thread(first)))
            .collect();
        let ends = threads.into_iter().map(|thread| thread.join());
        ends.collect()
    });
    let mut tally = Tally::new();
    for of_scene in tallies
        .into_iter()
        .flat_map(|end| end.expect("a scene went wrong: see above"))
    {
        for (what, times) in of_scene {
            *tally.entry(what).or_default() += times;
        }
    }
    for (what, times) in &tally {
        println!("{times:>7} {what}");
    }
    let of = |what: &str| tally.get(what).copied().unwrap_or_default();
    assert_eq!(of("requests"), SCENES * REQUESTS as u64);
    assert!(
        of("issued") * 4 > of("requests"),
        "many are refused, and many are not"
    );
    for unmet in UNMET {
        assert!(of(unmet.description()) > 0, "never seen: {unmet:?}");
    }
    for what in REFUSALS.iter().chain(&ISSUED) {
        assert!(of(what) > 0, "never seen: {what}");
    }
    let no_grant = "Such a token comes only of what a user granted here";
    assert!(
        tally.keys().any(|what| what.starts_with(no_grant)),
        "never seen: {no_grant}"
    );
}
