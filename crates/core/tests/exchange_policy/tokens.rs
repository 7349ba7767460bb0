//! Tokens got without an exchange: by signing in, as a machine, by a refresh, or from another issuer.

use grantor_core::grants::GrantType;
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::resource::TokenForm;
use serde_json::json;

use crate::exchanges::chain;
use crate::facts::{Form, Granted, Held, Named, Stands, USERS, enabled};
use crate::policies::{APPS, ASKED_FOR, SERVICES};
use crate::scene::{Scene, named_by};
use grantor_testkit::world::Tokens;
use grantor_testkit::{AuthorizationRequest, CORP, IDP, ISSUER, changed, user_id};

impl Scene {
    fn access(
        &self,
        text: &str,
        grant: usize,
        scope: &str,
        resource: Option<&str>,
        ends: u64,
    ) -> Held {
        let of = &self.facts.grants[grant];
        let client = self.world.realm.client(&of.client).expect("a client");
        let resource = resource.map(|id| self.world.realm.resource(id).expect("a resource"));
        let sealed = resource.is_some_and(|resource| resource.token == TokenForm::Sealed);
        let life = resource.and_then(|resource| resource.lifetime);
        let life = life.map_or(client.access_lifetime, |life| {
            life.min(client.access_lifetime)
        });
        Held {
            text: text.to_owned(),
            kind: TokenKind::AccessToken,
            form: if sealed { Form::Sealed } else { Form::Jwt },
            issuer: None,
            there: None,
            sub: user_id(of.user).to_string(),
            user: Some(of.user),
            client: Some(of.client.clone()),
            aud: Some(
                resource
                    .map_or(ISSUER, |resource| resource.audience())
                    .to_owned(),
            ),
            scope: scope
                .split(' ')
                .filter(|token| !token.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
            exp: (self.now() + life.as_secs()).min(ends),
            act: of.act.clone(),
            may_act: named_by(&self.world, &of.client),
            stands: Stands::Grant(grant),
            bound: false,
            acted_elsewhere: false,
            exchanged: of.parent.is_some(),
            revoked: false,
            used_at: None,
        }
    }

    /// Keeps what a user's app was given.
    fn keep(&mut self, grant: usize, tokens: &Tokens, scope: &str, resource: Option<&str>) {
        let ends = self.facts.grants[grant].ends;
        let access = self.access(&tokens.access, grant, scope, resource, ends);
        let now = self.now();
        let of = &self.facts.grants[grant];
        let refresh_idle = self
            .world
            .realm
            .client(&of.client)
            .expect("a client")
            .refresh_idle;
        let handle = |text: &str, kind, exp| Held {
            text: text.to_owned(),
            kind,
            form: Form::Handle,
            aud: None,
            scope: of.scope.clone(),
            may_act: None,
            exp,
            ..access.clone()
        };
        let id = tokens
            .id
            .as_ref()
            .map(|id| handle(id, TokenKind::IdToken, (now + 600).min(of.ends)));
        let refresh = tokens.refresh.as_ref();
        let refresh = refresh.map(|text| {
            handle(
                text,
                TokenKind::RefreshToken,
                (now + refresh_idle.as_secs()).min(ends_of(of)),
            )
        });
        self.facts
            .tokens
            .extend(id.into_iter().chain(refresh).chain([access]));
    }

    pub(crate) fn a_user_signs_in(&mut self) {
        let all = [&APPS[..], &SERVICES[..]].concat();
        let (client, user) = (self.chance.pick(&all), self.chance.pick(&USERS));
        if !enabled(&self.world.realm, client) || self.facts.disabled.contains(user) {
            return;
        }
        let resources = &self.world.realm.resources;
        let resource = &resources[self.chance.index(ASKED_FOR)];
        let (identifier, audience) = (resource.identifier.clone(), resource.audience().to_owned());
        let mut access = vec![format!("{identifier}/read")];
        access.extend(self.chance.one_in(2).then(|| format!("{identifier}/write")));
        access.extend((client == "site" || self.chance.one_in(2)).then(|| "openid".to_owned()));
        let mut scope = access.clone();
        // Scopes of another resource belong to the grant, not to this token.
        scope.extend(self.chance.one_in(3).then(|| "a.example/write".to_owned()));
        let (access, scope) = (access.join(" "), scope.join(" "));
        let access = if identifier == "a.example" {
            scope.clone()
        } else {
            access
        };
        let mut session = None;
        let tokens = if client == "site" {
            let browser = self.world.signed_in(user);
            let request = AuthorizationRequest::new("site")
                .with("scope", &scope)
                .with("resource", &audience);
            session = Some(self.sessions.len());
            self.sessions.push(browser.clone());
            self.world.app_tokens(&browser, &request)
        } else {
            let pairs = [("scope", scope.as_str()), ("resource", audience.as_str())];
            self.world.device_tokens_with(client, user, &pairs)
        };
        let idle = self.world.realm.client(client).expect("a client");
        let row = match (idle.may_use(GrantType::RefreshToken), session) {
            (true, None) => idle.refresh_idle,
            (true, Some(_)) => self.world.realm.lifetimes.session_absolute,
            (false, _) => idle.access_lifetime,
        };
        self.facts.grants.push(Granted {
            client: client.to_owned(),
            user,
            cut: self.facts.cut(user),
            session,
            parent: None,
            act: Vec::new(),
            scope: scope.split(' ').map(ToOwned::to_owned).collect(),
            resource: identifier.clone(),
            ends: self.now() + row.as_secs(),
            revoked: false,
        });
        self.keep(
            self.facts.grants.len() - 1,
            &tokens,
            &access,
            Some(&identifier),
        );
        if self.chance.one_in(12) {
            self.somebody_binds_the_last();
        }
    }

    /// The same token with `cnf`: none is issued yet.
    fn somebody_binds_the_last(&mut self) {
        let last = self.facts.tokens.last().expect("a token");
        let claims = self.claims_of(&last.text, Form::Sealed == last.form);
        let bound = changed(claims, json!({ "cnf": { "jkt": "x" } }));
        let sealed = self
            .world
            .realm
            .sealing
            .access_token(bound.to_string().into_bytes(), [1; 12]);
        let held = Held {
            text: sealed.expect("a token"),
            form: Form::Sealed,
            bound: true,
            ..last.clone()
        };
        self.facts.tokens.push(held);
    }

    pub(crate) fn a_machine_asks(&mut self) {
        let id = self.chance.pick(&SERVICES);
        if !enabled(&self.world.realm, id) {
            return;
        }
        let resource = &self.world.realm.resources[self.chance.index(ASKED_FOR)];
        let scope = format!("{}/read", resource.identifier);
        let aud = Some(resource.audience().to_owned());
        let sealed = resource.token == TokenForm::Sealed;
        let tokens = self
            .world
            .machine_token(id, &[("scope", &scope)])
            .expect("a token");
        self.facts.tokens.push(Held {
            text: tokens.access,
            kind: TokenKind::AccessToken,
            form: if sealed { Form::Sealed } else { Form::Jwt },
            issuer: None,
            there: None,
            sub: id.to_owned(),
            user: None,
            client: Some(id.to_owned()),
            aud,
            scope: [scope].into(),
            exp: self.now() + tokens.expires_in,
            act: Vec::new(),
            may_act: None,
            stands: Stands::Subject,
            bound: false,
            acted_elsewhere: false,
            exchanged: false,
            revoked: false,
            used_at: None,
        });
    }

    pub(crate) fn another_issuer_speaks(&mut self) {
        let issuer = self.chance.pick(&[IDP, CORP]);
        let user = (issuer == CORP).then(|| self.chance.pick(&USERS));
        let name = user.unwrap_or("somebody");
        let named = match self.chance.below(14) {
            0 => Some((self.chance.pick(&SERVICES), None)),
            1 => Some((self.chance.pick(&SERVICES), Some(ISSUER))),
            2 => Some(("somebody", Some(IDP))),
            3 => Some(("somebody", None)),
            _ => None,
        };
        let may_act = named.map(|(sub, iss)| json!({ "sub": sub, "iss": iss }));
        let may_act = may_act.map(|named| match named["iss"].is_null() {
            true => json!({ "sub": named["sub"] }),
            false => named,
        });
        let (bound, acted) = (self.chance.one_in(12), self.chance.one_in(12));
        let exp = self.now() + 30 + self.chance.below(400);
        let text = self.world.statement(
            issuer,
            name,
            json!({
                "exp": exp,
                "may_act": may_act,
                "cnf": bound.then(|| json!({ "jkt": "x" })),
                "act": acted.then(|| json!({ "sub": "x" })),
            }),
        );
        let sub = user.map_or_else(
            || format!("{issuer}|{name}"),
            |user| user_id(user).to_string(),
        );
        self.facts.tokens.push(Held {
            text,
            kind: TokenKind::AccessToken,
            form: Form::Jwt,
            issuer: Some(issuer),
            there: Some(name),
            sub,
            user,
            client: None,
            aud: None,
            scope: [].into(),
            exp,
            act: Vec::new(),
            may_act: named.map(|(sub, iss)| Named {
                sub: sub.to_owned(),
                client: None,
                iss: iss.map(ToOwned::to_owned),
            }),
            stands: Stands::Subject,
            bound,
            acted_elsewhere: acted,
            exchanged: false,
            revoked: false,
            used_at: None,
        });
    }

    pub(crate) fn somebody_refreshes(&mut self) {
        let is_refresh =
            |token: &&Held| token.kind == TokenKind::RefreshToken && token.used_at.is_none();
        let mut all = self
            .facts
            .tokens
            .iter()
            .filter(is_refresh)
            .collect::<Vec<_>>();
        all.sort_by_key(|token| token.exchanged);
        let Some(at) = self.chance.recent(all.len()) else {
            return;
        };
        let held = all[at].clone();
        let id = held.client.clone().expect("a client");
        let good = self.facts.is_good(&self.world.realm, &held, self.now());
        let expected = good && self.judge().refreshes(&held);
        let tokens = self.world.refresh(&id, &held.text);
        assert_eq!(
            tokens.is_ok(),
            expected,
            "seed {}: {held:?} {tokens:?}",
            self.seed
        );
        let (Ok(tokens), Stands::Grant(grant)) = (tokens, held.stands) else {
            return;
        };
        let now = self.now();
        let idle = self.world.realm.client(&id).expect("a client").refresh_idle;
        let of_session = self.world.realm.lifetimes.session_absolute;
        let of = &mut self.facts.grants[grant];
        if of.parent.is_none() {
            let life = if of.session.is_some() {
                of_session
            } else {
                idle
            };
            of.ends = now + life.as_secs();
        }
        let ends = ends_of(of);
        for token in &mut self.facts.tokens {
            let of_grant = matches!(token.stands, Stands::Grant(of) if of == grant);
            if token.text == held.text {
                token.used_at = Some(now);
                token.exp = (now + idle.as_secs()).min(ends);
            } else if of_grant && token.used_at.is_some() {
                // Only the previous one has a grace.
                token.used_at = Some(0);
            }
        }
        let of = &self.facts.grants[grant];
        let (resource, exchanged) = (of.resource.clone(), of.parent.is_some());
        let owner = |token: &&str| token.rsplit_once('/').is_none_or(|(of, _)| of == resource);
        let scope: Vec<&str> = of.scope.iter().map(String::as_str).filter(owner).collect();
        let scope = scope.join(" ");
        self.keep(grant, &tokens, &scope, Some(&resource));
        if exchanged {
            self.count("refreshed: by exchange");
            assert_eq!(tokens.id, None);
            let access = self.facts.tokens.last().expect("it was kept").clone();
            let claims = self.claims_of(&tokens.access, access.form == Form::Sealed);
            let reply = ["sub", "aud", "exp", "scope"].map(|name| claims[name].clone());
            let scope: Vec<&str> = access.scope.iter().map(String::as_str).collect();
            let model = [
                json!(access.sub),
                json!(access.aud),
                json!(access.exp),
                json!(scope.join(" ")),
            ];
            assert_eq!(reply, model, "seed {}", self.seed);
            assert_eq!(chain(&claims["act"]), access.act, "seed {}", self.seed);
        }
    }
}

fn ends_of(grant: &Granted) -> u64 {
    // The refresh token of a session has its own idle lifetime; the row ends before it.
    match grant.parent {
        Some(_) => grant.ends,
        None => u64::MAX,
    }
}
