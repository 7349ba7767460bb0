//! What is not built is refused by its name where a client would rely on it, and the answer reaches the client.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::base::error::Cause;
use grantor_core::base::error::ErrorCode::{
    self, InvalidAuthorizationDetails, InvalidRequest, InvalidToken, RequestNotSupported,
    RequestUriNotSupported, UnsupportedResponseType,
};
use grantor_core::endpoints::authorize::ResponseMode;
use grantor_core::endpoints::userinfo::Userinfo;

use grantor_testkit::world::{AuthorizationOutcome, Browser, World, params};
use grantor_testkit::{AuthorizationRequest, client, redirect_uri};

const DETAILS: (&str, &str) = ("authorization_details", r#"[{"type":"payment"}]"#);

fn object(claims: &str) -> String {
    format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(claims))
}

/// The refusal on a page, without a redirect.
fn page(world: &mut World, request: &AuthorizationRequest) -> (ErrorCode, Cause) {
    match world.authorize(&Browser::new(), request) {
        AuthorizationOutcome::Page(refusal) => (refusal.code, refusal.cause),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rfc9396_5_authorization_details_are_refused_wherever_scopes_are_asked_for() {
    let mut world = World::new();
    let request = AuthorizationRequest::new("spa").with(DETAILS.0, DETAILS.1);
    let asked = world.authorize(&Browser::new(), &request);
    assert_eq!(asked.error(), InvalidAuthorizationDetails);
    let codes = world.device_codes_with("tv", &[DETAILS]);
    assert_eq!(
        codes.expect_err("refused").code,
        InvalidAuthorizationDetails
    );
    for grant in ["client_credentials", "authorization_code", "refresh_token"] {
        let form = [("grant_type", grant), DETAILS];
        let tokens = world.request_tokens("orders", &form);
        assert_eq!(tokens.err(), Some(InvalidAuthorizationDetails), "{grant}");
    }
}

#[test]
fn keys_that_tokens_should_be_bound_to_are_refused_and_other_parameters_ignored() {
    let mut world = World::new();
    let request = AuthorizationRequest::new("spa").with("dpop_jkt", "0ZcOCORZNYy");
    let asked = world.authorize(&Browser::new(), &request);
    assert_eq!(asked.error(), InvalidRequest);
    let mut machine = |name| {
        let form = [("grant_type", "client_credentials"), (name, "x")];
        world.request_tokens("orders", &form).map(|_| ())
    };
    assert_eq!(machine("req_cnf"), Err(InvalidRequest));
    // RFC 6749 section 3.2: "The authorization server MUST ignore unrecognized request parameters."
    for ignored in ["audience", "dpop_jkt", "request", "claims_locales", "cnf"] {
        assert_eq!(machine(ignored), Ok(()), "{ignored}");
    }
}

#[test]
fn rfc6750_3_1_a_dpop_token_is_refused_as_an_unsupported_scheme() {
    let body = params(&[]);
    let refused = |header: &str| {
        let refusal = Userinfo::parse(Some(header.as_bytes()), &body).expect_err("refused");
        assert_eq!(refusal.code, InvalidToken);
        (refusal.cause, refusal.description().contains("DPoP"))
    };
    assert_eq!(refused("DPoP x"), (Cause::SchemeNotSupported, true));
    assert_eq!(refused("dpop x"), (Cause::SchemeNotSupported, true));
    assert_eq!(refused("Basic x"), (Cause::SchemeNotSupported, false));
}

#[test]
fn oidc_core_3_2_2_6_an_implicit_request_is_refused_in_the_fragment() {
    let mut world = World::new();
    for (response_type, response_mode, mode) in [
        ("token", "", ResponseMode::Fragment),
        ("id_token", "", ResponseMode::Fragment),
        ("code id_token", "", ResponseMode::Fragment),
        ("code token", "", ResponseMode::Fragment),
        ("code id_token token", "", ResponseMode::Fragment),
        ("id_token", "fragment", ResponseMode::Fragment),
        ("id_token", "query", ResponseMode::Query),
        ("id_token", "form_post", ResponseMode::FormPost),
        ("none", "", ResponseMode::Query),
        ("none", "fragment", ResponseMode::Fragment),
    ] {
        let request = AuthorizationRequest::new("spa")
            .with("response_type", response_type)
            .with("response_mode", response_mode);
        let response = world.authorize(&Browser::new(), &request).answer();
        assert_eq!(response.redirect.mode(), mode, "{response_type}");
        let location = response.location("4f");
        let refusal = response.outcome.expect_err("refused");
        assert_eq!(refusal.code, UnsupportedResponseType, "{response_type}");
        let begin = format!("{}#error=unsupported_response_type&", redirect_uri("spa"));
        let in_fragment = mode == ResponseMode::Fragment;
        assert_eq!(location.starts_with(&begin), in_fragment, "{location}");
    }
}

/// No way of asking puts a code where it would stay in the address.
#[test]
fn no_code_goes_to_the_fragment() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let asked = AuthorizationRequest::new("spa").with("response_mode", "fragment");
    let in_object = AuthorizationRequest::new("spa").with(
        "request",
        &object(r#"{"response_mode":"fragment","response_type":"token"}"#),
    );
    for request in [asked, in_object] {
        let response = world.authorize(&alice, &request).answer();
        assert_eq!(response.redirect.mode(), ResponseMode::Fragment);
        assert!(response.outcome.is_err());
    }
}

#[test]
fn rfc9101_5_a_request_object_without_a_redirect_uri_next_to_it_is_what_is_refused() {
    let mut world = World::new();
    let without = AuthorizationRequest::new("spa").without("redirect_uri");
    // Registered, and only in the object: the client is answered there.
    let own = object(&format!(
        r#"{{"redirect_uri":"{}","state":"inner","response_type":"id_token"}}"#,
        redirect_uri("spa")
    ));
    let request = without.clone().without("state").with("request", &own);
    let request = request.without("response_type");
    let response = world.authorize(&Browser::new(), &request).answer();
    assert_eq!(response.redirect.uri(), redirect_uri("spa"));
    assert_eq!(response.redirect.mode(), ResponseMode::Fragment);
    let parameters = response.parameters("4f");
    assert!(parameters.contains(&("error", "request_not_supported".to_owned())));
    assert!(parameters.contains(&("state", "inner".to_owned())));
    // Nowhere registered, or not to be read: a page, which does not blame the redirect URI.
    let evil = object(r#"{"redirect_uri":"https://evil.example/"}"#);
    for (name, value, expected) in [
        ("request", evil.as_str(), RequestNotSupported),
        ("request", "eyJ.a.b.c.d", RequestNotSupported),
        ("request_uri", "urn:x:y", RequestUriNotSupported),
    ] {
        let request = without.clone().with(name, value);
        let refused = page(&mut world, &request);
        assert_eq!(refused, (expected, Cause::AsDescribed), "{value}");
    }
    // A redirect URI that is named wrong is still that.
    for request in [&own, &evil] {
        let request = AuthorizationRequest::new("spa")
            .with("redirect_uri", "https://evil.example/")
            .with("request", request);
        let refused = page(&mut world, &request);
        assert_eq!(refused, (InvalidRequest, Cause::RedirectUriOther));
    }
    assert_eq!(
        page(&mut world, &without),
        (InvalidRequest, Cause::RedirectUriMissing)
    );
}

#[test]
fn the_request_object_of_an_unknown_client_leads_nowhere() {
    let mut world = World::new();
    world.reconfigure(|realm| client(realm, "site").enabled = false);
    let own = object(&format!(r#"{{"redirect_uri":"{}"}}"#, redirect_uri("spa")));
    for id in ["nobody", "site"] {
        let request = AuthorizationRequest::new("spa").without("redirect_uri");
        let request = request.with("client_id", id).with("request", &own);
        let refused = page(&mut world, &request);
        assert_eq!(refused, (InvalidRequest, Cause::UnknownClient), "{id}");
    }
    // Of another client.
    let request = AuthorizationRequest::new("wiki").without("redirect_uri");
    let refused = page(&mut world, &request.with("request", &own));
    assert_eq!(refused, (RequestNotSupported, Cause::AsDescribed));
}
