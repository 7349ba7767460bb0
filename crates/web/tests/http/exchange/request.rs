//! Section 2.1: what a request has, and what each part of it must be. Section 2.2.2: which error says what is wrong.

use super::{BACKEND, Examples as _, RS08, RS77, calls, server, subject};
use crate::authorize::changed;
use grantor_testkit::server::{
    Answer, INTROSPECT, REVOKE, TestServer, With as _, authorization_of, basic, claims, post,
    refused,
};
use grantor_testkit::{ACCESS_TOKEN, ID_TOKEN, JWT, REFRESH_TOKEN, Spans as _};

fn invalid() -> (u16, String) {
    refused(400, "invalid_request")
}

fn no_target() -> (u16, String) {
    refused(400, "invalid_target")
}

#[tokio::test]
async fn rfc8693_2_1_what_is_missing_or_does_not_belong_is_an_invalid_request() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let whole = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    assert_eq!(server.exchange(&whole).await.status, 200);
    for missing in ["subject_token", "subject_token_type"] {
        let mut part = whole.clone();
        part.retain(|(name, _)| *name != missing);
        assert_eq!(server.exchange(&part).await.error(), invalid(), "{missing}");
    }
    for (name, value) in [
        ("actor_token", token.as_str()),
        ("actor_token_type", ACCESS_TOKEN),
        ("subject_token", &token),
        ("subject_token_type", ACCESS_TOKEN),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:saml2",
        ),
        ("requested_token_type", "access_token"),
    ] {
        let more = [&whole[..], &[(name, value)]].concat();
        assert_eq!(server.exchange(&more).await.error(), invalid(), "{name}");
    }
    for unknown in [
        "access_token",
        "URN:IETF:PARAMS:OAUTH:TOKEN-TYPE:ACCESS_TOKEN",
        "urn:ietf:params:oauth:token-type:saml1",
        "urn:example:x",
    ] {
        let other = [
            ("subject_token", token.as_str()),
            ("subject_token_type", unknown),
            ("resource", BACKEND),
        ];
        assert_eq!(
            server.exchange(&other).await.error(),
            invalid(),
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn rfc8693_2_1_resource_and_audience_name_one_target_by_uri_or_by_name() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let ask = async |targets: &[(&str, &str)]| -> Answer {
        server
            .exchange(&[&subject(&token)[..], targets].concat())
            .await
    };
    for same in [
        &[("resource", BACKEND)][..],
        &[("audience", "backend.example.com")],
        &[("resource", BACKEND), ("audience", "backend.example.com")],
        &[("resource", BACKEND), ("resource", BACKEND)],
    ] {
        let answer = ask(same).await;
        assert_eq!(answer.status, 200, "{same:?} {answer:?}");
        assert_eq!(claims(&answer.member("access_token"))["aud"], BACKEND);
    }
    // Section 2.1.1: `invalid_target` says as well "that it requested access to too many target services".
    for wrong in [
        &[("resource", "https://backend.example.com/api#x")][..],
        &[("resource", "https://backend.example.com/api/")],
        &[("resource", "/api")],
        &[("resource", "https://unknown.example.com")],
        &[("audience", "unknown")],
        // Known, but without a rule.
        &[("audience", "orders.example.com")],
        &[("resource", BACKEND), ("audience", "orders.example.com")],
        &[
            ("resource", BACKEND),
            ("resource", "https://orders.example.com"),
        ],
    ] {
        assert_eq!(ask(wrong).await.error(), no_target(), "{wrong:?}");
    }
}

#[tokio::test]
async fn rfc8693_2_1_an_exchange_needs_an_authenticated_client_with_the_grant_type() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let request = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    let wrong = server
        .exchange_as(&basic("rs08", "another secret of many letters"), &request)
        .await;
    assert_eq!(wrong.error(), refused(401, "invalid_client"));
    // The token's own client is public.
    let public = server.exchange_as(&basic("tv", ""), &request).await;
    assert_ne!(public.status, 200);
    // An API without the grant.
    let without = server
        .exchange_as(&authorization_of("orders"), &request)
        .await;
    assert_eq!(without.error(), refused(400, "unauthorized_client"));
    // Another service has no rule, and the token is not for it.
    let other = server.exchange_as(RS77, &request).await;
    assert_ne!(other.status, 200);
    assert_eq!(server.exchange(&request).await.status, 200);
}

