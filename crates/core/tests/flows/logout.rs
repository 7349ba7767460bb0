//! OpenID Connect RP-Initiated Logout: who has to confirm, what ends, and where the browser is redirected.

use futures_util::FutureExt as _;
use grantor_core::base::error::ErrorCode;
use grantor_core::endpoints::logout::{Logout, LogoutPrompt, LogoutReply, LogoutRequest};
use grantor_core::engine::decide::{Operation as _, Stop};
use grantor_core::engine::env::Env;
use grantor_core::engine::event::EventKind;
use grantor_core::engine::facts::Facts;
use grantor_core::model::client::LogoutPolicy;
use grantor_core::model::realm::Realm;
use grantor_jose::{Algorithm, KeySet, Kid, ProtectedHeader, SigningInput, SigningKey, TokenType};
use serde_json::{Value, json};

use grantor_testkit::world::{Browser, Tokens, World, params, peer};
use grantor_testkit::{AuthorizationRequest, ISSUER, Spans as _, client, redirect_uri, signer};

/// Where the users of the site go on to.
const BYE: &str = "https://site.example/bye";

/// A world whose apps have post-logout redirect URIs.
pub(crate) fn world() -> World {
    World::with(|realm| {
        let uri = |text: &str| text.parse().expect("a redirect URI");
        for id in ["site", "wiki"] {
            client(realm, id).logout = LogoutPolicy {
                redirect_uris: vec![uri(&BYE.replace("site", id))],
                backchannel_uri: None,
            };
        }
        let site = client(realm, "site");
        let more = ["https://site.example/bye?from=idp", "http://127.0.0.1/bye"].map(uri);
        site.logout.redirect_uris.extend(more);
    })
}

/// What an app gets that the user of this browser signs in to.
pub(crate) fn tokens(world: &mut World, browser: &Browser, client: &str, scope: &str) -> Tokens {
    world.app_tokens(
        browser,
        &AuthorizationRequest::new(client).with("scope", scope),
    )
}

/// An ID token that the site got in this browser.
fn hint(world: &mut World, browser: &Browser) -> String {
    let tokens = tokens(world, browser, "site", "openid");
    tokens.id.expect("an ID token")
}

fn request(browser: &Browser, pairs: &[(&str, &str)], confirmed: bool) -> Logout {
    Logout {
        request: LogoutRequest::parse(&params(pairs)),
        cookie: browser.cookie(),
        confirmed,
        peer: peer(&browser.address),
    }
}

/// The page that asks.
fn confirmation(world: &mut World, browser: &Browser, pairs: &[(&str, &str)]) -> LogoutPrompt {
    match world.ask(request(browser, pairs, false)).reply {
        Ok(LogoutReply::Confirm(ask)) => *ask,
        other => panic!("no confirmation page: {other:?}"),
    }
}

/// Where a browser goes that said yes; none where a page says that it is done.
fn confirmed(world: &mut World, browser: &Browser, request: Option<&str>) -> Option<String> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(request.unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    left(world, self::request(browser, &pairs, true))
}

fn left(world: &mut World, request: Logout) -> Option<String> {
    match world.ask(request).reply {
        Ok(LogoutReply::Redirect { location, .. }) => Some(location),
        Ok(LogoutReply::SignedOut { .. }) => None,
        other => panic!("nothing ended: {other:?}"),
    }
}

/// There is no redirect: the user is asked as if there were no client.
fn assert_refused(world: &mut World, browser: &Browser, pairs: &[(&str, &str)]) {
    let ask = confirmation(world, browser, pairs);
    assert!(ask.refused.is_some(), "{pairs:?}");
    assert_eq!(
        (ask.client_name, ask.request, ask.redirect_uri),
        (None, None, None)
    );
    // Without a session, there is an error and nothing else.
    let stranger = world.ask(request(&Browser::new(), pairs, false)).reply;
    let refusal = stranger.expect_err("no redirect");
    assert_eq!(refusal.code, ErrorCode::InvalidRequest);
}

