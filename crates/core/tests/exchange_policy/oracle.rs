//! The most that a request may give, from the words of the issue.

use std::time::Duration;

use grantor_core::grants::GrantType;
use grantor_core::model::client::Client;
use grantor_core::model::exchange_rule::{ExchangeRule, RuleTarget, TokenKind};
use grantor_core::model::realm::{OPENID_SCOPES, Realm};
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::scope::Scope;
use grantor_core::model::token_type::TokenType;

use crate::asks::Ask;
use crate::facts::{Acts, Facts, Form, Held, Scopes};
use grantor_testkit::ISSUER;

/// What must be issued.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) rule: String,
    pub(crate) kind: TokenKind,
    pub(crate) sub: String,
    pub(crate) aud: String,
    /// The resource that it is for.
    pub(crate) resource: Option<String>,
    pub(crate) scope: Scopes,
    pub(crate) exp: u64,
    pub(crate) act: Vec<Acts>,
}

pub(crate) struct Judge<'a> {
    pub(crate) realm: &'a Realm,
    pub(crate) facts: &'a Facts,
    pub(crate) now: u64,
}

impl Judge<'_> {
    /// None where nothing may come of it.
    pub(crate) fn expects(&self, ask: &Ask) -> Option<Expected> {
        let client = self.realm.client(&ask.client)?;
        let may =
            client.enabled && client.is_confidential() && client.may_use(GrantType::TokenExchange);
        let subject = may.then(|| self.presented(client, ask.subject, ask.subject_type))??;
        let actor = match ask.actor {
            Some((_, TokenType::RefreshToken)) => return None,
            Some((token, typ)) => Some(self.presented(client, token, typ)?),
            None => None,
        };
        // An actor token is of a party that acts itself.
        if actor.is_some_and(|actor| !actor.act.is_empty()) {
            return None;
        }
        // "the actor is the actor token's subject, else the client", and it acts by that client.
        let own = client.id.to_string();
        let acts = (
            actor.map_or_else(|| own.clone(), |actor| actor.sub.clone()),
            own,
        );
        if !may_act(subject, actor, &acts) {
            return None;
        }
        let resource = self.target(client, ask)?;
        let wanted = kind(ask.requested);
        let grant = self.facts.grant_of(subject);
        let possible = match (wanted, resource) {
            (TokenKind::AccessToken, Some(resource)) => {
                ask.requested != TokenType::Jwt || resource.token != TokenForm::Sealed
            }
            (TokenKind::IdToken, None) => grant.is_some(),
            (TokenKind::RefreshToken, Some(_)) => {
                client.may_use(GrantType::RefreshToken)
                    && grant.is_some_and(|(_, exchanged)| !exchanged)
            }
            _ => false,
        };
        let case = Case {
            judge: self,
            ask,
            client,
            subject,
            actor,
            acts,
            resource,
            wanted,
        };
        let mut rules = self
            .realm
            .exchange
            .iter()
            .filter(|rule| rule.client == client.id);
        possible.then(|| rules.find_map(|rule| case.by(rule)))?
    }

    /// A valid token of this type that the client may use.
    fn presented(&self, client: &Client, token: usize, typ: TokenType) -> Option<&Held> {
        let token = &self.facts.tokens[token];
        let fits = match (token.issuer, token.kind, typ) {
            (Some(_), _, TokenType::Jwt | TokenType::IdToken) => true,
            (None, TokenKind::AccessToken, TokenType::AccessToken) => true,
            (None, TokenKind::AccessToken, TokenType::Jwt) => token.form == Form::Jwt,
            (None, TokenKind::IdToken, TokenType::IdToken) => !token.exchanged,
            (None, TokenKind::RefreshToken, TokenType::RefreshToken) => self.refreshes(token),
            _ => false,
        };
        // "The ceiling of an ID or refresh token …, and it must be the client's own"
        let own = token.kind == TokenKind::AccessToken
            || token.client.as_deref() == Some(client.id.as_str());
        let user = token
            .user
            .is_none_or(|user| !self.facts.disabled.contains(user));
        let good = self.facts.is_good(self.realm, token, self.now);
        (fits && own && user && good && !token.bound && !token.acted_elsewhere).then_some(token)
    }

    /// Whether a refresh token is still valid, apart from what it depends on.
    pub(crate) fn refreshes(&self, token: &Held) -> bool {
        let Some((grant, exchanged)) = self.facts.grant_of(token) else {
            return false;
        };
        let grant = &self.facts.grants[grant];
        let Some(client) = self.realm.client(&grant.client) else {
            return false;
        };
        let in_grace = |at: u64| self.now - at <= client.grace.as_secs();
        let gives = |rule: &ExchangeRule| {
            let all: Vec<&str> = rule.scopes.values().flat_map(Scope::iter).collect();
            rule.client == client.id
                && rule.issues.contains(&TokenKind::RefreshToken)
                && grant
                    .scope
                    .iter()
                    .all(|scope| all.contains(&scope.as_str()))
        };
        token.used_at.is_none_or(in_grace) && (!exchanged || self.realm.exchange.iter().any(gives))
    }

    /// The resource that is named, or that the scopes belong to, or the only one of the client's rules; the inner none for
    /// the client itself.
    fn target(&self, client: &Client, ask: &Ask) -> Option<Option<&Resource>> {
        if kind(ask.requested) == TokenKind::IdToken {
            let itself = ask.audiences.iter().all(|audience| *audience == ask.client);
            return (ask.resources.is_empty() && itself).then_some(None);
        }
        if ask
            .resources
            .iter()
            .any(|uri| !uri.contains(':') || uri.contains('#'))
        {
            return None;
        }
        let find = |name: &str| {
            let mut all = self.realm.resources.iter();
            all.find(|one| one.identifier == name || one.uri.as_deref() == Some(name))
        };
        let mut named = Vec::new();
        for name in ask.resources.iter().chain(&ask.audiences) {
            named.push(find(name)?);
        }
        if named.is_empty() {
            let scopes = ask.scope.iter().flatten();
            let owner = |scope: &String| {
                find(
                    scope
                        .strip_suffix("/read")
                        .or(scope.strip_suffix("/write"))?,
                )
            };
            named.extend(scopes.filter_map(owner));
        }
        if named.is_empty() {
            let rules = self
                .realm
                .exchange
                .iter()
                .filter(|rule| rule.client == client.id);
            named.extend(rules.filter_map(|rule| match &rule.target {
                RuleTarget::Resource(identifier) => find(identifier),
                RuleTarget::Client => None,
            }));
        }
        let first = *named.first()?;
        named.iter().all(|one| *one == first).then_some(Some(first))
    }
}

