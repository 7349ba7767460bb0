//! Metadata and keys (RFC 8414, OpenID Connect Discovery): what is advertised is what runs.

use serde_json::{Value, json};

use grantor_testkit::EXCHANGE;
use grantor_testkit::server::{
    Answer, TestServer, With as _, authorization_of, claims, jose_header, post,
};
use grantor_testkit::{DEVICE_CODE, ISSUER, ORDERS_SECRET};

const DOCUMENTS: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

fn document(answer: &Answer) -> Value {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    serde_json::from_str(&answer.body).expect("JSON")
}

fn texts(value: &Value) -> Vec<&str> {
    let values = value.as_array().expect("a list").iter();
    values.map(|value| value.as_str().expect("text")).collect()
}

#[tokio::test]
async fn rfc8414_3_2_both_documents_are_the_same_json() {
    let server = TestServer::new().await;
    let [openid, oauth] = [
        server.get(DOCUMENTS[0]).await,
        server.get(DOCUMENTS[1]).await,
    ];
    assert_eq!(document(&openid), document(&oauth));
    // Browsers of any origin may read them, and caches keep them for a while.
    assert_eq!(openid.header("access-control-allow-origin"), "*");
    assert_eq!(openid.header("cache-control"), "public, max-age=60");
}

#[tokio::test]
async fn rfc8414_2_the_issuer_is_named_as_it_is_configured_and_all_else_is_below_it() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    assert_eq!(metadata["issuer"], ISSUER);
    let urls = metadata.as_object().expect("an object").iter();
    let urls = urls.filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"));
    let mut count = 0;
    for (name, url) in urls {
        assert!(
            url.as_str()
                .expect("a URL")
                .starts_with("https://id.example.com/"),
            "{name}"
        );
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

#[tokio::test]
async fn rfc8414_2_the_authorization_endpoint_gives_codes_and_nothing_else() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(
        metadata["response_modes_supported"],
        json!(["query", "form_post"])
    );
    assert_eq!(
        metadata["authorization_endpoint"],
        format!("{ISSUER}/oauth2/authorize")
    );
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        json!(["S256"])
    );
    // RP-Initiated Logout section 2.1, Back-Channel Logout section 2.1.
    assert_eq!(
        metadata["end_session_endpoint"],
        format!("{ISSUER}/oauth2/logout")
    );
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
    // RFC 9207 section 3.
    assert_eq!(
        metadata["authorization_response_iss_parameter_supported"],
        true
    );
    let grants = &metadata["grant_types_supported"];
    assert!(texts(grants).contains(&"authorization_code") && !texts(grants).contains(&"implicit"));
}

#[tokio::test]
async fn rfc8414_3_2_no_list_is_without_elements() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    for (name, value) in metadata.as_object().expect("an object") {
        assert!(!value.as_array().is_some_and(Vec::is_empty), "{name}");
    }
}

#[tokio::test]
async fn every_advertised_endpoint_answers() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    for (name, url) in metadata.as_object().expect("an object") {
        if !name.ends_with("_endpoint") && name != "jwks_uri" {
            continue;
        }
        let path = url.as_str().expect("a URL").trim_start_matches(ISSUER);
        let answer = if name == "jwks_uri" {
            server.get(path).await
        } else {
            server.post(path, &[]).await
        };
        let expected = match name.as_str() {
            "jwks_uri" => 200,
            // A page that sends the request again, with the session's cookie.
            "authorization_endpoint" | "end_session_endpoint" => 200,
            // No one authenticates.
            _ => 401,
        };
        assert_eq!(answer.status, expected, "{name} {path}");
    }
}

