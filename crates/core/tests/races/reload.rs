//! The realm is replaced while a request is under way. Before each of its effects, and with each answer of a commit that is
//! lost: what the request gives is worth nothing once the realm no longer allows it, and another attempt asks the new realm.

use std::sync::Arc;

use grantor_core::base::error::ErrorCode;
use grantor_core::endpoints::authorize::{AuthorizeReply, ConsentAnswer, ConsentDecision};
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::ids::ClientInstance;
use grantor_core::model::token_type::TokenType;
use grantor_store::testing::Fault;
use grantor_testkit::world::{Browser, Decided, Tokens, World, answer};
use grantor_testkit::{AuthorizationRequest, Codes, add_services, client, scope};

use crate::{End, Racer, racer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// The device polls; its code is approved.
    Poll,
    /// The app redeems its code.
    Redeem,
    /// The app refreshes.
    Refresh,
    /// Alice consents to what the app asks for.
    Consent,
    /// Shipping exchanges the app's token for a refresh token.
    Exchange,
    /// Shipping refreshes one that it got so.
    RefreshExchanged,
}

use Act::{Consent, Exchange, Poll, Redeem, Refresh, RefreshExchanged};

const ACTS: [Act; 6] = [Poll, Redeem, Refresh, Consent, Exchange, RefreshExchanged];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// The client of the act is disabled.
    Disabled,
    /// The client of the act was withdrawn, and another one declared under its id.
    AnotherInstance,
    /// No rule lets shipping exchange any more.
    NoRule,
}

const CHANGES: [Change; 3] = [Change::Disabled, Change::AnotherInstance, Change::NoRule];

impl Act {
    const fn client(self) -> &'static str {
        match self {
            Poll => "tv2",
            Redeem | Refresh | Consent => "site",
            Exchange | RefreshExchanged => "shipping",
        }
    }

    const fn is_ended_by(self, change: Change) -> bool {
        match change {
            Change::Disabled | Change::AnotherInstance => true,
            Change::NoRule => matches!(self, Exchange | RefreshExchanged),
        }
    }
}

/// Where the clients of the acts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    InTheFile,
    /// In rows of the store, which are changed by the API.
    InTheStore,
}

struct Scene {
    world: World,
    kept: Kept,
    alice: Browser,
    codes: Codes,
    app: Tokens,
    code: String,
    exchanged: String,
}

const READ: &str = "shipping.example.com/read";

impl Scene {
    fn new(kept: Kept) -> Self {
        let mut world = World::with(|realm| {
            add_services(realm);
            realm.exchange[1].issues.push(TokenKind::RefreshToken);
            client(realm, "site").scopes = scope(&format!("openid profile {READ}"));
        });
        if kept == Kept::InTheStore {
            world.keep_in_store(&["tv2", "site", "shipping"]);
        }
        let alice = world.signed_in("alice");
        let codes = world.device_codes("tv2");
        assert_eq!(world.decide(&alice, &codes, true), Decided::Approved);
        let request = AuthorizationRequest::new("site").with("scope", READ);
        let app = world.app_tokens_by_page(&alice, &request);
        let code = world.authorize(&alice, &request).code();
        let exchanged = world.exchange("shipping", &app.access, &FOR_REFRESH);
        Self {
            kept,
            alice,
            codes,
            code,
            exchanged: exchanged.expect("a refresh token").token,
            app,
            world,
        }
    }

    fn begin(&mut self, act: Act) -> Box<dyn Racer> {
        let world = &mut self.world;
        let request = match act {
            Poll => world.poll_request("tv2", &self.codes.device),
            Redeem => world.redeem_request("site", &self.code),
            Refresh => world.refresh_request("site", self.app.refresh()),
            RefreshExchanged => world.refresh_request("shipping", &self.exchanged),
            Exchange => {
                let exchange = world.exchange_request("shipping", &self.app.access, &FOR_REFRESH);
                return racer(
                    world,
                    exchange.expect("a request"),
                    |outcome| match outcome.reply {
                        Ok(_) => End::Code(outcome.tokens.and_then(|tokens| tokens.refresh)),
                        Err(refusal) => End::Refused(refusal.code),
                    },
                );
            }
            Consent => {
                let wider = AuthorizationRequest::new("site").with("scope", "openid profile");
                let answer = match self.kept {
                    Kept::InTheFile => world.consent_answer(&wider, ConsentDecision::Approve),
                    Kept::InTheStore => ConsentAnswer {
                        decision: ConsentDecision::Approve,
                        shown: world.authorize(&self.alice, &wider).consent().shown,
                    },
                };
                let consent = self.alice.authorize(&wider, Some(answer));
                return racer(world, consent, |outcome| match outcome.reply {
                    Ok(AuthorizeReply::Respond(response)) => match response.outcome {
                        Ok(code) => End::Code(Some(code)),
                        Err(refusal) => End::Refused(refusal.code),
                    },
                    // She has decided about another client: this one asks her.
                    Ok(AuthorizeReply::Consent(_)) => End::Done,
                    Ok(other) => panic!("she is signed in: {other:?}"),
                    Err(refusal) => End::Refused(refusal.code),
                });
            }
        };
        racer(world, request, |outcome| End::Tokens(answer(outcome)))
    }

