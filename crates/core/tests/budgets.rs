//! What each request may cost: reads, commits, rows written. Counted, not timed.

use std::sync::Arc;

use grantor_core::base::error::ErrorCode::{self, AuthorizationPending, InvalidGrant, SlowDown};

use grantor_core::grants::GrantType;
use grantor_core::model::exchange_rule::{ExchangeRule, SubjectRule, TokenKind};
use grantor_core::model::token_type::TokenType;
use grantor_testkit::world::{Browser, Decided, SignedIn, Tokens, World};
use grantor_testkit::{ACCESS_TOKEN, AuthorizationRequest, Spans as _, client};

/// Asserts that `act` costs exactly this, and no more than the budget of the design allows.
fn costs<T>(
    world: &mut World,
    expected: [usize; 3],
    budget: [usize; 3],
    act: impl FnOnce(&mut World) -> T,
) -> T {
    let (cost, result) = world.cost(act);
    assert_eq!(cost, expected, "reads, commits, rows written");
    for (cost, budget) in cost.iter().zip(budget) {
        assert!(*cost <= budget, "{cost} of {budget}");
    }
    result
}

#[test]
fn a_machine_token_needs_no_store() {
    let mut world = World::new();
    costs(&mut world, [0, 0, 0], [0, 0, 0], |world| {
        world.machine_token("orders", &[])
    })
    .expect("tokens");
}

#[test]
fn device_authorization_writes_two_rows_and_reads_none() {
    let mut world = World::new();
    costs(&mut world, [0, 1, 2], [0, 1, 2], |world| {
        world.device_codes("tv")
    });
}

#[test]
fn a_poll_while_pending_is_one_read() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    for _ in 0..10 {
        let reply = costs(&mut world, [1, 0, 0], [1, 0, 0], |world| world.poll(&codes));
        assert_eq!(reply, Err(AuthorizationPending));
        world.advance(5.s());
    }
}

#[test]
fn fast_polls_read_the_store_at_most_once_a_second() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let (cost, reply) = world.cost(|world| {
        let polls = (0..1000).map(|_| {
            let reply = world.poll(&codes);
            world.advance(10.ms());
            reply
        });
        polls.collect::<Vec<_>>()
    });
    assert_eq!(cost, [10, 0, 0], "1,000 polls in 10 seconds");
    assert_eq!(reply[0], Err(AuthorizationPending));
    assert!(reply[1..].iter().all(|reply| *reply == Err(SlowDown)));
}

#[test]
fn a_poll_of_a_denied_or_used_code_is_one_read() {
    let mut world = World::new();
    let (denied, used) = (world.device_codes("tv"), world.device_codes("tv"));
    world.deny("alice", &denied);
    world.approve("alice", &used);
    world.poll(&used).expect("tokens");
    for (codes, reply) in [(&denied, ErrorCode::AccessDenied), (&used, InvalidGrant)] {
        for _ in 0..3 {
            let answer = costs(&mut world, [1, 0, 0], [1, 0, 0], |world| world.poll(codes));
            assert_eq!(answer, Err(reply));
        }
    }
}

#[test]
fn a_decision_is_two_reads_and_at_most_three_rows() {
    let mut world = World::new();
    for approve in [true, false] {
        let fresh = world.signed_in("alice");
        let codes = world.device_codes("tv");
        costs(&mut world, [2, 1, 2], [3, 1, 3], |world| {
            world.decide(&fresh, &codes, approve)
        });
        // The session's last use is written too, where that was long ago.
        world.advance(40.mins());
        let codes = world.device_codes("tv");
        let decided = costs(&mut world, [2, 1, 3], [3, 1, 3], |world| {
            world.decide(&fresh, &codes, approve)
        });
        assert_ne!(decided, Decided::Gone);
    }
}

#[test]
fn looking_a_code_up_writes_nothing() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let codes = world.device_codes("tv");
    costs(&mut world, [3, 0, 0], [3, 0, 0], |world| {
        world.type_code(&browser, &codes.user)
    });
    costs(&mut world, [2, 0, 0], [3, 0, 0], |world| {
        world.type_code(&browser, "BCDF-GHJK")
    });
}

#[test]
fn redeeming_a_device_code_is_two_reads_and_one_row() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    costs(&mut world, [2, 1, 1], [2, 1, 1], |world| world.poll(&codes)).expect("tokens");
}

#[test]
fn a_refresh_is_two_reads_and_one_row() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    costs(&mut world, [2, 1, 1], [2, 1, 1], |world| {
        world.refresh("tv", tokens.refresh())
    })
    .expect("tokens");
}

#[test]
fn a_refresh_replayed_inside_the_grace_writes_nothing() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.refresh("tv", tokens.refresh()).expect("tokens");
    costs(&mut world, [2, 0, 0], [2, 0, 0], |world| {
        world.refresh("tv", tokens.refresh())
    })
    .expect("tokens");
}

#[test]
fn reuse_after_the_grace_costs_one_read_and_one_row() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.refresh("tv", tokens.refresh()).expect("tokens");
    world.advance(61.s());
    let reply = costs(&mut world, [1, 1, 1], [2, 1, 1], |world| {
        world.refresh("tv", tokens.refresh())
    });
    assert_eq!(reply, Err(InvalidGrant));
}

