//! The device grant from the codes to the tokens (RFC 8628).

use grantor_core::client_auth::Authenticated;

use grantor_core::base::error::ErrorCode::{
    AccessDenied, AuthorizationPending, ExpiredToken, InvalidGrant, InvalidRequest, InvalidScope,
    UnauthorizedClient,
};
use grantor_core::engine::event::EventKind;
use grantor_core::grants::GrantType;

use grantor_testkit::world::{Decided, Run, World, answer, params};
use grantor_testkit::{DEVICE_CODE, Spans, client, user_id};

#[test]
fn a_device_gets_its_tokens() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    world.advance(5.s());
    let browser = world.signed_in("alice");
    let asker = world.type_code(&browser, &codes.user).device();
    assert_eq!(asker.client_name, "The tv");
    assert_eq!(
        asker.scope.to_string(),
        "openid orders.example.com/read profile"
    );
    assert_eq!(asker.visitor.username, "alice");
    assert_eq!(
        world.poll(&codes),
        Err(AuthorizationPending),
        "a look decides nothing"
    );
    assert_eq!(world.decide(&browser, &codes, true), Decided::Approved);
    world.advance(5.s());
    let tokens = world.poll(&codes).expect("tokens");
    assert_eq!(tokens.expires_in, 600);
    assert_eq!(tokens.scope, "openid orders.example.com/read profile");
    assert!(tokens.id.is_some() && tokens.refresh.is_some());
    let response = world
        .introspect("console", &tokens.access)
        .expect("an answer");
    assert!(!response.active, "another client learns nothing");
    let me = world.userinfo(&tokens.access).expect("claims");
    assert_eq!(me["sub"], user_id("alice").to_string());
    let next = world.refresh("tv", tokens.refresh()).expect("tokens");
    assert_ne!(next.refresh, tokens.refresh);
    assert_eq!(
        world.take_events(),
        [
            EventKind::DeviceAuthorizationStarted,
            EventKind::SignedIn,
            EventKind::DeviceApproved,
            EventKind::TokensIssued,
            EventKind::TokensRefreshed,
        ],
        "polls while pending and look-ups are no events"
    );
}

#[test]
fn rfc8628_3_2_the_answer_names_lifetime_and_interval() {
    let mut world = World::new();
    let request = world.device_request("tv", &[]).expect("a request");
    let reply = world.ask(request).reply.expect("codes");
    assert_eq!((reply.expires_in, reply.interval), (10.mins(), 5.s()));
    assert_eq!(reply.user_code.len(), 9, "{}", reply.user_code);
    assert_eq!(reply.user_code.find('-'), Some(4));
    assert!(reply.device_code.reveal().starts_with("grantor_dc_"));
}

#[test]
fn rfc8628_3_5_a_denied_code_says_so_until_it_expires() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.deny("alice", &codes);
    for _ in 0..3 {
        assert_eq!(world.poll(&codes), Err(AccessDenied));
        world.advance(5.s());
    }
    world.advance(10.mins());
    assert_eq!(world.poll(&codes), Err(ExpiredToken));
}

#[test]
fn rfc8628_3_5_an_expired_code_is_refused_without_a_read() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.advance(10.mins() - 1.ms());
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    world.advance(1.ms());
    let (cost, response) = world.cost(|world| world.poll(&codes));
    assert_eq!((cost, response), ([0, 0, 0], Err(ExpiredToken)));
}

#[test]
fn an_approved_code_that_expired_gives_nothing() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    world.advance(10.mins());
    assert_eq!(world.poll(&codes), Err(ExpiredToken));
}

#[test]
fn a_used_code_gives_tokens_once_and_its_reuse_does_not_end_the_grant() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    let tokens = world.poll(&codes).expect("tokens");
    for _ in 0..3 {
        assert_eq!(world.poll(&codes), Err(InvalidGrant));
        world.advance(5.s());
    }
    assert!(
        world.userinfo(&tokens.access).is_ok(),
        "what was given lives on"
    );
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn of_two_simultaneous_polls_of_an_approved_code_one_gets_tokens() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    let mut runs: Vec<_> = (0..2)
        .map(|_| {
            let request = world.poll_request("tv", &codes.device);
            Run::new(&mut world, request)
        })
        .collect();
    let mut answers = Vec::new();
    while !runs.is_empty() {
        runs.retain_mut(|run| match run.effect(&mut world) {
            Some(end) => {
                answers.push(answer(end.expect("the server answers")));
                false
            }
            None => true,
        });
    }
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(InvalidGrant));
}

