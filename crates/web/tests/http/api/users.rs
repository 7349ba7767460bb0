//! `/users`.

use grantor_core::engine::event::EventKind;
use grantor_testkit::server::TestServer;
use grantor_testkit::{ISSUER, user_id};
use serde_json::{Value, json};

use super::{dora, made, patched, server};

/// Tokens that stay valid while users change: of a machine with these rights.
async fn machine(server: &TestServer) -> String {
    let rights = ["users:write", "grants:write"];
    server.api_machine_token(&rights).await
}

#[tokio::test]
async fn a_user_is_made_read_changed_and_deleted() {
    let server = server().await;
    let token = machine(&server).await;
    let answer = server.api(&token, "POST", "/users", Some(&dora())).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let user = answer.api_json();
    let id = user["id"].as_str().expect("an id");
    assert_eq!(answer.header("location"), format!("/api/v1/users/{id}"));
    assert_eq!(user["username"], "dora");
    assert_eq!(user["declared"], json!([]));
    assert_eq!(user["changed"]["by"], "client:orders");
    assert_eq!(user["changed"]["trace_id"], answer.header("x-request-id"));
    assert!(user.get("password").is_none(), "{user}");
    assert!(server.signed_in("dora").await.cookies.len() > 1);

    let path = format!("/users/{id}");
    let read = server.api(&token, "GET", &path, None).await;
    assert_eq!(read.api_json(), user);
    let etag = read.header("etag").to_owned();
    assert_eq!(etag, answer.header("etag"));

    let change = json!({ "groups": ["staff", "sales"], "claims": { "given_name": null, "n": 1 } });
    let changed = patched(&server, &token, (id, &etag), change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.api_json()["groups"], json!(["staff", "sales"]));
    assert_eq!(changed.api_json()["claims"], json!({ "n": 1 }));
    assert_eq!(changed.api_json()["email"], "dora@example.com");
    assert_ne!(changed.header("etag"), etag);

    let stale = patched(&server, &token, (id, &etag), json!({ "groups": [] })).await;
    assert_eq!(stale.problem(), (412, "precondition_failed".to_owned()));
    let etag = changed.header("etag").to_owned();
    let if_match = [("if-match", etag.as_str())];
    // What a GET returns can be PUT as it is.
    let same = changed.api_json();
    let put = server
        .api_with(&token, "PUT", &path, Some(&same), &if_match)
        .await;
    assert_eq!((put.status, put.header("etag")), (200, etag.as_str()));
    let short = json!({ "username": "dora" });
    let put = server
        .api_with(&token, "PUT", &path, Some(&short), &if_match)
        .await;
    assert_eq!(put.api_json()["groups"], json!([]), "PUT replaces");
    let etag = put.header("etag").to_owned();

    let gone = server
        .api_with(&token, "DELETE", &path, None, &[("if-match", &etag)])
        .await;
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    let read = server.api(&token, "GET", &path, None).await;
    assert_eq!(read.problem(), (404, "not_found".to_owned()));
    let kinds: Vec<_> = server
        .take_events()
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    for kind in [
        EventKind::UserAdded,
        EventKind::UserChanged,
        EventKind::UserDeleted,
    ] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}

#[tokio::test]
async fn a_change_names_the_version_that_it_replaces() {
    let server = server().await;
    let token = machine(&server).await;
    let (id, _) = made(&server, &token, dora()).await;
    let path = format!("/users/{id}");
    for (method, body) in [
        ("PATCH", Some(json!({}))),
        ("PUT", Some(dora())),
        ("DELETE", None),
    ] {
        let answer = server.api(&token, method, &path, body.as_ref()).await;
        assert_eq!(answer.problem(), (428, "precondition_required".to_owned()));
        let any = [("if-match", "*")];
        let answer = server
            .api_with(&token, method, &path, body.as_ref(), &any)
            .await;
        assert_eq!(
            answer.problem(),
            (428, "precondition_required".to_owned()),
            "{method}"
        );
        let other = [("if-match", "\"00\"")];
        let answer = server
            .api_with(&token, method, &path, body.as_ref(), &other)
            .await;
        assert_eq!(answer.problem(), (412, "precondition_failed".to_owned()));
    }
}

