//! Section 2.2: what a client gets. Section 4: what stands in the token.

use std::time::Duration;

use grantor_core::model::actor::MayAct;
use grantor_core::model::exchange_rule::{ExchangeRule, RuleTarget, TokenKind};
use grantor_core::model::resource::TokenForm;
use grantor_jose::{SigningInput, TokenType};
use serde_json::{Value, json};

use super::{BACKEND, CONTEXT, Examples as _, ISSUER, RS08, RS77, calls, server, subject};
use grantor_testkit::server::{Answer, INTROSPECT, TestServer, With as _, claims, post, refused};
use grantor_testkit::{ACCESS_TOKEN, ID_TOKEN, JWT, REFRESH_TOKEN, key_set, scope};

const EXCHANGED: [&str; 5] = [
    "access_token",
    "expires_in",
    "issued_token_type",
    "scope",
    "token_type",
];

/// `rs77`, which is the backend, goes on to the context.
fn goes_on() -> ExchangeRule {
    ExchangeRule {
        name: "goes on".to_owned(),
        client: "rs77".parse().expect("a client id"),
        target: RuleTarget::Resource(CONTEXT.to_owned()),
        scopes: [(
            "backend.example.com/api".to_owned(),
            scope("urn:example:cooperation-context/status"),
        )]
        .into(),
        ..calls()
    }
}

async fn for_backend(server: &TestServer, token: &str, more: &[(&str, &str)]) -> Answer {
    let target = [("resource", BACKEND)];
    let pairs = [&subject(token)[..], &target, more].concat();
    server.exchange(&pairs).await
}

/// What introspection returns to a service.
async fn introspected(server: &TestServer, service: &str, token: &str) -> Value {
    let request = post(INTROSPECT, &[("token", token)]).with("authorization", service);
    server.send(request).await.json()
}

#[tokio::test]
async fn rfc8693_2_2_1_an_answer_says_what_was_issued_for_how_long_and_for_what() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    for (asked, issued) in [
        (None, ACCESS_TOKEN),
        (Some(ACCESS_TOKEN), ACCESS_TOKEN),
        (Some(JWT), JWT),
    ] {
        let kind: Vec<_> = asked
            .map(|kind| ("requested_token_type", kind))
            .into_iter()
            .collect();
        let answer = for_backend(&server, &token, &kind).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.members(), EXCHANGED);
        let reply = answer.json();
        assert_eq!(reply["issued_token_type"], issued);
        assert_eq!(reply["token_type"], "Bearer");
        assert_eq!(reply["scope"], "backend.example.com/api");
        let claims = claims(&answer.member("access_token"));
        let life = claims["exp"].as_u64().zip(claims["iat"].as_u64());
        assert_eq!(
            reply["expires_in"].as_u64(),
            life.map(|(exp, iat)| exp - iat)
        );
    }
}

/// "If the issued token is not an access token or usable as an access token, then the "token_type" value "N_A" is used".
#[tokio::test]
async fn rfc8693_2_2_1_every_issued_token_is_in_the_member_access_token() {
    let own = ExchangeRule {
        name: "own".to_owned(),
        target: RuleTarget::Client,
        scopes: [("openid".to_owned(), scope("openid"))].into(),
        issues: vec![TokenKind::IdToken],
        ..calls()
    };
    let offline = ExchangeRule {
        issues: vec![TokenKind::RefreshToken],
        ..calls()
    };
    let server = server([own, offline]).await;
    let token = server.called_with().await;
    for (kind, target) in [
        (ID_TOKEN, ("audience", "rs08")),
        (REFRESH_TOKEN, ("resource", BACKEND)),
    ] {
        let pairs = [target, ("requested_token_type", kind)];
        let answer = server
            .exchange(&[&subject(&token)[..], &pairs].concat())
            .await;
        assert_eq!(answer.status, 200, "{kind} {answer:?}");
        let reply = answer.json();
        assert_eq!(reply["issued_token_type"], kind);
        assert_eq!(reply["token_type"], "N_A");
        assert!(reply["expires_in"].as_u64().is_some_and(|life| life > 0));
        assert_eq!(reply.get("id_token").or(reply.get("refresh_token")), None);
        let issued = answer.member("access_token");
        if kind == ID_TOKEN {
            let issued = claims(&issued);
            assert_eq!([&issued["iss"], &issued["aud"]], [ISSUER, "rs08"]);
            assert_eq!(issued["sub"], claims(&token)["sub"]);
        } else {
            assert!(issued.starts_with("grantor_rt_"));
        }
    }
}

/// "OPTIONAL if the scope of the issued security token is identical to the scope requested by the client; otherwise, it
/// is REQUIRED": it is always there, and never other than what was asked.
#[tokio::test]
async fn rfc8693_2_2_1_the_scope_is_what_was_asked_and_else_refused() {
    let rule = ExchangeRule {
        scopes: [(
            "frontend.example.com/read".to_owned(),
            scope("backend.example.com/api backend.example.com/admin"),
        )]
        .into(),
        ..calls()
    };
    let server = server([rule]).await;
    let token = server.called_with().await;
    for (asked, given) in [
        ("", "backend.example.com/admin backend.example.com/api"),
        ("backend.example.com/api", "backend.example.com/api"),
        (
            "backend.example.com/api backend.example.com/admin",
            "backend.example.com/admin backend.example.com/api",
        ),
    ] {
        let answer = for_backend(&server, &token, &[("scope", asked)]).await;
        assert_eq!(answer.member("scope"), given, "{asked}");
        // Section 4.2: "a JSON string containing a space-separated list".
        assert_eq!(claims(&answer.member("access_token"))["scope"], given);
    }
    for wider in [
        "backend.example.com/api openid",
        "backend.example.com/unknown",
        "frontend.example.com/read",
    ] {
        let answer = for_backend(&server, &token, &[("scope", wider)]).await;
        assert_eq!(answer.error(), refused(400, "invalid_scope"), "{wider}");
    }
}

