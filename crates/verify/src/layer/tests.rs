use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::StatusCode;
use serde_json::json;
use tower::ServiceExt as _;

use super::*;
use crate::testing::{Answer, Setup, with};

/// A service: `/` for every valid token, `/orders` for a scope, `/both` for two, `/within` with a check in its handler,
/// `/open` with a token extractor but without the layer.
fn service(setup: &Setup) -> Router {
    let protect = Protect::new(setup.verifier.clone());
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

async fn ask(setup: &Setup, path: &str, token: Option<&str>) -> Answered {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = service(setup).oneshot(request).await.unwrap();
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
async fn a_valid_token_passes_with_its_claims() {
    let setup = Setup::new().await;
    let token = setup.good_token();
    let answered = ask(&setup, "/orders", Some(&token)).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.body, format!("alice {token}"));
    assert_eq!(ask(&setup, "/", Some(&token)).await.body, "alice");
}

#[tokio::test]
async fn rfc6750_3_1_without_a_token_the_challenge_has_no_error() {
    let setup = Setup::new().await;
    for path in ["/", "/orders", "/?access_token=a"] {
        let answered = ask(&setup, path, None).await;
        assert_eq!(answered.status, 401);
        assert_eq!(answered.challenge.unwrap(), r#"Bearer realm="orders""#);
        assert_eq!(answered.body, "");
    }
}

#[tokio::test]
async fn rfc6750_3_1_a_token_that_is_not_valid_is_an_invalid_token() {
    let setup = Setup::new().await;
    let expired = with(&setup.claims(), json!({ "exp": 1 }));
    let expired = setup.key.access_token(&expired);
    for (token, why) in [
        (expired.as_str(), "the token has expired"),
        ("grantor_at_x", "the token does not have three parts"),
    ] {
        let answered = ask(&setup, "/orders", Some(token)).await;
        assert_eq!(answered.status, 401);
        let expected =
            format!(r#"Bearer realm="orders", error="invalid_token", error_description="{why}""#);
        assert_eq!(answered.challenge.unwrap(), expected);
    }
}

#[tokio::test]
async fn rfc6750_3_1_the_challenge_names_a_missing_scope() {
    let setup = Setup::new().await;
    let token = setup.good_token();
    let answered = ask(&setup, "/both", Some(&token)).await;
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
    let answered = ask(&setup, "/within", Some(&token)).await;
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
    let setup = Setup::new().await;
    let path = format!("/?access_token={}", setup.good_token());
    let answered = ask(&setup, &path, Some(&setup.good_token())).await;
    assert_eq!(answered.status, 400);
    assert!(
        answered
            .challenge
            .unwrap()
            .contains(r#"error="invalid_request""#)
    );
}

#[tokio::test]
async fn without_keys_the_service_is_unavailable_and_no_token_is_called_invalid() {
    let setup = Setup::new().await;
    setup.issuer.set("/jwks", Answer::Status(500));
    let answered = ask(&setup, "/", Some(&setup.good_token())).await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.challenge, None);
}

#[tokio::test]
async fn an_unprotected_route_with_a_token_extractor_is_closed() {
    let setup = Setup::new().await;
    for token in [None, Some(setup.good_token())] {
        let answered = ask(&setup, "/open", token.as_deref()).await;
        assert_eq!(answered.status, 500);
    }
}

#[tokio::test]
async fn nested_layers_of_one_verifier_verify_once_and_another_verifier_again() {
    let setup = Setup::new().await;
    let elsewhere = Setup::new().await;
    let refuses = Protect::new(elsewhere.verifier.clone());
    let handler = async |token: AccessToken| token.subject.clone();
    let twice = Router::new()
        .route("/", get(handler).layer(refuses))
        .layer(Protect::new(setup.verifier.clone()));
    let request =
        Request::get("/").header("authorization", format!("Bearer {}", setup.good_token()));
    let request = request.body(Body::empty()).unwrap();
    let response = twice.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 401);
    // The number of introspection requests shows that the token is verified once.
    let token = setup.good_token();
    let mut request = Request::new(());
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let protect = Protect::new(setup.verifier.clone());
    protect.authorize(&mut request).await.unwrap();
    request.headers_mut().clear();
    protect
        .scope("orders/read")
        .authorize(&mut request)
        .await
        .unwrap();
}

#[tokio::test]
async fn bodies_can_be_of_any_type() {
    let setup = Setup::new().await;
    let inner = tower::service_fn(async |_: Request<Vec<u8>>| {
        Ok::<_, std::convert::Infallible>(Response::new(String::from("in")))
    });
    let service = Protect::new(setup.verifier.clone()).layer(inner);
    let response = service.oneshot(Request::new(Vec::new())).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.body(), "");
}
