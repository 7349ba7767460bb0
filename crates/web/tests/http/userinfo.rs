//! Userinfo, a resource protected by bearer tokens (RFC 6750, OpenID Connect Core section 5.3).

use axum::body::Body;
use http::Request;

use crate::house::{House, minutes};
use crate::wire::{FORM, USERINFO, With, basic, post, raw, refused};

fn get() -> Request<Body> {
    Request::get(USERINFO)
        .body(Body::empty())
        .expect("a request")
}

#[tokio::test]
async fn rfc6750_2_the_token_comes_by_header_or_form() {
    let house = House::new().await;
    let token = house
        .device_tokens("openid email")
        .await
        .member("access_token");
    let by_header = house.userinfo(&token).await;
    assert_eq!(by_header.status, 200);
    assert_eq!(by_header.members(), ["email", "sub"]);
    let bearer = format!("Bearer {token}");
    let by_post = house
        .send(post(USERINFO, &[]).with("authorization", &bearer))
        .await;
    let by_form = house.post(USERINFO, &[("access_token", &token)]).await;
    let cognitos = Request::get("/oauth2/userInfo")
        .body(Body::empty())
        .expect("a request");
    let cognitos = house.send(cognitos.with("authorization", &bearer)).await;
    let lower = house
        .send(get().with("authorization", &format!("bearer {token}")))
        .await;
    for answer in [by_post, by_form, cognitos, lower] {
        assert_eq!(answer.json(), by_header.json());
    }
}

#[tokio::test]
async fn rfc6750_2_3_a_token_in_the_address_is_not_read() {
    let house = House::new().await;
    let token = house.device_tokens("openid").await.member("access_token");
    let answer = house.get(&format!("{USERINFO}?access_token={token}")).await;
    assert_eq!(answer.error(), refused(400, "invalid_request"));
    assert!(
        answer
            .header("www-authenticate")
            .starts_with("Bearer realm=\"id.example.com\", error=\"invalid_request\"")
    );
}

#[tokio::test]
async fn rfc6750_2_2_the_body_of_a_get_is_not_read() {
    let house = House::new().await;
    let token = house.device_tokens("openid").await.member("access_token");
    let mut request = raw(USERINFO, FORM, format!("access_token={token}"));
    *request.method_mut() = http::Method::GET;
    let answer = house.send(request).await;
    assert_eq!(answer.error(), refused(401, "invalid_token"));
}

#[tokio::test]
async fn rfc6750_3_1_without_authentication_the_challenge_has_no_error() {
    let house = House::new().await;
    for request in [
        get(),
        post(USERINFO, &[]),
        get().with("authorization", &basic("tv", "")),
    ] {
        let answer = house.send(request).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer realm=\"id.example.com\""
        );
    }
}

#[tokio::test]
async fn rfc6750_3_1_a_token_that_is_not_good_is_invalid_and_said_to_be() {
    let house = House::new().await;
    let tokens = house.device_tokens("openid").await;
    let access = tokens.member("access_token");
    let altered = access.replacen("ey", "eY", 1);
    for token in [
        "x",
        &altered,
        &tokens.member("id_token"),
        &tokens.member("refresh_token"),
    ] {
        let answer = house.userinfo(token).await;
        assert_eq!(answer.error(), refused(401, "invalid_token"), "{token}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm=\"id.example.com\", error=\"invalid_token\""));
        assert_each_attribute_once(challenge);
    }
    house.world.advance(minutes(10));
    assert_eq!(
        house.userinfo(&access).await.error(),
        refused(401, "invalid_token")
    );
}

#[tokio::test]
async fn rfc6750_3_1_a_token_without_openid_lacks_scope_and_the_challenge_names_it() {
    let house = House::new().await;
    let token = house.device_tokens("profile").await.member("access_token");
    let answer = house.userinfo(&token).await;
    assert_eq!(answer.error(), refused(403, "insufficient_scope"));
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""));
    assert!(challenge.ends_with("scope=\"openid\""));
    assert_each_attribute_once(challenge);
}

#[tokio::test]
async fn rfc6750_3_1_two_tokens_are_an_invalid_request() {
    let house = House::new().await;
    let token = house.device_tokens("openid").await.member("access_token");
    let both = post(USERINFO, &[("access_token", &token)]);
    let answer = house
        .send(both.with("authorization", &format!("Bearer {token}")))
        .await;
    assert_eq!(answer.error(), refused(400, "invalid_request"));
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.contains("error=\"invalid_request\""),
        "{challenge}"
    );
    assert_each_attribute_once(challenge);
}

#[tokio::test]
async fn of_two_authorization_headers_neither_is_taken() {
    let house = House::new().await;
    let token = house.device_tokens("openid").await.member("access_token");
    let bearer = format!("Bearer {token}");
    let twice = get()
        .with("authorization", &bearer)
        .with("authorization", &bearer);
    assert_eq!(house.send(twice).await.status, 401);
}

#[tokio::test]
async fn a_machine_token_has_no_user() {
    let house = House::new().await;
    let token = house.machine(&[]).await.member("access_token");
    assert_eq!(
        house.userinfo(&token).await.error(),
        refused(401, "invalid_token")
    );
}

/// RFC 6750 section 3: no attribute "MUST … appear more than once", and values keep to their characters.
fn assert_each_attribute_once(challenge: &str) {
    let attributes = challenge.strip_prefix("Bearer ").expect("the scheme");
    let mut names = Vec::new();
    for (at, part) in attributes.split('"').enumerate() {
        if at % 2 == 0 {
            names.push(part.trim_matches([',', ' ', '=']));
        } else {
            assert!(
                part.bytes()
                    .all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
            );
        }
    }
    names.retain(|name| !name.is_empty());
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{challenge}");
}