#[tokio::test]
async fn rfc8628_4_every_advertised_grant_works_and_the_device_grant_is_among_them() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    let mut grants = texts(&metadata["grant_types_supported"]);
    grants.sort_unstable();
    assert_eq!(
        grants,
        [
            "authorization_code",
            "client_credentials",
            "refresh_token",
            DEVICE_CODE,
            // Its own tests show that it works.
            EXCHANGE
        ]
    );
    assert_eq!(
        metadata["device_authorization_endpoint"],
        format!("{ISSUER}/oauth2/device_authorization")
    );
    assert_eq!(server.machine_token("orders", &[]).await.status, 200);
    let tokens = server.device_tokens("tv", "alice").await;
    assert_eq!(
        server
            .refresh("tv", &tokens.member("refresh_token"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn every_advertised_authentication_method_works() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    for (endpoint, path, public) in [
        ("token", "/oauth2/token", true),
        ("revocation", "/oauth2/revoke", true),
        ("introspection", "/oauth2/introspect", false),
    ] {
        let methods = &metadata[format!("{endpoint}_endpoint_auth_methods_supported")];
        let mut advertised = texts(methods);
        advertised.sort_unstable();
        let expected = ["client_secret_basic", "client_secret_post", "none"];
        assert_eq!(
            advertised,
            expected[..if public { 3 } else { 2 }],
            "{endpoint}"
        );

        let needed = [("grant_type", "client_credentials"), ("token", "x")];
        let in_body = [("client_id", "orders"), ("client_secret", ORDERS_SECRET)];
        let by_basic = post(path, &needed).with("authorization", &authorization_of("orders"));
        assert_eq!(server.send(by_basic).await.status, 200, "{endpoint}");
        let by_post = server.post(path, &[&needed[..], &in_body].concat()).await;
        assert_eq!(by_post.status, 200, "{endpoint}");
        // A public client gets as far as its grants allow, and cannot introspect.
        let by_none = server
            .post(path, &[&needed[..], &[("client_id", "tv")]].concat())
            .await;
        assert_eq!(by_none.status == 401, !public, "{endpoint}: {by_none:?}");
    }
}

#[tokio::test]
async fn rfc8414_2_scopes_and_algorithms_are_those_in_use() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    let scopes = texts(&metadata["scopes_supported"]);
    assert!(scopes.contains(&"openid") && scopes.contains(&"orders.example.com/write"));
    let tokens = server.device_tokens("tv", "alice").await;
    let alg = jose_header(&tokens.member("id_token"))["alg"].clone();
    let algorithms = metadata["id_token_signing_alg_values_supported"].as_array();
    assert!(algorithms.expect("a list").contains(&alg));
    assert_eq!(metadata["subject_types_supported"], json!(["public"]));
}

#[tokio::test]
async fn rfc7517_5_the_key_set_holds_public_members_only() {
    let server = TestServer::new().await;
    let answer = server.get("/.well-known/jwks.json").await;
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    let set: Value = serde_json::from_str(&answer.body).expect("JSON");
    let keys = set["keys"].as_array().expect("a list");
    assert_eq!(keys.len(), 2);
    for key in keys {
        let members = key.as_object().expect("an object");
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!members.contains_key(private), "{private}");
        }
        assert_eq!(key["use"], "sig");
        assert!(key["kid"].is_string() && key["alg"].is_string());
    }
}

#[tokio::test]
async fn the_key_set_has_the_key_of_every_token() {
    let server = TestServer::new().await;
    let set = server.get("/.well-known/jwks.json").await.body;
    let tokens = server.device_tokens("tv", "alice").await;
    for name in ["access_token", "id_token"] {
        let token = tokens.member(name);
        let kid = jose_header(&token)["kid"]
            .as_str()
            .expect("a kid")
            .to_owned();
        assert!(set.contains(&kid), "{name}");
        claims(&token);
    }
}

#[tokio::test]
async fn what_is_not_built_yet_is_not_advertised() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[1]).await);
    for absent in [
        "registration_endpoint",
        "pushed_authorization_request_endpoint",
        "token_endpoint_auth_signing_alg_values_supported",
        "signed_metadata",
    ] {
        assert_eq!(metadata.get(absent), None, "{absent}");
    }
    for switch in [
        "request_parameter_supported",
        "request_uri_parameter_supported",
    ] {
        assert_eq!(metadata[switch], false);
    }
}

#[tokio::test]
async fn claims_that_are_advertised_are_given() {
    let server = TestServer::new().await;
    let metadata = document(&server.get(DOCUMENTS[0]).await);
    let advertised = texts(&metadata["claims_supported"]);
    let tokens = server
        .device_tokens_with("tv", "alice", &[("scope", "openid profile email")])
        .await;
    let userinfo = server.userinfo(&tokens.member("access_token")).await.json();
    let id = claims(&tokens.member("id_token"));
    for name in userinfo
        .as_object()
        .expect("claims")
        .keys()
        .chain(id.as_object().expect("claims").keys())
    {
        assert!(
            advertised.contains(&name.as_str()),
            "{name} is given and not advertised"
        );
    }
}
