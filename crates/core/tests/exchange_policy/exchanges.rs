//! An exchange: explained first, then requested, and compared with what was expected.

use std::collections::BTreeMap;

use grantor_core::exchange::Explanation;
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::resource::TokenForm;
use serde_json::{Value, json};

use crate::asks::Ask;
use crate::facts::{Acts, Form, Granted, Held, Stands};
use crate::oracle::Expected;
use crate::scene::{Scene, named_by};
use grantor_testkit::ISSUER;
use grantor_testkit::world::Exchanged;

impl Scene {
    pub(crate) fn somebody_exchanges(&mut self) {
        let now = self.now();
        let ask = Ask::any(&self.world.realm, &self.facts, now, &mut self.chance);
        let expected = self.judge().expects(&ask);
        let subject = self.facts.tokens[ask.subject].clone();
        let actor = ask
            .actor
            .map(|(at, typ)| (self.facts.tokens[at].clone(), typ));
        let scope = ask
            .scope
            .as_ref()
            .map(|scope| scope.iter().cloned().collect::<Vec<_>>().join(" "));
        let mut more = vec![
            ("subject_token_type", ask.subject_type.uri()),
            ("requested_token_type", ask.requested.uri()),
        ];
        if let Some((actor, typ)) = &actor {
            more.extend([
                ("actor_token", actor.text.as_str()),
                ("actor_token_type", typ.uri()),
            ]);
        }
        more.extend(ask.resources.iter().map(|uri| ("resource", uri.as_str())));
        more.extend(ask.audiences.iter().map(|name| ("audience", name.as_str())));
        more.extend(scope.as_deref().map(|scope| ("scope", scope)));
        let text = subject.text.as_str();
        let explained = self
            .world
            .preview(|world| world.explain(&ask.client, text, &more));
        self.world.events.clear();
        let given = self.world.exchange(&ask.client, text, &more);
        let story = format!(
            "seed {}: {ask:?}\nof {subject:?}\nby {actor:?}\nexpected {expected:?}",
            self.seed
        );
        if self.verbose {
            println!("{story}\ngave {given:?}\n");
        }
        self.count("requests");
        match given {
            Ok(given) => {
                let expected =
                    expected.unwrap_or_else(|| panic!("it is issued, and should not be: {story}"));
                let explained = explained.unwrap_or_else(|refusal| panic!("{refusal:?}: {story}"));
                self.issued(&ask, &subject, &given, &expected, &explained, &story);
            }
            Err(refusal) => {
                self.count(refusal.description());
                assert!(expected.is_none(), "{refusal:?}: {story}");
                let reply = match explained {
                    Err(reply) => (reply.code.name().into(), reply.description()),
                    Ok(reply) => {
                        assert!(
                            !reply.allowed
                                && reply.issued.is_none()
                                && reply.rules.iter().all(|rule| !rule.applies),
                            "{story}"
                        );
                        let reply = reply
                            .refusal
                            .unwrap_or_else(|| panic!("no refusal: {story}"));
                        (reply.error, reply.error_description)
                    }
                };
                assert_eq!(reply.0, refusal.code.name(), "{story}");
                // A failed authentication gets one text for every cause; the log has the cause.
                if reply.0 != "invalid_client" {
                    assert_eq!(reply.1, refusal.description(), "{story}");
                }
            }
        }
    }

    /// What was issued is what was expected and explained; it is kept, to be exchanged again.
    fn issued(
        &mut self,
        ask: &Ask,
        subject: &Held,
        given: &Exchanged,
        expected: &Expected,
        explained: &Explanation,
        story: &str,
    ) {
        let issued = explained
            .issued
            .as_ref()
            .unwrap_or_else(|| panic!("it is not foreseen: {story}"));
        assert!(explained.allowed && explained.refusal.is_none(), "{story}");
        let by: Vec<&str> = explained
            .rules
            .iter()
            .filter(|rule| rule.applies)
            .map(|rule| rule.name.as_str())
            .collect();
        assert_eq!(by, [expected.rule.as_str()], "{story}");
        let hop = self
            .world
            .events
            .iter()
            .find_map(|event| event.exchange.clone())
            .expect("an event");
        assert_eq!(hop.rule.as_ref(), Some(&expected.rule), "{story}");
        assert_eq!(
            (given.issued, given.issued),
            (ask.requested, issued.issued_token_type),
            "{story}"
        );
        let scope: Vec<&str> = expected.scope.iter().map(String::as_str).collect();
        assert_eq!(given.scope, scope.join(" "), "{story}");
        assert_eq!(given.scope, issued.scope.to_string(), "{story}");
        assert_eq!(
            (given.expires_in, given.expires_in),
            (expected.exp - self.now(), issued.expires_in),
            "{story}"
        );
        let resource = expected
            .resource
            .as_ref()
            .map(|id| self.world.realm.resource(id).expect("a resource"));
        let sealed = resource.is_some_and(|resource| resource.token == TokenForm::Sealed);
        let claims = match expected.kind {
            TokenKind::AccessToken => self.claims_of(&given.token, sealed),
            TokenKind::IdToken => self.claims_of(&given.token, false),
            TokenKind::RefreshToken => self.row_of(&given.token),
        };
        assert_eq!(
            claims, issued.claims,
            "the very claims that were explained: {story}"
        );
        assert_eq!(chain(&claims["act"]), expected.act, "{story}");
        if expected.kind != TokenKind::RefreshToken {
            let reply = ["iss", "sub", "aud", "exp"].map(|name| &claims[name]);
            assert_eq!(
                reply,
                [
                    &json!(ISSUER),
                    &json!(expected.sub),
                    &json!(expected.aud),
                    &json!(expected.exp)
                ],
                "{story}"
            );
        }
        if expected.kind == TokenKind::AccessToken {
            assert_eq!(
                (&claims["client_id"], &claims["scope"]),
                (&json!(ask.client), &json!(given.scope)),
                "{story}"
            );
        }
        // Independently of the oracle: no longer than the subject's.
        assert!(expected.exp <= subject.exp, "{story}");
        self.tell(ask, subject, expected, sealed);
        self.keep_exchanged(ask, subject, given, expected, sealed);
    }

