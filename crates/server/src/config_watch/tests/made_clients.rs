use super::*;

#[tokio::test]
async fn a_client_is_made_used_changed_and_deleted() {
    let node = node(ORDERS).await;
    let made = node.post("/clients", machine()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, secret) = (made.text("id"), made.text("secret"));
    assert!(id.starts_with("client-") && secret.starts_with("grantor_cs_"));
    assert_eq!(
        made.location.as_deref(),
        Some(&*format!("/api/v1/clients/{id}"))
    );
    assert_eq!(made.body["confidential"], true, "its grant needs a secret");
    let (status, token) = node.token(id, secret, "").await;
    assert_eq!((status, &token["scope"]), (200, &json!("orders/read")));
    assert_eq!(node.token(id, "grantor_cs_wrong", "").await.0, 401);

    let path = format!("/clients/{id}");
    let read = node.get(&path).await;
    assert_eq!((read.status, read.text("name")), (200, "Nightly"));
    assert_eq!(read.etag, made.etag);
    assert!(
        read.body.get("secret").is_none(),
        "shown once: {}",
        read.body
    );

    let disabled = node
        .patch(&path, json!({ "enabled": false }), read.etag())
        .await;
    assert_eq!(disabled.status, 200, "{}", disabled.body);
    assert!(disabled.body["effective_at"].is_string());
    assert_eq!(node.token(id, secret, "").await.0, 401, "at once");
    let stale = node
        .patch(&path, json!({ "enabled": true }), read.etag())
        .await;
    assert_eq!(stale.status, 412);

    assert_eq!(node.delete(&path, disabled.etag()).await.status, 204);
    assert_eq!(node.get(&path).await.status, 404);
    assert_eq!(node.token(id, secret, "").await.0, 401);
}

#[tokio::test]
async fn the_checks_of_the_file_answer_with_pointers() {
    let node = node(ORDERS).await;
    for (body, pointer, part) in [
        (
            json!({ "grants": ["client_credential"] }),
            "/grants/0",
            "did you mean",
        ),
        (
            json!({ "grants": ["authorization_code"] }),
            "/grants/0",
            "needs redirect_uris",
        ),
        (
            json!({ "scopes": ["orders/write"] }),
            "/scopes/0",
            "unknown scope",
        ),
        (json!({ "nmae": "x" }), "/nmae", "did you mean \"name\""),
        (json!({ "name": null }), "/name", "null is no value"),
        (
            json!({ "name": 7 }),
            "/name",
            "expected a string, found a number",
        ),
        (
            json!({ "secret": "hunter2" }),
            "/secret",
            "draws the secrets",
        ),
        (
            json!({ "secret_file": "/etc/passwd" }),
            "/secret_file",
            "draws the secrets",
        ),
        (
            json!({ "secret_env": "HOME" }),
            "/secret_env",
            "draws the secrets",
        ),
        (
            json!({ "confidential": "yes" }),
            "/confidential",
            "expected true or false",
        ),
        (
            json!({ "access_lifetime": "1d" }),
            "/access_lifetime",
            "longer than any",
        ),
        (
            json!({ "refresh_absolute": "900d" }),
            "/refresh_absolute",
            "longer than any",
        ),
        (
            json!({ "id": "2a9438ea-f136-83e9-8957-b2c334e75e01" }),
            "/id",
            "is a UUID",
        ),
        (json!({ "id": ".." }), "/id", "no name in a path"),
        (
            json!({ "organization": "acme" }),
            "/organization",
            "unknown organization",
        ),
        (
            json!({ "availability": "owner" }),
            "/availability",
            "that a user made",
        ),
        (
            json!({ "scopes": ["grantor/clients:write"] }),
            "/scopes/0",
            "configuration file",
        ),
        (json!({ "may_act": "nobody" }), "/may_act", "unknown client"),
    ] {
        let refused = node.post("/clients", body.clone()).await;
        assert_eq!(
            (refused.status, refused.text("code")),
            (422, "invalid"),
            "{body}"
        );
        assert_eq!(refused.pointers(), [pointer], "{}", refused.body);
        let detail = refused.body["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{body}: {detail}");
        assert!(!detail.contains("hunter2") && !detail.contains("root:"));
    }
    let all = node.get("/clients").await;
    assert_eq!(all.body["items"], json!([]), "nothing was made");
}

