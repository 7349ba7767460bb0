//! `/admin/first`: the page on which the first administrator is made.

use grantor_core::people::CreateFirstAdministrator;
use grantor_testkit::server::{TestServer, post};
use grantor_testkit::{START, api};

#[tokio::test]
async fn the_page_makes_the_first_administrator_and_no_second_one() {
    let server = TestServer::with(api::serve).await;
    let page = server.get("/admin/first").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("action=\"/admin/first\"") && page.body.contains("name=\"code\""));
    let code = CreateFirstAdministrator::code(&server.app.realm(), START, [7; 16]);
    let send = async |code: &str, username: &str, password: &str| {
        let form = [
            ("code", code),
            ("username", username),
            ("password", password),
        ];
        server.send(post("/admin/first", &form)).await
    };
    for (code, username, password) in [
        ("x", "root", "a-good-password"),
        (code.as_str(), "alice", "a-good-password"),
        (code.as_str(), "root", "short"),
    ] {
        let refused = send(code, username, password).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        for secret in [code, password].into_iter().filter(|it| it.len() > 4) {
            assert!(
                !refused.body.contains(&format!("\"{secret}\"")),
                "not shown again"
            );
        }
    }
    let done = send(&code, "root", "a-good-password").await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.body.contains("root") && done.body.contains("/login"));
    let token = server
        .api_token_with("root", "a-good-password", &["users:read"])
        .await;
    assert_eq!(server.api(&token, "GET", "/users", None).await.status, 200);
    let again = send(&code, "eve", "a-good-password").await;
    assert_eq!(again.status, 400, "{again:?}");
    let page = server.get("/admin/first").await;
    assert!(
        page.status == 200 && !page.body.contains("<form"),
        "{page:?}"
    );
}

#[tokio::test]
async fn without_the_api_there_is_no_such_page() {
    let server = TestServer::new().await;
    assert_eq!(server.get("/admin/first").await.status, 404);
    let form = [
        ("code", "x"),
        ("username", "root"),
        ("password", "a-good-password"),
    ];
    assert_eq!(server.send(post("/admin/first", &form)).await.status, 404);
}
