//! CORS on the wire: which scripts may ask, and which may read the answer.

use axum::body::Body;
use http::{HeaderValue, Method, Request};

use grantor_testkit::server::{
    Answer, DEVICE_AUTHORIZATION, FORM, INTROSPECT, REVOKE, TOKEN, TestServer, USERINFO, With as _,
    authorization_of, basic, post, raw, refused,
};
use grantor_testkit::{Spans as _, client};

/// An origin of the client `tv`, and one of `tv2`.
const OWN: &str = "https://app.example";
const OTHER: &str = "http://127.0.0.1:3000";

/// The endpoints that scripts may call, with the methods of each.
const OPEN: [(&str, &str); 5] = [
    (TOKEN, "POST"),
    (DEVICE_AUTHORIZATION, "POST"),
    (REVOKE, "POST"),
    (USERINFO, "GET, POST"),
    ("/oauth2/userInfo", "GET, POST"),
];
const DOCUMENTS: [&str; 3] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
];

async fn server() -> TestServer {
    TestServer::with(|realm| {
        client(realm, "tv").origins = vec![OWN.to_owned()];
        client(realm, "tv2").origins = vec!["https://second.example".to_owned(), OTHER.to_owned()];
    })
    .await
}

fn asked_before(path: &str) -> Request<Body> {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(path)
        .body(Body::empty());
    request
        .expect("a request")
        .with("access-control-request-method", "POST")
        .with(
            "access-control-request-headers",
            "authorization,baggage,sentry-trace,traceparent,x-forwarded-for",
        )
}

fn userinfo(token: &str) -> Request<Body> {
    let request = Request::get(USERINFO).body(Body::empty());
    request
        .expect("a request")
        .with("authorization", &format!("Bearer {token}"))
}

/// A refresh that fails, of this client.
fn failing(client: &str) -> Request<Body> {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", client),
    ];
    post(TOKEN, &form)
}

/// A form of the client `tv`.
fn own<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("client_id", "tv")], more].concat()
}

/// No script of another origin may read it, whatever it is.
fn assert_closed(answer: &Answer, what: &str) {
    let cors = |name: &http::HeaderName| name.as_str().starts_with("access-control-");
    let found: Vec<_> = answer.headers.keys().filter(|name| cors(name)).collect();
    assert!(found.is_empty(), "{what}: {found:?}");
}

/// The script of an origin may read it, without the browser's cookies.
fn assert_open(answer: &Answer, origin: &str) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        origin,
        "{answer:?}"
    );
    assert_eq!(
        answer.header("access-control-expose-headers"),
        "www-authenticate, x-request-id, retry-after"
    );
    assert_eq!(answer.header("vary"), "Origin");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_preflight_is_allowed_for_every_origin_without_its_cookies() {
    let server = server().await;
    for (path, methods) in OPEN {
        for origin in [OWN, OTHER, "https://evil.example", "null"] {
            let answer = server.send(asked_before(path).with("origin", origin)).await;
            assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
            let cors = [
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", methods),
                (
                    "access-control-allow-headers",
                    "authorization, content-type, baggage, sentry-trace, traceparent",
                ),
                ("vary", "Access-Control-Request-Headers"),
                ("access-control-max-age", "7200"),
                ("access-control-allow-credentials", ""),
            ];
            for (name, value) in cors {
                assert_eq!(answer.header(name), value, "{path} {name}");
            }
        }
    }
}

#[tokio::test]
async fn an_origin_that_only_resembles_a_clients_reads_no_answer() {
    let server = server().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    for stranger in [
        "null",
        "",
        "*",
        "https://evil.example",
        "http://app.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://eviapp.example",
        "https://sub.app.example",
        "https://app.exampl",
        "https://app.example.",
        "https://app.example:443",
        "https://app.example:8443",
        "https://app.example/",
        "https://APP.example",
        "HTTPS://app.example",
        "https://app.example@evil.example",
        "https://app.example, https://evil.example",
        "https://app.example https://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:30000",
        "http://localhost:3000",
        "http://127.1:3000",
    ] {
        let answer = server.send(failing("tv").with("origin", stranger)).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
        assert_closed(&answer, stranger);
        let answer = server.send(userinfo(&token).with("origin", stranger)).await;
        assert_eq!((answer.status, answer.header("vary")), (200, "Origin"));
        assert_closed(&answer, stranger);
    }
}

