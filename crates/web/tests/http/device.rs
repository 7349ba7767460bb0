//! The device grant on the wire (RFC 8628).

use std::time::Duration;

use grantor_testkit::server::{
    DEVICE_AUTHORIZATION, Form, TOKEN, TestServer, With as _, authorization_of, claims, post,
    refused,
};
use grantor_testkit::{Spans as _, client};

#[tokio::test]
async fn rfc8628_3_2_the_answer_has_all_that_a_device_needs() {
    let server = TestServer::new().await;
    let answer = server
        .post(DEVICE_AUTHORIZATION, &[("client_id", "tv")])
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.members(),
        [
            "device_code",
            "expires_in",
            "interval",
            "user_code",
            "verification_uri",
            "verification_uri_complete"
        ]
    );
    let json = answer.json();
    assert_eq!(json["expires_in"], 600);
    assert_eq!(json["interval"], 5);
    assert!(answer.member("device_code").starts_with("grantor_dc_"));
}

#[tokio::test]
async fn rfc8628_3_3_verification_uri_is_short_and_without_the_code() {
    let server = TestServer::new().await;
    let answer = server
        .post(DEVICE_AUTHORIZATION, &[("client_id", "tv")])
        .await;
    let code = answer.member("user_code");
    assert_eq!(
        answer.member("verification_uri"),
        "https://id.example.com/device"
    );
    assert_eq!(
        answer.member("verification_uri_complete"),
        format!("https://id.example.com/device?user_code={code}"),
        "the code as it is shown"
    );
}

#[tokio::test]
async fn rfc8628_3_5_a_device_waits_then_gets_its_tokens_once() {
    let server = TestServer::new().await;
    let codes = server
        .device_codes_with("tv", &[("scope", "openid profile")])
        .await;
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "authorization_pending")
    );
    server.approve("alice", &codes).await;
    let tokens = server.poll(&codes).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert_eq!(claims(&tokens.member("access_token"))["client_id"], "tv");
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "invalid_grant")
    );
}

#[tokio::test]
async fn rfc8628_3_5_a_device_that_polls_too_fast_gets_slow_down_and_recovers() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let pending = refused(400, "authorization_pending");
    assert_eq!(server.poll(&codes).await.error(), pending);
    server.advance(Duration::from_secs(1));
    assert_eq!(server.poll(&codes).await.error(), refused(400, "slow_down"));
    server.advance(Duration::from_secs(6));
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "slow_down"),
        "the interval is 10 s now"
    );
    server.advance(Duration::from_secs(15));
    assert_eq!(server.poll(&codes).await.error(), pending);
}

#[tokio::test]
async fn rfc8628_3_5_denied_and_expired_codes_get_their_own_errors() {
    let server = TestServer::new().await;
    let (denied, expired) = (
        server.device_codes("tv").await,
        server.device_codes("tv").await,
    );
    server.deny("alice", &denied).await;
    assert_eq!(
        server.poll(&denied).await.error(),
        refused(400, "access_denied")
    );
    server.advance(10.mins());
    assert_eq!(
        server.poll(&expired).await.error(),
        refused(400, "expired_token")
    );
    let late = server
        .signed_in("alice")
        .await
        .type_code(&expired.user)
        .await;
    assert_eq!(late.status, 400, "it cannot be approved any more");
}

#[tokio::test]
async fn rfc8628_3_1_the_client_authenticates_as_at_the_token_endpoint() {
    let server = TestServer::new().await;
    let visitor = server.post(DEVICE_AUTHORIZATION, &[]).await;
    assert_eq!(visitor.error(), refused(401, "invalid_client"));
    let unproven = server
        .post(DEVICE_AUTHORIZATION, &[("client_id", "console")])
        .await;
    assert_eq!(unproven.error(), refused(401, "invalid_client"));
}

#[tokio::test]
async fn rfc8628_3_1_only_clients_with_the_grant_get_codes() {
    let server = TestServer::new().await;
    let request =
        post(DEVICE_AUTHORIZATION, &[]).with("authorization", &authorization_of("orders"));
    assert_eq!(
        server.send(request).await.error(),
        refused(400, "unauthorized_client")
    );
}