#[tokio::test]
async fn two_secrets_live_at_a_time_so_that_one_is_replaced_without_a_gap() {
    let node = node(ORDERS).await;
    let made = node.post("/clients", machine()).await;
    let (id, first) = (made.text("id"), made.text("secret"));
    let secrets = format!("/clients/{id}/secrets");
    let second = node.post(&secrets, json!({})).await;
    assert_eq!(second.status, 201, "{}", second.body);
    let third = node.post(&secrets, json!({})).await;
    assert_eq!((third.status, third.text("code")), (409, "limit"));
    for secret in [first, second.text("secret")] {
        assert_eq!(node.token(id, secret, "").await.0, 200);
    }
    let listed = node.get(&secrets).await;
    let items = listed.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(
        !listed.body.to_string().contains("grantor_cs_"),
        "{}",
        listed.body
    );
    let first_id = made.text("secret_id");
    let deleted = node.delete(&format!("{secrets}/{first_id}"), "").await;
    assert_eq!(deleted.status, 204);
    assert_eq!(node.token(id, first, "").await.0, 401);
    assert_eq!(node.token(id, second.text("secret"), "").await.0, 200);
    assert_eq!(
        node.delete(&format!("{secrets}/{first_id}"), "")
            .await
            .status,
        404
    );

    let past = node
        .post(&secrets, json!({ "expires_at": "2020-01-01T00:00:00Z" }))
        .await;
    assert_eq!((past.status, past.pointers()[0]), (422, "/expires_at"));
    let expiring = json!({ "expires_at": "2100-01-01T00:00:00Z" });
    let expiring = node.post(&secrets, expiring).await;
    assert_eq!(expiring.text("expires_at"), "2100-01-01T00:00:00.000Z");
}