#[test]
fn introspection_and_userinfo_are_at_most_two_reads() {
    let mut world = World::new();
    let tokens = world.device_tokens("console", "alice");
    let machine = world.machine_token("orders", &[]).expect("tokens");
    let budget = [2, 0, 0];
    for (client, token, reads) in [
        ("console", tokens.access.as_str(), 1),
        ("console", tokens.refresh(), 2),
        ("orders", &machine.access, 1),
    ] {
        assert!(costs(&mut world, [reads, 0, 0], budget, |world| world
            .is_active(client, token)));
    }
    costs(&mut world, [1, 0, 0], budget, |world| {
        world.userinfo(&tokens.access)
    })
    .expect("claims");
}

#[test]
fn a_revocation_is_one_read_and_one_row() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    for token in [&tokens.access, tokens.refresh()] {
        let reply = costs(&mut world, [1, 1, 1], [2, 1, 1], |world| {
            world.revoke("tv", token)
        });
        assert_eq!(reply, Ok(()));
    }
}

#[test]
fn sign_in_and_sign_out_are_at_most_two_reads_and_two_rows() {
    let mut world = World::new();
    let mut browser = Browser::new();
    let budget = [2, 1, 2];
    for (name, rows) in [("alice", 1), ("alice", 1), ("bob", 2)] {
        let password = format!("{name}-password");
        let reply = costs(&mut world, [2, 1, rows], budget, |world| {
            world.sign_in(&mut browser, name, &password)
        });
        assert_eq!(reply, SignedIn::Yes);
    }
    costs(&mut world, [1, 1, 1], budget, |world| {
        world.sign_out(&browser)
    });
}

#[test]
fn a_page_is_one_read() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    costs(&mut world, [1, 0, 0], [1, 0, 0], |world| {
        world.visitor(&browser)
    })
    .expect("signed in");
}

#[test]
fn removing_access_costs_one_read_and_one_commit() {
    let mut world = World::new();
    let (alice, phone) = (world.signed_in("alice"), world.signed_in("alice"));
    let codes = world.device_codes("tv");
    world.decide(&alice, &codes, true);
    for _ in 0..12 {
        world.app_tokens(&phone, &AuthorizationRequest::new("spa"));
    }
    let (session, user) = world.session_of(&phone);
    let (grant, grants) = (world.grant_of(&codes), world.listed_grants(user, "spa"));
    let view = world.view_account_request(&alice);
    let budget = [2, 1, 13];
    costs(&mut world, [1, 0, 0], budget, |world| world.ask(view));
    costs(&mut world, [1, 1, 1], budget, |world| {
        world.revoke_grant(&alice, grant)
    });
    let disconnect = alice.disconnect("spa", grants);
    costs(&mut world, [1, 1, 13], budget, |world| {
        world.ask(disconnect)
    });
    costs(&mut world, [1, 1, 1], budget, |world| {
        world.end_session(&alice, session)
    });
    let everywhere = alice.sign_out_everywhere();
    costs(&mut world, [1, 1, 2], budget, |world| world.ask(everywhere));
}

#[test]
fn forged_tokens_are_refused_without_a_read() {
    let mut world = World::new();
    let none = [0, 0, 0];
    let reply = costs(&mut world, none, none, |world| {
        world.poll_as("tv", "grantor_dc_forged")
    });
    assert_eq!(reply, Err(InvalidGrant));
    let reply = costs(&mut world, none, none, |world| {
        world.refresh("tv", "grantor_rt_forged")
    });
    assert_eq!(reply, Err(InvalidGrant));
    assert!(
        costs(&mut world, none, none, |world| world
            .userinfo("grantor_at_forged"))
        .is_err()
    );
}

#[test]
fn ten_thousand_refreshes_leave_as_many_rows_as_one() {
    // Nothing is signed for an ID token: that is not what is counted here.
    let mut world = World::with(|realm| realm.device.tokens.id = false);
    let mut tokens: Tokens = world.device_tokens("tv", "alice");
    let rows = world.rows();
    let (cost, ()) = world.cost(|world| {
        for _ in 0..10_000 {
            world.advance(10.mins());
            tokens = world.refresh("tv", tokens.refresh()).expect("tokens");
        }
    });
    assert_eq!(cost, [20_000, 10_000, 10_000]);
    assert_eq!(world.rows(), rows);
}

#[test]
fn an_authorization_with_a_session_is_one_read_and_one_commit() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa");
    // Without a session, or while the user is asked, nothing is written.
    let stranger = Browser::new();
    costs(&mut world, [0, 0, 0], [3, 1, 2], |world| {
        world.authorize(&stranger, &request).sign_in()
    });
    costs(&mut world, [1, 0, 0], [3, 1, 2], |world| {
        world.authorize(&alice, &request).consent()
    });
    costs(&mut world, [1, 1, 2], [3, 1, 2], |world| {
        world.consent(&alice, &request).code()
    });
    costs(&mut world, [1, 1, 1], [3, 1, 1], |world| {
        world.authorize(&alice, &request).code()
    });
}

