//! Every interleaving of attempts at a password with one wrong one left.

use grantor_core::people::SignInReply;
use grantor_testkit::world::{Browser, Run, SignedIn, World};

/// Runs these passwords of alice at once, after nine wrong ones, in the order that `turns` gives as far as it goes.
/// Returns the replies, and at which effects which of them could have gone on.
fn follow(passwords: &[&str], turns: &[usize]) -> (Vec<SignedIn>, Vec<usize>, Vec<Vec<usize>>) {
    let mut world = World::new();
    let mut browser = Browser::new();
    for _ in 0..9 {
        assert_eq!(
            world.sign_in(&mut browser, "alice", "wrong"),
            SignedIn::Wrong
        );
    }
    let attempts = passwords
        .iter()
        .map(|password| browser.sign_in("alice", password));
    let mut runs: Vec<_> = attempts
        .map(|attempt| Some(Run::new(&mut world, attempt)))
        .collect();
    let mut replies = vec![SignedIn::Wrong; passwords.len()];
    let (mut order, mut open) = (Vec::new(), Vec::new());
    loop {
        let live: Vec<usize> = (0..runs.len()).filter(|&at| runs[at].is_some()).collect();
        let Some(first) = live.first() else {
            return (replies, order, open);
        };
        let at = turns.get(order.len()).unwrap_or(first);
        let run = runs[*at].as_mut().expect("it is live");
        if let Some(end) = run.effect(&mut world) {
            replies[*at] = match end.expect("the server answers").reply {
                Ok(SignInReply::SignedIn { .. }) => SignedIn::Yes,
                Ok(SignInReply::Wrong) => SignedIn::Wrong,
                Ok(SignInReply::TooMany { .. }) => SignedIn::TooMany,
                Err(refusal) => panic!("a page is not refused by an OAuth error: {refusal:?}"),
            };
            runs[*at] = None;
        }
        order.push(*at);
        open.push(live);
    }
}

/// The replies in every order that there is.
fn every_order(passwords: &[&str], mut check: impl FnMut(&[SignedIn], &[usize])) -> usize {
    let (mut orders, mut turns) = (0, Vec::new());
    loop {
        let (replies, order, open) = follow(passwords, &turns);
        check(&replies, &order);
        orders += 1;
        let later = |at: usize| open[at].iter().copied().find(|turn| *turn > order[at]);
        let Some(at) = (0..order.len()).rev().find(|&at| later(at).is_some()) else {
            return orders;
        };
        turns = order[..at].to_vec();
        turns.extend(later(at));
    }
}

#[test]
fn of_simultaneous_guesses_only_those_within_the_limit_are_answered() {
    let orders = every_order(&["wrong", "also wrong"], |replies, order| {
        let told = replies.iter().filter(|reply| **reply == SignedIn::Wrong);
        assert_eq!(told.count(), 1, "{order:?}");
    });
    assert!(orders > 20, "{orders}");
}

#[test]
fn simultaneous_right_passwords_both_sign_in_and_a_guess_next_to_them_reveals_nothing_more() {
    let orders = every_order(&["alice-password", "alice-password"], |replies, order| {
        assert_eq!(replies, [SignedIn::Yes; 2], "{order:?}");
    });
    assert!(orders > 100, "{orders}");
    // Where the last wrong one is answered first, the limit is reached, also for the right one.
    let (mut passed, mut refused) = (0, 0);
    every_order(&["alice-password", "wrong"], |replies, order| {
        assert_eq!(replies[1], SignedIn::Wrong, "{order:?}");
        match replies[0] {
            SignedIn::Yes => passed += 1,
            SignedIn::TooMany => refused += 1,
            SignedIn::Wrong => panic!("{order:?}"),
        }
    });
    assert!(passed > 0 && refused > 0, "{passed} {refused}");
}