#[tokio::test]
async fn rfc8693_4_1_the_outermost_act_is_the_current_actor() {
    let server = server([calls(), goes_on()]).await;
    let token = server.called_with().await;
    let first = for_backend(&server, &token, &[])
        .await
        .member("access_token");
    let pairs = [&subject(&first)[..], &[("audience", CONTEXT)]].concat();
    let second = server.exchange_as(RS77, &pairs).await;
    assert_eq!(second.status, 200, "{second:?}");
    let [once, twice] = [claims(&first), claims(&second.member("access_token"))];
    assert_eq!(once["act"], json!({ "sub": "rs08", "client_id": "rs08" }));
    assert_eq!(
        twice["act"],
        json!({ "sub": "rs77", "client_id": "rs77", "act": once["act"] })
    );
    // Section 4.3: "the client identifier of the OAuth 2.0 client that requested the token".
    assert_eq!([&once["client_id"], &twice["client_id"]], ["rs08", "rs77"]);
    let alice = &claims(&token)["sub"];
    assert_eq!([&once["sub"], &twice["sub"]], [alice, alice]);
}

/// "When included as a top-level member of an OAuth token introspection response, "act" has the same semantics and format".
#[tokio::test]
async fn rfc8693_4_1_introspection_returns_the_actor() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let issued = for_backend(&server, &token, &[])
        .await
        .member("access_token");
    let reply = introspected(&server, RS77, &issued).await;
    assert_eq!(reply["act"], claims(&issued)["act"]);
    assert_eq!(reply["client_id"], "rs08");
    assert_eq!(reply["scope"], "backend.example.com/api");
    assert_eq!(introspected(&server, RS08, &token).await.get("act"), None);
}

/// Section 4.4: `may_act` "can be used by the authorization server to determine whether the client (or party identified
/// in the "actor_token") is authorized".
#[tokio::test]
async fn rfc8693_4_4_only_the_party_named_by_may_act_can_exchange_the_subject() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    for (sub, allowed) in [("rs08", true), ("rs77", false)] {
        let token = naming(&token, sub).await;
        let answer = for_backend(&server, &token, &[]).await;
        if allowed {
            assert_eq!(answer.status, 200, "{answer:?}");
        } else {
            assert_eq!(answer.error(), refused(400, "invalid_request"));
        }
    }
}

/// The token with `may_act`, signed again by the server.
async fn naming(token: &str, sub: &str) -> String {
    let mut claims = claims(token);
    let may_act = MayAct {
        sub: sub.to_owned(),
        client_id: None,
        iss: None,
    };
    claims["may_act"] = serde_json::to_value(may_act).expect("JSON");
    let header = key_set().header(grantor_jose::Algorithm::Es256, TokenType::Access);
    let input = SigningInput::new(header.expect("a key"), &claims).expect("JSON");
    let signed = input.sign(grantor_testkit::signer()).await;
    signed.expect("a signature")
}

/// Section 6: "In cases where it is desirable to prevent disclosure of certain information to the client, the token MUST
/// be encrypted to its intended recipient."
#[tokio::test]
async fn rfc8693_6_a_token_that_the_client_must_not_read_is_sealed() {
    let server = TestServer::with(|realm| {
        super::furnish(realm, [calls()]);
        for resource in &mut realm.resources {
            if resource.identifier == "backend.example.com" {
                resource.token = TokenForm::Sealed;
            }
        }
    })
    .await;
    let token = server.called_with().await;
    let answer = for_backend(&server, &token, &[]).await;
    assert_eq!(answer.member("issued_token_type"), ACCESS_TOKEN);
    let issued = answer.member("access_token");
    assert!(issued.starts_with("grantor_at_") && !issued.contains('.'));
    let reply = introspected(&server, RS77, &issued).await;
    assert_eq!(reply["sub"], claims(&token)["sub"]);
    assert_eq!(reply["act"]["sub"], "rs08");
    // A JWT that was asked for by name cannot be had of it.
    let jwt = for_backend(&server, &token, &[("requested_token_type", JWT)]).await;
    assert_eq!(jwt.error(), refused(400, "invalid_target"));
}

/// Section 6: "Deployments SHOULD determine the minimally necessary amount of data and only include such information".
#[tokio::test]
async fn rfc8693_6_an_exchanged_token_has_only_the_claims_that_the_target_needs() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let issued = for_backend(&server, &token, &[])
        .await
        .member("access_token");
    let claims = claims(&issued);
    let names: Vec<_> = claims.as_object().expect("claims").keys().collect();
    assert_eq!(
        names,
        [
            "act",
            "aud",
            "auth_time",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "scope",
            "sub"
        ]
    );
    // Other scopes of the subject token do not appear.
    assert!(
        !claims["scope"]
            .as_str()
            .is_some_and(|scope| scope.contains("openid"))
    );
}

/// The exchanged token lives no longer than the subject token, however often it is exchanged.
#[tokio::test]
async fn rfc8693_5_no_exchange_prolongs_access() {
    let server = server([calls(), goes_on()]).await;
    let token = server.called_with().await;
    let ends = claims(&token)["exp"].clone();
    server.advance(Duration::from_secs(100));
    let first = for_backend(&server, &token, &[]).await;
    assert_eq!(first.json()["expires_in"], 500);
    server.advance(Duration::from_secs(100));
    let first = first.member("access_token");
    let pairs = [&subject(&first)[..], &[("audience", CONTEXT)]].concat();
    let second = server.exchange_as(RS77, &pairs).await;
    assert_eq!(claims(&second.member("access_token"))["exp"], ends);
}