    fn row_of(&self, refresh: &str) -> Value {
        let token = self
            .world
            .realm
            .sealing
            .open_refresh_token(refresh)
            .expect("of the realm");
        let row = self
            .world
            .row(&self.world.grant_row(token.grant))
            .expect("a row");
        let mut row: Value = serde_json::from_slice(&row.value).expect("JSON");
        row["kind"]["exchange"].take()
    }

    fn tell(&mut self, ask: &Ask, subject: &Held, expected: &Expected, sealed: bool) {
        self.count("issued");
        self.count(match (expected.kind, sealed) {
            (TokenKind::AccessToken, false) => "issued: an access token, a JWT",
            (TokenKind::AccessToken, true) => "issued: an access token, sealed",
            (TokenKind::IdToken, _) => "issued: an ID token",
            (TokenKind::RefreshToken, _) => "issued: a refresh token",
        });
        let by_exchange = self
            .facts
            .grant_of(subject)
            .is_some_and(|(_, exchanged)| exchanged);
        let more = [
            (
                subject.kind == TokenKind::IdToken,
                "issued: for an ID token",
            ),
            (
                subject.kind == TokenKind::RefreshToken,
                "issued: for a refresh token",
            ),
            (
                subject.kind == TokenKind::RefreshToken && by_exchange,
                "issued: for a refresh token by exchange",
            ),
            (
                subject.issuer.is_some(),
                "issued: for a token of another issuer",
            ),
            (subject.exchanged, "issued: for an exchanged token"),
            (ask.actor.is_some(), "issued: with an actor token"),
            (expected.act.is_empty(), "issued: without an actor claim"),
            (expected.act.len() >= 3, "issued: with a chain of three"),
        ];
        more.iter()
            .filter(|(is, _)| *is)
            .for_each(|(_, what)| self.count(*what));
    }

    fn keep_exchanged(
        &mut self,
        ask: &Ask,
        subject: &Held,
        given: &Exchanged,
        expected: &Expected,
        sealed: bool,
    ) {
        let stands = match (subject.stands, subject.issuer, subject.user) {
            (Stands::Subject, Some(_), Some(user)) => Stands::User(user, self.facts.cut(user)),
            (stands, ..) => stands,
        };
        let mut held = Held {
            text: given.token.clone(),
            kind: expected.kind,
            form: match (expected.kind, sealed) {
                (TokenKind::AccessToken, true) => Form::Sealed,
                (TokenKind::AccessToken, false) => Form::Jwt,
                _ => Form::Handle,
            },
            issuer: None,
            there: None,
            sub: expected.sub.clone(),
            user: subject.user,
            client: Some(ask.client.clone()),
            aud: (expected.kind == TokenKind::AccessToken).then(|| expected.aud.clone()),
            scope: expected.scope.clone(),
            exp: expected.exp,
            act: expected.act.clone(),
            may_act: subject
                .user
                .and_then(|_| named_by(&self.world, &ask.client)),
            stands,
            bound: false,
            acted_elsewhere: false,
            exchanged: true,
            revoked: false,
            used_at: None,
        };
        if let (TokenKind::RefreshToken, Stands::Grant(parent)) = (expected.kind, stands) {
            let of = self.facts.grants[parent].clone();
            self.facts.grants.push(Granted {
                client: ask.client.clone(),
                parent: Some(parent),
                act: expected.act.clone(),
                scope: expected.scope.clone(),
                resource: expected.resource.clone().expect("a resource"),
                ends: expected.exp,
                revoked: false,
                ..of
            });
            held.may_act = None;
            held.stands = Stands::Grant(self.facts.grants.len() - 1);
        }
        self.facts.tokens.push(held);
    }
}

/// The chain of a claim.
pub(crate) fn chain(act: &Value) -> Vec<Acts> {
    let text = |act: &Value, name: &str| act[name].as_str().expect("text").to_owned();
    let chain = std::iter::successors(Some(act).filter(|act| act.is_object()), |act| {
        act.get("act")
    });
    chain
        .map(|act| {
            let members: BTreeMap<String, Value> =
                serde_json::from_value(act.clone()).expect("an object");
            assert!(
                members
                    .keys()
                    .all(|name| ["sub", "client_id", "act"].contains(&name.as_str())),
                "{act}"
            );
            (text(act, "sub"), text(act, "client_id"))
        })
        .collect()
}
