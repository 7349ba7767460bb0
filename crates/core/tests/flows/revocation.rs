//! Revocation (RFC 7009).

use grantor_core::base::error::ErrorCode::{
    InvalidClient, InvalidGrant, InvalidRequest, InvalidToken, TooManyRequests,
};
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::revoke::Revoke;
use grantor_core::engine::event::EventKind;
use grantor_core::grants::GrantType;

use grantor_testkit::world::{World, form_of, params};
use grantor_testkit::{Spans, client};

#[test]
fn rfc7009_2_1_a_revoked_refresh_token_ends_every_token_of_its_grant() {
    let mut world = World::new();
    let first = world.device_tokens("console", "alice");
    let second = world.refresh("console", first.refresh()).expect("tokens");
    world.take_events();
    assert_eq!(world.revoke("console", second.refresh()), Ok(()));
    assert_eq!(world.take_events(), [EventKind::GrantRevoked]);
    for token in [&first, &second] {
        assert!(!world.is_active("console", &token.access));
        assert!(!world.is_active("console", token.refresh()));
        assert_eq!(world.userinfo(&token.access), Err(InvalidToken));
        assert_eq!(world.refresh("console", token.refresh()), Err(InvalidGrant));
    }
}

#[test]
fn an_older_refresh_token_revokes_as_well() {
    let mut world = World::new();
    let first = world.device_tokens("tv", "alice");
    let second = world.refresh("tv", first.refresh()).expect("tokens");
    assert_eq!(world.revoke("tv", first.refresh()), Ok(()));
    assert_eq!(world.refresh("tv", second.refresh()), Err(InvalidGrant));
}

#[test]
fn a_revoked_access_token_is_inactive_and_its_grant_lives() {
    let mut world = World::new();
    let first = world.device_tokens("console", "alice");
    let second = world.refresh("console", first.refresh()).expect("tokens");
    world.take_events();
    assert_eq!(world.revoke("console", &first.access), Ok(()));
    assert_eq!(world.take_events(), [EventKind::TokenRevoked]);
    assert!(!world.is_active("console", &first.access));
    assert_eq!(world.userinfo(&first.access), Err(InvalidToken));
    assert!(world.is_active("console", &second.access), "only that one");
    assert!(world.is_active("console", second.refresh()));
    assert!(world.refresh("console", second.refresh()).is_ok());
}

#[test]
fn revoking_twice_is_revoking_once() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    for token in [&tokens.access, tokens.refresh()] {
        assert_eq!(world.revoke("tv", token), Ok(()));
        let (cost, response) = world.cost(|world| world.revoke("tv", token));
        assert_eq!((cost[1..].to_vec(), response), (vec![0, 0], Ok(())));
    }
}

#[test]
fn a_machine_revokes_its_access_token() {
    let mut world = World::new();
    let tokens = world.machine_token("orders", &[]).expect("tokens");
    assert!(world.is_active("orders", &tokens.access));
    assert_eq!(world.revoke("orders", &tokens.access), Ok(()));
    assert!(!world.is_active("orders", &tokens.access));
}

#[test]
fn a_sealed_access_token_can_be_revoked() {
    let mut world = World::new();
    let tokens =
        world.device_tokens_with("console", "alice", &[("scope", "files.example.com/read")]);
    assert!(world.is_active("console", &tokens.access));
    assert_eq!(world.revoke("console", &tokens.access), Ok(()));
    assert!(!world.is_active("console", &tokens.access));
}

#[test]
fn rfc7009_2_1_the_token_of_another_client_is_refused_and_nothing_changes() {
    let mut world = World::new();
    let tokens = world.device_tokens("console", "alice");
    for token in [&tokens.access, tokens.refresh()] {
        for thief in ["tv", "orders"] {
            let (cost, response) = world.cost(|world| world.revoke(thief, token));
            assert_eq!((cost[1], response), (0, Err(InvalidGrant)));
        }
    }
    assert_eq!(InvalidGrant.status(), 400);
    assert!(world.is_active("console", &tokens.access));
    assert!(world.refresh("console", tokens.refresh()).is_ok());
}

