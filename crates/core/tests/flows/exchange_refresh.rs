//! Refresh tokens in exchange: those that are exchanged, and those that come of one.

use grantor_core::base::error::ErrorCode::{
    InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget,
};
use grantor_core::grants::GrantType;
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::token_type::TokenType;

use crate::exchange_attacks::as_a;
use crate::world::exchange::{SHIPPING, rule};
use crate::world::house::client;
use crate::world::web_apps::Request;
use crate::world::{Spans as _, World};

const TO_SHIPPING: [(&str, &str); 1] = [("audience", SHIPPING)];
const READ: &str = "orders.example.com/read";

/// A service with a refresh token by exchange, and the token of the user that it came of.
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
fn a_refresh_token_by_exchange_gives_nothing_wider_longer_or_elsewhere() {
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
fn a_rule_that_is_withdrawn_gives_nothing_more_nor_what_came_of_it() {
    let (mut world, subject, refresh) = with_refresh();
    world.reconfigure(|realm| {
        let into = [("shipping.example.com/read", "files.example.com/read")];
        let mut further = rule("orders", "files.example.com", &into);
        further.subject.kinds = vec![TokenKind::RefreshToken];
        // By its own refresh token orders acts already.
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
    let said = world.not_exchanged("orders", &refresh, &further);
    assert_eq!(said.0, InvalidRequest);
    world
        .exchange("orders", &subject, &TO_SHIPPING)
        .expect("that is another thing");
    world.reconfigure(|realm| drop(realm.exchange.remove(0)));
    let said = world.not_exchanged("orders", &subject, &TO_SHIPPING);
    assert_eq!(said.0, InvalidTarget);
}

#[test]
fn nothing_comes_of_a_refresh_token_that_was_used_or_of_anothers_tokens() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        for id in ["site", "shop"] {
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
    let browser = world.browser_of("alice");
    let request = Request::of("site").with("scope", "openid orders.example.com/read");
    let tokens = world.app_tokens(&browser, &request);
    let id = tokens.id.clone().expect("an ID token");
    let refresh = as_a(TokenType::RefreshToken);
    for (token, typ) in [(tokens.refresh(), refresh), (&id, as_a(TokenType::IdToken))] {
        let said = world.not_exchanged("shop", token, &[&typ[..], &TO_SHIPPING].concat());
        assert_eq!(said.0, InvalidRequest);
        assert!(said.1.contains("only by the client"), "{said:?}");
        let exchanged = world.exchange("site", token, &[&typ[..], &TO_SHIPPING].concat());
        exchanged.expect("its own");
    }
    let next = world.refresh("site", tokens.refresh()).expect("tokens");
    let asked = [&refresh[..], &TO_SHIPPING].concat();
    world
        .exchange("site", tokens.refresh(), &asked)
        .expect("within its grace");
    world.advance(11.s());
    let said = world.not_exchanged("site", tokens.refresh(), &asked);
    assert_eq!(said.0, InvalidRequest, "used");
    world
        .exchange("site", next.refresh(), &asked)
        .expect("the one that counts");
}
