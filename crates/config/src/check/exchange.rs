//! Checks of `[[exchange]]` and `[[trusted_issuer]]`: that names mean something, and that a rule can ever allow a
//! request.

use std::collections::HashSet;
use std::time::Duration;

use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::grant_type::GrantType;

use super::resource::Scopes;
use super::{known_name, positive, unique};
use crate::place::Place;
use crate::read::Reader;
use crate::settings::{Client, Exchange, Resource, Settings};

/// The maximum number of actors in a chain.
const MAX_DEPTH: u32 = 8;

pub(super) fn check(settings: &Settings, scopes: &Scopes<'_>, reader: &mut Reader<'_>) {
    let names = settings.exchanges.iter();
    let names = names.map(|rule| rule.name.as_deref().unwrap_or_default());
    unique(reader, "exchange", "name", names);
    for (index, rule) in settings.exchanges.iter().enumerate() {
        let client = settings.client(rule.client.as_str());
        let rule = RuleCheck {
            settings,
            scopes,
            rule,
            client,
            place: Place::root().key("exchange").row(index),
        };
        rule.check(reader);
    }
    trusted_issuers(settings, reader);
}

struct RuleCheck<'a> {
    settings: &'a Settings,
    scopes: &'a Scopes<'a>,
    rule: &'a Exchange,
    client: Option<&'a Client>,
    place: Place,
}

/// The audience of a rule's tokens.
enum Target<'a> {
    Resource(&'a Resource),
    /// The client itself: ID tokens.
    Client,
    /// Unknown, which was reported.
    Unknown,
}

impl<'a> RuleCheck<'a> {
    fn check(&self, reader: &mut Reader<'_>) {
        let rule = self.rule;
        self.exchanges(reader);
        match rule.subject_issuer.as_deref() {
            Some(issuer) => self.subject_of(issuer, reader),
            None => self.subject_of_ours(reader),
        }
        if let Some(issuer) = &rule.actor_issuer {
            self.issuer("actor_issuer", issuer, reader);
        }
        if rule.impersonation && rule.require_actor_token {
            let why = "has no effect: whom the actor token names, is never hidden";
            reader.refuse(&self.at("impersonation"), why);
        }
        self.tokens(reader);
        let target = self.target(reader);
        for (from, into) in &rule.scopes {
            let place = self.at("scopes").key(from);
            self.scopes.check(reader, &place, from);
            if into.is_empty() {
                reader.refuse(
                    &place,
                    "becomes nothing: leave it out, or write what it becomes",
                );
            }
            for (index, scope) in into.iter().enumerate() {
                self.scope(scope, &target, &place.item(index), reader);
            }
        }
        for (index, scope) in rule.gives.iter().enumerate() {
            self.scope(scope, &target, &self.at("gives").item(index), reader);
        }
        if rule.max_depth.get() > MAX_DEPTH {
            reader.refuse(&self.at("max_depth"), format!("is more than {MAX_DEPTH}"));
        }
        let lifetime = rule.lifetime.unwrap_or(Duration::MAX);
        positive(reader, &self.at("lifetime"), lifetime);
    }

    fn at(&self, key: &str) -> Place {
        self.place.key(key)
    }

    fn exchanges(&self, reader: &mut Reader<'_>) {
        let id = self.rule.client.as_str();
        match self.client {
            None => {
                let clients = self
                    .settings
                    .clients
                    .iter()
                    .map(|client| client.id.as_str());
                known_name(reader, &self.at("client"), "client", id, clients);
            }
            Some(client) if !client.grants.contains(&GrantType::TokenExchange) => {
                let why = format!("the client {id:?} needs the grant token_exchange");
                reader.refuse(&self.at("client"), why);
            }
            Some(_) => {}
        }
    }

