//! What must hold after two requests, in every order of their effects.

use grantor_core::base::error::ErrorCode::{
    AccessDenied, AuthorizationPending, InvalidGrant, InvalidToken, SlowDown,
};
use grantor_store::testing::Fault;

use crate::{End, Raced, Request, Stage};
use grantor_testkit::Spans as _;
use grantor_testkit::world::{Browser, Decided, Tokens};

/// Everything that must hold.
pub(crate) fn check(mut raced: Raced) {
    let story = format!(
        "{:?} from {:?} with {:?}, in the order {:?}: {:?}",
        raced.pair, raced.stage, raced.fault, raced.order, raced.ends
    );
    one_commit(&raced, &story);
    one_decision(&raced, &story);
    nothing_after_a_cut(&raced, &story);
    one_refresh_chain(&raced, &story);
    the_code_gives_tokens_once(&mut raced, &story);
    sessions_end(&mut raced, &story);
    what_was_ended_stays_ended(&mut raced, &story);
}

impl Raced {
    fn has(&self, request: Request) -> bool {
        self.pair.contains(&request)
    }

    fn ends_of(&self, request: Request) -> impl Iterator<Item = &End> {
        let both = self.pair.iter().zip(&self.ends);
        both.filter(move |(of, _)| **of == request)
            .map(|(_, end)| end)
    }

    /// Whether a request of this kind wrote.
    fn has_written(&self, request: Request) -> bool {
        (0..2).any(|lane| self.pair[lane] == request && !self.wrote[lane].is_empty())
    }

    /// Alice was cut off.
    fn is_cut_off(&self) -> bool {
        let by_operator = self.has(Request::Disable) || self.has(Request::ChangePassword);
        // A browser that is signed out cuts nothing off.
        by_operator || self.has_written(Request::Everywhere)
    }

    /// An approval whose answer was lost, and whose device had its tokens before it was repeated: the page says
    /// that the code was decided already, which is true.
    fn is_approved_unknowingly(&self) -> bool {
        let approved = self.has(Request::Approve) || self.has(Request::ApproveToo);
        let redeemed = self
            .ends_of(Request::Poll)
            .any(|end| end.tokens().is_some());
        approved && redeemed && self.fault == Some(Fault::UnknownWritten)
    }

    fn decided(&self, as_what: Decided) -> usize {
        let pages = self.ends.iter().filter_map(End::page);
        pages.filter(|page| *page == as_what).count()
    }

    /// Whether the refresh token that was used before ended the grant.
    fn is_reused(&self) -> bool {
        let mut old = self.ends_of(Request::RefreshOld);
        let is_old =
            old.any(|end| end.refused().is_some()) && self.has_written(Request::RefreshOld);
        is_old || self.is_of_two()
    }

    /// The successor was used on one network, and its predecessor came from another.
    fn is_of_two(&self) -> bool {
        self.has(Request::Refresh) && self.has_written(Request::RefreshElsewhere)
    }

    /// Whether the grant is still good.
    fn lives(&self) -> bool {
        let revoked = self.has(Request::Revoke) || self.has_written(Request::TakeBack);
        !self.is_cut_off() && !revoked && !self.is_reused()
    }
}

/// A request commits once, unless it does not know whether it did.
fn one_commit(raced: &Raced, story: &str) {
    let most = 1 + usize::from(raced.fault == Some(Fault::UnknownWritten));
    assert!(
        raced.wrote.iter().all(|wrote| wrote.len() <= most),
        "{story}"
    );
}

/// A grant is approved or denied, by one, once.
fn one_decision(raced: &Raced, story: &str) {
    let decisions = raced.decided(Decided::Approved) + raced.decided(Decided::Denied);
    let pending = matches!(raced.stage, Stage::Pending);
    assert!(decisions <= usize::from(pending), "{story}");
    let asked = [Request::Approve, Request::Deny, Request::ApproveToo];
    let undisturbed = raced
        .pair
        .iter()
        .all(|request| asked.contains(request) || *request == Request::Poll);
    if pending && undisturbed && asked.iter().any(|request| raced.has(*request)) {
        let wins = decisions + usize::from(raced.is_approved_unknowingly() && decisions == 0);
        assert_eq!(wins, 1, "one of them wins: {story}");
    }
    for end in &raced.ends {
        let fits = [
            Decided::Approved,
            Decided::Denied,
            Decided::Before,
            Decided::Gone,
            Decided::SignIn,
        ];
        assert!(
            end.page().is_none_or(|page| fits.contains(&page)),
            "{story}"
        );
    }
}

