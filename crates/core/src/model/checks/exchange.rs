//! Rules of exchange: that names mean something, and that a rule can ever allow a request.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::client::ClientSpec;
use super::problem::{Pointer, Problem, Problems, at};
use super::resource::ResourceSpec;
use super::scopes::Scopes;
use super::{Given, RealmSpec};
use crate::model::exchange_rule::TokenKind;
use crate::model::grant_type::GrantType;
use crate::model::ids::ClientId;
use crate::model::scope::ScopeToken;

/// The maximum number of actors in a chain.
const MAX_DEPTH: u32 = 8;

#[derive(Clone, Debug)]
pub struct ExchangeSpec<'a> {
    pub given: Given,
    pub name: Option<&'a str>,
    pub client: &'a ClientId,
    pub audience: &'a str,
    pub scopes: &'a BTreeMap<String, Vec<ScopeToken>>,
    /// Those in force: access tokens, where none are named.
    pub subject_tokens: &'a [TokenKind],
    pub subject_clients: &'a [ClientId],
    pub subject_groups: &'a [String],
    pub subject_audience: &'a [String],
    pub subject_issuer: Option<&'a str>,
    pub gives: &'a [ScopeToken],
    pub require_actor_token: bool,
    pub actor_issuer: Option<&'a str>,
    pub require_may_act: bool,
    pub impersonation: bool,
    /// Those in force: access tokens, where none are named.
    pub tokens: &'a [TokenKind],
    pub max_depth: u32,
    pub lifetime: Option<Duration>,
}

/// The audience of a rule's tokens.
enum Target<'a> {
    Resource(&'a ResourceSpec<'a>),
    /// The client itself: ID tokens.
    Client,
    /// Unknown, which was reported.
    Unknown,
}

