use serde_json::json;

use super::*;

fn explained(event: serde_json::Value) -> Explained {
    let event = serde_json::from_value(event).unwrap();
    explain(&[event]).remove(0)
}

fn is_sentence(text: &str) -> bool {
    text.len() > 10 && text.ends_with('.') && !text.contains("  ")
}

/// Each cause, by its name in events. A new one makes the match incomplete.
fn causes() -> Vec<Cause> {
    macro_rules! all {
        ($($cause:ident)*) => {
            [$(Cause::$cause),*].map(|cause| match cause {
                $(Cause::$cause => cause,)*
            })
        };
    }
    all! {
        AsDescribed UnknownClient DisabledClient OwnerCannotHaveClient WrongSecret SecretMissing MethodNotAllowed CredentialsMissing
        AssertionNotSupported SchemeNotSupported BasicMalformed TooManyWrongSecrets ForgedOrForeignToken NoSuchGrant
        RevokedGrant GrantOfAnotherClient CodeUsed UserGone UserDisabled OrganizationDisabled ClientNotAvailable ScopesWithheld
        SignedOutEverywhere SessionEnded RefreshReused
        RefreshReuseAfterUnknownCommit RefreshRepeatedFromElsewhere RefreshExpired TokenRevoked TokenExpired TokenMissing
        CodeExpired CodeReused CodeReplayUnproven CodeSeenAfterUnknownCommit VerifierWrong VerifierMissing
        VerifierUnexpected RedirectUriMissing RedirectUriOther ClientUnnamed SubjectGone RuleGone ActorGone
        ForeignTokenNotForUs ForeignTokenTooOld ForeignTokenMalformed UnknownIssuer UnverifiedClaim WrongPassword
        TooManyTries TooManyRevoked TooManyUndelivered
    }
    .into()
}

#[test]
fn each_cause_and_each_error_code_says_why_and_what_to_do() {
    for cause in causes() {
        let refused =
            crate::base::error::Refusal::new(ErrorCode::InvalidGrant, "Words.").because(cause);
        let event = crate::engine::event::Event::refused("token", &refused);
        let mut event = serde_json::to_value(&event).unwrap();
        event["at"] = json!("2026-12-01T00:00:00.000Z");
        let explained = explained(event);
        let (why, advice) = (explained.why.unwrap(), explained.advice.unwrap());
        assert!(
            is_sentence(&why) && is_sentence(&advice),
            "{cause:?}: {why} {advice}"
        );
        assert_eq!(explained.check, Some(name(refused.check())), "{cause:?}");
        assert_eq!(
            explained.what,
            "A request to token was refused with invalid_grant: Words."
        );
    }
    for code in ErrorCode::ALL {
        let refused = crate::base::error::Refusal::new(code, "Words.");
        let event = crate::engine::event::Event::refused("token", &refused);
        let mut event = serde_json::to_value(&event).unwrap();
        event["at"] = json!("2026-12-01T00:00:00.000Z");
        let explained = explained(event);
        let (why, advice) = (explained.why.unwrap(), explained.advice.unwrap());
        assert!(
            is_sentence(&why) && is_sentence(&advice),
            "{code:?}: {why} {advice}"
        );
    }
}

fn name(check: Check) -> String {
    let name = serde_json::to_value(check).unwrap();
    name.as_str().unwrap().to_owned()
}

#[test]
fn an_event_says_who_asked_and_what_came_of_it() {
    let said = explained(json!({
        "at": "2026-12-01T03:28:00.000Z", "outcome": "refused", "kind": "refused", "client": "shop",
        "check": "refresh_token", "reason": "refresh_expired",
        "request": { "endpoint": "token", "error": "invalid_grant", "description": "The code or token is not valid." },
        "peer": { "address": "192.0.2.1", "agent": "curl" },
    }));
    assert_eq!(
        said.what,
        "A request to token was refused with invalid_grant: The code or token is not valid. \
         Client: shop, Address: 192.0.2.1."
    );
    assert_eq!(said.outcome, EventOutcome::Refused);
    assert_eq!(said.why.as_deref(), Some("The refresh token has expired."));
    assert!(
        said.advice
            .unwrap()
            .starts_with("Have the user sign in again")
    );

    let exchange = explained(json!({
        "at": "", "kind": "exchange_refused", "check": "exchange_rule",
        "exchange": { "subject": "alice", "refused": "no rule allows it" },
    }));
    assert_eq!(exchange.why.as_deref(), Some("no rule allows it."));
    assert!(
        exchange
            .advice
            .unwrap()
            .contains("grantor explain exchange")
    );
}

/// Of a version that has other kinds and causes.
#[test]
fn an_event_that_is_not_known_is_named() {
    let event =
        json!({ "at": "", "kind": "token_bound", "reason": "proof_wrong", "check": "proof" });
    let said = explained(event);
    assert_eq!(said.what, "An event of the kind token_bound was recorded.");
    assert_eq!((said.why, said.advice), (None, None));
}

#[test]
fn what_went_well_needs_no_advice() {
    let said = explained(json!({ "at": "", "kind": "signed_in", "user": "alice's id" }));
    assert_eq!(said.what, "A user signed in. User: alice's id.");
    assert_eq!((said.why, said.advice), (None, None));
}