#[test]
fn openid_rpinitiated_2_the_user_confirms_and_returns_with_only_the_state() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice);
    let state = "a&b=c d%/é".repeat(12);
    for state in [Some(state.as_str()), None] {
        let mut pairs = vec![
            ("id_token_hint", hint.as_str()),
            ("post_logout_redirect_uri", BYE),
            ("logout_hint", "alice"),
            ("ui_locales", "xx fr"),
        ];
        pairs.extend(state.map(|state| ("state", state)));
        let ask = confirmation(&mut world, &alice, &pairs);
        assert!(ask.refused.is_none());
        assert_eq!(ask.visitor.username, "alice");
        assert_eq!(ask.client_name.as_deref(), Some("The site & Co"));
        assert_eq!(ask.redirect_uri.as_deref(), Some(BYE));
        assert!(
            world.visitor(&alice).is_some(),
            "a question changes nothing"
        );
        let brought_back = ask.request.expect("a request for the form");
        assert!(!brought_back.contains(&hint));

        let mut browser = world.signed_in("alice");
        let location = confirmed(&mut world, &browser, Some(&brought_back)).expect("a redirect");
        let (address, query) = location.split_once('?').unwrap_or((&location, ""));
        assert_eq!(address, BYE);
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let expected: Vec<_> = state
            .iter()
            .map(|s| ("state".to_owned(), (*s).to_owned()))
            .collect();
        assert_eq!(query, expected);
        assert!(world.visitor(&browser).is_none());
        browser.session = None;
    }
}

#[test]
fn the_query_of_a_registered_uri_is_kept_and_no_state_is_added() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let uri = "https://site.example/bye?from=idp";
    let pairs = [("client_id", "site"), ("post_logout_redirect_uri", uri)];
    let with_state = [&pairs[..], &[("state", "s")]].concat();
    let ask = confirmation(&mut world, &alice, &with_state);
    let location = confirmed(&mut world, &alice, ask.request.as_deref());
    assert_eq!(location, Some(format!("{uri}&state=s")));
    let again = left(&mut world, request(&alice, &pairs, true));
    assert_eq!(again.as_deref(), Some(uri), "the session had ended already");
}

#[test]
fn openid_rpinitiated_2_after_confirmation_the_session_is_gone_and_prompt_none_fails() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice);
    world.events.clear();
    let ask = confirmation(&mut world, &alice, &[("id_token_hint", &hint)]);
    assert_eq!(confirmed(&mut world, &alice, ask.request.as_deref()), None);
    assert_eq!(world.take_events(), [EventKind::SignedOut]);
    let silent = AuthorizationRequest::new("site").with("prompt", "none");
    let silent = world.authorize(&alice, &silent).error();
    assert_eq!(silent, ErrorCode::LoginRequired);
}

#[test]
fn openid_rpinitiated_4_without_a_session_a_verified_redirect_happens_at_once() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice);
    let stranger = Browser::new();
    let pairs = [
        ("id_token_hint", hint.as_str()),
        ("client_id", "site"),
        ("post_logout_redirect_uri", BYE),
        ("state", "s"),
    ];
    let location = left(&mut world, request(&stranger, &pairs, false));
    assert_eq!(location, Some(format!("{BYE}?state=s")));
    for pairs in [&pairs[..2], &[("state", "s")], &[]] {
        assert_eq!(left(&mut world, request(&stranger, pairs, false)), None);
    }
}

#[test]
fn openid_rpinitiated_2_an_id_token_that_ended_is_still_a_hint() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice);
    world.advance(2.h());
    let pairs = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", BYE),
    ];
    let ask = confirmation(&mut world, &alice, &pairs);
    assert!(ask.refused.is_none() && ask.redirect_uri.is_some());
}

#[test]
fn openid_rpinitiated_2_a_hint_of_another_user_needs_confirmation() {
    let mut world = world();
    let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
    let hint = hint(&mut world, &alice);
    let ask = confirmation(&mut world, &bob, &[("id_token_hint", &hint)]);
    assert_eq!(
        ask.visitor.username, "bob",
        "the page says who would be signed out"
    );
    assert!(world.visitor(&bob).is_some() && world.visitor(&alice).is_some());
}

fn signed(key: &SigningKey, kid: &Kid, typ: TokenType, claims: &Value) -> String {
    let header = ProtectedHeader::new(Algorithm::Es256, typ, kid);
    let input = SigningInput::new(&header, claims).expect("claims");
    let signature = key
        .sign(Algorithm::Es256, input.as_bytes())
        .expect("a signature");
    input.finish(&signature)
}

/// A token signed by a key of the realm.
fn of_house(realm: &Realm, typ: TokenType, claims: &Value) -> String {
    let header = realm.header(Algorithm::Es256, typ).expect("a key");
    let input = SigningInput::new(header, claims).expect("claims");
    let signed = input.sign(signer()).now_or_never();
    signed.expect("it is of this process").expect("a signature")
}