#[tokio::test]
async fn rfc6749_10_2_each_device_asks_again() {
    let server = TestServer::new().await;
    server.device_tokens("tv", "alice").await;
    let second = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.type_code(&second.user).await;
    assert!(
        page.body.contains("value=\"approve\""),
        "the same user, client and scope"
    );
    assert_eq!(
        server.poll(&second).await.error(),
        refused(400, "authorization_pending")
    );
}

#[tokio::test]
async fn rfc8628_3_3_1_the_link_fills_the_code_in_and_asks_to_compare_it() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let path = codes.link.trim_start_matches("https://id.example.com");
    let page = alice.get(path).await;
    assert!(
        page.body.contains(&format!("value=\"{}\"", codes.user)),
        "{page:?}"
    );
    assert!(
        page.body
            .contains("Check that this matches the code on your device.")
    );
    assert!(
        !page.body.contains("The tv"),
        "nothing of the device before the code is sent"
    );
    let asked = alice
        .submit(Form::of(&page, "/device").fill("user_code", &codes.user))
        .await;
    assert!(
        asked
            .body
            .contains("Check that your device shows this code")
    );
    assert!(
        asked
            .body
            .contains(&format!("aria-labelledby=\"code-label\">{}", codes.user))
    );
}

#[tokio::test]
async fn rfc8628_5_4_the_page_shows_client_and_location_of_the_device() {
    let server = TestServer::new().await;
    let asked = [
        ("client_id", "tv"),
        ("scope", "openid orders.example.com/read"),
    ];
    let request = post(DEVICE_AUTHORIZATION, &asked)
        .with("x-forwarded-for", "192.0.2.10")
        .with("user-agent", "SmartTV/4.2 (Living room)");
    let codes = server.send(request).await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.type_code(&codes.member("user_code")).await.body;
    for shown in [
        "id=\"client-name\">The tv<",
        "id=\"client-id\">tv<",
        "Know who you are",
        "Read orders",
        "<bdi id=\"device-address\">192.0.2.10",
        "SmartTV 4.2",
        "just now</time>",
    ] {
        assert!(page.contains(shown), "{shown} is not on {page}");
    }
    assert!(!page.contains("id=\"network-warning\""));
}

#[tokio::test]
async fn rfc8628_5_4_and_rfc10027_6_1_14_the_page_says_when_to_decline_and_how() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.type_code(&codes.user).await.body;
    assert!(
        page.contains("Did you start this yourself, on a device you can see? If not, choose Deny.")
    );
    assert!(page.contains("value=\"approve\"") && page.contains("value=\"deny\""));
}

#[tokio::test]
async fn rfc10027_6_1_1_a_device_on_another_network_comes_with_a_warning() {
    let server = TestServer::new().await;
    let request = post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]);
    let codes = server
        .send(request.with("x-forwarded-for", "203.0.113.9"))
        .await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.type_code(&codes.member("user_code")).await.body;
    assert!(page.contains("id=\"network-warning\""), "{page}");
    assert!(page.contains("203.0.113.9") && page.contains(alice.address));
}

#[tokio::test]
async fn rfc10027_6_1_1_a_client_can_demand_proximity() {
    use grantor_core::model::client::DeviceApproval;
    let server = TestServer::with(|realm| {
        client(realm, "tv").device.approval = DeviceApproval::SameNetwork;
        client(realm, "tv2").device.approval = DeviceApproval::Retype;
    })
    .await;
    let mut alice = server.signed_in("alice").await;

    let request = post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]);
    let codes = server
        .send(request.with("x-forwarded-for", "203.0.113.9"))
        .await;
    let page = alice.type_code(&codes.member("user_code")).await;
    assert!(
        !page.body.contains("value=\"approve\""),
        "approval is not even offered"
    );
    let forced = Form::of(&page, "/device/decision").fill("decision", "approve");
    assert_eq!(alice.submit(forced).await.status, 400, "nor is it taken");

    let codes = server
        .post(DEVICE_AUTHORIZATION, &[("client_id", "tv2")])
        .await;
    let code = codes.member("user_code");
    let page = alice.type_code(&code).await;
    assert!(
        !page.body.contains(&code),
        "the page of the decision does not show it"
    );
    let approve = Form::of(&page, "/device/decision").fill("decision", "approve");
    assert_eq!(alice.submit(approve.clone()).await.status, 400);
    let done = alice
        .submit_and_follow(approve.fill("user_code", &code))
        .await;
    assert!(done.body.contains("id=\"done\""), "{done:?}");
}

