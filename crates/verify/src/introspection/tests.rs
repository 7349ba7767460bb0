use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::rules::Audience;
use crate::testing::{Answer, World, with};
use crate::verifier::Verifier;

async fn world() -> World {
    let credentials = ClientCredentials::new("orders", "s3cret");
    let world = World::with(|builder| builder.introspection(credentials)).await;
    let active = with(
        &world.claims(),
        json!({ "active": true, "token_type": "Bearer" }),
    );
    world.site.set("/introspect", Answer::Json(active));
    world
}

fn asked(world: &World) -> usize {
    world.site.asked("/introspect")
}

async fn invalid(world: &World, token: &str) -> Invalid {
    match world.verifier.verify(token).await {
        Err(Refusal::InvalidToken(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn rfc7662_2_1_the_issuer_is_asked_about_a_token_that_is_no_jwt() {
    let world = world().await;
    let token = world.verifier.verify("grantor_at_x").await.unwrap();
    assert_eq!(token.subject, "alice");
    assert!(token.scope.has("orders/read"));
    let bodies = world.site.bodies("/introspect");
    assert_eq!(bodies, ["token=grantor_at_x&token_type_hint=access_token"]);
    assert_eq!(world.site.asked("/jwks"), 0);
    // An encrypted one has five parts.
    assert!(world.verifier.verify("a.b.c.d.e").await.is_ok());
}

#[tokio::test]
async fn a_jwt_is_never_asked_about() {
    let world = world().await;
    assert!(world.verifier.verify(&world.good_token()).await.is_ok());
    let expired = with(&world.claims(), json!({ "exp": 1 }));
    assert!(
        world
            .verifier
            .verify(&world.key.access_token(&expired))
            .await
            .is_err()
    );
    let none = with(&world.key.header(), json!({ "alg": "none" }));
    let none = world.key.token(&none, &world.claims());
    assert!(world.verifier.verify(&none).await.is_err());
    assert_eq!(asked(&world), 0);
}

#[tokio::test]
async fn an_answer_is_taken_again_for_15_seconds_and_all_at_once_get_one() {
    let world = world().await;
    let all = join_all((0..100).map(|_| world.verifier.verify("t"))).await;
    assert!(all.iter().all(Result::is_ok));
    world.clock.advance(14);
    assert!(world.verifier.verify("t").await.is_ok());
    assert_eq!(asked(&world), 1);
    assert!(world.verifier.verify("u").await.is_ok());
    assert_eq!(asked(&world), 2);
    world
        .site
        .set("/introspect", Answer::Json(json!({ "active": false })));
    assert!(world.verifier.verify("t").await.is_ok());
    world.clock.advance(1);
    assert_eq!(invalid(&world, "t").await, Invalid::Inactive);
    assert_eq!(asked(&world), 3);
    assert_eq!(invalid(&world, "t").await, Invalid::Inactive);
    assert_eq!(asked(&world), 3);
    world.clock.advance(15);
    invalid(&world, "t").await;
    assert_eq!(asked(&world), 4);
}

#[tokio::test]
async fn an_answer_is_not_kept_beyond_the_end_of_its_token() {
    let world = world().await;
    let ends = json!({ "active": true, "exp": world.clock.now() + 5 });
    let answer = with(&world.claims(), ends);
    world.site.set("/introspect", Answer::Json(answer));
    assert!(world.verifier.verify("t").await.is_ok());
    world.clock.advance(5);
    world
        .site
        .set("/introspect", Answer::Json(json!({ "active": false })));
    assert_eq!(invalid(&world, "t").await, Invalid::Inactive);
}

#[tokio::test]
async fn rfc7662_4_what_is_answered_is_checked_as_a_jwt_is() {
    let world = world().await;
    let base = with(
        &world.claims(),
        json!({ "active": true, "token_type": "Bearer" }),
    );
    let asked = async |name: usize, changes: Value| {
        let answer = Answer::Json(with(&base, changes));
        world.site.set("/introspect", answer);
        world.verifier.verify(&format!("token{name}")).await
    };
    let now = world.clock.now();
    for (n, (changes, expected)) in [
        (json!({ "active": false }), Invalid::Inactive),
        (json!({ "active": null }), Invalid::Inactive),
        (json!({ "active": "true" }), Invalid::Inactive),
        (json!({ "aud": "shipping" }), Invalid::Audience),
        // As a refresh token's answer.
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
async fn a_caller_who_goes_away_takes_nobodys_answer_along() {
    let world = world().await;
    {
        let mut first = Box::pin(world.verifier.verify("t"));
        assert!(futures_util::poll!(&mut first).is_pending());
    }
    assert!(world.verifier.verify("t").await.is_ok());
    assert_eq!(asked(&world), 1);
}

#[tokio::test]
async fn a_flood_of_made_up_tokens_is_asked_about_in_bounds() {
    let world = world().await;
    assert!(world.verifier.verify("good").await.is_ok());
    world.site.set("/introspect", Answer::Nothing);
    let tokens: Vec<_> = (0..1000).map(|n| format!("made-up-{n}")).collect();
    let mut flood: Vec<_> = tokens
        .iter()
        .map(|token| Box::pin(world.verifier.verify(token)))
        .collect();
    let mut busy = 0;
    for request in &mut flood {
        if let std::task::Poll::Ready(outcome) = futures_util::poll!(request) {
            let refusal = outcome.unwrap_err();
            assert!(matches!(refusal, Refusal::Unavailable(Unavailable::Busy)));
            busy += 1;
        }
    }
    assert_eq!(busy, 1000 - MOST_AT_ONCE);
    // Who was known is not troubled.
    assert!(world.verifier.verify("good").await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_fails_is_left_alone_for_a_second() {
    let world = world().await;
    world.site.set("/introspect", Answer::Status(500));
    for n in 0..10 {
        let refusal = world.verifier.verify(&format!("t{n}")).await.unwrap_err();
        assert!(matches!(
            refusal,
            Refusal::Unavailable(Unavailable::Introspection(FetchError::Status {
                status: 500,
                ..
            }))
        ));
    }
    assert_eq!(asked(&world), 1);
    let active = with(&world.claims(), json!({ "active": true }));
    world.site.set("/introspect", Answer::Json(active));
    world.clock.advance(1);
    assert!(world.verifier.verify("t0").await.is_ok());
}

#[tokio::test]
async fn one_token_that_the_issuer_does_not_like_silences_nobody_else() {
    let world = world().await;
    let active = with(&world.claims(), json!({ "active": true }));
    for status in [400, 413] {
        world.site.set("/introspect", Answer::Status(status));
        let refusal = world.verifier.verify("odd").await.unwrap_err();
        assert!(matches!(refusal, Refusal::Unavailable(_)), "{status}");
        world.site.set("/introspect", Answer::Json(active.clone()));
        let other = format!("other than the one of {status}");
        assert!(world.verifier.verify(&other).await.is_ok(), "{status}");
    }
}

#[tokio::test]
async fn where_no_audience_tells_them_apart_a_refresh_token_is_no_access_token() {
    let credentials = ClientCredentials::new("orders", "s3cret");
    let world = World::with(|builder| builder.introspection(credentials)).await;
    let clients = Verifier::builder(&world.site.url, Audience::clients(["website"])).unwrap();
    let credentials = ClientCredentials::new("orders", "s3cret");
    let verifier = clients
        .introspection(credentials)
        .clock(world.clock.clone());
    let verifier = verifier.build().unwrap();
    let said = json!({ "active": true, "aud": null, "client_id": "website" });
    let said = with(&world.claims(), said);
    world.site.set("/introspect", Answer::Json(said.clone()));
    assert!(verifier.verify("a refresh token").await.is_err());
    let typed = with(&said, json!({ "token_type": "Bearer" }));
    world.site.set("/introspect", Answer::Json(typed));
    assert!(verifier.verify("an access token").await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_hangs_or_sends_without_end_or_redirects_is_given_up() {
    let world = world().await;
    for answer in [
        Answer::Endless,
        Answer::Redirect("/jwks".to_owned()),
        Answer::Json(json!([])),
    ] {
        world.site.set("/introspect", answer);
        let refusal = world.verifier.verify("t").await.unwrap_err();
        assert!(matches!(
            refusal,
            Refusal::Unavailable(Unavailable::Introspection(
                FetchError::TooLarge { .. } | FetchError::Redirect(_) | FetchError::Json { .. }
            ))
        ));
        world.clock.advance(1);
    }
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let credentials = ClientCredentials::new("orders", "s3cret");
    let world = World::with(|builder| builder.introspection(credentials).limits(limits)).await;
    world.site.set("/introspect", Answer::Nothing);
    let refusal = world.verifier.verify("t").await.unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::Unavailable(Unavailable::Introspection(FetchError::NoAnswer(_)))
    ));
}

#[tokio::test]
async fn the_endpoint_can_be_given() {
    let world = world().await;
    let url = format!("{}/introspect", world.site.url).parse().unwrap();
    let credentials = ClientCredentials::new("orders", "s3cret");
    let builder = crate::Verifier::builder(&world.site.url, "orders").unwrap();
    let builder = builder.introspection_at(url, credentials);
    let verifier = builder.clock(world.clock.clone()).build().unwrap();
    assert!(verifier.verify("t").await.is_ok());
    assert_eq!(world.site.asked(crate::testing::METADATA), 0);
}