#[test]
fn openid_rpinitiated_2_a_hint_must_be_an_id_token_of_this_issuer() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let tokens = tokens(&mut world, &alice, "site", "openid");
    let id_token = tokens.id.clone().expect("an ID token");
    let claims = Value::Object(world.claims(&id_token));
    let mut elsewhere = claims.clone();
    elsewhere["iss"] = json!("https://elsewhere.example");
    let realm = world.realm.clone();
    let (other_key, _) = SigningKey::generate(Algorithm::Es256).expect("memory");
    let known = realm
        .signing
        .active(Algorithm::Es256)
        .expect("a key")
        .kid()
        .clone();
    let (header, payload) = (id_token.split('.').next(), id_token.split('.').nth(1));
    let none = base64url(br#"{"alg":"none","typ":"JWT"}"#);
    let payload = payload.expect("a payload");
    let mut changed = claims.clone();
    changed["aud"] = json!("wiki");
    let changed = base64url(changed.to_string().as_bytes());
    let signature = id_token.rsplit('.').next().expect("a signature");
    let bad = [
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{}.{changed}.{signature}", header.expect("a header")),
        signed(&other_key, other_key.kid(), TokenType::Id, &claims),
        signed(&other_key, &known, TokenType::Id, &claims),
        of_house(&realm, TokenType::Id, &elsewhere),
        of_house(&realm, TokenType::Logout, &claims),
        of_house(&realm, TokenType::Access, &claims),
        of_house(
            &realm,
            TokenType::Id,
            &json!({ "iss": ISSUER, "sub": "alice" }),
        ),
        tokens.access.clone(),
        "x".to_owned(),
    ];
    drop(realm);
    for bad in &bad {
        let pairs = [
            ("id_token_hint", bad.as_str()),
            ("post_logout_redirect_uri", BYE),
        ];
        assert_refused(&mut world, &alice, &pairs);
        // Adding a client_id does not repair it.
        assert_refused(
            &mut world,
            &alice,
            &[&pairs[..], &[("client_id", "site")]].concat(),
        );
    }
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn openid_rpinitiated_2_hint_and_client_id_name_one_client() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice);
    let pairs = [("id_token_hint", hint.as_str()), ("client_id", "wiki")];
    assert_refused(&mut world, &alice, &pairs);
    // An address of another client does not fit the hint.
    let of_another = BYE.replace("site", "wiki");
    let pairs = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", of_another.as_str()),
    ];
    assert_refused(&mut world, &alice, &pairs);
}

#[test]
fn openid_rpinitiated_3_a_post_logout_redirect_uri_must_match_exactly() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice);
    for uri in [
        "https://site.example/bye/",
        "https://site.example/bye?",
        "https://site.example/bye?x=1",
        "https://site.example/bye#",
        "https://site.example/bye#x",
        "https://site.example/BYE",
        "https://site.example/%62ye",
        "https://site.example/./bye",
        "https://site.example/bye/../bye",
        "https://SITE.example/bye",
        "https://site.example:443/bye",
        "https://site.example:8443/bye",
        "http://site.example/bye",
        "https://site.example.evil.example/bye",
        "https://evil.example/https://site.example/bye",
        "https://site.example@evil.example/bye",
        "https://site.example/bye@evil.example",
        "//site.example/bye",
        "https:site.example/bye",
        "https://site.example\\bye",
        "https://evil.example",
        "javascript:alert(1)",
        "/bye",
        // A redirect URI of the client, but registered for codes.
        redirect_uri("site"),
        // The port of a loopback address matters here: section 3 has no exception.
        "http://127.0.0.1:49152/bye",
        "http://127.0.0.1.evil.example/bye",
        "http://127.0.0.1:x@evil.example/bye",
        "http://localhost/bye",
        "https://127.0.0.1/bye",
    ] {
        for name in ["post_logout_redirect_uri", "logout_uri"] {
            assert_refused(&mut world, &alice, &[("id_token_hint", &hint), (name, uri)]);
            assert_refused(&mut world, &alice, &[("client_id", "site"), (name, uri)]);
        }
    }
    // A valid one does not make up for an invalid one.
    let both = [
        ("client_id", "site"),
        ("post_logout_redirect_uri", BYE),
        ("logout_uri", "https://evil.example/"),
    ];
    assert_refused(&mut world, &alice, &both);
}

