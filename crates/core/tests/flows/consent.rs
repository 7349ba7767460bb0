//! Consent: asked for once, again when more is requested, and never for clients that skip it.

use grantor_core::base::error::ErrorCode::{AccessDenied, ConsentRequired};
use grantor_core::endpoints::authorize::{AuthorizeReply, ConsentDecision};
use grantor_core::engine::event::EventKind::{CodeIssued, ConsentDenied, ConsentGiven};
use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, Source};
use grantor_core::model::client::ConsentPolicy;
use grantor_core::model::resource::TokenForm;
use grantor_core::model::right::{self, Right};

use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{AuthorizationRequest, Spans as _, client, resource, scope};

#[test]
fn consent_is_asked_for_once() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world.take_events();
    let request = AuthorizationRequest::new("spa").with("scope", "openid email");
    let ask = world.authorize(&alice, &request).consent();
    assert_eq!(
        (ask.client.as_str(), &*ask.client_name),
        ("spa", "The spa & Co")
    );
    assert_eq!(ask.asked.scope.to_string(), "email openid");
    assert_eq!(ask.agreed_before, None);
    world.consent(&alice, &request).code();
    assert_eq!(world.take_events(), [CodeIssued, ConsentGiven]);
    world.authorize(&alice, &request).code();
    let less = AuthorizationRequest::new("spa");
    world.authorize(&alice, &less).code();
    assert_eq!(world.take_events(), [CodeIssued, CodeIssued]);
    // In another session too, months later.
    world.advance(200.days());
    let alice = world.signed_in("alice");
    world.authorize(&alice, &request).code();
}

#[test]
fn a_user_is_asked_again_when_scopes_grow_and_what_was_agreed_stays() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world
        .consent(
            &alice,
            &AuthorizationRequest::new("spa").with("scope", "openid email"),
        )
        .code();
    let more = AuthorizationRequest::new("spa").with("scope", "openid orders.example.com/write");
    let ask = world.authorize(&alice, &more).consent();
    let agreed = ask.agreed_before.expect("what was agreed to before");
    assert_eq!(
        agreed.scope.to_string(),
        "email openid",
        "the page marks what is new"
    );
    world.consent(&alice, &more).code();
    let all =
        AuthorizationRequest::new("spa").with("scope", "openid email orders.example.com/write");
    world.authorize(&alice, &all).code();
}

#[test]
fn individually_requested_claims_need_consent() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    let claims = r#"{"userinfo":{"email":null}}"#;
    let request = AuthorizationRequest::new("spa").with("claims", claims);
    let ask = world.authorize(&alice, &request).consent();
    assert_eq!(ask.asked.scope.to_string(), "email openid");
}

#[test]
fn consent_is_between_one_user_and_one_client() {
    let mut world = World::new();
    let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
    world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    world
        .authorize(&bob, &AuthorizationRequest::new("spa"))
        .consent();
    world
        .authorize(&alice, &AuthorizationRequest::new("site"))
        .consent();
}

#[test]
fn openid_core_3_1_2_1_prompt_consent_asks_again() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    let request = AuthorizationRequest::new("spa").with("prompt", "consent");
    world.authorize(&alice, &request).consent();
    world.consent(&alice, &request).code();
}

#[test]
fn declined_consent_is_reported_as_access_denied() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world.take_events();
    let request = AuthorizationRequest::new("spa");
    let rows = world.rows();
    let denied = world.authorize_with(&alice, &request, Some(ConsentDecision::Deny));
    assert_eq!(denied.error(), AccessDenied);
    assert_eq!(world.take_events(), [ConsentDenied]);
    assert_eq!(world.rows(), rows, "nothing is written");
    world.authorize(&alice, &request).consent();
}

#[test]
fn a_client_that_skips_consent_can_still_ask_for_it() {
    let mut world = World::with(|realm| {
        client(realm, "spa").code.consent = ConsentPolicy::Skip;
    });
    let alice = world.signed_in("alice");
    let silent = AuthorizationRequest::new("spa").with("prompt", "none");
    world.authorize(&alice, &silent).code();
    let asking = AuthorizationRequest::new("spa").with("prompt", "consent");
    world.authorize(&alice, &asking).consent();
    // The operator changes the policy: there was no consent.
    world.reconfigure(|realm| client(realm, "spa").code.consent = ConsentPolicy::Ask);
    assert_eq!(world.authorize(&alice, &silent).error(), ConsentRequired);
}

