//! Client authentication on the wire (RFC 6749 sections 2.3, 3.2.1 and 5.2).

use grantor_testkit::server::{
    Answer, DEVICE_AUTHORIZATION, FORMS, INTROSPECT, REVOKE, TOKEN, TestServer, With as _,
    authorization_of, basic, post, refused,
};
use grantor_testkit::{CONSOLE_SECRET, ORDERS_SECRET};

/// A body with all that the endpoint needs but the credentials.
fn body(endpoint: &str) -> Vec<(&'static str, &'static str)> {
    match endpoint {
        TOKEN => vec![("grant_type", "client_credentials")],
        DEVICE_AUTHORIZATION => vec![],
        _ => vec![("token", "x")],
    }
}

async fn with_header(server: &TestServer, endpoint: &str, header: &str) -> Answer {
    let request = post(endpoint, &body(endpoint));
    server.send(request.with("authorization", header)).await
}

#[tokio::test]
async fn rfc6749_5_2_a_failed_authentication_is_401_with_a_basic_challenge() {
    let server = TestServer::new().await;
    for endpoint in FORMS {
        let answer = with_header(&server, endpoint, &basic("orders", "wrong")).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
        assert_eq!(
            answer.header("www-authenticate"),
            "Basic realm=\"id.example.com\", charset=\"UTF-8\""
        );
    }
}

/// RFC 7662 section 2.3 and RFC 6749 section 5.2. Libraries that send credentials only when they are asked for wait for it.
#[tokio::test]
async fn rfc6749_5_2_a_request_without_credentials_is_401_with_a_challenge_at_every_endpoint() {
    let server = TestServer::new().await;
    for endpoint in FORMS {
        for pairs in [body(endpoint), vec![]] {
            let answer = server.post(endpoint, &pairs).await;
            assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.starts_with("Basic realm="), "{endpoint}");
        }
    }
}

/// A browser would ask its user for a name and a password.
#[tokio::test]
async fn a_client_that_names_itself_in_the_body_gets_no_basic_challenge() {
    let server = TestServer::new().await;
    let assertion = ("client_assertion", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
    for endpoint in FORMS {
        for credentials in [
            &[("client_id", "nobody")][..],
            &[("client_id", "console")],
            &[("client_id", "console"), ("client_secret", "wrong")],
            &[("client_id", "tv"), ("client_secret", "invented")],
            &[assertion],
        ] {
            let pairs = [&*body(endpoint), credentials].concat();
            let answer = server.post(endpoint, &pairs).await;
            assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, "", "{endpoint} {credentials:?}");
        }
        // RFC 6749 section 5.2: "If the client attempted to authenticate via the "Authorization" request header field, the
        // authorization server MUST … include the "WWW-Authenticate" response header field".
        let header = basic("tv", "invented");
        let answer = with_header(&server, endpoint, &header).await;
        assert_ne!(answer.header("www-authenticate"), "", "{endpoint}");
    }
}