#[tokio::test]
async fn two_origin_headers_allow_no_script() {
    let server = server().await;
    let two = failing("tv").with("origin", OWN).with("origin", OWN);
    assert_closed(&server.send(two).await, "two");
    let mut bytes = failing("tv");
    let origin = HeaderValue::from_bytes(b"https://app.example\xff").expect("opaque bytes");
    bytes.headers_mut().insert("origin", origin);
    assert_closed(&server.send(bytes).await, "no text");
}

#[tokio::test]
async fn a_script_can_read_answers_to_its_own_client() {
    let server = server().await;
    let tokens = server.device_tokens("tv", "alice").await;
    let (access, refresh) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
    );
    let read = async |request: Request<Body>, status| {
        let answer = server.send(request.with("origin", OWN)).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_open(&answer, OWN);
        answer
    };
    read(post(DEVICE_AUTHORIZATION, &own(&[])), 200).await;
    read(userinfo(&access), 200).await;
    let in_body = post(USERINFO, &[("access_token", &access)]);
    read(in_body, 200).await;
    let refreshing = own(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]);
    let next = read(post(TOKEN, &refreshing), 200).await;
    let next = next.member("refresh_token");

    let revoked = read(post(REVOKE, &own(&[("token", &next)])), 200).await;
    // `oidc-client-ts` takes a body of any type but JSON for a mistake.
    assert_eq!(
        (revoked.body.as_str(), revoked.header("content-type")),
        ("", "")
    );
    // Errors too: of a token whose grant was revoked, and of one that has ended.
    read(userinfo(&access), 401).await;
    server.advance(11.mins());
    read(userinfo(&access), 401).await;
    read(failing("tv"), 400).await;
    let by_header = basic("tv", "");
    let form = [("grant_type", "nonsense")];
    read(post(TOKEN, &form).with("authorization", &by_header), 400).await;
}

#[tokio::test]
async fn a_script_from_the_origin_of_another_client_cannot_read_answers() {
    let server = server().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    let forged = format!("{token}x");
    let both = [("client_id", "tv2"), ("token", "x")];
    let twice = "client_id=tv&client_id=tv2&grant_type=refresh_token";
    for (what, request) in [
        ("a form of tv", failing("tv")),
        (
            "a form of tv's devices",
            post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]),
        ),
        (
            "Basic of tv",
            post(REVOKE, &both).with("authorization", &basic("tv", "")),
        ),
        ("two clients", raw(TOKEN, FORM, twice)),
        (
            "an unknown client next to Basic of tv",
            post(REVOKE, &[("client_id", "nobody"), ("token", "x")])
                .with("authorization", &basic("tv", "")),
        ),
        (
            "an assertion of tv",
            post(TOKEN, &own(&[("client_assertion", "x")])),
        ),
        (
            "a wrong secret of tv",
            post(REVOKE, &own(&[("client_secret", "x"), ("token", "x")])),
        ),
        ("a token of tv", userinfo(&token)),
        ("a forged token", userinfo(&forged)),
        (
            "a token of tv in a form",
            post(USERINFO, &[("access_token", &token)]),
        ),
        (
            "a client without token",
            post(USERINFO, &[("client_id", "tv2")]),
        ),
        ("a method that there is not", {
            let mut request = failing("tv2");
            *request.method_mut() = Method::PUT;
            request
        }),
    ] {
        let answer = server.send(request.with("origin", OTHER)).await;
        assert_closed(&answer, what);
    }
    assert_open(
        &server.send(failing("tv2").with("origin", OTHER)).await,
        OTHER,
    );
}

/// A mistyped `client_id` has no origins. The answer is the same for everyone, and nothing of a client is in it.
#[tokio::test]
async fn an_invalid_client_that_is_no_clients_can_be_read_from_any_origin() {
    let server = server().await;
    let tokens = server.device_tokens("tv", "alice").await;
    let refresh = tokens.member("refresh_token");
    let with_refresh = |client: &'static str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
            ("client_id", client),
        ];
        post(TOKEN, &form)
    };
    let mut texts = std::collections::BTreeSet::new();
    for request in [
        failing("nobody"),
        // Not even next to the token of another client, whose answer it would be.
        with_refresh("nobody"),
        with_refresh("TV"),
        post(DEVICE_AUTHORIZATION, &[("client_id", "nobody")]),
        post(REVOKE, &[("token", "x")]).with("authorization", &basic("nobody", "x")),
    ] {
        let answer = server.send(request.with("origin", OTHER)).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"));
        assert_open(&answer, "*");
        texts.insert(answer.member("error_description"));
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    for missing in [&[][..], &[("client_assertion", "x")]] {
        let request = post(DEVICE_AUTHORIZATION, missing).with("origin", "null");
        let answer = server.send(request).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"));
        assert_open(&answer, "*");
    }
    // A client's own origins read what is wrong with its method.
    let assertion = post(TOKEN, &own(&[("client_assertion", "x")]));
    assert_open(&server.send(assertion.with("origin", OWN)).await, OWN);
    // The token still works for its client alone.
    let answer = server.send(with_refresh("tv").with("origin", OTHER)).await;
    assert_eq!(answer.status, 200);
    assert_closed(&answer, "a refresh of tv");
}

