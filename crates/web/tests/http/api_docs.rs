//! The page of the API's documentation: only while the API is enabled, only by scripts of this server, and configured by
//! nothing in its address.

use axum::body::Body;
use grantor_testkit::server::TestServer;
use grantor_web::api::{OpenApi, PATH, ROUTES};
use http::Request;

const PAGES: [&str; 4] = [
    "/api/docs/",
    "/api/docs/oauth2-redirect.html",
    "/api/docs/page.js",
    "/api/docs/page.css",
];

async fn enabled() -> TestServer {
    let server = TestServer::with(|realm| realm.api.enabled = true).await;
    let document = OpenApi::new(|issuer| format!("{{\"made for\":{issuer:?}}}"));
    server.app.set_openapi(document);
    server
}

#[tokio::test]
async fn documentation_is_there_only_while_the_api_is_enabled() {
    let server = TestServer::new().await;
    server.app.set_openapi(OpenApi::new(|_| String::new()));
    for path in PAGES
        .into_iter()
        .chain(["/api/docs", "/api/openapi.json", "/api/docs/x"])
    {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let server = enabled().await;
    for path in PAGES {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let document = server.get("/api/openapi.json").await;
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.body, "{\"made for\":\"https://id.example.com\"}");
    let to_page = server.get("/api/docs").await;
    assert_eq!(
        (to_page.status, to_page.header("location")),
        (308, "/api/docs/")
    );
    for unknown in ["/api/docs/x", "/api/docs/x/page.js", "/api/docs/../page.js"] {
        assert_eq!(server.get(unknown).await.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn documentation_runs_scripts_of_this_server_alone_and_cannot_be_framed() {
    let server = enabled().await;
    for path in PAGES {
        let answer = server.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let scripts = answer.body.matches("<script").count();
        assert_eq!(
            scripts,
            answer.body.matches("<script src=\"").count(),
            "{path}"
        );
    }
}

/// That no parameter of the address changes what is shown is seen in a browser: tests/node/api_docs_browser.test.mjs.
#[tokio::test]
async fn the_page_is_the_same_whatever_its_query_says() {
    let server = enabled().await;
    let page = server.get("/api/docs/").await.body;
    let other = server
        .get("/api/docs/?url=https://evil.example/x.json&configUrl=x")
        .await;
    assert_eq!(other.body, page);
    assert!(
        server
            .get("/api/docs/page.js")
            .await
            .body
            .contains("queryConfigEnabled: false")
    );
}

/// The table of paths tells the documentation which methods there are, and the router has its own list.
#[tokio::test]
async fn each_documented_operation_has_a_handler_and_each_handler_is_documented() {
    let server = enabled().await;
    for route in ROUTES {
        let path = format!("{PATH}{}", route.path.replace(['{', '}'], ""));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .body(Body::empty());
            let answer = server.send(request.expect("a request")).await;
            let documented = route.operations.iter().any(|it| it.kind.method() == method);
            let expected = if documented { 401 } else { 405 };
            assert_eq!(answer.status, expected, "{method} {path}");
        }
    }
}