#[tokio::test]
async fn clients_of_the_file_are_listed_and_changed_only_there() {
    let tables = format!(
        "{ORDERS}[[client]]\nid = \"tv\"\nname = \"TV\"\ngrants = [\"device_code\"]\n\
                          [[client]]\nid = \"api\"\nsecret = \"a secret of forty characters, drawn so..\"\n"
    );
    let node = node(&tables).await;
    let made = node.post("/clients", machine()).await;
    let read = node.get("/clients/tv").await;
    let expected = json!({ "id": "tv", "name": "TV", "grants": ["device_code"], "declared": true, "confidential": false });
    assert_eq!(read.body, expected);
    let api = node.get("/clients/api").await;
    assert_eq!(api.body["confidential"], true);
    assert!(!api.body.to_string().contains("forty"), "{}", api.body);
    for (status, code) in [
        {
            let changed = node
                .patch("/clients/tv", json!({ "name": "X" }), read.etag())
                .await;
            (changed.status, changed.text("code").to_owned())
        },
        {
            let deleted = node.delete("/clients/tv", read.etag()).await;
            (deleted.status, deleted.text("code").to_owned())
        },
        {
            let secret = node.post("/clients/tv/secrets", json!({})).await;
            (secret.status, secret.text("code").to_owned())
        },
    ] {
        assert_eq!((status, &*code), (409, "declared"));
    }
    let taken = node.post("/clients", json!({ "id": "tv" })).await;
    assert_eq!((taken.status, taken.text("code")), (409, "taken"));

    let mut seen = Vec::new();
    let mut path = "/clients?limit=1".to_owned();
    loop {
        let page = node.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let items = page.body["items"].as_array().unwrap().iter();
        seen.extend(items.map(|item| item["id"].as_str().unwrap().to_owned()));
        match page.body["next"].as_str() {
            Some(next) => path = format!("/clients?limit=1&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["api", "tv", made.text("id")]);
}

#[tokio::test]
async fn a_chosen_id_is_known_at_once_and_inherits_nothing_when_it_is_made_again() {
    let node = node(ORDERS).await;
    let nightly = || {
        let mut body = machine();
        body["id"] = json!("nightly");
        body
    };
    let first = node.post("/clients", nightly()).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(node.token("nightly", first.text("secret"), "").await.0, 200);
    assert_eq!(node.post("/clients", nightly()).await.text("code"), "taken");
    let instance = async || {
        let id = "nightly".parse().unwrap();
        let key = grantor_core::records::ManagedClient::key(POOL, &id);
        let rows = node.watch.store.get(&[key]).await.unwrap();
        let row = rows.into_iter().next().flatten().unwrap();
        grantor_core::manage::resolve::read(&row).unwrap().instance
    };
    let before = instance().await;
    assert_eq!(
        node.delete("/clients/nightly", first.etag()).await.status,
        204
    );
    let second = node.post("/clients", nightly()).await;
    assert_eq!(second.status, 201, "{}", second.body);
    assert_ne!(instance().await, before);
    assert_eq!(node.token("nightly", first.text("secret"), "").await.0, 401);
    assert_eq!(
        node.token("nightly", second.text("secret"), "").await.0,
        200
    );
}

#[tokio::test]
async fn a_repeated_request_makes_one_client_and_shows_its_secret_again() {
    let node = node(ORDERS).await;
    let post = || {
        let request = Request::post("/api/v1/clients")
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", "once");
        node.send(request.body(Body::from(machine().to_string())).unwrap())
    };
    let (first, again) = (post().await, post().await);
    assert_eq!((first.status, again.status), (201, 201), "{}", again.body);
    assert_eq!(first.body, again.body);
    let all = node.get("/clients").await;
    assert_eq!(all.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_algorithm_that_is_new_gets_its_key_with_the_client_that_names_it() {
    let node = node(ORDERS).await;
    let body = json!({ "grants": ["device_code"], "scopes": ["openid"], "id_token_alg": "EdDSA", "id": "tv" });
    let realm = || node.installation.app.realm();
    let has_key = || {
        realm()
            .header(grantor_jose::Algorithm::EdDsa, grantor_jose::TokenType::Id)
            .is_ok()
    };
    assert!(!has_key());
    let made = node.post("/clients", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(has_key());
}

#[tokio::test]
async fn the_list_of_secrets_says_when_each_was_last_used() {
    let node = node(ORDERS).await;
    let app = &node.installation.app;
    let mut body = machine();
    body["id"] = json!("nightly");
    let made = node.post("/clients", body.clone()).await;
    let path = "/clients/nightly/secrets";
    let second = node.post(path, json!({})).await;
    let secret = second.text("secret");
    assert_eq!(node.token("nightly", secret, "").await.0, 200);
    assert_eq!(node.token("nightly", "grantor_cs_wrong", "").await.0, 401);
    secret_uses::write(app).await;
    let version = node.get("/clients/nightly").await.etag;
    let listed = node.get(path).await;
    let of = |id: &str| {
        let mut items = listed.body["items"].as_array().unwrap().iter();
        let item = items.find(|item| item["id"] == id).unwrap();
        item.get("last_used").cloned()
    };
    let [first, second] = [made.text("secret_id"), second.text("id")].map(of);
    assert_eq!(first, None);
    let now = SystemClock.now().rfc3339();
    assert!(second.is_some_and(|at| at.as_str().unwrap() <= &*now));

    assert_eq!(node.token("nightly", secret, "").await.0, 200);
    secret_uses::write(app).await;
    let read = node.get("/clients/nightly").await;
    assert_eq!(read.etag, version, "a use is no change of the client");
    assert_eq!(
        node.delete("/clients/nightly", read.etag()).await.status,
        204
    );
    assert_eq!(node.post("/clients", body).await.status, 201);
    let again = node.get(path).await;
    assert!(
        again.body["items"][0].get("last_used").is_none(),
        "{}",
        again.body
    );
}
