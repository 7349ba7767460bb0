//! JWTs of trusted issuers, by the rules of RFC 7521 section 5.2 and RFC 7523 section 3.

use grantor_core::model::exchange_rule::{ActorRule, ExchangeRule};
use serde_json::{Value, json};

use super::{
    CONTEXT, ExampleIssuer as _, Examples as _, ISSUER, ORIGINAL_ISSUER, original_issuer, server,
    vouched,
};
use crate::authorize::changed;
use grantor_testkit::server::{Answer, TestServer, claims, refused};
use grantor_testkit::{ExternalIssuer, JWT};

/// A statement of the original issuer about a user, valid for five minutes.
fn statement(server: &TestServer) -> Value {
    json!({
        "iss": ORIGINAL_ISSUER,
        "sub": "bdc@example.net",
        "aud": ISSUER,
        "exp": server.now() + 300,
    })
}

/// The same with another claim, or without it.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    let members = claims.as_object_mut().expect("an object");
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    claims
}

async fn exchange(server: &TestServer, token: &str, more: &[(&str, &str)]) -> Answer {
    let pairs = [
        ("subject_token", token),
        ("subject_token_type", JWT),
        ("audience", CONTEXT),
    ];
    server.exchange(&[&pairs, more].concat()).await
}

/// RFC 8693 section 2.2.2: "either the "subject_token" or "actor_token" are invalid for any reason".
async fn assert_refused(server: &TestServer, token: &str, why: &str) {
    let answer = exchange(server, token, &[]).await;
    assert_eq!(answer.error(), refused(400, "invalid_request"), "{why}");
}

#[tokio::test]
async fn rfc7521_5_2_iss_sub_aud_and_exp_are_required() {
    let server = server([vouched("orders")]).await;
    let issuer = original_issuer(&server);
    let whole = issuer.token(&statement(&server));
    assert_eq!(exchange(&server, &whole, &[]).await.status, 200);
    for name in ["iss", "sub", "aud", "exp"] {
        for value in [Value::Null, json!(""), json!({}), json!([]), json!(false)] {
            let why = format!("{name}: {value}");
            let token = issuer.token(&with(statement(&server), name, value));
            assert_refused(&server, &token, &why).await;
        }
    }
}

/// "Compliant applications MUST compare … using the Simple String Comparison method defined in Section 6.2.1 of RFC 3986".
#[tokio::test]
async fn rfc7521_5_1_issuer_and_audience_are_compared_as_strings() {
    let server = server([vouched("orders")]).await;
    let issuer = original_issuer(&server);
    let ours = [
        json!(ISSUER),
        json!([ISSUER]),
        json!(["https://other.example.com", ISSUER]),
        // Section 5.1: "The URL of the token endpoint … can be used".
        json!(format!("{ISSUER}/oauth2/token")),
    ];
    for audience in ours {
        let token = issuer.token(&with(statement(&server), "aud", audience.clone()));
        let answer = exchange(&server, &token, &[]).await;
        assert_eq!(answer.status, 200, "{audience} {answer:?}");
    }
    for (name, value) in [
        ("aud", "https://as.example.com/"),
        ("aud", "https://AS.example.com"),
        ("aud", "https://as.example.com:443"),
        ("aud", "https://as.example.com.evil.example"),
        ("aud", "https://other.example.com"),
        ("aud", CONTEXT),
        ("aud", "rs08"),
        ("iss", "https://original-issuer.example.net/"),
        ("iss", "https://ORIGINAL-issuer.example.net"),
        ("iss", "https://original-issuer.example.net:443"),
        ("iss", "https://other-issuer.example.net"),
        ("iss", ISSUER),
    ] {
        let token = issuer.token(&with(statement(&server), name, json!(value)));
        assert_refused(&server, &token, value).await;
    }
}

#[tokio::test]
async fn rfc7521_5_2_expired_or_not_yet_valid_jwts_are_refused() {
    let server = server([vouched("orders")]).await;
    let issuer = original_issuer(&server);
    let now = server.now();
    for (name, value) in [
        ("exp", json!(now - 61)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!("4000000000")),
        // RFC 7523 section 3: `nbf` "identifies the time before which the token MUST NOT be accepted".
        ("nbf", json!(now + 120)),
        ("iat", json!(now + 120)),
    ] {
        let why = format!("{name}: {value}");
        let token = issuer.token(&with(statement(&server), name, value));
        assert_refused(&server, &token, &why).await;
    }
    let token = issuer.token(&statement(&server));
    assert_eq!(exchange(&server, &token, &[]).await.status, 200);
    server.advance(std::time::Duration::from_secs(361));
    assert_refused(&server, &token, "it has ended meanwhile").await;
}

