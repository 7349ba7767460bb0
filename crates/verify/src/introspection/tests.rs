use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::rules::Audience;
use crate::testing::{Answer, Setup, with};
use crate::verifier::Verifier;

async fn setup() -> Setup {
    let credentials = ClientCredentials::new("orders", "s3cret");
    let setup = Setup::with(|builder| builder.introspection(credentials)).await;
    let active = with(
        &setup.claims(),
        json!({ "active": true, "token_type": "Bearer" }),
    );
    setup.issuer.set("/introspect", Answer::Json(active));
    setup
}

fn asked(setup: &Setup) -> usize {
    setup.issuer.asked("/introspect")
}

async fn invalid(setup: &Setup, token: &str) -> Invalid {
    match setup.verifier.verify(token).await {
        Err(Refusal::InvalidToken(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn rfc7662_2_1_a_token_that_is_not_a_jwt_is_introspected() {
    let setup = setup().await;
    let token = setup.verifier.verify("grantor_at_x").await.unwrap();
    assert_eq!(token.subject, "alice");
    assert!(token.scope.has("orders/read"));
    let bodies = setup.issuer.bodies("/introspect");
    assert_eq!(bodies, ["token=grantor_at_x&token_type_hint=access_token"]);
    assert_eq!(setup.issuer.asked("/jwks"), 0);
    // An encrypted one has five parts.
    assert!(setup.verifier.verify("a.b.c.d.e").await.is_ok());
}

#[tokio::test]
async fn a_jwt_is_never_introspected() {
    let setup = setup().await;
    assert!(setup.verifier.verify(&setup.good_token()).await.is_ok());
    let expired = with(&setup.claims(), json!({ "exp": 1 }));
    assert!(
        setup
            .verifier
            .verify(&setup.key.access_token(&expired))
            .await
            .is_err()
    );
    let none = with(&setup.key.header(), json!({ "alg": "none" }));
    let none = setup.key.token(&none, &setup.claims());
    assert!(setup.verifier.verify(&none).await.is_err());
    assert_eq!(asked(&setup), 0);
}

#[tokio::test]
async fn a_response_is_cached_for_15_seconds_and_shared_by_concurrent_callers() {
    let setup = setup().await;
    let all = join_all((0..100).map(|_| setup.verifier.verify("t"))).await;
    assert!(all.iter().all(Result::is_ok));
    setup.clock.advance(14);
    assert!(setup.verifier.verify("t").await.is_ok());
    assert_eq!(asked(&setup), 1);
    assert!(setup.verifier.verify("u").await.is_ok());
    assert_eq!(asked(&setup), 2);
    setup
        .issuer
        .set("/introspect", Answer::Json(json!({ "active": false })));
    assert!(setup.verifier.verify("t").await.is_ok());
    setup.clock.advance(1);
    assert_eq!(invalid(&setup, "t").await, Invalid::Inactive);
    assert_eq!(asked(&setup), 3);
    assert_eq!(invalid(&setup, "t").await, Invalid::Inactive);
    assert_eq!(asked(&setup), 3);
    setup.clock.advance(15);
    invalid(&setup, "t").await;
    assert_eq!(asked(&setup), 4);
}

#[tokio::test]
async fn a_response_is_not_cached_beyond_the_expiry_of_its_token() {
    let setup = setup().await;
    let ends = json!({ "active": true, "exp": setup.clock.now() + 5 });
    let answer = with(&setup.claims(), ends);
    setup.issuer.set("/introspect", Answer::Json(answer));
    assert!(setup.verifier.verify("t").await.is_ok());
    setup.clock.advance(5);
    setup
        .issuer
        .set("/introspect", Answer::Json(json!({ "active": false })));
    assert_eq!(invalid(&setup, "t").await, Invalid::Inactive);
}

#[tokio::test]
async fn rfc7662_4_a_response_is_checked_like_a_jwt() {
    let setup = setup().await;
    let base = with(
        &setup.claims(),
        json!({ "active": true, "token_type": "Bearer" }),
    );
    let asked = async |name: usize, changes: Value| {
        let answer = Answer::Json(with(&base, changes));
        setup.issuer.set("/introspect", answer);
        setup.verifier.verify(&format!("token{name}")).await
    };
    let now = setup.clock.now();
    for (n, (changes, expected)) in [
        (json!({ "active": false }), Invalid::Inactive),
        (json!({ "active": null }), Invalid::Inactive),
        (json!({ "active": "true" }), Invalid::Inactive),
        (json!({ "aud": "shipping" }), Invalid::Audience),
        // As in a response about a refresh token.
        (json!({ "aud": null }), Invalid::Audience),
        (json!({ "iss": "https://other.example" }), Invalid::Issuer),
        (json!({ "exp": now - 30 }), Invalid::Expired),
        (json!({ "exp": null }), Invalid::Claim("exp")),
        (json!({ "nbf": now + 31 }), Invalid::NotYet),
        (json!({ "cnf": { "jkt": "x" } }), Invalid::Bound),
        (json!({ "token_type": "DPoP" }), Invalid::NotAnAccessToken),
        (json!({ "token_type": 1 }), Invalid::NotAnAccessToken),
        (json!({ "act": "x" }), Invalid::Claim("act")),
    ]
    .into_iter()
    .enumerate()
    {
        let refusal = asked(n, changes.clone()).await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::InvalidToken(invalid) if invalid == expected),
            "{changes}: {refusal}"
        );
    }
    for (n, changes) in [
        json!({ "iss": null }),
        json!({ "token_type": null }),
        json!({ "token_type": "bearer" }),
        json!({ "sub": null, "client_id": "website" }),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(asked(100 + n, changes.clone()).await.is_ok(), "{changes}");
    }
}

#[tokio::test]
async fn a_dropped_caller_does_not_cancel_the_request_of_others() {
    let setup = setup().await;
    {
        let mut first = Box::pin(setup.verifier.verify("t"));
        assert!(futures_util::poll!(&mut first).is_pending());
    }
    assert!(setup.verifier.verify("t").await.is_ok());
    assert_eq!(asked(&setup), 1);
}

#[tokio::test]
async fn a_flood_of_made_up_tokens_causes_a_bounded_number_of_requests() {
    let setup = setup().await;
    assert!(setup.verifier.verify("good").await.is_ok());
    setup.issuer.set("/introspect", Answer::Nothing);
    let tokens: Vec<_> = (0..1000).map(|n| format!("made-up-{n}")).collect();
    let mut flood: Vec<_> = tokens
        .iter()
        .map(|token| Box::pin(setup.verifier.verify(token)))
        .collect();
    let mut busy = 0;
    for request in &mut flood {
        if let std::task::Poll::Ready(outcome) = futures_util::poll!(request) {
            let refusal = outcome.unwrap_err();
            assert!(matches!(refusal, Refusal::Unavailable(Unavailable::Busy)));
            busy += 1;
        }
    }
    assert_eq!(busy, 1000 - MAX_CONCURRENT);
    // A cached token is not affected.
    assert!(setup.verifier.verify("good").await.is_ok());
}

#[tokio::test]
async fn a_failing_issuer_is_not_asked_for_a_second() {
    let setup = setup().await;
    setup.issuer.set("/introspect", Answer::Status(500));
    for n in 0..10 {
        let refusal = setup.verifier.verify(&format!("t{n}")).await.unwrap_err();
        assert!(matches!(
            refusal,
            Refusal::Unavailable(Unavailable::Introspection(FetchError::Status {
                status: 500,
                ..
            }))
        ));
    }
    assert_eq!(asked(&setup), 1);
    let active = with(&setup.claims(), json!({ "active": true }));
    setup.issuer.set("/introspect", Answer::Json(active));
    setup.clock.advance(1);
    assert!(setup.verifier.verify("t0").await.is_ok());
}

#[tokio::test]
async fn a_request_that_the_issuer_rejects_does_not_block_other_tokens() {
    let setup = setup().await;
    let active = with(&setup.claims(), json!({ "active": true }));
    for status in [400, 413] {
        setup.issuer.set("/introspect", Answer::Status(status));
        let refusal = setup.verifier.verify("odd").await.unwrap_err();
        assert!(matches!(refusal, Refusal::Unavailable(_)), "{status}");
        setup
            .issuer
            .set("/introspect", Answer::Json(active.clone()));
        let other = format!("other than the one of {status}");
        assert!(setup.verifier.verify(&other).await.is_ok(), "{status}");
    }
}

#[tokio::test]
async fn without_an_audience_a_refresh_token_is_not_accepted_as_an_access_token() {
    let credentials = ClientCredentials::new("orders", "s3cret");
    let setup = Setup::with(|builder| builder.introspection(credentials)).await;
    let clients = Verifier::builder(&setup.issuer.url, Audience::clients(["website"])).unwrap();
    let credentials = ClientCredentials::new("orders", "s3cret");
    let verifier = clients
        .introspection(credentials)
        .clock(setup.clock.clone());
    let verifier = verifier.build().unwrap();
    let claims = json!({ "active": true, "aud": null, "client_id": "website" });
    let claims = with(&setup.claims(), claims);
    setup
        .issuer
        .set("/introspect", Answer::Json(claims.clone()));
    assert!(verifier.verify("a refresh token").await.is_err());
    let typed = with(&claims, json!({ "token_type": "Bearer" }));
    setup.issuer.set("/introspect", Answer::Json(typed));
    assert!(verifier.verify("an access token").await.is_ok());
}

#[tokio::test]
async fn a_hanging_endless_or_redirected_response_fails_within_limits() {
    let setup = setup().await;
    for answer in [
        Answer::Endless,
        Answer::Redirect("/jwks".to_owned()),
        Answer::Json(json!([])),
    ] {
        setup.issuer.set("/introspect", answer);
        let refusal = setup.verifier.verify("t").await.unwrap_err();
        assert!(matches!(
            refusal,
            Refusal::Unavailable(Unavailable::Introspection(
                FetchError::TooLarge { .. } | FetchError::Redirect(_) | FetchError::Json { .. }
            ))
        ));
        setup.clock.advance(1);
    }
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let credentials = ClientCredentials::new("orders", "s3cret");
    let setup = Setup::with(|builder| builder.introspection(credentials).limits(limits)).await;
    setup.issuer.set("/introspect", Answer::Nothing);
    let refusal = setup.verifier.verify("t").await.unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::Unavailable(Unavailable::Introspection(FetchError::RequestFailed(_)))
    ));
}

#[tokio::test]
async fn the_endpoint_can_be_configured() {
    let setup = setup().await;
    let url = format!("{}/introspect", setup.issuer.url).parse().unwrap();
    let credentials = ClientCredentials::new("orders", "s3cret");
    let builder = crate::Verifier::builder(&setup.issuer.url, "orders").unwrap();
    let builder = builder.introspection_at(url, credentials);
    let verifier = builder.clock(setup.clock.clone()).build().unwrap();
    assert!(verifier.verify("t").await.is_ok());
    assert_eq!(setup.issuer.asked(crate::testing::METADATA), 0);
}