impl ExchangeSpec<'_> {
    /// What is wrong with it in this realm.
    pub(super) fn problems(&self, realm: &RealmSpec<'_>, scopes: &Scopes<'_>) -> Vec<Problem> {
        let mut problems = Problems::default();
        let client = realm.client(self.client.as_str());
        self.check_client(realm, client, &mut problems);
        match self.subject_issuer {
            Some(issuer) => self.check_foreign_subject(realm, issuer, &mut problems),
            None => self.check_own_subject(realm, client, &mut problems),
        }
        if let Some(issuer) = self.actor_issuer {
            check_issuer(realm, "actor_issuer", issuer, &mut problems);
        }
        if self.impersonation && self.require_actor_token {
            let why = "has no effect: whom the actor token names, is never hidden";
            problems.add(at("impersonation"), why);
        }
        self.check_tokens(client, &mut problems);
        let target = self.check_target(realm, &mut problems);
        for (from, into) in self.scopes {
            let pointer = at("scopes").key(from);
            scopes.check(&mut problems, pointer.clone(), from);
            if into.is_empty() {
                let why = "becomes nothing: leave it out, or write what it becomes";
                problems.add(pointer.clone(), why);
            }
            for (index, scope) in into.iter().enumerate() {
                let pointer = pointer.clone().index(index);
                check_scope(scope, &target, scopes, pointer, &mut problems);
            }
        }
        for (index, scope) in self.gives.iter().enumerate() {
            let pointer = at("gives").index(index);
            check_scope(scope, &target, scopes, pointer, &mut problems);
        }
        if self.max_depth > MAX_DEPTH {
            problems.add(at("max_depth"), format!("is more than {MAX_DEPTH}"));
        }
        problems.positive("lifetime", self.lifetime);
        problems.into_vec()
    }

    fn check_client(
        &self,
        realm: &RealmSpec<'_>,
        client: Option<&ClientSpec<'_>>,
        problems: &mut Problems,
    ) {
        let id = self.client.as_str();
        match client {
            // Its grants are asked for when it exchanges.
            None if realm.managed_clients.has(id) => {}
            None => problems.known_name(at("client"), "client", id, || realm.client_ids()),
            Some(client) if !client.grants.contains(&GrantType::TokenExchange) => {
                let why = format!("the client {id:?} needs the grant token_exchange");
                problems.add(at("client"), why);
            }
            Some(_) => {}
        }
    }

    /// Conditions on this server's own tokens do not apply to those of a trusted issuer.
    fn check_foreign_subject(&self, realm: &RealmSpec<'_>, issuer: &str, problems: &mut Problems) {
        check_issuer(realm, "subject_issuer", issuer, problems);
        for key in ["subject_tokens", "subject_clients", "subject_audience"] {
            if self.given.has(key) {
                let why = "is of this server's tokens, and the rule has a subject_issuer";
                problems.add(at(key), why);
            }
        }
        if self.given.has("scopes") {
            let why = "a trusted issuer's scopes mean nothing here: write what its subjects get, gives = [\"…\"]";
            problems.add(at("scopes"), why);
        } else if self.gives.is_empty() {
            let why = "missing: without it the subjects of subject_issuer get nothing";
            problems.add(at("gives"), why);
        }
        let mut issuers = realm.trusted_issuers.iter();
        let trusted = issuers.find(|trusted| trusted.issuer == issuer);
        let names_no_user = trusted.is_some_and(|trusted| trusted.user_claim.is_none());
        if !self.subject_groups.is_empty() && names_no_user {
            let why = "subject_issuer names no users of this server: its [[trusted_issuer]] needs user_claim";
            problems.add(at("subject_groups"), why);
        }
    }

    fn check_own_subject(
        &self,
        realm: &RealmSpec<'_>,
        client: Option<&ClientSpec<'_>>,
        problems: &mut Problems,
    ) {
        if self.given.has("gives") {
            problems.add(
                at("gives"),
                "is for the subjects of a subject_issuer; a token of this server has scopes: \
                 write scopes = { \"…\" = [\"…\"] }",
            );
        } else if self.scopes.is_empty() {
            let why = "missing: without any, the rule allows nothing";
            problems.add(at("scopes"), why);
        }
        let mut clients = realm.clients.iter();
        let may_be_managed = realm.managed_clients.0.is_some();
        if self.require_may_act && !may_be_managed && clients.all(|client| client.may_act.is_none())
        {
            let why = "some [[client]] needs may_act = \"…\": without it no token names an actor";
            problems.add(at("require_may_act"), why);
        }
        for (index, id) in self.subject_clients.iter().enumerate() {
            let pointer = at("subject_clients").index(index);
            if realm.managed_clients.has(id.as_str()) {
                continue;
            }
            problems.known_name(pointer, "client", id.as_str(), || realm.client_ids());
        }
        for (index, name) in self.subject_audience.iter().enumerate() {
            if realm.resource(name).is_none() && name != realm.issuer {
                let pointer = at("subject_audience").index(index);
                problems.known_name(pointer, "audience", name, || audiences(realm));
            }
        }
        check_distinct(self.subject_tokens, "subject_tokens", problems);
        for (index, kind) in self.subject_tokens.iter().enumerate() {
            if let Some(why) = client.and_then(|client| self.cannot_hold(*kind, client)) {
                problems.add(at("subject_tokens").index(index), why);
            }
        }
    }

    /// Why the client can have no token of this kind to exchange. Others' ID and refresh tokens are never taken.
    fn cannot_hold(&self, kind: TokenKind, client: &ClientSpec<'_>) -> Option<String> {
        let others = self.subject_clients;
        let has = |grant| client.grants.contains(&grant);
        let id = client.id.as_str();
        match kind {
            TokenKind::AccessToken => None,
            _ if self.require_may_act => {
                Some("names no actor, and the rule has require_may_act".to_owned())
            }
            _ if !others.is_empty() && !others.contains(client.id) => Some(format!(
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

    fn check_tokens(&self, client: Option<&ClientSpec<'_>>, problems: &mut Problems) {
        let tokens = self.tokens;
        check_distinct(tokens, "tokens", problems);
        if tokens.len() > 1 && tokens.contains(&TokenKind::IdToken) {
            let why = "an ID token is for the client itself, and the others are for an API: write a rule for each";
            problems.add(at("tokens"), why);
        }
        let position = |is: fn(&TokenKind) -> bool| tokens.iter().position(is);
        if let Some(index) = position(|kind| *kind != TokenKind::AccessToken)
            && self.subject_issuer.is_some()
        {
            let why = "comes only of what a user granted here, and the rule has a subject_issuer";
            problems.add(at("tokens").index(index), why);
        }
        if let (Some(index), Some(client)) =
            (position(|kind| *kind == TokenKind::RefreshToken), client)
            && !client.grants.contains(&GrantType::RefreshToken)
        {
            let id = client.id.as_str();
            let why = format!("the client {id:?} needs the grant refresh_token");
            problems.add(at("tokens").index(index), why);
        }
    }

    fn check_target<'r>(&self, realm: &'r RealmSpec<'r>, problems: &mut Problems) -> Target<'r> {
        let (client, audience) = (self.client.as_str(), self.audience);
        if self.tokens == [TokenKind::IdToken] {
            if audience != client {
                let why =
                    format!("an ID token is for the client that asks for it: write {client:?}");
                problems.add(at("audience"), why);
                return Target::Unknown;
            }
            let mut granted = self.scopes.values().flatten().chain(self.gives);
            let key = match self.subject_issuer {
                Some(_) => "gives",
                None => "scopes",
            };
            if self.given.has(key) && granted.all(|scope| **scope != *"openid") {
                let why = "an ID token needs openid among what may be granted";
                problems.add(at(key), why);
            }
            return Target::Client;
        }
        if let Some(resource) = realm.resource(audience) {
            return Target::Resource(resource);
        }
        if audience == client {
            problems.add(
                at("audience"),
                "is the client itself, for which there are only ID tokens: name an API, or write \
                 tokens = [\"id_token\"]",
            );
        } else {
            problems.known_name(at("audience"), "audience", audience, || audiences(realm));
        }
        Target::Unknown
    }
}

/// A scope of the new token must be one of its audience's.
fn check_scope(
    scope: &str,
    target: &Target<'_>,
    scopes: &Scopes<'_>,
    pointer: Pointer,
    problems: &mut Problems,
) {
    scopes.check(problems, pointer.clone(), scope);
    let resource = scopes.resource(scope);
    match target {
        Target::Resource(audience) if resource != Some(audience.identifier) => {
            let audience = audience.identifier;
            let why = format!("scope {scope:?} is not of {audience:?}, the audience");
            problems.add(pointer, why);
        }
        Target::Client if resource.is_some() => {
            let why = format!("scope {scope:?} is of an API, and an ID token is for none");
            problems.add(pointer, why);
        }
        _ => {}
    }
}

fn check_issuer(realm: &RealmSpec<'_>, key: &str, issuer: &str, problems: &mut Problems) {
    if issuer == realm.issuer {
        let why = "is this server: leave it out, since tokens are its own without it";
        return problems.add(at(key), why);
    }
    let known = || realm.trusted_issuers.iter().map(|trusted| trusted.issuer);
    problems.known_name(at(key), "trusted issuer", issuer, known);
}

fn check_distinct(kinds: &[TokenKind], key: &str, problems: &mut Problems) {
    if kinds.is_empty() {
        problems.add(at(key), "is empty, and so the rule allows nothing");
    }
    let mut seen = HashSet::new();
    for (index, kind) in kinds.iter().enumerate() {
        if !seen.insert(kind) {
            let why = format!("{} stands there twice", kind.name());
            problems.add(at(key).index(index), why);
        }
    }
}

/// What may be written for an audience.
fn audiences<'a>(realm: &'a RealmSpec<'a>) -> impl Iterator<Item = &'a str> {
    let resources = realm.resources.iter();
    let uris = resources.clone().map(ResourceSpec::audience);
    uris.chain(resources.map(|resource| resource.identifier))
}