/// What is committed after Alice was cut off, her session ended or the grant was revoked gives nothing; and what only
/// reads gives nothing if it began after it.
fn nothing_after_a_cut(raced: &Raced, story: &str) {
    for cut in 0..2 {
        let other = 1 - cut;
        let Some(&cut_at) = raced.wrote[cut].first() else {
            continue;
        };
        let begun = raced.order.iter().position(|lane| *lane == other);
        let counts_at = raced.wrote[other].last().copied().or(begun);
        let counts_at = counts_at.expect("it began");
        if counts_at < cut_at {
            continue;
        }
        let of_alice = raced.pair[other] != Request::ApproveToo;
        let decided = raced.ends[other]
            .page()
            .is_some_and(|page| of_alice && matches!(page, Decided::Approved | Decided::Denied));
        let tokens = raced.ends[other].tokens().is_some();
        let signed_in = matches!(raced.ends[other], End::SignedIn(Some(_)));
        match raced.pair[cut] {
            Request::Disable | Request::ChangePassword | Request::Everywhere => {
                assert!(!decided && !tokens && !signed_in, "{story}");
            }
            Request::SignOut | Request::SignIn => assert!(!decided, "{story}"),
            Request::Revoke | Request::TakeBack => assert!(!tokens, "{story}"),
            _ => {}
        }
    }
}

/// Whoever presents the same refresh token gets the same successor; nothing else is refused to a device than
/// `invalid_grant`.
fn one_refresh_chain(raced: &Raced, story: &str) {
    for request in [Request::Refresh, Request::RefreshOld] {
        let given: Vec<&str> = raced
            .ends_of(request)
            .filter_map(End::tokens)
            .map(Tokens::refresh)
            .collect();
        assert!(given.windows(2).all(|two| two[0] == two[1]), "{story}");
        let mut refused = raced.ends_of(request).filter_map(End::refused);
        assert!(refused.all(|code| code == InvalidGrant), "{story}");
    }
    for end in raced.ends_of(Request::RefreshOld) {
        let held = raced.scene.held.as_ref().expect("tokens").refresh();
        match end.tokens() {
            Some(tokens) => {
                assert_eq!(tokens.refresh(), held, "{story}");
                assert!(
                    matches!(raced.stage, Stage::Active { grace_over: false }),
                    "{story}"
                );
            }
            // A reuse, unless the grant had ended before.
            None => assert!(!raced.lives(), "{story}"),
        }
    }
    for end in raced.ends_of(Request::RefreshElsewhere) {
        assert_eq!(end.refused(), Some(InvalidGrant), "{story}");
    }
    if raced.lives() && raced.has(Request::Refresh) {
        assert!(
            raced
                .ends_of(Request::Refresh)
                .all(|end| end.tokens().is_some()),
            "{story}"
        );
    }
    for revoke in [Request::Revoke, Request::RevokeAccess, Request::TakeBack] {
        assert!(
            raced.ends_of(revoke).all(|end| end.refused().is_none()),
            "{story}"
        );
    }
}