fn kind(typ: TokenType) -> TokenKind {
    match typ {
        TokenType::AccessToken | TokenType::Jwt => TokenKind::AccessToken,
        TokenType::IdToken => TokenKind::IdToken,
        TokenType::RefreshToken => TokenKind::RefreshToken,
    }
}

/// "`may_act` honoured": by our names, or by those of the actor's own issuer where that one speaks or is named.
fn may_act(subject: &Held, actor: Option<&Held>, acts: &Acts) -> bool {
    let Some(named) = &subject.may_act else {
        return true;
    };
    let client = named.client.as_ref().is_none_or(|client| *client == acts.1);
    let iss = named.iss.as_deref();
    // A name without an issuer is one of the token's own issuer.
    let ours = named.sub == acts.0 && iss.or(subject.issuer).is_none_or(|iss| iss == ISSUER);
    let theirs = actor.is_some_and(|actor| {
        let whose = iss.or(subject.issuer);
        actor.issuer.is_some() && whose == actor.issuer && actor.there == Some(named.sub.as_str())
    });
    client && (ours || theirs)
}

struct Case<'a> {
    judge: &'a Judge<'a>,
    ask: &'a Ask,
    client: &'a Client,
    subject: &'a Held,
    actor: Option<&'a Held>,
    acts: Acts,
    resource: Option<&'a Resource>,
    wanted: TokenKind,
}