    /// Conditions on this server's own tokens do not apply to those of a trusted issuer.
    fn subject_of(&self, issuer: &str, reader: &mut Reader<'_>) {
        self.issuer("subject_issuer", issuer, reader);
        let ours = ["subject_tokens", "subject_clients", "subject_audience"];
        for key in ours.map(|key| self.at(key)) {
            if reader.given(&key) {
                reader.refuse(
                    &key,
                    "is of this server's tokens, and the rule has a subject_issuer",
                );
            }
        }
        if reader.given(&self.at("scopes")) {
            reader.refuse(
                &self.at("scopes"),
                "a trusted issuer's scopes mean nothing here: write what its subjects get, gives = [\"…\"]",
            );
        } else if self.rule.gives.is_empty() {
            let why = "missing: without it the subjects of subject_issuer get nothing";
            reader.refuse(&self.at("gives"), why);
        }
        let mut issuers = self.settings.trusted_issuers.iter();
        let issuer = issuers.find(|trusted| trusted.issuer.as_str() == issuer);
        if !self.rule.subject_groups.is_empty() && issuer.is_some_and(|it| it.user_claim.is_none())
        {
            reader.refuse(
                &self.at("subject_groups"),
                "subject_issuer names no users of this server: its [[trusted_issuer]] needs user_claim",
            );
        }
    }

    fn subject_of_ours(&self, reader: &mut Reader<'_>) {
        let rule = self.rule;
        if reader.given(&self.at("gives")) {
            reader.refuse(
                &self.at("gives"),
                "is for the subjects of a subject_issuer; a token of this server has scopes: \
                 write scopes = { \"…\" = [\"…\"] }",
            );
        } else if rule.scopes.is_empty() {
            reader.refuse(
                &self.at("scopes"),
                "missing: without any, the rule allows nothing",
            );
        }
        let mut clients = self.settings.clients.iter();
        if rule.require_may_act && !clients.any(|client| client.may_act.is_some()) {
            reader.refuse(
                &self.at("require_may_act"),
                "some [[client]] needs may_act = \"…\": without it no token names an actor",
            );
        }
        for (index, id) in rule.subject_clients.iter().enumerate() {
            let place = self.at("subject_clients").item(index);
            let clients = self
                .settings
                .clients
                .iter()
                .map(|client| client.id.as_str());
            known_name(reader, &place, "client", id.as_str(), clients);
        }
        for (index, name) in rule.subject_audience.iter().enumerate() {
            let is_known =
                self.settings.resource(name).is_some() || **name == *self.settings.issuer;
            if !is_known {
                let place = self.at("subject_audience").item(index);
                known_name(reader, &place, "audience", name, self.audiences());
            }
        }
        let tokens = rule.effective_subject_tokens();
        distinct(tokens, &self.at("subject_tokens"), reader);
        for (index, kind) in tokens.iter().enumerate() {
            let place = self.at("subject_tokens").item(index);
            if let Some(client) = self.client
                && let Some(why) = self.cannot_hold(*kind, client)
            {
                reader.refuse(&place, why);
            }
        }
    }

    /// Why the client can have no token of this kind to exchange. Others' ID and refresh tokens are never taken.
    fn cannot_hold(&self, kind: TokenKind, client: &Client) -> Option<String> {
        let others = &self.rule.subject_clients;
        let has = |grant| client.grants.contains(&grant);
        let id = client.id.as_str();
        match kind {
            TokenKind::AccessToken => None,
            _ if self.rule.require_may_act => {
                Some("names no actor, and the rule has require_may_act".to_owned())
            }
            _ if !others.is_empty() && !others.contains(&client.id) => Some(format!(
                "only {id:?} may exchange its own, and subject_clients leave it out"
            )),
            TokenKind::RefreshToken if !has(GrantType::RefreshToken) => Some(format!(
                "the client {id:?} has none: it needs the grant refresh_token"
            )),
            TokenKind::IdToken
                if !has(GrantType::AuthorizationCode) && !has(GrantType::DeviceCode) =>
            {
                Some(format!(
                    "the client {id:?} has none: it needs the grant authorization_code or device_code"
                ))
            }
            _ => None,
        }
    }

    fn issuer(&self, key: &str, issuer: &str, reader: &mut Reader<'_>) {
        if *issuer == *self.settings.issuer {
            let why = "is this server: leave it out, since tokens are its own without it";
            return reader.refuse(&self.at(key), why);
        }
        let issuers = self.settings.trusted_issuers.iter();
        let issuers = issuers.map(|trusted| trusted.issuer.as_str());
        known_name(reader, &self.at(key), "trusted issuer", issuer, issuers);
    }