    fn apply(&mut self, act: Act, change: Change) {
        if self.kept == Kept::InTheStore && change != Change::NoRule {
            return self
                .world
                .change_stored_client(act.client(), |row| match change {
                    Change::Disabled => {
                        row.written.insert("enabled".to_owned(), false.into());
                    }
                    _ => row.instance = ClientInstance::from_bytes([9; 8]),
                });
        }
        let id = act.client().parse().expect("an id");
        self.world.reconfigure(|realm| {
            let of_act = realm.clients.get_mut(&id).map(Arc::make_mut);
            match (change, of_act) {
                (Change::Disabled, Some(client)) => client.enabled = false,
                (Change::AnotherInstance, Some(client)) => {
                    client.instance = ClientInstance::from_bytes([9; 8]);
                }
                (Change::NoRule, _) => realm.exchange.clear(),
                (_, None) => panic!("a client of the realm"),
            }
        });
    }

    /// Whether what the act gave can be used.
    fn is_of_use(&mut self, act: Act, end: &End) -> bool {
        let world = &mut self.world;
        let client = act.client();
        match end {
            End::Tokens(Ok(tokens)) => {
                let active = world.is_active("files", &tokens.access);
                world.refresh(client, tokens.refresh()).is_ok()
                    // A token that was exchanged names no rule: without one, it ends with its lifetime.
                    || active && act != RefreshExchanged
            }
            End::Code(Some(code)) if act == Consent => world.redeem(client, code.reveal()).is_ok(),
            End::Code(Some(token)) => world.refresh(client, token.reveal()).is_ok(),
            _ => false,
        }
    }
}

const FOR_REFRESH: [(&str, &str); 1] = [("requested_token_type", TokenType::RefreshToken.uri())];

/// Runs the act, and replaces the realm before its effect number `at`. Returns whether the act came so far.
fn replaced_before(
    kept: Kept,
    act: Act,
    change: Option<Change>,
    at: usize,
    fault: Option<Fault>,
) -> bool {
    let mut scene = Scene::new(kept);
    let faults = scene.world.faults();
    fault.into_iter().for_each(|fault| faults.inject(fault));
    let mut run = scene.begin(act);
    let commits = |scene: &Scene| scene.world.store.counts().commits;
    let (before, mut tried_before) = (commits(&scene), 0);
    let mut end = None;
    let mut effects = 0;
    while end.is_none() {
        if effects == at {
            tried_before = commits(&scene) - before;
            change
                .into_iter()
                .for_each(|change| scene.apply(act, change));
        }
        end = run.effect(&mut scene.world);
        effects += 1;
    }
    let tried = commits(&scene) - before;
    let end = end.expect("it has ended");
    let story = format!("{kept:?}: {act:?} with {fault:?}, {change:?} before effect {at}: {end:?}");
    let Some(change) = change else {
        assert!(scene.is_of_use(act, &end), "{story}");
        return at < effects;
    };
    if at >= effects {
        scene.apply(act, change);
    }
    let ended = act.is_ended_by(change);
    // Its commit was not written, and the realm was another one before the next attempt.
    let is_asked_again = fault == Some(Fault::UnknownLost) && tried_before == 0 && tried > 0;
    // A stored client is read at first, and again by another attempt: the new client's own request may be answered.
    let is_attempted_again = fault == Some(Fault::UnknownLost) && at < effects;
    let is_read_anew =
        is_asked_again || kept == Kept::InTheStore && (at == 0 || is_attempted_again);
    if is_read_anew && (act, change) == (Exchange, Change::AnotherInstance) {
        // The new client has the same secret and the same rule.
        return at < effects;
    }
    assert_eq!(scene.is_of_use(act, &end), !ended, "{story}");
    if ended && is_asked_again && at < effects {
        let refused = matches!(
            end,
            // On another page.
            End::Done
                | End::Refused(
                    ErrorCode::InvalidClient
                        | ErrorCode::InvalidGrant
                        | ErrorCode::InvalidRequest
                        | ErrorCode::InvalidTarget
                )
                | End::Tokens(Err(ErrorCode::InvalidClient | ErrorCode::InvalidGrant))
        );
        assert!(refused, "another attempt asks the new realm: {story}");
    }
    at < effects
}

fn each(kept: Kept) {
    let faults = [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)];
    for act in ACTS {
        for fault in faults {
            assert!(replaced_before(kept, act, None, 0, fault), "it has effects");
            for change in CHANGES {
                let mut at = 0;
                while replaced_before(kept, act, Some(change), at, fault) {
                    at += 1;
                }
                assert!(at >= 2, "{act:?}: {at}");
            }
        }
    }
}

#[test]
fn what_a_request_gives_while_the_realm_is_replaced_counts_only_as_the_new_realm_says() {
    each(Kept::InTheFile);
}

#[test]
fn what_a_request_gives_while_its_stored_client_changes_counts_only_as_the_new_row_says() {
    each(Kept::InTheStore);
}
