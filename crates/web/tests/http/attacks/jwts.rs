//! Tokens that were changed, unsigned or taken for another kind (RFC 8725, RFC 9068 section 4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::apps::{Ask, SHOP};
use crate::authorize::changed;
use crate::house::House;
use crate::wire::{INTROSPECT, claims, jose_header, refused};

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The token with other contents under the old signature, or under none.
fn forged(token: &str) -> Vec<String> {
    let signature = token.rsplit('.').next().expect("a JWT");
    let (header, payload) = (jose_header(token), claims(token));
    let with = |mut value: Value, name: &str, to: Value| {
        value[name] = to;
        value
    };
    let mut tokens = vec![
        changed(token),
        format!("{token}.x"),
        format!("{token}="),
        token.replace('.', ""),
    ];
    for alg in ["none", "None", "NONE", "", "HS256"] {
        let header = part(&with(header.clone(), "alg", json!(alg)));
        for signature in ["", signature] {
            tokens.push(format!("{header}.{}.{signature}", part(&payload)));
        }
    }
    tokens.push(format!(
        "{}.{}.",
        part(&json!({"alg": "none"})),
        part(&payload)
    ));
    for (name, to) in [
        ("sub", json!("bob")),
        ("exp", json!(4_000_000_000_u64)),
        ("scope", json!("openid email")),
    ] {
        let payload = part(&with(payload.clone(), name, to));
        tokens.push(format!("{}.{payload}.{signature}", part(&header)));
    }
    for (name, to) in [
        ("kid", json!("x")),
        ("typ", json!("JWT")),
        ("crit", json!(["x"])),
        ("jwk", json!({"kty": "oct", "k": "AA"})),
    ] {
        let header = part(&with(header.clone(), name, to));
        tokens.push(format!("{header}.{}.{signature}", part(&payload)));
    }
    tokens
}

#[tokio::test]
async fn tampered_and_unsigned_tokens_are_good_for_nothing() {
    let house = House::new().await;
    let ask = Ask::of(&SHOP).with("scope", "openid orders.example.com/read");
    let tokens = house.tokens(&SHOP, &ask).await;
    let access = tokens.member("access_token");
    assert_eq!(house.introspect(&access).await.json()["active"], true);
    for forged in forged(&access) {
        assert_eq!(
            house.introspect(&forged).await.body,
            "{\"active\":false}",
            "{forged}"
        );
        let own = house
            .post_as(INTROSPECT, &SHOP, &[("token", &forged)])
            .await;
        assert_eq!(own.body, "{\"active\":false}", "{forged}");
    }
    let ask = ask.with("scope", "openid");
    let access = house.tokens(&SHOP, &ask).await.member("access_token");
    assert_eq!(house.userinfo(&access).await.status, 200);
    for forged in forged(&access) {
        let answer = house.userinfo(&forged).await;
        assert_eq!(answer.error(), refused(401, "invalid_token"), "{forged}");
    }
}

/// RFC 9700 section 4.8 has no name for it, RFC 9068 section 4 does: the type tells them apart.
#[tokio::test]
async fn an_id_token_is_no_access_token_and_an_access_token_no_id_token() {
    let house = House::new().await;
    let tokens = house.tokens(&SHOP, &Ask::of(&SHOP)).await;
    let (id, access) = (tokens.member("id_token"), tokens.member("access_token"));
    assert_eq!(
        house.userinfo(&id).await.error(),
        refused(401, "invalid_token")
    );
    let own = house.post_as(INTROSPECT, &SHOP, &[("token", &id)]).await;
    assert_eq!(own.body, "{\"active\":false}");
    assert_eq!(jose_header(&access)["typ"], "at+jwt");
    assert_ne!(jose_header(&id)["typ"], "at+jwt");
    let hint = Ask::of(&SHOP)
        .with("prompt", "none")
        .with("id_token_hint", &access);
    let trip = crate::browser::Browser::new(&house).authorize(&hint).await;
    assert_eq!(trip.error(), "invalid_request");
}

/// Two kinds of resources, two audiences: a token for an API says nothing of the client to others.
#[tokio::test]
async fn a_token_of_another_issuer_with_the_same_keys_is_not_ours() {
    let house = House::new().await;
    // The same store, so that the grant is there, too.
    let other = house.restarted(|realm| realm.issuer = "https://other.example.com".to_owned());
    let token = other
        .tokens(&SHOP, &Ask::of(&SHOP))
        .await
        .member("access_token");
    assert_eq!(other.userinfo(&token).await.status, 200);
    assert_eq!(
        house.userinfo(&token).await.error(),
        refused(401, "invalid_token")
    );
    let asked = house.post_as(INTROSPECT, &SHOP, &[("token", &token)]).await;
    assert_eq!(asked.body, "{\"active\":false}");
}
