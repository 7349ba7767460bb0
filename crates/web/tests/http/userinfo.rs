//! Userinfo, a resource protected by bearer tokens (RFC 6750, OpenID Connect Core section 5.3).

use axum::body::Body;
use http::Request;

use grantor_testkit::Spans as _;
use grantor_testkit::server::{FORM, TestServer, USERINFO, With as _, basic, post, raw, refused};

fn get() -> Request<Body> {
    Request::get(USERINFO)
        .body(Body::empty())
        .expect("a request")
}

#[tokio::test]
async fn rfc6750_2_the_token_comes_by_header_or_form() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens_with("tv", "alice", &[("scope", "openid email")])
        .await
        .member("access_token");
    let by_header = server.userinfo(&token).await;
    assert_eq!(by_header.status, 200);
    assert_eq!(by_header.members(), ["email", "email_verified", "sub"]);
    let bearer = format!("Bearer {token}");
    let by_post = server
        .send(post(USERINFO, &[]).with("authorization", &bearer))
        .await;
    let by_form = server.post(USERINFO, &[("access_token", &token)]).await;
    let cognitos = Request::get("/oauth2/userInfo")
        .body(Body::empty())
        .expect("a request");
    let cognitos = server.send(cognitos.with("authorization", &bearer)).await;
    let lower = server
        .send(get().with("authorization", &format!("bearer {token}")))
        .await;
    for answer in [by_post, by_form, cognitos, lower] {
        assert_eq!(answer.json(), by_header.json());
    }
}

/// RFC 6750 section 3.1: "attempted using an unsupported authentication method".
#[tokio::test]
async fn a_dpop_token_is_refused_by_its_name_with_a_bearer_challenge() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    let dpop = get().with("authorization", &format!("DPoP {token}"));
    let answer = server.send(dpop.with("dpop", "eyJ.e30.c2ln")).await;
    assert_eq!(answer.error(), refused(401, "invalid_token"));
    assert!(answer.member("error_description").contains("DPoP"));
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, "Bearer realm=\"id.example.com\"");
}

#[tokio::test]
async fn rfc6750_2_3_a_token_in_the_query_is_not_read() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    let answer = server
        .get(&format!("{USERINFO}?access_token={token}"))
        .await;
    assert_eq!(answer.error(), refused(400, "invalid_request"));
    assert!(
        answer
            .header("www-authenticate")
            .starts_with("Bearer realm=\"id.example.com\", error=\"invalid_request\"")
    );
}

#[tokio::test]
async fn rfc6750_2_2_the_body_of_a_get_is_not_read() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    let mut request = raw(USERINFO, FORM, format!("access_token={token}"));
    *request.method_mut() = http::Method::GET;
    let answer = server.send(request).await;
    assert_eq!(answer.error(), refused(401, "invalid_token"));
}

#[tokio::test]
async fn rfc6750_3_1_without_authentication_the_challenge_has_no_error() {
    let server = TestServer::new().await;
    for request in [
        get(),
        post(USERINFO, &[]),
        get().with("authorization", &basic("tv", "")),
    ] {
        let answer = server.send(request).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer realm=\"id.example.com\""
        );
    }
}

#[tokio::test]
async fn rfc6750_3_1_an_invalid_token_is_reported_as_such() {
    let server = TestServer::new().await;
    let tokens = server.device_tokens("tv", "alice").await;
    let access = tokens.member("access_token");
    let altered = access.replacen("ey", "eY", 1);
    for token in [
        "x",
        &altered,
        &tokens.member("id_token"),
        &tokens.member("refresh_token"),
    ] {
        let answer = server.userinfo(token).await;
        assert_eq!(answer.error(), refused(401, "invalid_token"), "{token}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm=\"id.example.com\", error=\"invalid_token\""));
        assert_each_attribute_once(challenge);
    }
    server.advance(10.mins());
    assert_eq!(
        server.userinfo(&access).await.error(),
        refused(401, "invalid_token")
    );
}

#[tokio::test]
async fn rfc6750_3_1_a_token_without_openid_lacks_scope_and_the_challenge_names_it() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens_with("tv", "alice", &[("scope", "profile")])
        .await
        .member("access_token");
    let answer = server.userinfo(&token).await;
    assert_eq!(answer.error(), refused(403, "insufficient_scope"));
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""));
    assert!(challenge.ends_with("scope=\"openid\""));
    assert_each_attribute_once(challenge);
}

#[tokio::test]
async fn rfc6750_3_1_two_tokens_are_an_invalid_request() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    let both = post(USERINFO, &[("access_token", &token)]);
    let answer = server
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
async fn two_authorization_headers_are_refused() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    let bearer = format!("Bearer {token}");
    let twice = get()
        .with("authorization", &bearer)
        .with("authorization", &bearer);
    assert_eq!(server.send(twice).await.status, 401);
}

#[tokio::test]
async fn a_machine_token_has_no_user() {
    let server = TestServer::new().await;
    let token = server
        .machine_token("orders", &[])
        .await
        .member("access_token");
    assert_eq!(
        server.userinfo(&token).await.error(),
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