    fn tokens(&self, reader: &mut Reader<'_>) {
        let (tokens, place) = (self.rule.effective_tokens(), self.at("tokens"));
        distinct(tokens, &place, reader);
        if tokens.len() > 1 && tokens.contains(&TokenKind::IdToken) {
            let why = "an ID token is for the client itself, and the others are for an API: write a rule for each";
            reader.refuse(&place, why);
        }
        let refresh = tokens
            .iter()
            .position(|kind| *kind == TokenKind::RefreshToken);
        let of_grants = tokens
            .iter()
            .position(|kind| *kind != TokenKind::AccessToken);
        if let Some(index) = of_grants
            && self.rule.subject_issuer.is_some()
        {
            let why = "comes only of what a user granted here, and the rule has a subject_issuer";
            reader.refuse(&place.item(index), why);
        }
        if let (Some(index), Some(client)) = (refresh, self.client)
            && !client.grants.contains(&GrantType::RefreshToken)
        {
            let why = format!(
                "the client {:?} needs the grant refresh_token",
                client.id.as_str()
            );
            reader.refuse(&place.item(index), why);
        }
    }

    fn target(&self, reader: &mut Reader<'_>) -> Target<'a> {
        let (rule, place) = (self.rule, self.at("audience"));
        let (client, audience) = (rule.client.as_str(), rule.audience.as_str());
        if rule.is_for_id_tokens() {
            if audience != client {
                reader.refuse(
                    &place,
                    format!("an ID token is for the client that asks for it: write {client:?}"),
                );
                return Target::Unknown;
            }
            let mut granted = rule.scopes.values().flatten().chain(&rule.gives);
            let key = match rule.subject_issuer {
                Some(_) => "gives",
                None => "scopes",
            };
            if reader.given(&self.at(key)) && !granted.any(|scope| **scope == *"openid") {
                let why = "an ID token needs openid among what may be granted";
                reader.refuse(&self.at(key), why);
            }
            return Target::Client;
        }
        if let Some(resource) = self.settings.resource(audience) {
            return Target::Resource(resource);
        }
        if audience == client {
            reader.refuse(
                &place,
                "is the client itself, for which there are only ID tokens: name an API, or write \
                 tokens = [\"id_token\"]",
            );
        } else {
            known_name(reader, &place, "audience", audience, self.audiences());
        }
        Target::Unknown
    }

    /// A scope of the new token must be one of its audience's.
    fn scope(&self, scope: &str, target: &Target<'_>, place: &Place, reader: &mut Reader<'_>) {
        self.scopes.check(reader, place, scope);
        let resource = self.scopes.resource(scope);
        match target {
            Target::Resource(audience) if resource != Some(&*audience.identifier) => {
                let audience = &*audience.identifier;
                reader.refuse(
                    place,
                    format!("scope {scope:?} is not of {audience:?}, the audience"),
                );
            }
            Target::Client if resource.is_some() => {
                reader.refuse(
                    place,
                    format!("scope {scope:?} is of an API, and an ID token is for none"),
                );
            }
            _ => {}
        }
    }

    /// What may be written for an audience.
    fn audiences(&self) -> impl Iterator<Item = &'a str> + Clone {
        let resources = self.settings.resources.iter();
        let uris = resources.clone().map(Resource::audience);
        uris.chain(resources.map(|resource| &*resource.identifier))
    }
}

fn distinct(kinds: &[TokenKind], place: &Place, reader: &mut Reader<'_>) {
    if kinds.is_empty() {
        reader.refuse(place, "is empty, and so the rule allows nothing");
    }
    let mut seen = HashSet::new();
    for (index, kind) in kinds.iter().enumerate() {
        if !seen.insert(kind) {
            reader.refuse(
                &place.item(index),
                format!("{} stands there twice", kind.name()),
            );
        }
    }
}

fn trusted_issuers(settings: &Settings, reader: &mut Reader<'_>) {
    let issuers = settings.trusted_issuers.iter();
    let names = issuers.clone().map(|trusted| trusted.issuer.as_str());
    unique(reader, "trusted_issuer", "issuer", names);
    for (index, trusted) in issuers.enumerate() {
        let place = Place::root().key("trusted_issuer").row(index);
        if trusted.issuer.as_str() == &*settings.issuer {
            reader.refuse(&place.key("issuer"), "is this server, which trusts itself");
        }
        if trusted.effective_algorithms().is_empty() {
            let why = "is empty, and so no token could be right";
            reader.refuse(&place.key("algorithms"), why);
        }
        let max_age = trusted.max_age.unwrap_or(Duration::MAX);
        positive(reader, &place.key("max_age"), max_age);
    }
}