#[tokio::test]
async fn a_dpop_proof_is_refused_where_tokens_are_asked_for_and_ignored_elsewhere() {
    let server = TestServer::new().await;
    let secret = ("client_secret", CONSOLE_SECRET);
    let ask = async |endpoint: &str, proof: &str| {
        let credentials = [("client_id", "console"), secret];
        let pairs = [&*body(endpoint), &credentials].concat();
        server
            .send(post(endpoint, &pairs).with("dpop", proof))
            .await
    };
    for endpoint in [TOKEN, DEVICE_AUTHORIZATION] {
        for proof in ["eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.c2ln", ""] {
            let answer = ask(endpoint, proof).await;
            assert_eq!(answer.error(), refused(400, "invalid_request"));
            assert!(answer.member("error_description").contains("DPoP"));
        }
    }
    for endpoint in [REVOKE, INTROSPECT] {
        assert_eq!(ask(endpoint, "x").await.status, 200, "{endpoint}");
    }
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_read_the_same() {
    let server = TestServer::new().await;
    for endpoint in FORMS {
        let wrong = with_header(&server, endpoint, &basic("orders", "wrong")).await;
        let unknown = with_header(&server, endpoint, &basic("nobody", "wrong")).await;
        assert_eq!(wrong.status, unknown.status);
        assert_eq!(
            wrong.member("error_description"),
            unknown.member("error_description")
        );
    }
}

#[tokio::test]
async fn rfc6749_2_2_a_client_id_alone_is_no_authentication() {
    let server = TestServer::new().await;
    for endpoint in FORMS {
        let mut pairs = body(endpoint);
        pairs.push(("client_id", "console"));
        let answer = server.post(endpoint, &pairs).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
        let answer = with_header(&server, endpoint, &basic("console", "")).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
    }
}

#[tokio::test]
async fn rfc6749_2_3_1_basic_is_form_encoded_inside_and_its_scheme_has_no_case() {
    let server = TestServer::new().await;
    // The secret has a colon, a slash, spaces and a plus.
    for header in [
        authorization_of("console"),
        authorization_of("console").replacen("Basic", "bAsIc", 1),
    ] {
        let answer = with_header(&server, DEVICE_AUTHORIZATION, &header).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn rfc6749_2_3_1_a_secret_in_the_body_works_and_two_ways_do_not() {
    let server = TestServer::new().await;
    let in_body = [("client_id", "console"), ("client_secret", CONSOLE_SECRET)];
    assert_eq!(
        server.post(DEVICE_AUTHORIZATION, &in_body).await.status,
        200
    );

    let both =
        post(DEVICE_AUTHORIZATION, &in_body).with("authorization", &authorization_of("console"));
    assert_eq!(
        server.send(both).await.error(),
        refused(400, "invalid_request")
    );

    let same_id = post(DEVICE_AUTHORIZATION, &in_body[..1])
        .with("authorization", &authorization_of("console"));
    assert_eq!(
        server.send(same_id).await.status,
        200,
        "the same id is no second credential"
    );

    let other_id = post(DEVICE_AUTHORIZATION, &[("client_id", "tv")])
        .with("authorization", &authorization_of("console"));
    assert_eq!(
        server.send(other_id).await.error(),
        refused(400, "invalid_request")
    );
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let server = TestServer::new().await;
    for endpoint in FORMS {
        for second in [authorization_of("console"), "Bearer x".to_owned()] {
            let request = post(endpoint, &body(endpoint));
            let request = request
                .with("authorization", &authorization_of("console"))
                .with("authorization", &second);
            let answer = server.send(request).await;
            assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
        }
    }
}

#[tokio::test]
async fn a_malformed_authorization_header_is_refused() {
    let server = TestServer::new().await;
    for header in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic =",
        "Basic gIA=",
        "Bearer abc",
        "x",
        "Digest a=b",
    ] {
        let answer = with_header(&server, TOKEN, header).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{header}");
    }
}

#[tokio::test]
async fn a_public_client_may_send_its_id_by_basic() {
    let server = TestServer::new().await;
    for header in [basic("tv", ""), "Basic dHY=".to_owned()] {
        let answer = with_header(&server, DEVICE_AUTHORIZATION, &header).await;
        assert_eq!(answer.status, 200, "{header}: {answer:?}");
    }
    let invented = [("client_id", "tv"), ("client_secret", "invented")];
    let answer = server.post(DEVICE_AUTHORIZATION, &invented).await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
}

#[tokio::test]
async fn rfc6749_2_3_1_guessing_a_short_secret_is_bounded_at_every_endpoint() {
    for endpoint in FORMS {
        let server = TestServer::new().await;
        // Beyond 100 one in ten seconds is answered.
        for _ in 0..101 {
            let answer = with_header(&server, endpoint, &basic("orders", "guess")).await;
            assert_eq!(answer.status, 401);
        }
        let right = basic("orders", ORDERS_SECRET);
        let answer = with_header(&server, endpoint, &right).await;
        assert_eq!(
            answer.error(),
            refused(429, "too_many_requests"),
            "{endpoint}"
        );
        let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=12).contains(&seconds));
        server.advance(std::time::Duration::from_secs(seconds));
        let answer = with_header(&server, endpoint, &right).await;
        assert_ne!(answer.status, 429, "nor is the right one locked out");
        let elsewhere = post(endpoint, &body(endpoint))
            .with("authorization", &basic("orders", ORDERS_SECRET))
            .with("x-forwarded-for", "198.51.100.7");
        assert_ne!(
            server.send(elsewhere).await.status,
            429,
            "others are not locked out"
        );
    }
}

#[tokio::test]
async fn a_public_client_may_revoke_but_not_introspect() {
    let server = TestServer::new().await;
    let pairs = [("client_id", "tv"), ("token", "x")];
    let answer = server.post(INTROSPECT, &pairs).await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
    assert_eq!(server.post(REVOKE, &pairs).await.status, 200);
}