#[test]
fn rfc7009_2_2_revoking_an_unknown_token_succeeds() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let refresh = tokens.refresh();
    let id = tokens.id.as_deref().expect("an ID token");
    for unknown in [
        "x",
        "a.b.c",
        &refresh[..refresh.len() - 1],
        &tokens.access[1..],
        id,
    ] {
        let (cost, response) = world.cost(|world| world.revoke("tv", unknown));
        assert_eq!((cost, response), ([0, 0, 0], Ok(())), "{unknown}");
    }
}

#[test]
fn introspection_of_an_expired_token_reads_no_row() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.advance(10.mins());
    let (cost, response) = world.cost(|world| world.revoke("tv", &tokens.access));
    assert_eq!((cost, response), ([0, 0, 0], Ok(())));
}

#[test]
fn the_row_of_a_revoked_token_ends_with_the_token() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let before = world.rows();
    assert_eq!(world.revoke("tv", &tokens.access), Ok(()));
    assert_eq!(world.rows(), before + 1);
    world.advance(15.mins());
    world.sweep();
    assert!(world.rows() <= before, "and is swept");
    assert_eq!(
        world.userinfo(&tokens.access),
        Err(InvalidToken),
        "expired by then"
    );
}

#[test]
fn a_client_that_mints_and_revokes_without_end_leaves_a_bounded_number_of_rows() {
    let mut world = World::with(|realm| {
        let grants = &mut client(realm, "console").grants;
        grants.push(GrantType::ClientCredentials);
    });
    let mint_and_revoke = |world: &mut World, client: &str| {
        let tokens = world.machine_token(client, &[]).expect("tokens");
        world.revoke(client, &tokens.access)
    };
    let before = world.rows();
    let revoked = (0..11_000).filter(|_| mint_and_revoke(&mut world, "orders").is_ok());
    assert_eq!(revoked.count(), 10_000);
    assert_eq!(world.rows(), before + 10_000);
    assert_eq!(mint_and_revoke(&mut world, "orders"), Err(TooManyRequests));
    // Others are not held up, and neither are its users.
    assert_eq!(mint_and_revoke(&mut world, "console"), Ok(()));
    world.advance(68.mins());
    world.sweep();
    assert_eq!(world.rows(), before);
    assert_eq!(mint_and_revoke(&mut world, "orders"), Ok(()));
}

#[test]
fn a_user_who_revokes_without_end_holds_up_no_other_user_of_the_client() {
    let mut world = World::new();
    let mut tokens = world.device_tokens("tv", "bob");
    let other = world.device_tokens("tv", "alice");
    let rows = world.rows();
    let mut revoked = 0;
    for _ in 0..1100 {
        revoked += usize::from(world.revoke("tv", &tokens.access).is_ok());
        tokens = world.refresh("tv", tokens.refresh()).expect("tokens");
    }
    assert_eq!(revoked, 1000);
    assert!(world.rows() <= rows + 1000);
    assert_eq!(world.revoke("tv", &tokens.access), Err(TooManyRequests));
    assert_eq!(world.revoke("tv", &other.access), Ok(()));
    assert_eq!(world.revoke("tv", tokens.refresh()), Ok(()));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
}

#[test]
fn rfc7009_2_1_a_hint_that_does_not_fit_is_ignored() {
    let mut world = World::new();
    for hint in ["access_token", "refresh_token", "saml2_token"] {
        let tokens = world.device_tokens("tv", "alice");
        for token in [&tokens.access, tokens.refresh()] {
            let form = form_of("tv", &[("token", token), ("token_type_hint", hint)]);
            let request =
                Authenticated::<Revoke>::parse(None, &form, world.peer()).expect("a request");
            assert!(world.ask(request).reply.is_ok());
        }
        assert_eq!(
            world.refresh("tv", tokens.refresh()),
            Err(InvalidGrant),
            "{hint}"
        );
    }
}

#[test]
fn rfc7009_2_1_the_client_is_authenticated() {
    let mut world = World::new();
    let tokens = world.device_tokens("console", "alice");
    let form = params(&[("client_id", "console"), ("token", tokens.refresh())]);
    let request = Authenticated::<Revoke>::parse(None, &form, world.peer()).expect("a request");
    let refused = world.ask(request).reply.expect_err("without its secret");
    assert_eq!(refused.code, InvalidClient);
    assert!(world.refresh("console", tokens.refresh()).is_ok());
    let missing = Authenticated::<Revoke>::parse(None, &form_of("tv", &[]), world.peer());
    assert_eq!(missing.expect_err("no token").code, InvalidRequest);
}