#[tokio::test]
async fn what_the_file_declares_is_changed_there() {
    let server = server().await;
    let token = machine(&server).await;
    let path = format!("/users/{}", user_id("alice"));
    let alice = server.api(&token, "GET", &path, None).await;
    let etag = alice.header("etag").to_owned();
    let declared = &alice.api_json()["declared"];
    for member in [
        "username",
        "enabled",
        "password",
        "email",
        "groups",
        "claims/given_name",
    ] {
        assert!(
            declared
                .as_array()
                .expect("a list")
                .contains(&json!(member)),
            "{declared}"
        );
    }
    let id = user_id("alice").to_string();
    for (change, pointer) in [
        (json!({ "username": "alicia" }), "/username"),
        (json!({ "enabled": false }), "/enabled"),
        (json!({ "password": "another-password" }), "/password"),
        (json!({ "email": "other@example.com" }), "/email"),
        (json!({ "groups": [] }), "/groups"),
        (
            json!({ "claims": { "given_name": "A" } }),
            "/claims/given_name",
        ),
    ] {
        let answer = patched(&server, &token, (&id, &etag), change).await;
        assert_eq!(answer.problem(), (409, "declared".to_owned()));
        assert_eq!(answer.pointers(), [pointer]);
    }
    // The rest is free, as for the commands.
    let other = patched(
        &server,
        &token,
        (&id, &etag),
        json!({ "claims": { "n": 1 } }),
    )
    .await;
    assert_eq!(other.status, 200, "{other:?}");
    let etag = other.header("etag").to_owned();
    let gone = server
        .api_with(&token, "DELETE", &path, None, &[("if-match", &etag)])
        .await;
    assert_eq!(gone.problem(), (409, "declared".to_owned()));
}

#[tokio::test]
async fn a_name_or_an_address_that_someone_has_is_taken() {
    let server = server().await;
    let token = machine(&server).await;
    let (id, etag) = made(&server, &token, dora()).await;
    for (user, pointer) in [
        (json!({ "username": "ALICE" }), "/username"),
        (
            json!({ "username": "eve", "email": "Alice@example.com" }),
            "/email",
        ),
        (
            json!({ "username": "eve", "email": "dora@example.com" }),
            "/email",
        ),
    ] {
        let answer = server.api(&token, "POST", "/users", Some(&user)).await;
        assert_eq!(answer.problem(), (409, "taken".to_owned()), "{user}");
        assert_eq!(answer.pointers(), [pointer]);
        let answer = patched(&server, &token, (&id, &etag), user.clone()).await;
        let own = user["email"] == "dora@example.com";
        assert_eq!(answer.status == 200, own, "{answer:?}");
    }
}

#[tokio::test]
async fn the_name_of_a_declared_user_who_is_disabled_is_taken_too() {
    let server = super::server_with(|realm| {
        realm.declared_users = std::sync::Arc::new(["ghost".to_owned()].into());
    })
    .await;
    let token = machine(&server).await;
    let ghost = json!({ "username": "Ghost" });
    let answer = server.api(&token, "POST", "/users", Some(&ghost)).await;
    assert_eq!(answer.problem(), (409, "taken".to_owned()));
    let (id, etag) = made(&server, &token, dora()).await;
    let answer = patched(&server, &token, (&id, &etag), ghost).await;
    assert_eq!(answer.problem(), (409, "taken".to_owned()));
}

#[tokio::test]
async fn disabling_and_a_new_password_cut_off_and_other_changes_do_not() {
    let server = server().await;
    let token = machine(&server).await;
    let (id, etag) = made(&server, &token, dora()).await;
    let mut browser = server.signed_in("dora").await;
    let is_signed_in = async |browser: &mut grantor_testkit::server::Browser<'_>| {
        browser
            .get("/account")
            .await
            .body
            .contains("/account/everywhere")
    };
    let other = patched(
        &server,
        &token,
        (&id, &etag),
        json!({ "groups": ["sales"] }),
    )
    .await;
    assert!(is_signed_in(&mut browser).await);
    let etag = other.header("etag").to_owned();
    let password = json!({ "password": "a-new-password" });
    let other = patched(&server, &token, (&id, &etag), password).await;
    assert_eq!(other.status, 200, "{other:?}");
    assert!(!is_signed_in(&mut browser).await);
    let mut browser = server.browser();
    browser.sign_in("dora", "a-new-password").await;
    assert!(is_signed_in(&mut browser).await);
    let etag = other.header("etag").to_owned();
    let etag = match patched(&server, &token, (&id, &etag), json!({ "enabled": false })).await {
        answer if answer.status == 200 => answer.header("etag").to_owned(),
        answer => panic!("{answer:?}"),
    };
    assert!(!is_signed_in(&mut browser).await);
    patched(&server, &token, (&id, &etag), json!({ "enabled": true })).await;
    assert!(!is_signed_in(&mut browser).await, "what ended stays so");
}

#[tokio::test]
async fn a_renamed_user_signs_in_by_the_new_name_alone() {
    let server = server().await;
    let token = machine(&server).await;
    let (id, etag) = made(&server, &token, dora()).await;
    let change = json!({ "username": "dorothea", "email": null });
    let answer = patched(&server, &token, (&id, &etag), change).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.api_json()["id"], id.as_str());
    let signs_in = async |name: &str| {
        let mut browser = server.browser();
        browser.sign_in(name, "dora-password").await;
        browser
            .get("/account")
            .await
            .body
            .contains("/account/everywhere")
    };
    assert!(signs_in("dorothea").await);
    assert!(!signs_in("dora").await && !signs_in("dora@example.com").await);
}

