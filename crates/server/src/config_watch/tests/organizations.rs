use super::*;

#[tokio::test]
async fn clients_of_a_disabled_or_deleted_organization_are_as_disabled() {
    let node = node(ORDERS).await;
    let made = node
        .post("/organizations", json!({ "id": "acme", "name": "Acme" }))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let mut client = machine();
    client["organization"] = json!("acme");
    let client = node.post("/clients", client).await;
    assert_eq!(client.status, 201, "{}", client.body);
    let (id, secret) = (client.text("id"), client.text("secret"));
    assert_eq!(node.token(id, secret, "").await.0, 200);
    let disabled = node
        .patch(
            "/organizations/acme",
            json!({ "enabled": false }),
            made.etag(),
        )
        .await;
    assert_eq!(disabled.status, 200, "{}", disabled.body);
    assert_eq!(node.token(id, secret, "").await.0, 401);
    let enabled = node
        .patch(
            "/organizations/acme",
            json!({ "enabled": true }),
            disabled.etag(),
        )
        .await;
    assert_eq!(node.token(id, secret, "").await.0, 200);
    assert_eq!(
        node.delete("/organizations/acme", enabled.etag())
            .await
            .status,
        204
    );
    assert_eq!(node.token(id, secret, "").await.0, 401);
}

#[tokio::test]
async fn organizations_are_listed_with_those_of_the_file_which_are_read_only() {
    let node = node("[[organization]]\nid = \"initech\"\nname = \"Initech\"\n").await;
    for id in ["acme", "zeta"] {
        assert_eq!(
            node.post("/organizations", json!({ "id": id }))
                .await
                .status,
            201
        );
    }
    let mut seen = Vec::new();
    let mut path = "/organizations?limit=1".to_owned();
    loop {
        let page = node.get(&path).await;
        let items = page.body["items"].as_array().unwrap().iter();
        seen.extend(items.map(|item| item["id"].as_str().unwrap().to_owned()));
        match page.body["next"].as_str() {
            Some(next) => path = format!("/organizations?limit=1&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["initech", "acme", "zeta"]);
    let read = node.get("/organizations/initech").await;
    let changed = node
        .patch(
            "/organizations/initech",
            json!({ "enabled": false }),
            read.etag(),
        )
        .await;
    assert_eq!((changed.status, changed.text("code")), (409, "declared"));
    for (body, pointer) in [
        (json!({ "id": "a b" }), "/id"),
        (json!({ "name": "x" }), "/id"),
        (json!({ "id": "x", "enabled": 1 }), "/enabled"),
        (json!({ "id": "x", "admin": true }), "/admin"),
    ] {
        let refused = node.post("/organizations", body).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec![pointer]));
    }
    let taken = node
        .post("/organizations", json!({ "id": "initech" }))
        .await;
    assert_eq!((taken.status, taken.text("code")), (409, "taken"));
}
