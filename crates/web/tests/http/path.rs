//! An issuer with a path: every path is below it, and RFC 8414's document stands between host and path.

use grantor_web::pages;
use serde_json::Value;

use grantor_testkit::DEVICE_CODE;
use grantor_testkit::server::{Form, TestServer, refused};

const BELOW: &str = "/realms/staff";

async fn server() -> TestServer {
    TestServer::with(|realm| realm.issuer = format!("https://id.example.com{BELOW}")).await
}

#[tokio::test]
async fn rfc8414_3_1_the_well_known_segment_is_between_host_and_path() {
    let server = server().await;
    let inserted = server
        .get(&format!("/.well-known/oauth-authorization-server{BELOW}"))
        .await;
    let appended = server
        .get(&format!("{BELOW}/.well-known/openid-configuration"))
        .await;
    assert_eq!((inserted.status, appended.status), (200, 200));
    let metadata: Value = serde_json::from_str(&inserted.body).expect("JSON");
    assert_eq!(metadata["issuer"], format!("https://id.example.com{BELOW}"));
    assert_eq!(inserted.body, appended.body);
    assert_eq!(
        server
            .get("/.well-known/oauth-authorization-server")
            .await
            .status,
        404
    );
    assert_eq!(
        server.get("/.well-known/openid-configuration").await.status,
        404
    );
}

#[tokio::test]
async fn every_advertised_endpoint_is_below_the_path_and_answers() {
    let server = server().await;
    let document = server
        .get(&format!("{BELOW}/.well-known/openid-configuration"))
        .await;
    let metadata: Value = serde_json::from_str(&document.body).expect("JSON");
    for (name, url) in metadata.as_object().expect("an object") {
        if name.ends_with("_endpoint") {
            let path = url
                .as_str()
                .expect("a URL")
                .trim_start_matches("https://id.example.com");
            assert!(path.starts_with(BELOW), "{name}");
            assert!(
                matches!(server.post(path, &[]).await.status, 200 | 400 | 401),
                "{name}"
            );
        }
    }
    assert_eq!(
        server.post("/oauth2/token", &[]).await.status,
        404,
        "and nowhere else"
    );
}

#[tokio::test]
async fn the_pages_stay_below_the_path() {
    let server = server().await;
    let mut alice = server.browser();
    for (path, then) in [
        ("/device", "/device"),
        ("/device?user_code=BCDF-GHJK", "/device?user_code=BCDF-GHJK"),
    ] {
        let answer = alice.get(&format!("{BELOW}{path}")).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let to = answer.header("location").to_owned();
        assert!(to.starts_with(&format!("{BELOW}/login?return_to=")), "{to}");
        let page = alice.get(&to).await;
        let form = Form::of(&page, &format!("{BELOW}/login"));
        assert_eq!(form.fields["return_to"], format!("{BELOW}{then}"));
    }
    let page = alice.get(&format!("{BELOW}/login")).await;
    let form = Form::of(&page, &format!("{BELOW}/login"));
    let answer = alice
        .submit(
            form.fill("username", "alice")
                .fill("password", "alice-password"),
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/realms/staff/")
    );
    for home in [BELOW, "/realms/staff/"] {
        let page = alice.get(home).await;
        assert_eq!(page.status, 200, "{home}");
        assert!(page.body.contains("alice"));
    }
}

#[tokio::test]
async fn every_asset_of_a_page_exists() {
    let server = server().await;
    let page = server.get(&format!("{BELOW}/login")).await;
    let page = page.body.replace("&#x2f;", "/");
    for asset in pages::assets::all() {
        let path = format!("{BELOW}{}", asset.path);
        // The one script is on a separate page.
        if asset.path != pages::assets::submit_script().path {
            assert!(
                page.contains(&format!("\"{path}\"")),
                "{path} is not on the page"
            );
        }
        let answer = server.get(&path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, asset.content_type),
            "{path}"
        );
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
    }
}

#[tokio::test]
async fn a_device_gets_its_tokens_below_a_path() {
    let server = server().await;
    let codes = server
        .post(
            &format!("{BELOW}/oauth2/device_authorization"),
            &[("client_id", "tv")],
        )
        .await;
    assert_eq!(
        codes.member("verification_uri"),
        format!("https://id.example.com{BELOW}/device")
    );
    let device_code = codes.member("device_code");
    let poll = [
        ("grant_type", DEVICE_CODE),
        ("client_id", "tv"),
        ("device_code", device_code.as_str()),
    ];
    let answer = server.post(&format!("{BELOW}/oauth2/token"), &poll).await;
    assert_eq!(answer.error(), refused(400, "authorization_pending"));
}

#[tokio::test]
async fn health_endpoints_are_not_below_the_issuers_path() {
    let server = server().await;
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 200);
}
