//! Methods: each endpoint has its own, and says which.

use axum::body::Body;
use http::Request;

use grantor_testkit::server::{Answer, FORMS, TestServer, USERINFO, refused};

async fn send(server: &TestServer, method: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty());
    server.send(request.expect("a request")).await
}

#[tokio::test]
async fn rfc6749_3_2_only_post_asks_for_tokens() {
    let server = TestServer::new().await;
    for endpoint in FORMS {
        for method in ["GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
            let answer = send(&server, method, endpoint).await;
            assert_eq!(
                answer.error(),
                refused(405, "invalid_request"),
                "{method} {endpoint}"
            );
            assert_eq!(answer.header("allow"), "POST");
        }
        let answer = send(&server, "HEAD", endpoint).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    }
}

#[tokio::test]
async fn userinfo_has_get_and_post() {
    let server = TestServer::new().await;
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = send(&server, method, USERINFO).await;
        assert_eq!(answer.error(), refused(405, "invalid_request"), "{method}");
        assert_eq!(answer.header("allow"), "GET, POST");
    }
}

#[tokio::test]
async fn documents_and_pages_say_which_methods_they_have() {
    let server = TestServer::new().await;
    for (path, allow) in [
        ("/.well-known/openid-configuration", "GET,HEAD,OPTIONS"),
        (
            "/.well-known/oauth-authorization-server",
            "GET,HEAD,OPTIONS",
        ),
        ("/.well-known/jwks.json", "GET,HEAD,OPTIONS"),
        ("/", "GET,HEAD"),
        ("/login", "GET,HEAD,POST"),
        ("/logout", "GET,HEAD,POST"),
        ("/oauth2/logout", "GET,HEAD,POST"),
        ("/device", "GET,HEAD,POST"),
        ("/device/decision", "GET,HEAD,POST"),
    ] {
        let answer = send(&server, "DELETE", path).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, allow),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_page_that_says_so() {
    let server = TestServer::new().await;
    for path in [
        "/no/such/page",
        "/oauth2",
        "/oauth2/token/",
        "/assets/none.css",
        "/.well-known/",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("id=\"trace-id\""));
    }
}
