//! Section 2.2.2: what a client that gets nothing is told, and the operator with it.

use grantor_core::base::error::ErrorCode;
use grantor_core::engine::event::EventKind;
use grantor_core::model::exchange_rule::{ActorRule, Rule, RuleTarget};
use serde_json::Value;

use super::{ACCESS_TOKEN, BACKEND, CONTEXT, REFRESH_TOKEN, calls, house, subject};
use crate::house::{House, scope};

/// Only together with an actor token.
fn together() -> Rule {
    Rule {
        name: "together".to_owned(),
        actor: ActorRule {
            token_required: true,
            ..ActorRule::default()
        },
        target: RuleTarget::Resource(CONTEXT.to_owned()),
        scopes: [(
            "frontend.example.com/read".to_owned(),
            scope("urn:example:cooperation-context/status"),
        )]
        .into(),
        ..calls()
    }
}

/// How often a code was answered.
fn counted(house: &House, code: ErrorCode) -> u64 {
    let refusals = house.app.request_metrics().refusals;
    let of_code = refusals.into_iter().find(|(known, _)| *known == code);
    of_code.map_or(0, |(_, count)| count)
}

#[tokio::test]
async fn rfc8693_2_2_2_each_refusal_says_why_and_where_to_read_of_it_and_the_operator_finds_it() {
    const UNKNOWN: &str = "A resource or audience is not known here.";
    const NOT_GOOD: &str = "The subject token is not valid, has ended, or was revoked.";
    const WIDER: &str =
        "The scope is wider than what the subject token holds and the rule gives for it.";
    let (request, target, narrow) = (
        ErrorCode::InvalidRequest,
        ErrorCode::InvalidTarget,
        ErrorCode::InvalidScope,
    );
    let rule = [EventKind::ExchangeRefused].as_slice();
    let none = [].as_slice();
    let house = house([calls(), together()]).await;
    let token = house.called_with().await;
    let token = token.as_str();
    let backend = ("resource", BACKEND);
    // What no rule is asked about is no event: it says nothing of who may act for whom.
    let cases = [
        (token, vec![("audience", "nobody")], target, UNKNOWN, none),
        ("x", vec![backend], request, NOT_GOOD, none),
        (
            token,
            vec![("audience", "orders.example.com")],
            target,
            "No rule lets the client exchange tokens for this audience.",
            rule,
        ),
        (
            token,
            vec![backend, ("requested_token_type", REFRESH_TOKEN)],
            target,
            "No rule issues a token of the requested type for this audience.",
            rule,
        ),
        (
            token,
            vec![("audience", CONTEXT)],
            request,
            "The rule needs an actor token.",
            rule,
        ),
        (
            token,
            vec![
                ("audience", CONTEXT),
                ("actor_token", token),
                ("actor_token_type", ACCESS_TOKEN),
            ],
            request,
            "The actor is the subject itself.",
            rule,
        ),
        (
            token,
            vec![backend, ("scope", "backend.example.com/admin")],
            narrow,
            WIDER,
            rule,
        ),
    ];
    house.world.take_events();
    for (token, more, code, description, events) in cases {
        let before = counted(&house, code);
        let answer = house.exchange(&[&subject(token)[..], &more].concat()).await;
        assert_eq!(answer.error(), (400, code.name().to_owned()), "{more:?}");
        let said = answer.json();
        assert_eq!(said["error_description"], description, "{more:?}");
        assert_eq!(said["error_uri"], Value::from(code.uri()));
        assert_eq!(counted(&house, code), before + 1);
        let trace = answer.member("trace_id");
        let expected: Vec<_> = events.iter().map(|kind| (trace.clone(), *kind)).collect();
        assert_eq!(house.world.take_events(), expected, "{more:?}");
    }
}

#[tokio::test]
async fn what_is_issued_stands_in_an_event_under_the_trace_id_of_its_answer() {
    let house = house([calls()]).await;
    let token = house.called_with().await;
    house.world.take_events();
    let pairs = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    let answer = house.exchange(&pairs).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let trace = answer.header("x-request-id").to_owned();
    let issued = [(trace, EventKind::TokenExchanged)];
    assert_eq!(house.world.take_events(), issued);
}

/// RFC 6749 section 3.2: "Request and response parameters MUST NOT be included more than once", but for the two that
/// RFC 8693 section 2.1 lets name several; and an explanation's assumptions are nobody's parameters here.
#[tokio::test]
async fn a_request_is_read_to_the_letter() {
    let house = house([calls()]).await;
    let token = house.called_with().await;
    let asked = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    for twice in [
        ("subject_token", &*token),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("scope", "backend.example.com/api"),
    ] {
        let answer = house
            .exchange(&[&asked[..], &[twice, twice]].concat())
            .await;
        assert_eq!(
            answer.error(),
            (400, "invalid_request".to_owned()),
            "{twice:?}"
        );
    }
    let again = [("resource", BACKEND), ("audience", BACKEND)];
    let answer = house.exchange(&[&asked[..], &again].concat()).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let assumed = [
        ("assumed_user", "alice"),
        ("assumed_client", "tv"),
        ("resource", BACKEND),
    ];
    let answer = house.exchange(&assumed).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
    let said = &answer.json()["error_description"];
    assert_eq!(said, "The parameter subject_token is missing.");
}
