//! Client authentication (RFC 6749 section 2.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantor_core::base::error::ErrorCode::{self, InvalidClient, InvalidRequest, TooManyRequests};
use grantor_core::base::error::{Cause, Refusal};
use grantor_core::base::secret::{Secret, SecretVerifier};
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::introspect::Introspect;
use grantor_core::endpoints::token::Token;
use grantor_core::model::client::ClientAuth;

use grantor_testkit::world::{World, params};
use grantor_testkit::{CONSOLE_SECRET, ORDERS_SECRET, RealmBuilder, Spans, client};

/// A machine asks for a token with this header and these credentials in the body.
fn ask(world: &mut World, header: Option<&str>, body: &[(&str, &str)]) -> Result<(), Refusal> {
    let form = params(&[&[("grant_type", "client_credentials")], body].concat());
    let request = Authenticated::<Token>::parse(header.map(str::as_bytes), &form, world.peer())?;
    world.ask(request).reply.map(|_| ())
}

fn code(world: &mut World, header: Option<&str>, body: &[(&str, &str)]) -> Result<(), ErrorCode> {
    ask(world, header, body).map_err(|refusal| refusal.code)
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

fn right() -> String {
    basic(&format!("orders:{ORDERS_SECRET}"))
}

#[test]
fn rfc6749_2_3_1_a_secret_comes_by_basic_or_in_the_body() {
    let mut world = World::new();
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
    let body = [("client_id", "orders"), ("client_secret", ORDERS_SECRET)];
    assert_eq!(code(&mut world, None, &body), Ok(()));
}

#[test]
fn rfc6749_2_3_1_basic_credentials_are_form_encoded() {
    let mut world = World::with(|realm| {
        let secret = client(realm, "console").auth.clone();
        client(realm, "orders").auth = secret;
    });
    let encoded: String = url::form_urlencoded::byte_serialize(CONSOLE_SECRET.as_bytes()).collect();
    assert_ne!(encoded, CONSOLE_SECRET);
    assert_eq!(
        code(&mut world, Some(&basic(&format!("orders:{encoded}"))), &[]),
        Ok(())
    );
    let raw = basic("orders:console:secret/with%2022%2B%20characters");
    assert_eq!(
        code(&mut world, Some(&raw), &[]),
        Ok(()),
        "a colon in a secret may stand as it is"
    );
}

#[test]
fn rfc9110_11_1_the_scheme_has_no_case() {
    let mut world = World::new();
    let header = right().replace("Basic", "bASIC");
    assert_eq!(code(&mut world, Some(&header), &[]), Ok(()));
    let header = right().replace("Basic", "Bearer");
    assert_eq!(code(&mut world, Some(&header), &[]), Err(InvalidClient));
}

#[test]
fn rfc6749_2_3_two_credentials_at_once_are_refused() {
    let mut world = World::new();
    let both = [("client_id", "orders"), ("client_secret", ORDERS_SECRET)];
    assert_eq!(code(&mut world, Some(&right()), &both), Err(InvalidRequest));
    let other = [("client_id", "console")];
    assert_eq!(
        code(&mut world, Some(&right()), &other),
        Err(InvalidRequest)
    );
    let same = [("client_id", "orders")];
    assert_eq!(
        code(&mut world, Some(&right()), &same),
        Ok(()),
        "no second credential"
    );
}

#[test]
fn unknown_client_disabled_client_and_wrong_secret_get_the_same_error() {
    let mut world = World::new();
    world.reconfigure(|realm| client(realm, "console").enabled = false);
    let console: String = url::form_urlencoded::byte_serialize(CONSOLE_SECRET.as_bytes()).collect();
    let refused = [
        basic("nobody:x"),
        basic("orders:wrong"),
        basic("orders:"),
        basic("orders"),
        basic(&format!("console:{console}")),
    ]
    .map(|header| ask(&mut world, Some(&header), &[]).expect_err("refused"));
    for refusal in &refused {
        assert_eq!(refusal.code, InvalidClient);
        assert_eq!(refusal.description(), refused[0].description());
    }
    assert_eq!(InvalidClient.status(), 401);
}

#[test]
fn a_confidential_client_is_refused_without_its_secret() {
    let mut world = World::new();
    assert_eq!(
        code(&mut world, None, &[("client_id", "orders")]),
        Err(InvalidClient)
    );
    let empty = [("client_id", "orders"), ("client_secret", "")];
    assert_eq!(code(&mut world, None, &empty), Err(InvalidClient));
}

/// RFC 6749 section 5.2: "Client authentication failed (e.g., unknown client, no client authentication included, or
/// unsupported authentication method)."
#[test]
fn rfc6749_5_2_no_credentials_and_unsupported_methods_are_invalid_client_with_a_cause_each() {
    let mut world = World::new();
    let assertion = ("client_assertion", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
    let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let typ = ("client_assertion_type", jwt);
    let (public, orders, nobody) = (
        ("client_id", "tv"),
        ("client_id", "orders"),
        ("client_id", "nobody"),
    );
    let secret = ("client_secret", "");
    let mut cause = |header: Option<&str>, body: &[(&str, &str)]| {
        let refusal = ask(&mut world, header, body).expect_err("refused");
        assert_eq!(refusal.code, InvalidClient, "{header:?} {body:?}");
        refusal.cause
    };
    assert_eq!(cause(None, &[]), Cause::CredentialsMissing);
    assert_eq!(cause(None, &[secret]), Cause::CredentialsMissing);
    for body in [
        &[assertion, typ][..],
        &[assertion, typ, public],
        &[assertion, typ, orders],
        &[assertion, typ, nobody],
        &[assertion, public],
        &[typ, public],
        &[assertion, typ, orders, secret],
    ] {
        assert_eq!(cause(None, body), Cause::AssertionNotSupported, "{body:?}");
    }
    for header in ["Bearer x", "DPoP x", "Digest a=b", "Negotiate", "Basic\tx"] {
        let why = cause(Some(header), &[]);
        assert_eq!(why, Cause::SchemeNotSupported, "{header}");
    }
    for header in ["", "Basic", "Basic !!!", " "] {
        assert_eq!(cause(Some(header), &[]), Cause::BasicMalformed, "{header}");
    }
    // Nor does an endpoint say what else is wrong before it knows who asks.
    let form = params(&[]);
    let peer = world.peer();
    let refused = Authenticated::<Introspect>::parse(None, &form, peer).expect_err("refused");
    assert_eq!(refused.cause, Cause::CredentialsMissing);
}

#[test]
fn rfc6749_2_3_an_assertion_next_to_another_method_is_two() {
    let mut world = World::new();
    for name in ["client_assertion", "client_assertion_type"] {
        let with_secret = [
            ("client_id", "orders"),
            ("client_secret", ORDERS_SECRET),
            (name, "x"),
        ];
        assert_eq!(code(&mut world, None, &with_secret), Err(InvalidRequest));
        let with_basic = code(&mut world, Some(&right()), &[(name, "x")]);
        assert_eq!(with_basic, Err(InvalidRequest));
    }
    let empty = [("client_assertion", ""), ("client_assertion_type", "")];
    assert_eq!(code(&mut world, Some(&right()), &empty), Ok(()), "none");
}

#[test]
fn an_operator_can_leave_one_method_only() {
    let mut world = World::new();
    let set = |world: &mut World, by_basic: bool| {
        world.reconfigure(|realm| match &mut client(realm, "orders").auth {
            ClientAuth::Secret { basic, post, .. } => (*basic, *post) = (by_basic, !by_basic),
            ClientAuth::Public => unreachable!("orders is confidential"),
        });
    };
    let body = [("client_id", "orders"), ("client_secret", ORDERS_SECRET)];
    set(&mut world, true);
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
    assert_eq!(code(&mut world, None, &body), Err(InvalidClient));
    set(&mut world, false);
    assert_eq!(code(&mut world, Some(&right()), &[]), Err(InvalidClient));
    assert_eq!(code(&mut world, None, &body), Ok(()));
}

#[test]
fn a_public_client_may_send_an_empty_secret_and_no_other() {
    let mut world = World::new();
    let mut codes = |header: Option<String>, body: &[(&str, &str)]| {
        let form = params(body);
        let header = header.as_deref().map(str::as_bytes);
        let peer = world.peer();
        let request = Authenticated::<
            grantor_core::endpoints::device_authorization::DeviceAuthorization,
        >::parse(header, &form, peer)
        .map_err(|refusal| refusal.code)?;
        world
            .ask(request)
            .reply
            .map(|_| ())
            .map_err(|refusal| refusal.code)
    };
    assert_eq!(
        codes(Some(basic("tv")), &[]),
        Ok(()),
        "an id without a colon"
    );
    assert_eq!(codes(Some(basic("tv:")), &[]), Ok(()));
    assert_eq!(
        codes(None, &[("client_id", "tv"), ("client_secret", "")]),
        Ok(())
    );
    assert_eq!(codes(Some(basic("tv:x")), &[]), Err(InvalidClient));
    assert_eq!(
        codes(None, &[("client_id", "tv"), ("client_secret", "x")]),
        Err(InvalidClient)
    );
}

#[test]
fn rfc6749_2_3_1_guesses_of_a_short_secret_are_bounded() {
    let mut world = World::new();
    for n in 0..100 {
        let header = basic(&format!("orders:{n}"));
        assert_eq!(
            code(&mut world, Some(&header), &[]),
            Err(InvalidClient),
            "{n}"
        );
    }
    // Beyond the limit one in ten seconds is answered.
    let wrong = basic("orders:wrong");
    assert_eq!(code(&mut world, Some(&wrong), &[]), Err(InvalidClient));
    for header in [&wrong, &right()] {
        let refused = ask(&mut world, Some(header), &[]).expect_err("too many");
        assert_eq!(refused.code, TooManyRequests);
        assert_eq!(refused.retry_after, Some(12));
    }
    assert_eq!(
        code(world.from("198.51.100.1"), Some(&right()), &[]),
        Ok(()),
        "the client itself, elsewhere, does not notice"
    );
    let guesses = (0..3600).filter(|_| {
        world.from("192.0.2.10").advance(1.s());
        code(&mut world, Some(&wrong), &[]) == Err(InvalidClient)
    });
    assert!(guesses.count() <= 360);
    world.advance(68.mins());
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
}

#[test]
fn wrong_secrets_do_not_lock_out_the_right_one_from_their_address() {
    let mut world = World::new();
    let flood = |world: &mut World| {
        for n in 0..300 {
            let _ = code(world, Some(&basic(&format!("orders:{n}"))), &[]);
        }
    };
    flood(&mut world);
    world.advance(12.s());
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
    flood(&mut world);
    let proven = code(&mut world, Some(&right()), &[]);
    assert_eq!(proven, Ok(()), "it came from here before");
    let refused = ask(&mut world, Some(&right()), &[]).expect_err("too soon");
    world.advance(refused.retry_after.expect("seconds").s());
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
}

/// 50 wrong secrets from the client's own address. Returns how many were compared.
fn flood(world: &mut World) -> usize {
    let wrong = (0..50).filter(|n| {
        let guess = basic(&format!("orders:{n}"));
        code(world, Some(&guess), &[]) == Err(InvalidClient)
    });
    wrong.count()
}

#[test]
fn a_flood_of_wrong_secrets_does_not_lock_the_right_one_out_of_a_proven_address() {
    let mut world = World::new();
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
    let (mut right_answers, mut wrong_answers) = (0, 0);
    // 10,100 wrong ones: 100 within the limit, 10,000 beyond it.
    for _ in 0..202 {
        wrong_answers += flood(&mut world);
        right_answers += usize::from(code(&mut world, Some(&right()), &[]) == Ok(()));
        world.advance(1.s());
    }
    assert!(
        right_answers >= 202 / 12,
        "{right_answers} of one in 12 seconds"
    );
    assert!(
        right_answers <= 3 + 202 / 10,
        "but few are told: {right_answers}"
    );
    assert!(wrong_answers <= 101 + 202 / 10, "{wrong_answers}");
}

#[test]
fn a_proven_address_does_not_tell_right_secrets_from_wrong_ones_without_limit() {
    let mut world = World::new();
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
    for _ in 0..203 {
        flood(&mut world);
        world.advance(1.s());
    }
    world.advance(12.s());
    // From now on the right one waits with the wrong ones.
    for _ in 0..20 {
        assert_eq!(flood(&mut world), 1, "the slot is taken");
        assert_eq!(code(&mut world, Some(&right()), &[]), Err(TooManyRequests));
        world.advance(12.s());
    }
    world.advance(28.h());
    assert_eq!(
        code(&mut world, Some(&right()), &[]),
        Ok(()),
        "the next day"
    );
}

#[test]
fn guesses_from_wide_networks_are_bounded_and_do_not_delay_a_proven_address() {
    type Address = fn(u32) -> String;
    let floods: [(&str, Address); 2] = [
        ("2001:db8:1:ffff::1", |n| format!("2001:db8:1:{n:x}::1")),
        ("198.51.100.255", |n| format!("198.51.100.{}", n % 250)),
    ];
    for (client, address) in floods {
        let mut world = World::new();
        assert_eq!(code(world.from(client), Some(&right()), &[]), Ok(()));
        let wrong = basic("orders:wrong");
        let guesses = (8..3000)
            .filter(|&n| code(world.from(&address(n)), Some(&wrong), &[]) == Err(InvalidClient));
        // One in ten seconds is answered beyond the limit, for all of the network together.
        let guesses = guesses.count();
        assert!((1000..=1001).contains(&guesses), "{guesses}");
        for _ in 0..100 {
            assert_eq!(code(world.from(client), Some(&right()), &[]), Ok(()));
        }
    }
}

#[test]
fn a_correct_secret_is_not_counted_as_a_guess_in_a_bad_request() {
    let mut world = World::new();
    for _ in 0..300 {
        let scope = [("scope", "unknown")];
        assert_eq!(
            code(&mut world, Some(&right()), &scope),
            Err(ErrorCode::InvalidScope)
        );
        assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
    }
}

#[test]
fn guesses_of_a_long_but_weak_secret_are_bounded() {
    let weak = "a".repeat(26);
    let mut world = World::with(|realm| {
        let key = Arc::new(realm.sealing.client_secret_key());
        let verifier = SecretVerifier::new(&key, &Secret::new(weak.clone()));
        if let ClientAuth::Secret { verifiers, .. } = &mut client(realm, "console").auth {
            *verifiers = vec![verifier];
        }
    });
    let guesses = (0..300).filter(|n| {
        let header = basic(&format!("console:{}", "b".repeat(*n + 1)));
        code(&mut world, Some(&header), &[]) == Err(InvalidClient)
    });
    assert_eq!(guesses.count(), 101);
}

#[test]
fn wrong_secrets_are_not_counted_where_the_secret_is_strong() {
    let mut world = World::new();
    for _ in 0..300 {
        assert_eq!(
            code(&mut world, Some(&basic("console:wrong")), &[]),
            Err(InvalidClient)
        );
    }
}

#[test]
fn a_new_secret_and_its_predecessor_are_both_accepted() {
    let mut world = World::new();
    let old = match client(&mut RealmBuilder::standard().build(), "orders")
        .auth
        .clone()
    {
        ClientAuth::Secret { verifiers, .. } => verifiers,
        ClientAuth::Public => Vec::new(),
    };
    world.reconfigure(|realm| {
        let console = client(realm, "console").auth.clone();
        client(realm, "orders").auth = console;
        if let ClientAuth::Secret { verifiers, .. } = &mut client(realm, "orders").auth {
            verifiers.extend(old);
        }
    });
    assert_eq!(code(&mut world, Some(&right()), &[]), Ok(()));
    let new = [("client_id", "orders"), ("client_secret", CONSOLE_SECRET)];
    assert_eq!(code(&mut world, None, &new), Ok(()));
}
