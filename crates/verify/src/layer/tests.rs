use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::StatusCode;
use serde_json::json;
use tower::ServiceExt as _;

use super::*;
use crate::testing::{Answer, World, with};

/// A service: `/` for every good token, `/orders` for a scope, `/both` for two, `/within` by its handler's own rule, `/open`
/// with a handler that asks for the token of a route that nobody protected.
fn service(world: &World) -> Router {
    let protect = Protect::new(world.verifier.clone());
    let subject = async |token: AccessToken| token.subject.clone();
    let orders = async |token: AccessToken, bearer: BearerToken| {
        format!("{} {}", token.subject, bearer.reveal())
    };
    let within = async |token: AccessToken| {
        token.require("orders/admin")?;
        Ok::<_, Refusal>(token.subject.clone())
    };
    Router::new()
        .route("/orders", get(orders).layer(protect.scope("orders/read")))
        .route(
            "/both",
            get(subject).layer(protect.scope("orders/read").scope("orders/write")),
        )
        .route("/within", get(within))
        .route("/", get(subject))
        .layer(protect)
        .route("/open", get(subject))
}

struct Answered {
    status: StatusCode,
    challenge: Option<String>,
    body: String,
}

async fn ask(world: &World, path: &str, token: Option<&str>) -> Answered {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = service(world).oneshot(request).await.unwrap();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 10_000)
        .await
        .unwrap();
    Answered {
        status,
        challenge,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

#[tokio::test]
async fn a_good_token_comes_through_with_what_it_says() {
    let world = World::new().await;
    let token = world.good_token();
    let answered = ask(&world, "/orders", Some(&token)).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.body, format!("alice {token}"));
    assert_eq!(ask(&world, "/", Some(&token)).await.body, "alice");
}

#[tokio::test]
async fn rfc6750_3_1_without_a_token_the_challenge_has_no_error() {
    let world = World::new().await;
    for path in ["/", "/orders", "/?access_token=a"] {
        let answered = ask(&world, path, None).await;
        assert_eq!(answered.status, 401);
        assert_eq!(answered.challenge.unwrap(), r#"Bearer realm="orders""#);
        assert_eq!(answered.body, "");
    }
}

#[tokio::test]
async fn rfc6750_3_1_a_token_that_is_not_good_is_an_invalid_token() {
    let world = World::new().await;
    let expired = with(&world.claims(), json!({ "exp": 1 }));
    let expired = world.key.access_token(&expired);
    for (token, why) in [
        (expired.as_str(), "the token has expired"),
        ("grantor_at_x", "the token does not have three parts"),
    ] {
        let answered = ask(&world, "/orders", Some(token)).await;
        assert_eq!(answered.status, 401);
        let expected =
            format!(r#"Bearer realm="orders", error="invalid_token", error_description="{why}""#);
        assert_eq!(answered.challenge.unwrap(), expected);
    }
}

#[tokio::test]
async fn rfc6750_3_1_a_token_that_lacks_a_scope_is_told_which() {
    let world = World::new().await;
    let token = world.good_token();
    let answered = ask(&world, "/both", Some(&token)).await;
    assert_eq!(answered.status, 403);
    let challenge = answered.challenge.unwrap();
    assert!(
        challenge.contains(r#"error="insufficient_scope""#),
        "{challenge}"
    );
    assert!(
        challenge.ends_with(r#"scope="orders/read orders/write""#),
        "{challenge}"
    );
    let answered = ask(&world, "/within", Some(&token)).await;
    assert_eq!(answered.status, 403);
    assert!(
        answered
            .challenge
            .unwrap()
            .ends_with(r#"scope="orders/admin""#)
    );
}

#[tokio::test]
async fn rfc6750_3_1_two_tokens_are_an_invalid_request() {
    let world = World::new().await;
    let path = format!("/?access_token={}", world.good_token());
    let answered = ask(&world, &path, Some(&world.good_token())).await;
    assert_eq!(answered.status, 400);
    assert!(
        answered
            .challenge
            .unwrap()
            .contains(r#"error="invalid_request""#)
    );
}

#[tokio::test]
async fn without_keys_the_service_is_unavailable_and_no_token_is_called_wrong() {
    let world = World::new().await;
    world.site.set("/jwks", Answer::Status(500));
    let answered = ask(&world, "/", Some(&world.good_token())).await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.challenge, None);
}

#[tokio::test]
async fn a_route_that_nobody_protected_lets_nobody_in() {
    let world = World::new().await;
    for token in [None, Some(world.good_token())] {
        let answered = ask(&world, "/open", token.as_deref()).await;
        assert_eq!(answered.status, 500);
    }
}

#[tokio::test]
async fn layers_around_one_another_verify_once_and_others_for_themselves() {
    let world = World::new().await;
    let elsewhere = World::new().await;
    let refuses = Protect::new(elsewhere.verifier.clone());
    let handler = async |token: AccessToken| token.subject.clone();
    let twice = Router::new()
        .route("/", get(handler).layer(refuses))
        .layer(Protect::new(world.verifier.clone()));
    let request =
        Request::get("/").header("authorization", format!("Bearer {}", world.good_token()));
    let request = request.body(Body::empty()).unwrap();
    let response = twice.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 401);
    // An opaque token would be asked about twice: its answer shows that it is not.
    let token = world.good_token();
    let mut request = Request::new(());
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let protect = Protect::new(world.verifier.clone());
    protect.admit(&mut request).await.unwrap();
    request.headers_mut().clear();
    protect
        .scope("orders/read")
        .admit(&mut request)
        .await
        .unwrap();
}

#[tokio::test]
async fn bodies_can_be_of_any_kind() {
    let world = World::new().await;
    let inner = tower::service_fn(async |_: Request<Vec<u8>>| {
        Ok::<_, std::convert::Infallible>(Response::new(String::from("in")))
    });
    let service = Protect::new(world.verifier.clone()).layer(inner);
    let response = service.oneshot(Request::new(Vec::new())).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.body(), "");
}
