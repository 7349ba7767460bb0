//! Input that no client should send: an OAuth error with its status, never a panic, a 500, or a part of the input.

use axum::body::Body;
use http::Request;

use grantor_testkit::encoded;
use grantor_testkit::server::{
    DEVICE_AUTHORIZATION, FORM, FORMS, INTROSPECT, REVOKE, TOKEN, TestServer, USERINFO, With as _,
    authorization_of, post, raw, refused,
};

#[tokio::test]
async fn rfc6749_3_2_a_parameter_that_comes_twice_is_refused_everywhere() {
    let server = TestServer::new().await;
    for endpoint in FORMS.into_iter().chain([USERINFO]) {
        for body in [
            "client_id=tv&client_id=tv",
            "x=1&x=2",
            "scope=&scope=openid",
            "x=1&%78=2",
        ] {
            let answer = server.send(raw(endpoint, FORM, body)).await;
            assert_eq!(
                answer.error(),
                refused(400, "invalid_request"),
                "{endpoint} {body}"
            );
        }
    }
}

#[tokio::test]
async fn bodies_that_are_not_valid_forms_are_refused_everywhere() {
    let server = TestServer::new().await;
    let bodies: [&[u8]; 8] = [
        b"client_id=tv%00",
        b"client_id=tv\0",
        b"client_id=%FF%FE",
        b"client_id=\xff\xfe",
        b"client_id=%",
        b"client_id=%4",
        b"client_id=%zz",
        b"client_id=tv%0D%0ASet-Cookie:x",
    ];
    for endpoint in FORMS.into_iter().chain([USERINFO]) {
        for body in bodies {
            let answer = server.send(raw(endpoint, FORM, body)).await;
            assert_eq!(
                answer.error(),
                refused(400, "invalid_request"),
                "{endpoint} {body:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_oversized_body_is_refused_as_such() {
    let server = TestServer::new().await;
    for endpoint in FORMS.into_iter().chain([USERINFO]) {
        let body = "x".repeat(64 * 1024 + 1);
        let answer = server.send(raw(endpoint, FORM, body)).await;
        assert_eq!(
            answer.error(),
            refused(413, "invalid_request"),
            "{endpoint}"
        );
    }
}

#[tokio::test]
async fn too_many_or_too_long_parameters_are_refused() {
    let server = TestServer::new().await;
    let many: Vec<_> = (0..65).map(|i| format!("p{i}=1")).collect();
    for body in [
        many.join("&"),
        format!("scope={}", "x".repeat(16 * 1024 + 1)),
    ] {
        for endpoint in FORMS {
            let answer = server.send(raw(endpoint, FORM, body.clone())).await;
            assert_eq!(
                answer.error(),
                refused(400, "invalid_request"),
                "{endpoint}"
            );
        }
    }
}

#[tokio::test]
async fn any_other_content_type_is_refused() {
    let server = TestServer::new().await;
    let body = r#"{"grant_type":"client_credentials"}"#;
    for endpoint in FORMS.into_iter().chain([USERINFO]) {
        for content_type in [
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "",
        ] {
            let answer = server.send(raw(endpoint, content_type, body)).await;
            assert_eq!(
                answer.error(),
                refused(400, "invalid_request"),
                "{endpoint} {content_type}"
            );
        }
    }
}

#[tokio::test]
async fn the_content_type_of_a_form_has_no_case_and_may_have_parameters() {
    let server = TestServer::new().await;
    for content_type in [
        "Application/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
    ] {
        let request = raw(TOKEN, content_type, "grant_type=client_credentials");
        let answer = server
            .send(request.with("authorization", &authorization_of("orders")))
            .await;
        assert_eq!(answer.status, 200, "{content_type}: {answer:?}");
    }
}

#[tokio::test]
async fn errors_do_not_repeat_input() {
    let server = TestServer::new().await;
    let marked = [
        ("grant_type", "MARK"),
        ("client_id", "MARK"),
        ("client_secret", "MARK"),
        ("scope", "MARK"),
        ("token", "MARK"),
        ("MARK", "<b>MARK</b>"),
    ];
    for endpoint in FORMS {
        let answer = server.post(endpoint, &marked).await;
        assert!(answer.status >= 400, "{answer:?}");
        answer.error();
        assert!(!answer.body.contains("MARK"), "{answer:?}");
        assert!(
            !format!("{:?}", answer.headers).contains("MARK"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn rfc6749_3_2_an_empty_parameter_counts_as_omitted() {
    let server = TestServer::new().await;
    // An empty scope counts as missing: the defaults apply.
    let tokens = server.machine_token("orders", &[("scope", "")]).await;
    assert_eq!(tokens.member("scope"), "orders.example.com/read");
    // An empty grant_type, client_id or token counts as missing.
    let answer = server
        .post(TOKEN, &[("grant_type", ""), ("client_id", "tv")])
        .await;
    assert_eq!(answer.error(), refused(400, "invalid_request"));
    for endpoint in [INTROSPECT, REVOKE] {
        let request =
            post(endpoint, &[("token", "")]).with("authorization", &authorization_of("orders"));
        let answer = server.send(request).await;
        assert_eq!(answer.error(), refused(400, "invalid_request"));
    }
    let answer = server
        .post(
            TOKEN,
            &[("grant_type", "client_credentials"), ("client_id", "")],
        )
        .await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
}

#[tokio::test]
async fn rfc8628_3_1_an_empty_parameter_counts_as_omitted() {
    let server = TestServer::new().await;
    let answer = server
        .post(DEVICE_AUTHORIZATION, &[("client_id", "tv"), ("scope", "")])
        .await;
    assert_eq!(answer.status, 200);
    let answer = server
        .post(
            DEVICE_AUTHORIZATION,
            &[("client_id", ""), ("scope", "openid")],
        )
        .await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
}

#[tokio::test]
async fn rfc6749_3_2_and_rfc8628_3_1_an_unknown_parameter_is_ignored() {
    let server = TestServer::new().await;
    assert_eq!(
        server
            .machine_token("orders", &[("colour", "red")])
            .await
            .status,
        200
    );
    let answer = server
        .post(
            DEVICE_AUTHORIZATION,
            &[("client_id", "tv"), ("colour", "red")],
        )
        .await;
    assert_eq!(answer.status, 200);
    for endpoint in [INTROSPECT, REVOKE] {
        let request = post(endpoint, &[("token", "x"), ("colour", "red")]);
        assert_eq!(
            server
                .send(request.with("authorization", &authorization_of("orders")))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn rfc6749_2_3_1_credentials_and_parameters_in_the_query_are_not_read() {
    let server = TestServer::new().await;
    let query = encoded(&[
        ("grant_type", "client_credentials"),
        ("client_id", "tv"),
        ("scope", "openid"),
    ]);
    for endpoint in FORMS {
        let path = format!("{endpoint}?{query}");
        let answer = server.post(&path, &[("token", "x")]).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
    }
    // Only the body counts.
    let request = post(
        &format!("{TOKEN}?{query}"),
        &[("grant_type", "client_credentials")],
    );
    let answer = server
        .send(request.with("authorization", &authorization_of("orders")))
        .await;
    assert_eq!(answer.member("scope"), "orders.example.com/read");
}

#[tokio::test]
async fn rfc6749_2_3_1_a_secret_in_the_query_is_refused_even_in_a_valid_request() {
    let server = TestServer::new().await;
    let right = [("grant_type", "client_credentials"), ("token", "x")];
    for endpoint in FORMS {
        for name in ["client_secret", "token", "refresh_token", "device_code"] {
            let request = post(&format!("{endpoint}?{name}=MARK"), &right);
            let answer = server
                .send(request.with("authorization", &authorization_of("orders")))
                .await;
            assert_eq!(
                answer.error(),
                refused(400, "invalid_request"),
                "{endpoint} {name}"
            );
            assert!(!answer.body.contains("MARK"));
        }
    }
}

#[tokio::test]
async fn a_scope_outside_the_grammar_is_an_invalid_scope() {
    let server = TestServer::new().await;
    for scope in [
        "openid \"",
        "a\\b",
        "é",
        "no/such",
        "orders.example.com/none",
    ] {
        let answer = server.machine_token("orders", &[("scope", scope)]).await;
        assert_eq!(answer.error(), refused(400, "invalid_scope"), "{scope}");
    }
}

#[tokio::test]
async fn pages_answer_bad_forms_with_pages() {
    let server = TestServer::new().await;
    for path in ["/login", "/logout", "/device", "/device/decision"] {
        let bad: [(Request<Body>, u16); 5] = [
            (raw(path, FORM, "x=1&x=2"), 400),
            (raw(path, FORM, "x=%00"), 400),
            (raw(path, FORM, &b"x=\xff"[..]), 400),
            (raw(path, "application/json", "{}"), 400),
            (raw(path, FORM, "x".repeat(64 * 1024 + 1)), 413),
        ];
        for (request, status) in bad {
            let answer = server.send(request).await;
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            assert!(answer.body.contains("id=\"trace-id\""), "{answer:?}");
        }
    }
}
