//! What is deleted and made again under its name inherits nothing.

use super::*;

/// Until the clock of the records, milliseconds, shows another time.
fn next_moment() {
    let now = SystemClock.now();
    while SystemClock.now() == now {
        std::hint::spin_loop();
    }
}

async fn delete(node: &Node, path: &str) {
    let read = node.get(path).await;
    assert_eq!(node.delete(path, read.etag()).await.status, 204);
    next_moment();
}

#[tokio::test]
async fn a_machine_is_given_a_limited_scope_again_once_it_is_another_scope() {
    let node = node(ORDERS).await;
    let analysis = json!({
        "name": "analysis", "text": "Analyse", "resource": "orders", "groups": ["analysts"], "machines": true,
    });
    assert_eq!(node.post("/scopes", analysis.clone()).await.status, 201);
    let mut client = machine();
    client["scopes"] = json!(["orders/read", "analysis"]);
    let made = node.post("/clients", client).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, secret) = (made.text("id"), made.text("secret"));
    let (_, token) = node.token(id, secret, "").await;
    assert_eq!(token["scope"], "analysis orders/read");

    next_moment();
    delete(&node, "/scopes/analysis").await;
    let again = node.post("/scopes", analysis).await;
    assert_eq!(again.status, 201, "{}", again.body);
    let (_, token) = node.token(id, secret, "").await;
    assert_eq!(token["scope"], "orders/read", "{token}");

    // Disabling is less than giving.
    let path = format!("/clients/{id}");
    for enabled in [false, true] {
        next_moment();
        let read = node.get(&path).await;
        let change = json!({ "enabled": enabled });
        let changed = node.patch(&path, change, read.etag()).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        if !enabled {
            continue;
        }
        let (_, token) = node.token(id, secret, "").await;
        assert_eq!(
            token["scope"], "analysis orders/read",
            "who enables it gives it"
        );
    }
}

#[tokio::test]
async fn a_part_that_is_changed_keeps_its_scopes_and_dates_new_ones() {
    let node = node("").await;
    let scopes = json!({ "read": "Read", "write": "Write" });
    let made = node
        .post(
            "/resources",
            json!({ "identifier": "orders", "scopes": scopes }),
        )
        .await;
    let since = |node: &Node, token: &str| {
        let realm = node.installation.app.realm();
        realm.managed.scopes_since.get(token).copied()
    };
    let [read, write] = ["orders/read", "orders/write"].map(|token| since(&node, token));
    assert!(read.is_some() && read == write);
    next_moment();
    let without = node
        .patch(
            "/resources/orders",
            json!({ "scopes": { "write": null } }),
            made.etag(),
        )
        .await;
    assert_eq!(without.status, 200, "{}", without.body);
    assert_eq!(
        (since(&node, "orders/read"), since(&node, "orders/write")),
        (read, None)
    );
    next_moment();
    node.patch(
        "/resources/orders",
        json!({ "scopes": { "write": "Write" } }),
        without.etag(),
    )
    .await;
    assert_eq!(since(&node, "orders/read"), read);
    assert!(since(&node, "orders/write") > write);
}

#[tokio::test]
async fn the_id_of_a_deleted_organization_is_not_used_again() {
    let node = node(ORDERS).await;
    node.post("/organizations", json!({ "id": "acme" })).await;
    let mut client = machine();
    client["organization"] = json!("acme");
    let client = node.post("/clients", client).await;
    delete(&node, "/organizations/acme").await;
    assert_eq!(node.get("/organizations/acme").await.status, 404);
    let listed = node.get("/organizations").await;
    assert_eq!(listed.body["items"], json!([]));
    let again = node.post("/organizations", json!({ "id": "acme" })).await;
    assert_eq!((again.status, again.text("code")), (409, "taken"));
    let (status, _) = node
        .token(client.text("id"), client.text("secret"), "")
        .await;
    assert_eq!(status, 401);
}
