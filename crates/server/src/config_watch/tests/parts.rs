use super::*;

#[tokio::test]
async fn a_resource_a_scope_and_a_rule_are_made_used_changed_and_deleted() {
    let node = node(
        "[[client]]\nid = \"orders\"\nsecret = \"orders' secret of 40 characters, drawn so\"\n\
                     grants = [\"token_exchange\"]\n",
    )
    .await;
    let resource = json!({ "identifier": "ship", "uri": "https://ship.example.com", "scopes": { "read": "Read", "write": "Write" } });
    let made = node.post("/resources", resource.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.location.as_deref(), Some("/api/v1/resources/ship"));
    let scope = json!({ "name": "fleet", "text": "The fleet", "resource": "ship" });
    assert_eq!(node.post("/scopes", scope).await.status, 201);
    let rule = json!({ "name": "r", "client": "orders", "audience": "ship", "scopes": { "ship/read": ["ship/read"] } });
    let rule = node.post("/exchange-rules", rule).await;
    assert_eq!(rule.status, 201, "{}", rule.body);

    let client = json!({ "grants": ["client_credentials"], "scopes": ["ship/read", "fleet"] });
    let client = node.post("/clients", client).await;
    let (id, secret) = (client.text("id"), client.text("secret"));
    let (status, token) = node.token(id, secret, "ship/read fleet").await;
    assert_eq!(
        (status, &token["scope"]),
        (200, &json!("fleet ship/read")),
        "{token}"
    );

    let read = node.get("/resources/ship").await;
    assert_eq!(read.etag, made.etag);
    let in_use = node.delete("/resources/ship", read.etag()).await;
    assert_eq!(
        (in_use.status, in_use.text("code")),
        (409, "in_use"),
        "{}",
        in_use.body
    );
    let without_write = json!({ "scopes": { "write": null } });
    let changed = node
        .patch("/resources/ship", without_write, read.etag())
        .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.body["scopes"], json!({ "read": "Read" }));
    assert!(changed.body["effective_at"].is_string());
    assert_eq!(
        changed.body["changed"]["by"]
            .as_str()
            .unwrap()
            .split(':')
            .next(),
        Some("operator")
    );

    let rule = node.get("/exchange-rules/r").await;
    assert_eq!(
        node.delete("/exchange-rules/r", rule.etag()).await.status,
        204
    );
    let fleet = node.get("/scopes/fleet").await;
    assert_eq!(node.delete("/scopes/fleet", fleet.etag()).await.status, 204);
    assert_eq!(
        node.delete("/resources/ship", changed.etag()).await.status,
        204
    );
    let (status, answer) = node.token(id, secret, "ship/read").await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("invalid_scope")),
        "what is gone is given no more"
    );
    assert_eq!(node.get("/resources/ship").await.status, 404);
}

#[tokio::test]
async fn what_the_file_declares_wins_and_is_read_only() {
    let shared = Shared::new();
    let node = shared.node(ORDERS).await;
    let read = node.get("/resources/orders").await;
    assert_eq!(
        read.body,
        json!({ "identifier": "orders", "scopes": { "read": "Read orders" }, "declared": true })
    );
    let changed = node
        .patch("/resources/orders", json!({ "alg": "RS256" }), read.etag())
        .await;
    assert_eq!((changed.status, changed.text("code")), (409, "declared"));
    let taken = node
        .post("/resources", json!({ "identifier": "orders" }))
        .await;
    assert_eq!((taken.status, taken.text("code")), (409, "taken"));
    let later = json!({ "identifier": "later", "scopes": { "managed": "Managed" } });
    assert_eq!(node.post("/resources", later).await.status, 201);

    let declared = "[[resource]]\nidentifier = \"later\"\nscopes = { declared = \"Declared\" }\n";
    let restarted = shared.node(&format!("{ORDERS}{declared}")).await;
    let read = restarted.get("/resources/later").await;
    assert_eq!(read.body["scopes"], json!({ "declared": "Declared" }));
    let again = shared.node(ORDERS).await;
    let read = again.get("/resources/later").await;
    assert_eq!(
        read.body["scopes"],
        json!({ "managed": "Managed" }),
        "it was kept"
    );
}

#[tokio::test]
async fn what_no_longer_goes_together_with_the_file_is_left_out_and_the_rest_is_served() {
    let shared = Shared::new();
    let node = shared.node("").await;
    for (identifier, uri) in [
        ("one", "https://one.example.com"),
        ("two", "https://two.example.com"),
    ] {
        let resource =
            json!({ "identifier": identifier, "uri": uri, "scopes": { "read": "Read" } });
        assert_eq!(node.post("/resources", resource).await.status, 201);
    }
    let conflicting = "[[resource]]\nidentifier = \"three\"\nuri = \"https://one.example.com\"\n";
    let restarted = shared.node(conflicting).await;
    let realm = restarted.installation.app.realm();
    let has = |identifier: &str| realm.resource(identifier).is_some();
    assert!(has("three") && has("two") && !has("one"));
}

#[tokio::test]
async fn checks_and_reserved_names_answer_with_pointers() {
    let node = node("").await;
    for (path, body, pointer) in [
        (
            "/resources",
            json!({ "identifier": "grantor" }),
            "/identifier",
        ),
        ("/resources", json!({ "identifier": "openid" }), ""),
        ("/resources", json!({ "scopes": {} }), "/identifier"),
        (
            "/resources",
            json!({ "identifier": "a", "alg": "HS256" }),
            "/alg",
        ),
        (
            "/resources",
            json!({ "identifier": "a", "lifetime": "0s" }),
            "/lifetime",
        ),
        ("/scopes", json!({ "name": "openid", "text": "x" }), "/name"),
        (
            "/scopes",
            json!({ "name": "grantor", "text": "x" }),
            "/name",
        ),
        (
            "/scopes",
            json!({ "name": "a", "text": "x", "gives": ["grantor/clients:own"] }),
            "/gives",
        ),
        (
            "/scopes",
            json!({ "name": "a", "text": "x", "resource": "nothing" }),
            "/resource",
        ),
        (
            "/exchange-rules",
            json!({ "name": "r", "client": "nobody", "audience": "x" }),
            "/audience",
        ),
        (
            "/exchange-rules",
            json!({ "name": "r", "client": "tv", "audience": "grantor" }),
            "/audience",
        ),
    ] {
        let refused = node.post(path, body.clone()).await;
        if pointer.is_empty() {
            continue;
        }
        assert_eq!(refused.status, 422, "{body} {}", refused.body);
        assert!(
            refused.pointers().contains(&pointer),
            "{body} {}",
            refused.body
        );
    }
}

#[tokio::test]
async fn a_change_must_name_the_version_that_it_replaces() {
    let node = node("").await;
    let resource = json!({ "identifier": "a", "scopes": { "read": "Read" } });
    let made = node.post("/resources", resource).await;
    for (etag, status) in [("", 428), ("*", 428), ("\"other\"", 412), ("x", 400)] {
        let changed = node
            .patch("/resources/a", json!({ "alg": "RS256" }), etag)
            .await;
        assert_eq!(changed.status, status, "{etag}");
        assert_eq!(
            node.delete("/resources/a", etag).await.status,
            status,
            "{etag}"
        );
    }
    assert_eq!(
        node.patch("/resources/a", json!({ "alg": "RS256" }), made.etag())
            .await
            .status,
        200
    );
}
