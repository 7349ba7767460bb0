use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn of_64_changes_of_one_object_with_one_version_one_wins() {
    let node = node(ORDERS).await;
    let made = node.post("/clients", machine()).await;
    let path = format!("/clients/{}", made.text("id"));
    let changes = (0..64).map(|n| {
        let body = json!({ "name": format!("Name {n}") });
        node.patch(&path, body, made.etag())
    });
    let answers = join_all(changes).await;
    let won: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
    assert_eq!(won.len(), 1);
    assert!(answers.iter().all(|it| matches!(it.status, 200 | 412)));
    assert_eq!(node.get(&path).await.text("name"), won[0].text("name"));
}

#[tokio::test]
async fn of_64_changes_of_64_parts_none_is_lost() {
    let node = node("").await;
    let made = (0..64).map(|n| {
        let body = json!({ "identifier": format!("api-{n:02}"), "scopes": { "read": "Read" } });
        node.post("/resources", body)
    });
    assert!(join_all(made).await.iter().all(|it| it.status == 201));
    let all = node.get("/resources").await;
    assert_eq!(all.body["items"].as_array().unwrap().len(), 64);
    let changes = all.body["items"].as_array().unwrap().iter().map(|item| {
        let path = format!("/resources/{}", item["identifier"].as_str().unwrap());
        let node = &node;
        async move {
            let read = node.get(&path).await;
            node.patch(&path, json!({ "alg": "RS256" }), read.etag())
                .await
        }
    });
    assert!(join_all(changes).await.iter().all(|it| it.status == 200));
    let all = node.get("/resources").await;
    let items = all.body["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["alg"] == "RS256"));
}

#[tokio::test]
async fn changes_of_parts_by_two_servers_lose_nothing() {
    let shared = Shared::new();
    let nodes = [shared.node("").await, shared.node("").await];
    let made = (0..16).map(|n| {
        let body = json!({ "identifier": format!("api-{n:02}"), "scopes": { "read": "Read" } });
        nodes[n % 2].post("/resources", body)
    });
    let answers = join_all(made).await;
    assert!(
        answers.iter().all(|it| it.status == 201),
        "{:?}",
        answers.iter().map(|it| it.status).collect::<Vec<_>>()
    );
    let all = nodes[0].get("/resources").await;
    assert_eq!(all.body["items"].as_array().unwrap().len(), 16);
}
