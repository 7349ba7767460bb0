//! Events and traces: who reads them, what a trace says, and what is not someone's to see.

use grantor_core::model::organization::Organization;
use grantor_testkit::server::{Answer, TOKEN, TestServer};
use grantor_testkit::{api, client};

use super::{server, server_with};

async fn get(server: &TestServer, token: &str, path: &str) -> Answer {
    server.api(token, "GET", path, None).await
}

/// The trace id of a request that was refused.
async fn refused(server: &TestServer, client: &str) -> String {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", "wrong-secret-of-a-client"),
    ];
    let answer = server.post(TOKEN, &form).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    answer.member("trace_id")
}

#[tokio::test]
async fn a_trace_says_what_was_decided_by_which_check_and_what_to_do() {
    let server = server().await;
    let token = server.api_token("root", &["events:read"]).await;
    let trace = refused(&server, "orders").await;
    let answer = get(&server, &token, &format!("/traces/{trace}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.api_json();
    assert_eq!(body["trace_id"], trace.as_str());
    let steps = body["events"].as_array().expect("a list");
    assert_eq!(steps.len(), 1, "{body}");
    let step = &steps[0];
    assert_eq!(
        (&step["outcome"], &step["kind"]),
        (&"refused".into(), &"refused".into())
    );
    assert_eq!(step["check"], "client_authentication");
    assert_eq!(step["why"], "The client secret is wrong.");
    let advice = step["advice"].as_str().expect("words");
    assert!(
        advice.starts_with("Compare the secret in the app"),
        "{advice}"
    );
    let what = step["what"].as_str().expect("words");
    assert!(
        what.contains("A request to token was refused with invalid_client"),
        "{what}"
    );
    assert!(!answer.body.contains("wrong-secret-of-a-client"));
    for unknown in ["0123456789abcdef0123456789abcdef", "x", "..%2fusers", "%00"] {
        let answer = get(&server, &token, &format!("/traces/{unknown}")).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{unknown}");
    }
}

#[tokio::test]
async fn events_need_their_right() {
    let server = server().await;
    let trace = refused(&server, "orders").await;
    let none = server
        .api_token("root", &["users:read", "clients:read"])
        .await;
    for path in ["/events".to_owned(), format!("/traces/{trace}")] {
        let refused = get(&server, &none, &path).await.problem();
        assert_eq!(refused, (403, "insufficient_scope".to_owned()));
        let refused = get(&server, "x", &path).await.problem();
        assert_eq!(refused, (401, "invalid_token".to_owned()));
    }
}

#[tokio::test]
async fn events_are_listed_by_filter_page_by_page() {
    let server = server().await;
    let token = server.api_token("root", &["events:read"]).await;
    for _ in 0..3 {
        refused(&server, "orders").await;
    }
    refused(&server, "nobody").await;
    let path = "/events?kind=refused&outcome=refused&client=orders&limit=2";
    let first = get(&server, &token, path).await.api_json();
    assert_eq!(
        first["items"].as_array().expect("a list").len(),
        2,
        "{first}"
    );
    let event = &first["items"][0];
    assert_eq!(
        (&event["client"], &event["reason"]),
        (&"orders".into(), &"wrong_secret".into())
    );
    assert_eq!(event["request"]["error"], "invalid_client");
    let next = first["next"].as_str().expect("a cursor");
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let second = get(&server, &token, &format!("{path}&after={next}"))
        .await
        .api_json();
    assert_eq!(
        second["items"].as_array().expect("a list").len(),
        1,
        "{second}"
    );
    let foreign = format!("/events?kind=refused&after={next}");
    for bad in [
        &foreign,
        "/events?after=x",
        "/events?limit=0",
        "/events?limit=1001",
        "/events?kind=nothing",
        "/events?outcome=maybe",
        "/events?user=alice",
        "/events?trace_id=X",
        "/events?since=yesterday",
        "/events?organization=acme",
    ] {
        let refused = get(&server, &token, bad).await.problem();
        assert_eq!(refused, (400, "malformed".to_owned()), "{bad}");
    }
    let future = get(&server, &token, "/events?since=2999-01-01T00:00:00Z")
        .await
        .api_json();
    assert_eq!(future["items"].as_array().map(Vec::len), Some(0));
}

/// The API's machine belongs to an organization here, and other clients to none.
#[tokio::test]
async fn a_caller_of_an_organization_sees_no_event_of_others() {
    let server = server_with(|realm| {
        let acme: grantor_core::model::ids::OrganizationId = "acme".parse().expect("an id");
        let organization = Organization {
            id: acme.clone(),
            name: "Acme".to_owned(),
            enabled: true,
        };
        realm.organizations.insert(acme.clone(), organization);
        client(realm, api::MACHINE).organization = Some(acme);
    })
    .await;
    let own = server.api_machine_token(&["events:read"]).await;
    let all = server.api_token("root", &["events:read"]).await;
    let (of_acme, of_none) = (
        refused(&server, api::MACHINE).await,
        refused(&server, "nobody").await,
    );
    let status = async |token: &str, trace: &str| {
        get(&server, token, &format!("/traces/{trace}"))
            .await
            .status
    };
    assert_eq!(status(&own, &of_acme).await, 200);
    assert_eq!(status(&own, &of_none).await, 404);
    assert_eq!(status(&all, &of_acme).await, 200);
    assert_eq!(status(&all, &of_none).await, 200);
    let listed = get(&server, &own, "/events?limit=1000").await.api_json();
    let listed = listed["items"].as_array().expect("a list");
    assert!(!listed.is_empty());
    for event in listed {
        assert_eq!(event["organization"], "acme", "{event}");
    }
    // By the name of another's client, neither.
    let other = get(&server, &own, "/events?client=tv").await.api_json();
    assert_eq!(other["items"].as_array().map(Vec::len), Some(0));
}