#[test]
fn openid_rpinitiated_3_without_a_hint_the_user_confirms_where_to_go() {
    let mut world = world();
    let alice = world.signed_in("alice");
    for name in ["post_logout_redirect_uri", "logout_uri"] {
        let pairs = [("client_id", "site"), (name, BYE), ("state", "s")];
        // Nothing was confirmed.
        assert_eq!(
            left(&mut world, request(&Browser::new(), &pairs, false)),
            None
        );
        let browser = world.signed_in("alice");
        let ask = confirmation(&mut world, &browser, &pairs);
        assert_eq!(ask.client_name.as_deref(), Some("The site & Co"));
        let location = confirmed(&mut world, &browser, ask.request.as_deref());
        assert_eq!(location, Some(format!("{BYE}?state=s")));
    }
    assert!(
        world.visitor(&alice).is_some(),
        "the session of another browser lives"
    );
}

#[test]
fn openid_rpinitiated_3_without_a_hint_and_a_client_there_is_no_redirect() {
    let mut world = world();
    let alice = world.signed_in("alice");
    assert_refused(&mut world, &alice, &[("post_logout_redirect_uri", BYE)]);
    assert_refused(&mut world, &alice, &[("client_id", "nobody")]);
    world.reconfigure(|realm| client(realm, "site").enabled = false);
    assert_refused(&mut world, &alice, &[("client_id", "site")]);
    // A form that was valid a moment ago still signs out, but does not redirect.
    let pairs = [("client_id", "site"), ("post_logout_redirect_uri", BYE)];
    assert_eq!(left(&mut world, request(&alice, &pairs, true)), None);
    assert!(world.visitor(&alice).is_none());
}

#[test]
fn openid_backchannel_2_7_a_grant_ends_with_its_session_unless_it_is_for_offline_access() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let bound = tokens(&mut world, &alice, "site", "openid");
    let offline = tokens(&mut world, &alice, "site", "openid offline_access");
    assert!(world.userinfo(&bound.access).is_ok());
    assert_eq!(confirmed(&mut world, &alice, None), None);

    let ended = world.refresh("site", bound.refresh());
    assert_eq!(ended, Err(ErrorCode::InvalidGrant));
    assert_eq!(world.userinfo(&bound.access), Err(ErrorCode::InvalidToken));
    assert!(!world.is_active("site", &bound.access));

    assert!(world.userinfo(&offline.access).is_ok());
    assert!(world.refresh("site", offline.refresh()).is_ok());
}

#[test]
fn a_sign_out_costs_one_read_and_one_commit() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let pairs = [("client_id", "site"), ("post_logout_redirect_uri", BYE)];
    let (cost, _) = world.cost(|world| confirmation(world, &alice, &pairs));
    assert_eq!(cost, [1, 0, 0]);
    let (cost, _) = world.cost(|world| left(world, request(&alice, &pairs, true)));
    assert_eq!(cost, [1, 1, 1]);
}

/// However often a request is decided: the signature costs more than the rest of it.
#[test]
fn an_id_token_hint_is_verified_once_for_a_request() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let hint = hint(&mut world, &alice);
    let seed = world.seed();
    let mut keyless = (*world.realm).clone();
    keyless.signing = KeySet::default().into();
    let env = |realm| Env {
        now: world.now,
        seed: &seed,
        realm,
    };
    let pairs = [("id_token_hint", hint.as_str())];
    let logout = request(&alice, &pairs, false);
    let sign_in = AuthorizationRequest::new("site").with("id_token_hint", &hint);
    let authorize = alice.authorize(&sign_in, None);
    let (of_logout, of_authorize) = (
        logout.prepare(&world.realm).expect("a request"),
        authorize.prepare(&world.realm).expect("a request"),
    );
    // The second decision could not verify it any more.
    for realm in [&*world.realm, &keyless] {
        let facts = Facts::default();
        let decided = logout.decide(&of_logout, &env(realm), &facts);
        assert!(matches!(decided, Err(Stop::Need(_))), "{decided:?}");
        let decided = authorize.decide(&of_authorize, &env(realm), &facts);
        assert!(matches!(decided, Err(Stop::Need(_))), "{decided:?}");
    }
    let fresh = authorize.prepare(&keyless).expect("a request");
    let refused = authorize.decide(&fresh, &env(&keyless), &Facts::default());
    assert!(refused.is_ok(), "the client is told: {refused:?}");
}