#[tokio::test]
async fn a_list_of_asked_headers_that_is_too_long_or_sent_twice_is_not_reflected() {
    let server = server().await;
    let preflight = |asked: &str| {
        let request = Request::builder().method(Method::OPTIONS).uri(TOKEN);
        let request = request.body(Body::empty()).expect("a request");
        let request = request.with("origin", OWN);
        request.with("access-control-request-headers", asked)
    };
    let many: String = (0..10_000).map(|n| format!("x-{n},")).collect();
    for request in [
        preflight(&many),
        preflight("x-a").with("access-control-request-headers", "x-b"),
        preflight("a b, set-cookie: a=b, <script>"),
    ] {
        let answer = server.send(request).await;
        let allowed = answer.header("access-control-allow-headers");
        assert_eq!(allowed, "authorization, content-type");
    }
}

#[tokio::test]
async fn a_loopback_origin_without_a_port_reads_answers_at_any_port() {
    let server = TestServer::with(|realm| {
        client(realm, "tv").origins = vec!["http://localhost".to_owned()];
    })
    .await;
    for origin in ["http://localhost", "http://localhost:5173"] {
        let answer = server.send(failing("tv").with("origin", origin)).await;
        assert_open(&answer, origin);
    }
    for stranger in [
        "http://localhost.evil.example",
        "http://localhost.evil.example:5173",
        "http://localhost@evil.example",
        "http://localhost:80@evil.example",
        "https://localhost:5173",
        "http://127.0.0.1:5173",
        "http://app.localhost:5173",
    ] {
        let answer = server.send(failing("tv").with("origin", stranger)).await;
        assert_closed(&answer, stranger);
    }
}

#[tokio::test]
async fn introspection_is_not_available_to_scripts() {
    let server = TestServer::with(|realm| {
        for id in ["tv", "orders"] {
            client(realm, id).origins = vec![OWN.to_owned()];
        }
    })
    .await;
    let preflight = server
        .send(asked_before(INTROSPECT).with("origin", OWN))
        .await;
    assert_eq!(preflight.status, 405);
    assert_closed(&preflight, "preflight");
    let asked =
        post(INTROSPECT, &[("token", "x")]).with("authorization", &authorization_of("orders"));
    let answer = server.send(asked.with("origin", OWN)).await;
    assert_eq!(answer.status, 200);
    assert_closed(&answer, "introspection");
}

#[tokio::test]
async fn pages_and_authorization_requests_are_not_available_to_scripts() {
    let server = server().await;
    for path in ["/", "/login", "/logout", "/device", "/oauth2/authorize"] {
        let preflight = server.send(asked_before(path).with("origin", OWN)).await;
        assert_closed(&preflight, path);
        let request = Request::get(path).body(Body::empty()).expect("a request");
        assert_closed(&server.send(request.with("origin", OWN)).await, path);
    }
}

#[tokio::test]
async fn documents_can_be_read_from_any_origin() {
    let server = server().await;
    for path in DOCUMENTS {
        let preflight = server
            .send(asked_before(path).with("origin", "https://evil.example"))
            .await;
        assert_eq!(preflight.status, 204, "{path}");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET, HEAD"),
            ("access-control-allow-headers", "*"),
            ("access-control-max-age", "7200"),
            ("access-control-allow-credentials", ""),
        ] {
            assert_eq!(preflight.header(name), value, "{path} {name}");
        }
        let answer = server.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
}

#[tokio::test]
async fn without_an_origin_nothing_is_added() {
    let server = server().await;
    let token = server
        .device_tokens("tv", "alice")
        .await
        .member("access_token");
    for request in [failing("tv"), userinfo(&token)] {
        let answer = server.send(request).await;
        assert_closed(&answer, "no origin");
    }
    assert_eq!(server.send(failing("tv")).await.header("vary"), "");
}
