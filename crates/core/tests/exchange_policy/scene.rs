//! A realm with random rules, and what happens in it.

use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::people::Password;
use serde_json::Value;

use crate::Tally;
use crate::facts::{Facts, Form, Held, Named, Stands, USERS, enabled};
use crate::oracle::Judge;
use crate::policies::{APPS, SERVICES, groups_of, randomize};
use grantor_testkit::world::{Browser, World, declared_user};
use grantor_testkit::{Chance, Spans as _, client};

pub(crate) struct Scene {
    pub(crate) seed: u64,
    pub(crate) verbose: bool,
    pub(crate) world: World,
    pub(crate) chance: Chance,
    pub(crate) facts: Facts,
    pub(crate) sessions: Vec<Browser>,
    pub(crate) tally: Tally,
}

impl Scene {
    pub(crate) fn new(seed: u64, verbose: bool) -> Self {
        let mut chance = Chance::new(seed);
        let mut world = World::with(|realm| randomize(realm, &mut chance)).with_trusted();
        for user in USERS {
            provision(&mut world, user, true);
        }
        let mut scene = Self {
            seed,
            verbose,
            world,
            chance,
            facts: Facts::default(),
            sessions: Vec::new(),
            tally: Tally::new(),
        };
        for _ in 0..6 {
            scene.a_user_signs_in();
            scene.a_machine_asks();
        }
        scene.another_issuer_speaks();
        scene
    }

    pub(crate) fn now(&self) -> u64 {
        self.world.now.as_secs()
    }

    pub(crate) fn count(&mut self, what: impl Into<String>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn judge(&self) -> Judge<'_> {
        Judge {
            realm: &self.world.realm,
            facts: &self.facts,
            now: self.now(),
        }
    }

    /// Performs a random step; returns whether it was a request.
    pub(crate) fn step(&mut self) -> bool {
        match self.chance.below(60) {
            0..=3 => self.a_user_signs_in(),
            4 | 5 => self.a_machine_asks(),
            6..=8 => self.another_issuer_speaks(),
            9 => self.something_ends(),
            10..=12 => self.world.advance((1 + self.chance.below(45)).s()),
            13..=15 => self.somebody_refreshes(),
            _ => {
                self.somebody_exchanges();
                return true;
            }
        }
        false
    }

    pub(crate) fn claims_of(&self, token: &str, sealed: bool) -> Value {
        if !sealed {
            return Value::Object(self.world.claims(token));
        }
        let claims = self
            .world
            .realm
            .sealing
            .open_access_token(token)
            .expect("sealed by the server");
        serde_json::from_slice(&claims).expect("JSON")
    }

    fn something_ends(&mut self) {
        let token = self
            .chance
            .recent(self.facts.tokens.len())
            .expect("there are tokens");
        let held = self.facts.tokens[token].clone();
        let user = self.chance.pick(&USERS);
        let own = held
            .client
            .clone()
            .filter(|id| held.issuer.is_none() && enabled(&self.world.realm, id));
        let what = self.chance.below(8);
        match (what, own) {
            (0 | 1, Some(id)) if held.kind != TokenKind::IdToken => {
                self.world.revoke(&id, &held.text).expect("its own");
                match (held.kind, held.stands) {
                    (TokenKind::RefreshToken, Stands::Grant(grant)) => {
                        self.facts.grants[grant].revoked = true
                    }
                    _ => self
                        .facts
                        .tokens
                        .iter_mut()
                        .filter(|one| one.text == held.text)
                        .for_each(|one| one.revoked = true),
                }
                // A copy that is bound to a key has the same name.
                if held.kind == TokenKind::AccessToken {
                    let jti = |scene: &Self, one: &Held| {
                        scene.claims_of(&one.text, one.form == Form::Sealed)["jti"].clone()
                    };
                    let name = jti(self, &held);
                    let same = |one: &Held| {
                        one.issuer.is_none()
                            && one.kind == TokenKind::AccessToken
                            && jti(self, one) == name
                    };
                    let same: Vec<bool> = self.facts.tokens.iter().map(same).collect();
                    for (one, same) in self.facts.tokens.iter_mut().zip(same) {
                        one.revoked |= same;
                    }
                }
            }
            (2 | 3, _) if !self.sessions.is_empty() => {
                let session = self.chance.index(self.sessions.len());
                self.world.sign_out(&self.sessions[session]);
                self.facts.ended_sessions.insert(session);
            }
            (4, _) => {
                let disabled = self.facts.disabled.remove(user);
                provision(&mut self.world, user, disabled);
                if !disabled {
                    self.facts.disabled.insert(user);
                    *self.facts.cuts.entry(user).or_default() += 1;
                }
            }
            (5, _) if !self.facts.disabled.contains(user) => {
                let browser = self.world.signed_in(user);
                self.world.sign_out_everywhere(&browser).expect("signed in");
                *self.facts.cuts.entry(user).or_default() += 1;
            }
            (6, _) => {
                let id = self.chance.pick(&[&APPS[..], &SERVICES[..]].concat());
                self.world
                    .reconfigure(|realm| client(realm, id).enabled ^= true);
            }
            (7, _) => {
                let chance = &mut self.chance;
                self.world.reconfigure(|realm| match chance.below(3) {
                    0 => realm.trusted_issuers.truncate(1),
                    _ if !realm.exchange.is_empty() => {
                        let rule = chance.index(realm.exchange.len());
                        realm.exchange.remove(rule);
                    }
                    _ => {}
                });
            }
            _ => return,
        }
        self.count("something ended");
    }

    /// Introspection of each held token returns what it should.
    pub(crate) fn is_as_alive_as_it_should(&mut self) {
        let now = self.now();
        for held in self.facts.tokens.clone() {
            let own = held
                .client
                .as_deref()
                .filter(|id| !APPS.contains(id) && enabled(&self.world.realm, id));
            let (Some(id), None, false) = (own, held.issuer, held.kind == TokenKind::IdToken)
            else {
                continue;
            };
            let grace = self
                .world
                .realm
                .client(id)
                .expect("a client")
                .grace
                .as_secs();
            let counts = held.used_at.is_none_or(|at| now - at <= grace);
            let good = counts && self.facts.is_good(&self.world.realm, &held, now);
            let id = id.to_owned();
            let reply = self.world.is_active(&id, &held.text);
            assert_eq!(reply, good, "seed {}: {held:?}", self.seed);
            self.count(if good {
                "alive at the end"
            } else {
                "ended at the end"
            });
        }
    }
}

pub(crate) fn named_by(world: &World, client: &str) -> Option<Named> {
    let actor = world.realm.client(client)?.actor.as_ref()?.to_string();
    Some(Named {
        sub: actor.clone(),
        client: Some(actor),
        iss: None,
    })
}

fn provision(world: &mut World, user: &str, enabled: bool) {
    let mut row = declared_user(user, enabled);
    row.groups = Some(groups_of(user).into_iter().map(ToOwned::to_owned).collect());
    row.password = Password::Hash(format!("plain${user}-password"));
    assert_eq!(world.provision(row), Some(true), "{user} is written");
}