#[test]
fn a_forged_truncated_or_unknown_code_is_refused_without_a_read() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    let code = codes.device.clone();
    let middle = code.len() / 2;
    let other = if code.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut flipped = code.clone();
    flipped.replace_range(middle..=middle, other);
    let elsewhere = World::with(|realm| {
        let master = grantor_core::base::sealing::MasterKey::new([2; 32]);
        realm.sealing = grantor_core::base::sealing::SealingKeys::new("default", &master, &[]);
    })
    .device_codes("tv");
    let refresh = code.replace("grantor_dc_", "grantor_rt_");
    for bad in [
        &code[..code.len() - 1],
        &code[..20],
        &flipped,
        &elsewhere.device,
        &refresh,
        "x",
        &codes.user,
    ] {
        let (cost, response) = world.cost(|world| world.poll_as("tv", bad));
        assert_eq!((cost, response), ([0, 0, 0], Err(InvalidGrant)), "{bad}");
    }
    assert!(
        world.poll(&codes).is_ok(),
        "and the right one is not touched"
    );
}

#[test]
fn redeeming_a_code_of_another_client_is_refused_without_effect() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    for thief in ["tv2", "console"] {
        for _ in 0..5 {
            let (cost, response) = world.cost(|world| world.poll_as(thief, &codes.device));
            assert_eq!((cost, response), ([0, 0, 0], Err(InvalidGrant)));
        }
    }
    assert!(world.poll(&codes).is_ok());
}

#[test]
fn polls_of_another_client_do_not_slow_down_the_owner_of_the_code() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    for _ in 0..100 {
        assert_eq!(world.poll_as("tv2", &codes.device), Err(InvalidGrant));
    }
    world.advance(5.s());
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
}

#[test]
fn a_restart_of_the_server_loses_no_device() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    world.limits = grantor_core::engine::limits::Limits::new(&[9; 32]);
    assert!(world.poll(&codes).is_ok());
}

#[test]
fn a_client_without_the_grant_gets_no_codes_and_no_tokens() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    world.reconfigure(|realm| client(realm, "tv").grants = vec![GrantType::RefreshToken]);
    assert_eq!(world.poll(&codes), Err(UnauthorizedClient));
    let refused = world.device_codes_with("tv", &[]).expect_err("no codes");
    assert_eq!(refused.code, UnauthorizedClient);
}

#[test]
fn rfc6749_3_3_a_scope_that_the_client_may_not_ask_for_is_invalid() {
    let mut world = World::new();
    let shipping = "shipping.example.com/read";
    for bad in [shipping, "unknown", "openid  profile", "openid \"", "phone"] {
        let rows = world.rows();
        let refused = world
            .device_codes_with("tv", &[("scope", bad)])
            .expect_err(bad);
        assert_eq!((refused.code, world.rows()), (InvalidScope, rows), "{bad}");
    }
}

#[test]
fn rfc6749_3_3_no_scope_means_the_clients_defaults() {
    let mut world = World::new();
    let asked = world.device_tokens_with("tv", "alice", &[("scope", "email openid")]);
    assert_eq!(asked.scope, "email openid");
    let empty = world.device_tokens_with("tv", "alice", &[("scope", "")]);
    assert_eq!(empty.scope, "openid orders.example.com/read profile");
}

#[test]
fn a_missing_code_is_an_invalid_request() {
    let mut world = World::new();
    let pairs = [("grant_type", DEVICE_CODE), ("client_id", "tv")];
    let refused = Authenticated::<grantor_core::endpoints::token::Token>::parse(
        None,
        &params(&pairs),
        world.peer(),
    );
    assert_eq!(refused.expect_err("no code").code, InvalidRequest);
    assert_eq!(world.poll_as("tv", "grantor_dc_"), Err(InvalidGrant));
}

#[test]
fn what_a_device_may_get_is_the_operators_choice() {
    let mut world = World::with(|realm| {
        realm.device.tokens.id = false;
        realm.device.tokens.refresh = false;
    });
    let tokens = world.device_tokens("tv", "alice");
    assert_eq!((tokens.id, tokens.refresh), (None, None));
    world.reconfigure(|realm| {
        realm.device.tokens.refresh = true;
        client(realm, "tv").grants = vec![GrantType::DeviceCode];
    });
    assert_eq!(
        world.device_tokens("tv", "alice").refresh,
        None,
        "without the grant, no refresh token"
    );
}