/// A link fills the code in whoever's it is: that tells nothing of the device, approves nothing, and uses up no attempt.
/// Where its client demands it, the code is to be typed again.
#[tokio::test]
async fn retype_changes_the_page_of_its_own_devices_only() {
    use grantor_core::model::client::DeviceApproval;
    let server = TestServer::with(|realm| {
        client(realm, "tv2").device.approval = DeviceApproval::Retype;
    })
    .await;
    let mut alice = server.signed_in("alice").await;
    for (app, retype) in [("tv", false), ("tv2", true)] {
        let code = server.device_codes(app).await.user;
        let mut page = None;
        for _ in 0..30 {
            page = Some(alice.get(&format!("/device?user_code={code}")).await);
        }
        let page = page.expect("a page");
        assert!(page.body.contains(&format!("value=\"{code}\"")), "{page:?}");
        assert!(!page.body.contains("The tv"), "{page:?}");
        let form = Form::of(&page, "/device").fill("user_code", &code);
        let asked = alice.submit(form).await;
        assert_eq!(!asked.body.contains(&code), retype, "{app}");
        let approve = Form::of(&asked, "/device/decision").fill("decision", "approve");
        assert_eq!(alice.submit(approve).await.status == 400, retype, "{app}");
    }
}

#[tokio::test]
async fn a_code_is_read_without_case_dashes_and_spaces() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    for typed in [
        codes.user.to_lowercase(),
        codes.user.replace('-', " "),
        codes.user.replace('-', ""),
    ] {
        let page = alice.type_code(&typed).await;
        assert!(page.body.contains("value=\"approve\""), "{typed}");
    }
}

#[tokio::test]
async fn a_flood_of_codes_from_one_address_is_bounded_and_says_when_to_come_again() {
    let server = TestServer::with(|realm| realm.device.max_pending_per_address = 3).await;
    for _ in 0..3 {
        server.device_codes("tv").await;
    }
    let answer = server
        .post(DEVICE_AUTHORIZATION, &[("client_id", "tv")])
        .await;
    assert_eq!(answer.error(), refused(429, "too_many_requests"));
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .expect("seconds")
            >= 1
    );
    let elsewhere = post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]);
    let elsewhere = elsewhere.with("x-forwarded-for", "198.51.100.7");
    assert_eq!(server.send(elsewhere).await.status, 200);
}

#[tokio::test]
async fn rfc8628_5_1_guessing_user_codes_is_bounded_for_an_account() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    for _ in 0..20 {
        let page = alice.type_code("BBBB-BBBB").await;
        assert_eq!(page.status, 400);
    }
    let page = alice.type_code(&codes.user).await;
    assert_eq!(page.status, 429, "not even the right one");
    assert!(page.header("retry-after").parse::<u64>().expect("seconds") >= 1);
    let mut bob = server.signed_in("bob").await;
    assert_eq!(bob.type_code(&codes.user).await.status, 200, "others go on");
}

#[tokio::test]
async fn a_device_code_at_the_wrong_grant_or_endpoint_is_refused() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    server.approve("alice", &codes).await;
    assert_eq!(
        server.userinfo(&codes.device).await.error(),
        refused(401, "invalid_token")
    );
    let as_refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "tv"),
        ("refresh_token", codes.device.as_str()),
    ];
    assert_eq!(
        server.post(TOKEN, &as_refresh).await.error(),
        refused(400, "invalid_grant")
    );
    assert_eq!(
        server.poll(&codes).await.status,
        200,
        "and it is still good"
    );
}
