//! Section 2.2.2: the errors that a client gets, and what the operator sees.

use grantor_core::base::error::ErrorCode;
use grantor_core::engine::event::EventKind;
use grantor_core::model::exchange_rule::{ActorRule, ExchangeRule, RuleTarget};
use serde_json::Value;

use super::{BACKEND, CONTEXT, Examples as _, calls, server, subject};
use grantor_testkit::server::TestServer;
use grantor_testkit::{ACCESS_TOKEN, REFRESH_TOKEN, scope};

/// Only together with an actor token.
fn together() -> ExchangeRule {
    ExchangeRule {
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
fn counted(server: &TestServer, code: ErrorCode) -> u64 {
    let refusals = server.app.request_metrics().refusals;
    let of_code = refusals.into_iter().find(|(known, _)| *known == code);
    of_code.map_or(0, |(_, count)| count)
}

#[tokio::test]
async fn rfc8693_2_2_2_each_refusal_has_a_reason_a_link_and_an_event() {
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
    let other = [EventKind::Refused].as_slice();
    let server = server([calls(), together()]).await;
    let token = server.called_with().await;
    let token = token.as_str();
    let backend = ("resource", BACKEND);
    // A request that reaches no rule says nothing about who may act for whom.
    let cases = [
        (token, vec![("audience", "nobody")], target, UNKNOWN, other),
        ("x", vec![backend], request, NOT_GOOD, other),
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
    server.take_events();
    for (token, more, code, description, events) in cases {
        let before = counted(&server, code);
        let answer = server
            .exchange(&[&subject(token)[..], &more].concat())
            .await;
        assert_eq!(answer.error(), (400, code.name().to_owned()), "{more:?}");
        let reply = answer.json();
        assert_eq!(reply["error_description"], description, "{more:?}");
        assert_eq!(reply["error_uri"], Value::from(code.uri()));
        assert_eq!(counted(&server, code), before + 1);
        let trace = answer.member("trace_id");
        let expected: Vec<_> = events.iter().map(|kind| (trace.clone(), *kind)).collect();
        assert_eq!(server.take_events(), expected, "{more:?}");
    }
}

#[tokio::test]
async fn each_issued_token_is_recorded_with_the_trace_id_of_its_answer() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    server.take_events();
    let pairs = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    let answer = server.exchange(&pairs).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let trace = answer.header("x-request-id").to_owned();
    let issued = [(trace, EventKind::TokenExchanged)];
    assert_eq!(server.take_events(), issued);
}

/// RFC 6749 section 3.2: "Request and response parameters MUST NOT be included more than once", but for the two that
/// RFC 8693 section 2.1 lets name several; and the assumptions of an explanation are not parameters here.
#[tokio::test]
async fn repeated_parameters_are_refused_except_resource_and_audience() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let asked = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    for twice in [
        ("subject_token", &*token),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("scope", "backend.example.com/api"),
    ] {
        let answer = server
            .exchange(&[&asked[..], &[twice, twice]].concat())
            .await;
        assert_eq!(
            answer.error(),
            (400, "invalid_request".to_owned()),
            "{twice:?}"
        );
    }
    let again = [("resource", BACKEND), ("audience", BACKEND)];
    let answer = server.exchange(&[&asked[..], &again].concat()).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let assumed = [
        ("assumed_user", "alice"),
        ("assumed_client", "tv"),
        ("resource", BACKEND),
    ];
    let answer = server.exchange(&assumed).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
    let reply = &answer.json()["error_description"];
    assert_eq!(reply, "The parameter subject_token is missing.");
}
