//! The dialect `iroh`; `tests/node/iroh.test.mjs` follows the whole seed with curl.

use grantor_core::model::realm::Realm;
use grantor_testkit::server::{TestServer, With as _, post};
use grantor_testkit::{DEVICE_CODE, api, client, scope};
use http::Request;

const PATHS: [(&str, &str); 6] = [
    ("POST", "/iroh/oauth2/token"),
    ("POST", "/iroh/oauth2/device_authorization"),
    ("GET", "/iroh/oauth2/authorize"),
    ("GET", "/iroh/oauth2/device"),
    ("GET", "/iroh/profile/whoami"),
    ("DELETE", "/iroh/oauth2/app-grant/tv"),
];
const CLIENTS: &str = "/iroh/oauth2-clients/clients";

fn spoken(realm: &mut Realm) {
    realm.dialects.iroh = true;
}

fn request(method: &str, path: &str) -> Request<axum::body::Body> {
    let request = Request::builder().method(method).uri(path);
    request.body(axum::body::Body::empty()).expect("a request")
}

#[tokio::test]
async fn where_it_is_not_on_there_are_no_such_paths() {
    let server = TestServer::with(api::serve).await;
    for (method, path) in PATHS.into_iter().chain([("GET", CLIENTS)]) {
        let answer = server.send(request(method, path)).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        let preflight = request("OPTIONS", path).with("origin", "https://a.example");
        assert_eq!(server.send(preflight).await.status, 404);
    }
    let without_api = TestServer::with(spoken).await;
    let answer = without_api.send(request("GET", CLIENTS)).await;
    assert_eq!(answer.status, 404, "[api] is not enabled: {answer:?}");
}

#[tokio::test]
async fn its_pages_are_those_of_the_server_with_the_same_query() {
    let server = TestServer::with(spoken).await;
    for (path, to) in [
        (
            "/iroh/oauth2/authorize?a=1&b=%20",
            "/oauth2/authorize?a=1&b=%20",
        ),
        ("/iroh/oauth2/device?user_code=ABC", "/device?user_code=ABC"),
        ("/iroh/oauth2/device", "/device"),
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (307, to));
    }
}

#[tokio::test]
async fn errors_name_the_client_and_each_is_readable_for_any_origin() {
    let server = TestServer::with(spoken).await;
    let form = [
        ("client_id", "tv"),
        ("grant_type", DEVICE_CODE),
        ("device_code", "made-up"),
    ];
    let asks = post("/iroh/oauth2/token", &form).with("origin", "null");
    let answer = server.send(asks).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let json = answer.json();
    assert_eq!(json["client-id"], "tv");
    assert_eq!(json["error"], "invalid_device_code");
    assert_eq!(json["trace_id"], answer.header("x-request-id"));
    let secret = [
        ("client_id", "console"),
        ("client_secret", "wrong"),
        ("grant_type", DEVICE_CODE),
        ("device_code", "made-up"),
    ];
    let answer = server.post("/iroh/oauth2/token", &secret).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "invalid_client");
}

#[tokio::test]
async fn a_user_takes_back_all_that_a_client_has_by_its_own_token_and_not_what_others_have() {
    let server = TestServer::with(|realm| {
        spoken(realm);
        client(realm, "tv").scopes = scope("openid profile offline_access orders.example.com/read");
    })
    .await;
    let asks = [("scope", "openid profile offline_access")];
    let mut tokens = Vec::new();
    for _ in 0..10 {
        tokens.push(server.device_tokens_with("tv", "alice", &asks).await);
    }
    let bob = server.device_tokens_with("tv", "bob", &asks).await;
    let take = async |client: &str, token: &str| {
        let path = format!("/iroh/oauth2/app-grant/{client}");
        let asks = request("DELETE", &path).with("authorization", &format!("Bearer {token}"));
        server.send(asks).await.status
    };
    let own = tokens[3].member("access_token");
    assert_eq!(take("console", &own).await, 403, "another client's");
    assert_eq!(take("tv", "made-up").await, 401);
    let for_an_api = [("scope", "profile orders.example.com/read")];
    let for_an_api = server.device_tokens_with("tv", "alice", &for_an_api).await;
    let status = take("tv", &for_an_api.member("access_token")).await;
    assert_eq!(status, 401, "an API has such tokens, too");
    assert_eq!(take("tv", &own).await, 204);
    for token in &tokens {
        let refreshed = server.refresh("tv", &token.member("refresh_token")).await;
        assert_eq!(refreshed.status, 400, "{refreshed:?}");
    }
    assert_eq!(take("tv", &own).await, 401, "its own grant went with them");
    assert_eq!(
        server
            .refresh("tv", &bob.member("refresh_token"))
            .await
            .status,
        200
    );
}
