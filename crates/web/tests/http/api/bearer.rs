//! RFC 6750 at the management API.

use grantor_testkit::api;
use grantor_testkit::server::{With as _, api_request};

use super::server;

/// The parameters of a challenge, each of which comes once (section 3).
fn parameters(challenge: &str) -> Vec<(String, String)> {
    let parameters = challenge.strip_prefix("Bearer ").expect("the scheme");
    let parameters = parameters.split(", ").map(|parameter| {
        let (name, value) = parameter.split_once('=').expect("a value");
        let value = value.trim_matches('"');
        assert!(
            value
                .bytes()
                .all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\')
        );
        (name.to_owned(), value.to_owned())
    });
    let parameters: Vec<_> = parameters.collect();
    for (index, (name, _)) in parameters.iter().enumerate() {
        assert!(
            parameters[..index].iter().all(|(before, _)| before != name),
            "{challenge}"
        );
    }
    parameters
}

fn value<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let (_, value) = parameters.iter().find(|(known, _)| known == name)?;
    Some(value)
}

#[tokio::test]
async fn rfc6750_3_1_without_a_token_the_challenge_has_no_error() {
    let server = server().await;
    let token = server.api_token("root", &["users:read"]).await;
    let without = api_request("GET", "/users", None);
    let in_query = api_request("GET", &format!("/users?access_token={token}"), None);
    let other_scheme = api_request("GET", "/users", None).with("authorization", "Basic eDp5");
    for request in [without, in_query, other_scheme] {
        let answer = server.send(request).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        let challenge = parameters(answer.header("www-authenticate"));
        assert_eq!(value(&challenge, "error"), None, "{challenge:?}");
        assert!(value(&challenge, "realm").is_some());
    }
}

#[tokio::test]
async fn rfc6750_3_1_a_token_that_is_not_valid_and_one_that_lacks_a_right_are_told_apart() {
    let server = server().await;
    let answer = server.api("made-up", "GET", "/users", None).await;
    assert_eq!(answer.status, 401);
    let challenge = parameters(answer.header("www-authenticate"));
    assert_eq!(value(&challenge, "error"), Some("invalid_token"));

    let token = server.machine_token(api::MACHINE, &[("scope", "grantor/users:read")]);
    let token = token.await.member("access_token");
    let answer = server.api(&token, "GET", "/clients", None).await;
    assert_eq!(answer.problem(), (403, "insufficient_scope".to_owned()));
    let challenge = parameters(answer.header("www-authenticate"));
    assert_eq!(value(&challenge, "error"), Some("insufficient_scope"));
    assert_eq!(value(&challenge, "scope"), Some("grantor/clients:read"));
}

#[tokio::test]
async fn rfc6750_2_1_the_scheme_is_case_insensitive_and_the_token_comes_once() {
    let server = server().await;
    let token = server.api_token("root", &["users:read"]).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = api_request("GET", "/users", None);
        let request = request.with("authorization", &format!("{scheme} {token}"));
        assert_eq!(server.send(request).await.status, 200, "{scheme}");
    }
    let header = format!("Bearer {token}");
    let twice = api_request("GET", "/users", None).with("authorization", &header);
    let answer = server.send(twice.with("authorization", &header)).await;
    assert!(matches!(answer.status, 400 | 401), "{answer:?}");
}