#[test]
fn a_decision_counts_only_for_what_its_page_showed() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("site").without("scope");
    world.reconfigure(|realm| client(realm, "site").default_scopes = scope("openid"));
    world.authorize(&alice, &request).consent();
    let answer = world.consent_answer(&request, ConsentDecision::Approve);
    // The operator gives the client more by default while she looks at the page.
    world.reconfigure(|realm| client(realm, "site").default_scopes = scope("openid profile"));
    let outcome = world.ask(alice.authorize(&request, Some(answer)));
    let Ok(AuthorizeReply::Consent(asked)) = outcome.reply else {
        panic!("she is asked again: {:?}", outcome.reply);
    };
    assert_eq!(asked.asked.scope, scope("openid profile"));
    world.consent(&alice, &request).code();
}

#[test]
fn what_id_tokens_tell_besides_the_scopes_is_asked_about_and_asked_again_when_it_grows() {
    let id_claims = |claims: &[(&str, &str)]| {
        let claims = claims.iter().map(|(name, source)| {
            let source: Source = source.parse().expect("a source");
            ((*name).to_owned(), source)
        });
        ClaimMapping::new(Carrier::IdToken, claims).expect("a mapping")
    };
    let few = id_claims(&[
        ("app", "client.name"),
        ("team", "user.department"),
        ("cognito:groups", "groups"),
        // A scope stands for this one.
        ("mail", "user.email"),
    ]);
    let mut world = World::with(|realm| client(realm, "site").id_claims = few);
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("site").with("scope", "openid");
    let ask = world.authorize(&alice, &request).consent();
    assert_eq!(ask.asked.claims, ["department", "groups"]);
    world.consent(&alice, &request).code();
    world.authorize(&alice, &request).code();
    let no_id_token = AuthorizationRequest::new("site").with("scope", "profile");
    let ask = world.authorize(&alice, &no_id_token).consent();
    assert!(ask.asked.claims.is_empty());
    let mut user = declared_user("alice", true);
    for (claim, value) in [("department", "sales"), ("rank", "captain")] {
        user.claims.insert(claim.to_owned(), value.into());
    }
    world.provision(user);
    let tokens = world.app_tokens(&alice, &request);
    // The operator has them tell more.
    let more = id_claims(&[("team", "user.department"), ("rank", "user.rank")]);
    world.reconfigure(|realm| client(realm, "site").id_claims = more);
    let tokens = world.refresh("site", tokens.refresh()).expect("tokens");
    let told = world.claims(tokens.id.as_deref().expect("an ID token"));
    assert_eq!(
        (&told["team"], told.get("rank")),
        (&"sales".into(), None),
        "what she agreed to"
    );
    let ask = world.authorize(&alice, &request).consent();
    assert_eq!(ask.asked.claims, ["department", "rank"]);
    // A device's page says it as well.
    world.reconfigure(|realm| client(realm, "tv").id_claims = id_claims(&[("rank", "user.rank")]));
    let codes = world.device_codes("tv");
    let pending = world.type_code(&alice, &codes.user).device();
    assert_eq!(pending.claims, ["rank"]);
}

/// Else a link to a page that asks for them would be enough to have them.
#[test]
fn rights_over_others_are_asked_about_each_time_and_never_remembered() {
    let rights = Right::ALL.iter().map(|right| (right.name(), right.text()));
    let rights: Vec<_> = rights.collect();
    let api = resource(right::RESOURCE, None, &rights, TokenForm::Sealed);
    let mut world = World::with(|realm| {
        realm.resources.push(api);
        let app = client(realm, "site");
        let all = Right::ALL.iter().map(|right| right.token());
        let all: Vec<_> = all.chain(["openid".to_owned()]).collect();
        app.scopes = scope(&all.join(" "));
    });
    let alice = world.signed_in("alice");
    for right in Right::ALL {
        let asked = format!("openid {}", right.token());
        let request = AuthorizationRequest::new("site").with("scope", &asked);
        world.consent(&alice, &request).code();
        let silent = request.clone().with("prompt", "none");
        if *right == Right::Me {
            world.authorize(&alice, &silent).code();
            continue;
        }
        world.authorize(&alice, &request).consent();
        assert_eq!(world.authorize(&alice, &silent).error(), ConsentRequired);
    }
    let again = AuthorizationRequest::new("site").with("scope", "openid grantor/self");
    let again = again.with("prompt", "consent");
    let agreed = world.authorize(&alice, &again).consent().agreed_before;
    let agreed = agreed.expect("what was agreed to before");
    assert_eq!(agreed.scope.to_string(), "grantor/self openid");
}