/// The device code gives tokens once, to one poll, and only where a user approved and was not cut off since.
fn the_code_gives_tokens_once(raced: &mut Raced, story: &str) {
    let polled = |raced: &Raced| raced.ends_of(Request::Poll).filter_map(End::tokens).count();
    let given = polled(raced);
    let by_bob = raced
        .ends_of(Request::ApproveToo)
        .any(|end| end.page() == Some(Decided::Approved));
    let approved = matches!(raced.stage, Stage::Approved)
        || raced.decided(Decided::Approved) == 1
        || raced.is_approved_unknowingly();
    assert!(given <= usize::from(approved), "{story}");
    for code in raced.ends_of(Request::Poll).filter_map(End::refused) {
        let fits = [AuthorizationPending, SlowDown, AccessDenied, InvalidGrant];
        assert!(fits.contains(&code), "{story}");
        if matches!(raced.stage, Stage::Approved) {
            assert_eq!(code, InvalidGrant, "slow_down masks nothing: {story}");
        }
    }
    let reply = raced.scene.world.poll(&raced.scene.codes.clone());
    if given == 1 || matches!(raced.stage, Stage::Active { .. }) {
        assert_eq!(reply, Err(InvalidGrant), "used: {story}");
    } else if raced.decided(Decided::Denied) == 1 {
        assert_eq!(reply, Err(AccessDenied), "{story}");
    } else if approved && raced.is_cut_off() && !by_bob {
        assert_eq!(reply, Err(InvalidGrant), "{story}");
    } else if approved {
        assert!(reply.is_ok(), "they are not lost: {story}");
    } else {
        assert!(
            matches!(reply, Err(AuthorizationPending | SlowDown)),
            "{story}"
        );
    }
}

/// A cookie from before a sign-in, a sign-out or a cut-off is invalid after it, and a new one is valid.
fn sessions_end(raced: &mut Raced, story: &str) {
    let signed_in: Vec<Browser> = raced
        .ends_of(Request::SignIn)
        .filter_map(|end| match end {
            End::SignedIn(session) => session.clone(),
            _ => None,
        })
        .map(|session| Browser {
            session: Some(session),
            ..Browser::new()
        })
        .collect();
    let cut_off = raced.is_cut_off();
    for browser in &signed_in {
        let lives = raced.scene.world.visitor(browser).is_some();
        assert_eq!(lives, !cut_off, "{story}");
    }
    if cut_off || raced.has(Request::SignOut) || !signed_in.is_empty() {
        let before = raced.scene.alice.clone();
        assert_eq!(raced.scene.world.visitor(&before), None, "{story}");
    }
    let bob = raced.scene.bob.clone();
    assert!(
        raced.scene.world.visitor(&bob).is_some(),
        "he does not notice: {story}"
    );
}

/// No access token survives its user's cut-off, its grant's revocation or its own; the newest refresh token of a live
/// grant works, and none of a dead one.
fn what_was_ended_stays_ended(raced: &mut Raced, story: &str) {
    let by_bob = raced
        .ends_of(Request::ApproveToo)
        .any(|end| end.page() == Some(Decided::Approved));
    let lives = raced.lives() || by_bob;
    let is_known_elsewhere = raced.has_written(Request::RefreshElsewhere);
    let held = raced.scene.held.clone();
    let revoked = raced
        .has(Request::RevokeAccess)
        .then(|| held.clone().expect("tokens").access);
    let given: Vec<Tokens> = raced.ends.iter().filter_map(End::tokens).cloned().collect();
    let all: Vec<Tokens> = raced
        .scene
        .old
        .iter()
        .chain(&held)
        .chain(&given)
        .cloned()
        .collect();
    let world = &mut raced.scene.world;
    for tokens in &all {
        let reply = world.userinfo(&tokens.access);
        if lives && Some(&tokens.access) != revoked.as_ref() {
            assert!(reply.is_ok(), "{story}");
        } else {
            assert_eq!(reply, Err(InvalidToken), "{story}");
        }
    }
    let generation = |tokens: &Tokens| {
        let opened = world.realm.sealing.open_refresh_token(tokens.refresh());
        opened.expect("a refresh token of ours").generation
    };
    let Some(newest) = all.iter().max_by_key(|tokens| generation(tokens)).cloned() else {
        return;
    };
    world.advance(61.s());
    let reply = world.refresh("tv2", newest.refresh());
    // Now both were used, on two networks.
    assert_eq!(reply.is_ok(), lives && !is_known_elsewhere, "{story}");
    for tokens in all.iter().filter(|tokens| tokens.refresh != newest.refresh) {
        assert_eq!(
            world.refresh("tv2", tokens.refresh()),
            Err(InvalidGrant),
            "{story}"
        );
    }
}
