//! Refresh tokens in exchange: as subject tokens, and as issued tokens.

use grantor_core::base::error::ErrorCode::{
    InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget,
};
use grantor_core::grants::GrantType;
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::token_type::TokenType;

use crate::exchange_attacks::as_a;
use grantor_testkit::world::World;
use grantor_testkit::{AuthorizationRequest, SHIPPING, Spans as _, client, rule};

const TO_SHIPPING: [(&str, &str); 1] = [("audience", SHIPPING)];
const READ: &str = "orders.example.com/read";

/// A service with a refresh token from an exchange, and the user's token that was exchanged.
fn with_refresh() -> (World, String, String) {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| realm.exchange[0].issues.push(TokenKind::RefreshToken));
    let subject = world.orders_token().access;
    let refresh = [("requested_token_type", TokenType::RefreshToken.uri())];
    let refresh = world
        .exchange("orders", &subject, &refresh)
        .expect("a refresh token")
        .token;
    (world, subject, refresh)
}

#[test]
fn a_refresh_token_from_an_exchange_does_not_widen_lengthen_or_redirect_access() {
    let (mut world, _, refresh) = with_refresh();
    let wide = [(
        "scope",
        "shipping.example.com/read shipping.example.com/write",
    )];
    assert_eq!(
        world.refresh_with("orders", &refresh, &wide),
        Err(InvalidScope)
    );
    let elsewhere = [("resource", "https://orders.example.com")];
    assert_eq!(
        world.refresh_with("orders", &refresh, &elsewhere),
        Err(InvalidTarget)
    );
    assert_eq!(
        world.refresh("shipping", &refresh),
        Err(InvalidGrant),
        "another's"
    );
    world.advance(590.s());
    let tokens = world.refresh("orders", &refresh).expect("tokens");
    assert_eq!(tokens.expires_in, 10, "as long as the subject token");
    assert_eq!(tokens.id, None);
    world.advance(11.s());
    assert_eq!(world.refresh("orders", tokens.refresh()), Err(InvalidGrant));
    assert!(!world.is_active("shipping", &tokens.access));
}

#[test]
fn withdrawing_a_rule_ends_new_exchanges_and_existing_refresh_tokens() {
    let (mut world, subject, refresh) = with_refresh();
    world.reconfigure(|realm| {
        let into = [("shipping.example.com/read", "files.example.com/read")];
        let mut further = rule("orders", "files.example.com", &into);
        further.subject.kinds = vec![TokenKind::RefreshToken];
        // By its own refresh token, orders is the actor already.
        further.impersonation = true;
        realm.exchange.push(further);
    });
    let further = [
        &as_a(TokenType::RefreshToken)[..],
        &[("audience", "files.example.com")],
    ];
    let further = further.concat();
    world
        .exchange("orders", &refresh, &further)
        .expect("while the rule stands");
    world.reconfigure(|realm| realm.exchange[0].issues = vec![TokenKind::AccessToken]);
    assert_eq!(world.refresh("orders", &refresh), Err(InvalidGrant));
    let reply = world.exchange_refused("orders", &refresh, &further);
    assert_eq!(reply.0, InvalidRequest);
    world
        .exchange("orders", &subject, &TO_SHIPPING)
        .expect("that is another thing");
    world.reconfigure(|realm| drop(realm.exchange.remove(0)));
    let reply = world.exchange_refused("orders", &subject, &TO_SHIPPING);
    assert_eq!(reply.0, InvalidTarget);
}

#[test]
fn used_refresh_tokens_and_tokens_of_other_clients_cannot_be_exchanged() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        for id in ["site", "wiki"] {
            client(realm, id).grants.push(GrantType::TokenExchange);
            let mut all = rule(
                id,
                "shipping.example.com",
                &[(READ, "shipping.example.com/read")],
            );
            all.subject.kinds = vec![TokenKind::IdToken, TokenKind::RefreshToken];
            realm.exchange.push(all);
        }
    });
    let browser = world.signed_in("alice");
    let request = AuthorizationRequest::new("site").with("scope", "openid orders.example.com/read");
    let tokens = world.app_tokens(&browser, &request);
    let id = tokens.id.clone().expect("an ID token");
    let refresh = as_a(TokenType::RefreshToken);
    for (token, typ) in [(tokens.refresh(), refresh), (&id, as_a(TokenType::IdToken))] {
        let reply = world.exchange_refused("wiki", token, &[&typ[..], &TO_SHIPPING].concat());
        assert_eq!(reply.0, InvalidRequest);
        assert!(reply.1.contains("only by the client"), "{reply:?}");
        let exchanged = world.exchange("site", token, &[&typ[..], &TO_SHIPPING].concat());
        exchanged.expect("its own");
    }
    let next = world.refresh("site", tokens.refresh()).expect("tokens");
    let asked = [&refresh[..], &TO_SHIPPING].concat();
    world
        .exchange("site", tokens.refresh(), &asked)
        .expect("within its grace");
    world.advance(11.s());
    let reply = world.exchange_refused("site", tokens.refresh(), &asked);
    assert_eq!(reply.0, InvalidRequest, "used");
    world
        .exchange("site", next.refresh(), &asked)
        .expect("the one that counts");
}