impl Case<'_> {
    fn by(&self, rule: &ExchangeRule) -> Option<Expected> {
        let (ask, subject) = (self.ask, self.subject);
        let for_it = match (&rule.target, self.resource) {
            (RuleTarget::Resource(identifier), Some(resource)) => {
                *identifier == resource.identifier
            }
            (RuleTarget::Client, None) => true,
            _ => false,
        };
        let takes = rule.subject.issuer.as_deref() == subject.issuer
            && (subject.issuer.is_some() || rule.subject.kinds.contains(&subject.kind));
        let names = |id: &String| {
            rule.subject
                .clients
                .iter()
                .any(|named| named.as_str() == id)
        };
        let of_client =
            rule.subject.clients.is_empty() || subject.client.as_ref().is_some_and(names);
        let groups = subject
            .user
            .map(crate::policies::groups_of)
            .unwrap_or_default();
        let in_group = rule.subject.groups.is_empty()
            || rule
                .subject
                .groups
                .iter()
                .any(|group| groups.contains(&group.as_str()));
        // "only where its `aud` is one of the exchanging client's `resources`, or it was issued to that client, or the
        // rule names the audience"
        let for_us = self.may_present(subject)
            || subject
                .aud
                .as_ref()
                .is_some_and(|aud| rule.subject.audiences.contains(aud));
        let actor = match self.actor {
            Some(actor) => rule.actor.issuer.as_deref() == actor.issuer && self.may_present(actor),
            None => !rule.actor.token_required,
        };
        let named = !rule.actor.may_act_required || subject.may_act.is_some();
        let issues = rule.issues.contains(&self.wanted);
        if !(for_it && issues && takes && of_client && in_group && for_us && actor && named) {
            return None;
        }
        let act = self.chain(rule)?;
        let possible = self.possible(rule);
        let scope = ask.scope.clone().unwrap_or_else(|| possible.clone());
        if scope.is_empty() || !scope.is_subset(&possible) {
            return None;
        }
        Some(Expected {
            rule: rule.name.clone(),
            kind: self.wanted,
            sub: subject.sub.clone(),
            aud: self
                .resource
                .map_or(ask.client.as_str(), Resource::audience)
                .to_owned(),
            resource: self.resource.map(|resource| resource.identifier.clone()),
            scope,
            exp: self.ends(rule),
            act,
        })
    }

    fn may_present(&self, token: &Held) -> bool {
        let own = self.client.resources.iter();
        let mut own = own.filter_map(|own| self.judge.realm.resource(own));
        token.issuer.is_some()
            || token.client.as_deref() == Some(self.client.id.as_str())
            || own.any(|own| token.aud.as_deref() == Some(own.audience()))
    }

    /// "`act` holds `sub` and `client_id`, nested, with a depth limit"; no party twice, none for itself. "Impersonation is
    /// separate and off."
    fn chain(&self, rule: &ExchangeRule) -> Option<Vec<Acts>> {
        let before = &self.subject.act;
        let act = match rule.impersonation && self.actor.is_none() {
            true => before.clone(),
            false if self.acts.0 == self.subject.sub || before.contains(&self.acts) => return None,
            false => std::iter::once(&self.acts).chain(before).cloned().collect(),
        };
        (act.len() <= rule.max_depth).then_some(act)
    }

    /// "a scope of another resource only where the rule maps a scope that the subject's token holds to it, one by one"
    fn possible(&self, rule: &ExchangeRule) -> Scopes {
        let all: Vec<&str> = match self.subject.issuer {
            Some(_) => rule.gives.iter().collect(),
            None => {
                let mapped = rule
                    .scopes
                    .iter()
                    .filter(|(from, _)| self.subject.scope.contains(*from));
                mapped.flat_map(|(_, into)| into.iter()).collect()
            }
        };
        let is_of_target = |scope: &str| match self.resource {
            Some(resource) => scope
                .rsplit_once('/')
                .is_some_and(|(of, _)| of == resource.identifier),
            None => OPENID_SCOPES.contains(&scope),
        };
        // "by exchange a limited scope comes only of a user subject who is a member (of the target too)"
        let is_member = |scope: &&str| {
            let (of, name) = scope.rsplit_once('/').unwrap_or_default();
            let resource = self.judge.realm.resource(of);
            let declared = resource.and_then(|resource| resource.scopes.get(name));
            let limit = declared.and_then(|declared| declared.groups.as_ref());
            let of_user = self.subject.user.map(crate::policies::groups_of);
            let of_user = of_user.unwrap_or_default();
            limit.is_none_or(|limit| limit.iter().any(|group| of_user.contains(&group.as_str())))
        };
        all.into_iter()
            .filter(|scope| is_of_target(scope))
            .filter(is_member)
            .map(ToOwned::to_owned)
            .collect()
    }

    /// "Life ≤ the subject token's", the actor's, the resource's, the client's, the rule's.
    fn ends(&self, rule: &ExchangeRule) -> u64 {
        let now = self.judge.now;
        let after = |life: Duration| now + life.as_secs();
        let grant = self.judge.facts.grant_of(self.subject);
        let own = match self.wanted {
            TokenKind::IdToken => after(self.judge.realm.lifetimes.id),
            TokenKind::RefreshToken => {
                grant.map_or(0, |(grant, _)| self.judge.facts.grants[grant].ends)
            }
            TokenKind::AccessToken => {
                let of_resource = self.resource.and_then(|resource| resource.lifetime);
                after(of_resource.map_or(self.client.access_lifetime, |life| {
                    life.min(self.client.access_lifetime)
                }))
            }
        };
        let others = [self.actor.map(|actor| actor.exp), rule.lifetime.map(after)];
        others
            .into_iter()
            .flatten()
            .fold(own.min(self.subject.exp), u64::min)
    }
}
