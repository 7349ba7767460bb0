//! Two servers over one store.

use futures_util::FutureExt as _;

use super::*;

/// Long enough for a machine that is busy; what is said to users is 2 seconds.
const LATEST: Duration = Duration::from_secs(10);

/// Asks until it holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let began = SystemClock.monotonic();
    while !holds().await {
        let waited = SystemClock.monotonic().since(began);
        assert!(waited < LATEST, "it never held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_change_counts_at_once_where_it_is_made_and_within_2_seconds_elsewhere() {
    let shared = Shared::new();
    let one = shared.node(ORDERS).await;
    let other = shared.node(ORDERS).await;
    let made = one.post("/clients", machine()).await;
    let (id, secret) = (made.text("id"), made.text("secret"));
    assert_eq!(one.token(id, secret, "").await.0, 200);
    assert_eq!(
        other.token(id, secret, "").await.0,
        401,
        "the ids of the first change are not known here yet"
    );
    other.watch.look().await.unwrap();
    assert_eq!(other.token(id, secret, "").await.0, 200);

    let path = format!("/clients/{id}");
    let disabled = one
        .patch(&path, json!({ "enabled": false }), made.etag())
        .await;
    assert_eq!(one.token(id, secret, "").await.0, 401);
    until(async || other.token(id, secret, "").await.0 == 401).await;
    // That there is none is not remembered, so what is made again counts at once.
    let enabled = one
        .patch(&path, json!({ "enabled": true }), disabled.etag())
        .await;
    assert_eq!(enabled.status, 200);
    until(async || other.token(id, secret, "").await.0 == 200).await;
}

#[tokio::test]
async fn what_a_server_remembers_of_a_client_is_at_most_2_seconds_old() {
    let shared = Shared::new();
    let one = shared.node(ORDERS).await;
    let made = one.post("/clients", machine()).await;
    let other = shared.node(ORDERS).await;
    let (id, secret) = (made.text("id"), made.text("secret"));
    let began = SystemClock.monotonic();
    assert_eq!(other.token(id, secret, "").await.0, 200);
    one.patch(
        &format!("/clients/{id}"),
        json!({ "enabled": false }),
        made.etag(),
    )
    .await;
    loop {
        let asked = SystemClock.monotonic();
        let (status, _) = other.token(id, secret, "").await;
        if status == 401 {
            break;
        }
        // It asked while it remembered.
        assert!(asked.since(began) <= Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_resource_that_one_server_got_is_served_by_the_other_after_a_look() {
    let shared = Shared::new();
    let (one, other) = (shared.node("").await, shared.node("").await);
    let resource = json!({ "identifier": "ship", "scopes": { "read": "Read" } });
    assert_eq!(one.post("/resources", resource).await.status, 201);
    let has = |node: &Node| node.installation.app.realm().resource("ship").is_some();
    assert!(has(&one) && !has(&other));
    other.watch.look().await.unwrap();
    assert!(has(&other));
}

#[tokio::test]
async fn a_server_that_watches_answers_once_the_change_is_in_use() {
    let shared = Shared::new();
    let node = shared.node("").await;
    let watch = tokio::spawn(shared.node("").await.watch.watch());
    watch.abort();
    let watching = tokio::spawn(node.installation.config_watch().watch());
    // It has begun once it confirmed what is there.
    until(async || node.installation.app.is_config_watched()).await;
    let made = node.send(new_resource("ship")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(
        node.installation.app.realm().resource("ship").is_some(),
        "before its answer"
    );
    watching.abort();
}

fn new_resource(name: &str) -> Request<Body> {
    let request =
        Request::post("/api/v1/resources").header(header::CONTENT_TYPE, "application/json");
    let body = json!({ "identifier": name, "scopes": { "read": "Read" } });
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn a_change_that_was_taken_before_anyone_waits_for_it_is_not_waited_for() {
    let node = node("").await;
    let app = &node.installation.app;
    let look = async {
        app.config_changed().await;
        node.watch.look().await.unwrap();
    };
    let (made, ()) = tokio::join!(node.send(new_resource("ship")), look);
    assert_eq!(made.status, 201, "{}", made.body);
    let waits = app.config_taken().now_or_never();
    assert!(waits.is_some(), "the next look may be a second away");
}

#[tokio::test]
async fn a_restarted_server_knows_what_was_made() {
    let shared = Shared::new();
    let made = {
        let node = shared.node(ORDERS).await;
        let resource = json!({ "identifier": "ship", "scopes": { "read": "Read" } });
        assert_eq!(node.post("/resources", resource).await.status, 201);
        let mut body = machine();
        body["scopes"] = json!(["ship/read"]);
        node.post("/clients", body).await
    };
    let node = shared.node(ORDERS).await;
    let (status, token) = node.token(made.text("id"), made.text("secret"), "").await;
    assert_eq!((status, &token["scope"]), (200, &json!("ship/read")));
}

#[tokio::test]
async fn made_up_ids_cost_no_read() {
    let shared = Shared::new();
    let node = shared.node(ORDERS).await;
    let made = node.post("/clients", machine()).await;
    let managed = node.installation.app.realm().managed.clone();
    let id = made.text("id");
    assert!(managed.may_have(&id.parse().unwrap()));
    for n in 0..10_000_u32 {
        let made_up = format!(
            "client-{:08x}-0000-4000-8000-{n:012x}",
            n.wrapping_mul(2_654_435_761)
        );
        assert!(!managed.may_have(&made_up.parse().unwrap()), "{made_up}");
    }
}