#[tokio::test]
async fn sessions_and_grants_of_a_user_are_listed_and_ended() {
    let server = server().await;
    let token = machine(&server).await;
    let mut browser = server.signed_in("alice").await;
    let tokens = server.device_tokens("tv", "alice").await;
    let id = user_id("alice").to_string();
    let listed = async |kind: &str| {
        let answer = server
            .api(&token, "GET", &format!("/users/{id}/{kind}"), None)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.api_json();
        assert_eq!(page["next"], Value::Null);
        page["items"].as_array().expect("a list").clone()
    };
    let sessions = listed("sessions").await;
    assert_eq!(sessions.len(), 2, "that of the approval, too: {sessions:?}");
    let first = sessions.last().expect("one");
    assert_eq!(
        first["started"]["address"],
        grantor_testkit::BROWSER_ADDRESS
    );
    assert!(first["used"].as_str().expect("a time").ends_with('Z'));
    let grants = listed("grants").await;
    assert_eq!(grants.len(), 1, "{grants:?}");
    assert_eq!(grants[0]["client_id"], "tv");
    assert_eq!(grants[0]["kind"], "device_code");

    for session in &sessions {
        let session = session["id"].as_str().expect("an id");
        // Another user has no such session.
        let others = format!("/users/{}/sessions/{session}", user_id("bob"));
        assert_eq!(
            server.api(&token, "DELETE", &others, None).await.status,
            404
        );
        let path = format!("/users/{id}/sessions/{session}");
        assert_eq!(server.api(&token, "DELETE", &path, None).await.status, 204);
        let again = server.api(&token, "DELETE", &path, None).await;
        assert_eq!(again.problem(), (404, "not_found".to_owned()));
    }
    assert!(
        !browser
            .get("/account")
            .await
            .body
            .contains("/account/everywhere")
    );
    assert!(listed("sessions").await.is_empty());
    let grant = grants[0]["id"].as_str().expect("an id");
    let path = format!("/users/{id}/grants/{grant}");
    assert_eq!(server.api(&token, "DELETE", &path, None).await.status, 204);
    assert!(listed("grants").await.is_empty());
    let refreshed = server.refresh("tv", &tokens.member("refresh_token")).await;
    assert_eq!(refreshed.status, 400, "{refreshed:?}");
    let kinds: Vec<_> = server
        .take_events()
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    assert!(
        kinds.contains(&EventKind::SessionEndedByAdministrator),
        "{kinds:?}"
    );
    assert!(
        kinds.contains(&EventKind::GrantRevokedByAdministrator),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_grant_ends_in_the_list_with_the_session_that_it_needs() {
    let server = server().await;
    let token = machine(&server).await;
    let request = grantor_testkit::AuthorizationRequest::new(grantor_testkit::PORTAL);
    server.app_tokens(&request).await;
    let id = user_id("alice").to_string();
    let count = async |kind: &str| {
        let answer = server
            .api(&token, "GET", &format!("/users/{id}/{kind}"), None)
            .await;
        answer.api_json()["items"].as_array().expect("a list").len()
    };
    assert_eq!((count("sessions").await, count("grants").await), (1, 1));
    let sessions = server
        .api(&token, "GET", &format!("/users/{id}/sessions"), None)
        .await;
    let session = sessions.api_json()["items"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/users/{id}/sessions/{session}");
    assert_eq!(server.api(&token, "DELETE", &path, None).await.status, 204);
    assert_eq!((count("sessions").await, count("grants").await), (0, 0));
}

#[tokio::test]
async fn a_problem_names_its_members() {
    let server = server().await;
    let token = machine(&server).await;
    let bad = json!({ "username": "", "email": "x", "groups": "staff" });
    let answer = server.api(&token, "POST", "/users", Some(&bad)).await;
    assert_eq!(answer.problem(), (422, "invalid".to_owned()));
    assert_eq!(answer.pointers(), ["/groups", "/username"]);
    let kind = answer.api_json()["type"].clone();
    assert_eq!(kind, format!("{ISSUER}/errors/invalid"));
    let path = kind
        .as_str()
        .and_then(|kind| kind.strip_prefix(ISSUER))
        .expect("ours");
    let words = server.get(path).await;
    assert_eq!(words.status, 200, "{words:?}");
    assert!(
        words
            .body
            .starts_with("invalid: A check refuses the object (HTTP 422)."),
        "{words:?}"
    );
    assert_eq!(server.get("/errors/nonsense").await.status, 404);
}