/// "The authorization server MUST perform the appropriate validation procedures for the indicated token type".
#[tokio::test]
async fn rfc8693_2_1_a_subject_token_is_validated_as_the_type_that_is_named() {
    let server = server([calls()]).await;
    let tokens = server
        .device_tokens_with(
            "tv",
            "alice",
            &[("scope", "openid frontend.example.com/read")],
        )
        .await;
    let [access, id, refresh] =
        ["access_token", "id_token", "refresh_token"].map(|name| tokens.member(name));
    let forged = changed(&access);
    let as_type = async |token: &str, kind: &str| -> Answer {
        let pairs = [
            ("subject_token", token),
            ("subject_token_type", kind),
            ("resource", BACKEND),
        ];
        server.exchange(&pairs).await
    };
    for (token, kind) in [
        (&access, ID_TOKEN),
        (&access, REFRESH_TOKEN),
        (&id, ACCESS_TOKEN),
        (&id, REFRESH_TOKEN),
        (&refresh, ACCESS_TOKEN),
        (&refresh, ID_TOKEN),
        (&refresh, JWT),
        (&forged, ACCESS_TOKEN),
        (&"x".to_owned(), ACCESS_TOKEN),
    ] {
        assert_eq!(as_type(token, kind).await.error(), invalid(), "{kind}");
    }
    assert_eq!(as_type(&access, ACCESS_TOKEN).await.status, 200);
    server.advance(10.mins());
    let late = as_type(&access, ACCESS_TOKEN).await;
    assert_eq!(late.error(), invalid(), "it has ended");
}

#[tokio::test]
async fn rfc8693_2_1_an_actor_token_is_validated_as_the_type_that_is_named() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let codes = server
        .device_codes_with("tv", &[("scope", "openid frontend.example.com/read")])
        .await;
    let mut bob = server.signed_in("bob").await;
    bob.approve(&codes).await;
    let acting = server.poll(&codes).await;
    let [access, id] = ["access_token", "id_token"].map(|name| acting.member(name));
    let with_actor = async |actor: &str, kind: &str| -> Answer {
        let pairs = [
            ("resource", BACKEND),
            ("actor_token", actor),
            ("actor_token_type", kind),
        ];
        server
            .exchange(&[&subject(&token)[..], &pairs].concat())
            .await
    };
    let good = with_actor(&access, ACCESS_TOKEN).await;
    assert_eq!(good.status, 200, "{good:?}");
    let issued = claims(&good.member("access_token"));
    assert_eq!(issued["act"]["sub"], claims(&access)["sub"]);
    for (actor, kind) in [
        (&access, ID_TOKEN),
        (&id, ACCESS_TOKEN),
        (&id, JWT),
        (&changed(&access), ACCESS_TOKEN),
        (&"x".to_owned(), ACCESS_TOKEN),
        (&access, "urn:example:x"),
    ] {
        assert_eq!(with_actor(actor, kind).await.error(), invalid(), "{kind}");
    }
    server.advance(10.mins());
    let late = with_actor(&access, ACCESS_TOKEN).await;
    assert_eq!(late.error(), invalid(), "both have ended");
}

/// "The act of performing a token exchange has no impact on the validity of the subject token or actor token."
#[tokio::test]
async fn rfc8693_2_1_an_exchange_leaves_the_subject_token_as_it_is() {
    let server = server([calls()]).await;
    let token = server.called_with().await;
    let request = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    for _ in 0..3 {
        assert_eq!(server.exchange(&request).await.status, 200);
    }
    assert!(is_active(&server, &token).await);
}

/// "It may still be appropriate or desirable to propagate token-revocation events."
#[tokio::test]
async fn rfc8693_2_1_an_exchanged_token_ends_with_the_grant_of_its_subject() {
    let server = server([calls()]).await;
    let tokens = server
        .device_tokens_with(
            "tv",
            "alice",
            &[("scope", "openid frontend.example.com/read")],
        )
        .await;
    let token = tokens.member("access_token");
    let request = [&subject(&token)[..], &[("resource", BACKEND)]].concat();
    let made = server.exchange(&request).await.member("access_token");
    assert!(is_active(&server, &made).await);
    let refresh = tokens.member("refresh_token");
    let revoke = [("client_id", "tv"), ("token", refresh.as_str())];
    assert_eq!(server.post(REVOKE, &revoke).await.status, 200);
    assert!(!is_active(&server, &made).await);
    assert_eq!(server.exchange(&request).await.error(), invalid());
}

/// What introspection returns to `rs08`, the audience of the token or its client.
async fn is_active(server: &TestServer, token: &str) -> bool {
    let request = post(INTROSPECT, &[("token", token)]).with("authorization", RS08);
    server.send(request).await.json()["active"] == true
}