#[tokio::test]
async fn rfc7521_5_2_only_a_signature_of_the_issuers_key_counts() {
    let server = server([vouched("orders")]).await;
    let issuer = original_issuer(&server);
    let claims = statement(&server);
    let good = issuer.token(&claims);
    assert_eq!(exchange(&server, &good, &[]).await.status, 200);
    let (input, _) = good.rsplit_once('.').expect("a JWT");
    let stranger = ExternalIssuer::new(ORIGINAL_ISSUER).with_kid("16");
    let headed = |header: Value| issuer.sign(&header, &claims);
    for (why, token) in [
        ("changed", changed(&good)),
        ("without a signature", format!("{input}.")),
        ("another key of that name", stranger.token(&claims)),
        ("none", headed(json!({ "alg": "none", "kid": "16" }))),
        ("a MAC", headed(json!({ "alg": "HS256", "kid": "16" }))),
        // Not among the algorithms of this issuer, nor fit for its key.
        ("RS256", headed(json!({ "alg": "RS256", "kid": "16" }))),
        (
            "unknown key",
            headed(json!({ "alg": "ES256", "kid": "17" })),
        ),
        (
            "crit",
            headed(json!({ "alg": "ES256", "kid": "16", "crit": ["x"], "x": 1 })),
        ),
    ] {
        assert_refused(&server, &token, why).await;
    }
}

/// RFC 7521 section 4.1: "The authorization server MUST limit the scope of the issued access token to be equal to or less
/// than the scope originally granted", and "SHOULD NOT issue access tokens with a lifetime that exceeds the validity
/// period of the assertion".
#[tokio::test]
async fn rfc7521_4_1_scope_and_lifetime_are_limited_by_the_rule_and_the_jwt() {
    let server = server([vouched("orders history")]).await;
    let issuer = original_issuer(&server);
    // Its scopes give nothing: they are those of its own APIs.
    let token = issuer.token(&with(statement(&server), "scope", json!("orders status")));
    let all = exchange(&server, &token, &[]).await;
    let given = format!("{CONTEXT}/history {CONTEXT}/orders");
    assert_eq!(all.member("scope"), given);
    let issued = claims(&all.member("access_token"));
    assert_eq!(issued["exp"], server.now() + 300);
    assert_eq!(all.json()["expires_in"], 300);
    let less = format!("{CONTEXT}/orders");
    let narrowed = exchange(&server, &token, &[("scope", &less)]).await;
    assert_eq!(narrowed.member("scope"), less);
    for wider in [
        format!("{CONTEXT}/orders {CONTEXT}/status"),
        "openid".to_owned(),
    ] {
        let answer = exchange(&server, &token, &[("scope", &wider)]).await;
        assert_eq!(answer.error(), refused(400, "invalid_scope"), "{wider}");
    }
}

#[tokio::test]
async fn an_issuer_whose_keys_are_unavailable_is_a_temporary_error() {
    let server = server([vouched("orders")]).await;
    let issuer = ExternalIssuer::new(ORIGINAL_ISSUER).with_kid("16");
    let token = issuer.token(&statement(&server));
    let answer = exchange(&server, &token, &[]).await;
    assert_eq!(answer.error(), refused(503, "temporarily_unavailable"));
}

/// RFC 8693 section 4.4: "the combination of the two claims "iss" and "sub" are sometimes necessary to uniquely identify
/// an authorized actor": without `iss` it is a name that the token's own issuer gives.
#[tokio::test]
async fn rfc8693_4_4_may_act_names_an_actor_of_the_same_issuer() {
    let rule = ExchangeRule {
        actor: ActorRule {
            token_required: true,
            issuer: Some(ORIGINAL_ISSUER.to_owned()),
            may_act_required: true,
        },
        ..vouched("orders")
    };
    for mapped in [false, true] {
        let server = TestServer::with(|realm| {
            super::furnish(realm, [rule.clone()]);
            // Both are users of ours then, under other names than their issuer uses.
            realm.trusted_issuers[0].user_claim = mapped.then(|| "sub".to_owned());
        })
        .await;
        let issuer = original_issuer(&server);
        let of = |sub: &str| with(statement(&server), "sub", json!(sub));
        let actor = issuer.token(&of("bob"));
        let by_actor = [("actor_token", actor.as_str()), ("actor_token_type", JWT)];
        for (may_act, allowed) in [
            (json!({ "sub": "bob" }), true),
            (json!({ "sub": "bob", "iss": ORIGINAL_ISSUER }), true),
            (json!({ "sub": "bob", "iss": ISSUER }), false),
            (json!({ "sub": "carol" }), false),
            (json!({ "sub": "rs08" }), false),
            (json!({ "iss": ORIGINAL_ISSUER }), false),
            (Value::Null, false),
        ] {
            let subject = issuer.token(&with(of("alice"), "may_act", may_act.clone()));
            let answer = exchange(&server, &subject, &by_actor).await;
            if allowed {
                assert_eq!(answer.status, 200, "{may_act} {answer:?}");
            } else {
                let invalid = refused(400, "invalid_request");
                assert_eq!(answer.error(), invalid, "{may_act}");
            }
        }
    }
}
