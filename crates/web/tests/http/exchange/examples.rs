//! The requests of RFC 8693 section 2.3 and appendix A, with the parameters that stand there. What a real server does
//! otherwise than the text's hypothetical one is said where it does.

use grantor_core::model::exchange_rule::{ActorRule, ExchangeRule};
use std::time::Duration;

use serde_json::json;

use super::{
    BACKEND, CONTEXT, ExampleIssuer as _, Examples as _, ISSUER, ORIGINAL_ISSUER, RS08, calls,
    original_issuer, server, vouched,
};
use grantor_testkit::server::{FORM, TOKEN, With as _, claims, raw, refused};
use grantor_testkit::{ACCESS_TOKEN, EXCHANGE, JWT, encoded};

/// Section 2.3: a resource server trades the access token that it received for one of a backend.
#[tokio::test]
async fn rfc8693_2_3_a_resource_server_trades_the_token_that_it_received() {
    let rule = ExchangeRule {
        lifetime: Some(Duration::from_secs(60)),
        ..calls()
    };
    let server = server([rule]).await;
    let received = server.called_with().await;
    // Figure 2, as it is written but for the token.
    let body = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &resource=https%3A%2F%2Fbackend.example.com%2Fapi\
         &subject_token={received}\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
    );
    let answer = server
        .send(raw(TOKEN, FORM, body).with("authorization", RS08))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let reply = answer.json();
    assert_eq!(reply["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(reply["token_type"], "Bearer");
    assert_eq!(reply["expires_in"], 60);
    let mut issued = claims(&answer.member("access_token"));
    let before = claims(&received);
    let jti = issued
        .as_object_mut()
        .and_then(|issued| issued.remove("jti"));
    assert_ne!(jti.as_ref(), Some(&before["jti"]));
    // The text has the backend's origin as `aud`; ours is the resource indicator itself (RFC 9068 section 3). And
    // it is not hidden here that rs08 acts, which only the operator could allow.
    let expected = json!({
        "aud": BACKEND,
        "iss": ISSUER,
        "exp": server.now() + 60,
        "iat": server.now(),
        "sub": before["sub"],
        "scope": "backend.example.com/api",
        "client_id": "rs08",
        "auth_time": before["auth_time"],
        "act": { "sub": "rs08", "client_id": "rs08" },
    });
    assert_eq!(issued, expected);
}

/// Appendix A.1: with a subject token alone, and a rule that allows it, the new token names only the subject.
#[tokio::test]
async fn rfc8693_a_1_impersonation_of_a_subject_of_a_trusted_issuer() {
    let rule = ExchangeRule {
        impersonation: true,
        ..vouched("orders profile history")
    };
    let server = server([rule]).await;
    let issuer = original_issuer(&server);
    // A.1.2, as far from now as there.
    let subject = issuer.token(&json!({
        "aud": ISSUER,
        "iss": ORIGINAL_ISSUER,
        "exp": server.now() + 590,
        "nbf": server.now() - 1010,
        "sub": "bdc@example.net",
        "scope": "orders profile history",
    }));
    let body = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &audience=urn%3Aexample%3Acooperation-context\
         &subject_token={subject}\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt"
    );
    // The RFC's server lets anyone exchange; ours requires client authentication.
    let anybody = server.send(raw(TOKEN, FORM, body.clone())).await;
    assert_eq!(anybody.status, 401, "{anybody:?}");
    let answer = server
        .send(raw(TOKEN, FORM, body).with("authorization", RS08))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let reply = answer.json();
    assert_eq!(reply["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(reply["token_type"], "Bearer");
    // An hour in the text, and 590 seconds of what was brought: no token of ours outlives its subject's.
    assert_eq!(reply["expires_in"], 590);
    let mut issued = claims(&answer.member("access_token"));
    issued
        .as_object_mut()
        .and_then(|issued| issued.remove("jti"));
    let expected = json!({
        "aud": CONTEXT,
        "iss": ISSUER,
        "exp": server.now() + 590,
        "iat": server.now(),
        // The original issuer's subject, and not one of ours that happens to have this name.
        "sub": format!("{ORIGINAL_ISSUER}|bdc@example.net"),
        "scope": format!("{CONTEXT}/history {CONTEXT}/orders {CONTEXT}/profile"),
        "client_id": "rs08",
    });
    assert_eq!(issued, expected);
}

/// Appendix A.2: the subject token names by `may_act` the party that may act, and the actor token is that party's.
#[tokio::test]
async fn rfc8693_a_2_delegation_to_an_actor_named_by_the_subject_token() {
    let rule = ExchangeRule {
        actor: ActorRule {
            token_required: true,
            issuer: Some(ORIGINAL_ISSUER.to_owned()),
            may_act_required: true,
        },
        ..vouched("status feed")
    };
    let server = server([rule]).await;
    let issuer = original_issuer(&server);
    // A.2.2 and A.2.3, as far from now as there.
    let subject = issuer.token(&json!({
        "aud": ISSUER,
        "iss": ORIGINAL_ISSUER,
        "exp": server.now() + 50,
        "scope": "status feed",
        "sub": "user@example.net",
        "may_act": { "sub": "admin@example.net" },
    }));
    let actor = |sub: &str| {
        issuer.token(&json!({
            "aud": ISSUER,
            "iss": ORIGINAL_ISSUER,
            "exp": server.now() + 50,
            "sub": sub,
        }))
    };
    let request = |actor: &str| {
        let pairs = [
            ("grant_type", EXCHANGE),
            ("audience", CONTEXT),
            ("subject_token", &subject),
            ("subject_token_type", JWT),
            ("actor_token", actor),
            ("actor_token_type", JWT),
            // The RFC's server returns a JWT although none was requested.
            ("requested_token_type", JWT),
        ];
        raw(TOKEN, FORM, encoded(&pairs)).with("authorization", RS08)
    };
    let answer = server.send(request(&actor("admin@example.net"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let reply = answer.json();
    assert_eq!(reply["issued_token_type"], JWT);
    // N_A in the text, whose token is no access token; ours is one, in the form of a JWT.
    assert_eq!(reply["token_type"], "Bearer");
    assert_eq!(reply["expires_in"], 50);
    let mut issued = claims(&answer.member("access_token"));
    issued
        .as_object_mut()
        .and_then(|issued| issued.remove("jti"));
    let expected = json!({
        "aud": CONTEXT,
        "iss": ISSUER,
        "exp": server.now() + 50,
        "iat": server.now(),
        "scope": format!("{CONTEXT}/feed {CONTEXT}/status"),
        "sub": format!("{ORIGINAL_ISSUER}|user@example.net"),
        "client_id": "rs08",
        "act": {
            "sub": format!("{ORIGINAL_ISSUER}|admin@example.net"),
            "client_id": "rs08",
        },
    });
    assert_eq!(issued, expected);
    // An actor token of another party is refused.
    let other = server.send(request(&actor("other@example.net"))).await;
    assert_eq!(other.error(), refused(400, "invalid_request"));
}