#[test]
fn a_session_records_each_client_with_a_backchannel_uri_once() {
    let mut world = World::with(|realm| {
        let uri = "https://site.example/logout".to_owned();
        client(realm, "site").logout.backchannel_uri = Some(uri);
    });
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("site");
    world
        .consent(&alice, &AuthorizationRequest::new("site"))
        .code();
    costs(&mut world, [1, 1, 1], [3, 1, 2], |world| {
        world.authorize(&alice, &request).code()
    });
}

#[test]
fn redeeming_an_authorization_code_is_two_reads_and_one_row() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let scope = "openid offline_access";
    for request in [
        AuthorizationRequest::new("spa"),
        AuthorizationRequest::new("spa").with("scope", scope),
    ] {
        let code = world.consent(&alice, &request).code();
        let tokens = costs(&mut world, [2, 1, 1], [2, 1, 1], |world| {
            world.redeem("spa", &code)
        });
        tokens.expect("tokens");
        let replayed = costs(&mut world, [1, 1, 1], [2, 1, 1], |world| {
            world.redeem("spa", &code)
        });
        assert_eq!(replayed, Err(InvalidGrant));
    }
}

#[test]
fn a_forged_or_foreign_authorization_code_costs_no_read() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let code = world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    for (client, code) in [("site", code.as_str()), ("spa", &code[..code.len() - 1])] {
        let refused = costs(&mut world, [0, 0, 0], [2, 1, 1], |world| {
            world.redeem(client, code)
        });
        assert_eq!(refused, Err(InvalidGrant));
    }
}

#[test]
fn userinfo_and_introspection_of_a_token_bound_to_a_session_are_one_read() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &AuthorizationRequest::new("site"));
    costs(&mut world, [1, 0, 0], [2, 0, 0], |world| {
        world.userinfo(&tokens.access).expect("claims")
    });
    costs(&mut world, [1, 0, 0], [2, 0, 0], |world| {
        assert!(world.is_active("site", &tokens.access));
    });
}

#[test]
fn an_exchange_is_at_most_two_reads_and_no_commit() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    let alice = world.signed_in("alice");
    let asked = AuthorizationRequest::new("site").with("scope", "openid orders.example.com/read");
    let bound = world.app_tokens(&alice, &asked);
    let actor = world.machine_token("orders", &[]).expect("a token");
    let exchanged = costs(&mut world, [1, 0, 0], [2, 0, 0], |world| {
        world
            .exchange("orders", &subject.access, &[])
            .expect("a token")
    });
    // Its user, its session, its grant and what may be revoked come together.
    costs(&mut world, [1, 0, 0], [2, 0, 0], |world| {
        world
            .exchange("orders", &bound.access, &[])
            .expect("a token")
    });
    // With an actor token: its rows come with the subject's.
    let by_actor = [
        ("actor_token", &*actor.access),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    costs(&mut world, [1, 0, 0], [2, 0, 0], |world| {
        world
            .exchange("orders", &subject.access, &by_actor)
            .expect("a token")
    });
    costs(&mut world, [1, 0, 0], [2, 0, 0], |world| {
        world
            .exchange("shipping", &exchanged.token, &[])
            .expect("a token")
    });
    // A refresh token, an ID token, and what comes of a refresh token by exchange.
    world.reconfigure(|realm| {
        realm.exchange[0].issues.push(TokenKind::RefreshToken);
        realm.exchange[0].subject.kinds = vec![TokenKind::AccessToken, TokenKind::RefreshToken];
        let rule = realm.exchange[0].clone();
        let client = "site".parse().expect("an id");
        let site = Arc::make_mut(realm.clients.get_mut(&client).expect("it is there"));
        site.grants.push(GrantType::TokenExchange);
        realm.exchange.push(ExchangeRule {
            client,
            subject: SubjectRule {
                kinds: vec![TokenKind::RefreshToken, TokenKind::IdToken],
                ..rule.subject.clone()
            },
            ..rule
        });
    });
    let id = bound.id.as_deref().expect("an ID token");
    for (token, typ, expected) in [
        (id, TokenType::IdToken, [1, 0, 0]),
        (bound.refresh(), TokenType::RefreshToken, [2, 0, 0]),
    ] {
        let as_such = [("subject_token_type", typ.uri())];
        costs(&mut world, expected, [2, 0, 0], |world| {
            world.exchange("site", token, &as_such).expect("a token")
        });
    }
    let wanted = [("requested_token_type", TokenType::RefreshToken.uri())];
    let given = world
        .exchange("orders", &subject.access, &wanted)
        .expect("a token");
    let given = costs(&mut world, [2, 1, 1], [2, 1, 1], |world| {
        world.refresh("orders", &given.token).expect("tokens")
    });
    costs(&mut world, [2, 0, 0], [2, 0, 0], |world| {
        world
            .exchange("shipping", &given.access, &[])
            .expect("a token")
    });
    // A forged subject costs nothing.
    costs(&mut world, [0, 0, 0], [2, 0, 0], |world| {
        world
            .exchange("orders", "x.y.z", &[])
            .expect_err("it is forged")
    });
}
