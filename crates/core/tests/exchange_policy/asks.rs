//! Random requests: most of them as a client sends them that knows the rules, and then something of it is changed.

use grantor_core::model::exchange_rule::{ExchangeRule, RuleTarget, TokenKind};
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::scope::Scope;
use grantor_core::model::token_type::TokenType;

use crate::facts::{Facts, Form, Held, Scopes};
use crate::policies::{SERVICES, groups_of};
use grantor_testkit::Chance;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) client: String,
    pub(crate) subject: usize,
    pub(crate) subject_type: TokenType,
    pub(crate) actor: Option<(usize, TokenType)>,
    pub(crate) resources: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) scope: Option<Scopes>,
    pub(crate) requested: TokenType,
}

/// The identifier of a token's type.
pub(crate) fn type_of(token: &Held, chance: &mut Chance) -> TokenType {
    match (token.issuer, token.kind) {
        (Some(_), _) => chance.pick(&[TokenType::Jwt, TokenType::IdToken]),
        (None, TokenKind::AccessToken) if token.form == Form::Jwt => {
            chance.pick(&[TokenType::AccessToken, TokenType::Jwt])
        }
        (None, TokenKind::AccessToken) => TokenType::AccessToken,
        (None, TokenKind::IdToken) => TokenType::IdToken,
        (None, TokenKind::RefreshToken) => TokenType::RefreshToken,
    }
}

impl Ask {
    pub(crate) fn any(realm: &Realm, facts: &Facts, now: u64, chance: &mut Chance) -> Self {
        // Of some rules, the one for which there is a token.
        let mut tries = (0..8).filter_map(|_| {
            let rule = chance.index(realm.exchange.len().max(1));
            Self::by(realm, facts, now, chance, realm.exchange.get(rule)?)
        });
        let found = tries.next();
        let mut ask = found.unwrap_or_else(|| Self::wild(facts, chance));
        if chance.one_in(4) {
            ask.change(realm, facts, chance);
        }
        ask
    }

    fn wild(facts: &Facts, chance: &mut Chance) -> Self {
        let subject = chance.recent(facts.tokens.len()).expect("there are tokens");
        Self {
            client: chance.pick(&SERVICES).to_owned(),
            subject,
            subject_type: type_of(&facts.tokens[subject], chance),
            actor: None,
            resources: Vec::new(),
            audiences: Vec::new(),
            scope: None,
            requested: TokenType::AccessToken,
        }
    }

    /// A request that a rule may allow, if there is a token for it.
    fn by(
        realm: &Realm,
        facts: &Facts,
        now: u64,
        chance: &mut Chance,
        rule: &ExchangeRule,
    ) -> Option<Self> {
        let client = realm.client(rule.client.as_str()).expect("a client");
        let wanted = chance.pick(&rule.issues);
        let own = client.resources.iter().filter_map(|id| realm.resource(id));
        let own: Vec<&str> = own.map(Resource::audience).collect();
        let fits = |token: &Held, kinds: &[TokenKind], issuer: Option<&str>| {
            let is_own = token.client.as_deref() == Some(client.id.as_str());
            let named = &rule.subject.audiences;
            let is_for = |aud: &str| own.contains(&aud) || named.iter().any(|one| one == aud);
            let is_for = token.aud.as_deref().is_some_and(is_for);
            let may = is_own || token.kind == TokenKind::AccessToken && is_for;
            token.issuer == issuer
                && (issuer.is_some() || may && kinds.contains(&token.kind))
                && !(token.bound || token.acted_elsewhere)
                && facts.is_good(realm, token, now)
        };
        let gives = |token: &Held| {
            let grant = facts.grant_of(token);
            let groups = &rule.subject.groups;
            let groups_of = token.user.map(groups_of).unwrap_or_default();
            let is_in = groups.is_empty()
                || groups
                    .iter()
                    .any(|group| groups_of.contains(&group.as_str()));
            let clients = &rule.subject.clients;
            let named = |id: &String| clients.iter().any(|named| named.as_str() == id);
            let of = clients.is_empty() || token.client.as_ref().is_some_and(named);
            let holds =
                token.issuer.is_some() || rule.scopes.keys().any(|from| token.scope.contains(from));
            let grants = match wanted {
                TokenKind::AccessToken => true,
                TokenKind::IdToken => grant.is_some(),
                TokenKind::RefreshToken => grant.is_some_and(|(_, exchanged)| !exchanged),
            };
            let itself = token.sub == client.id.as_str() && !rule.impersonation;
            let exchangeable = token.kind != TokenKind::IdToken || !token.exchanged;
            is_in && of && holds && grants && !itself && exchangeable
        };
        let issuer = rule.subject.issuer.as_deref();
        let of = |test: &dyn Fn(&Held) -> bool| -> Vec<usize> {
            (0..facts.tokens.len())
                .filter(|at| test(&facts.tokens[*at]))
                .collect()
        };
        let subjects = of(&|token| fits(token, &rule.subject.kinds, issuer) && gives(token));
        let mut ask = Self::wild(facts, chance);
        ask.client = client.id.to_string();
        ask.subject = subjects[chance.recent(subjects.len())?];
        ask.subject_type = type_of(&facts.tokens[ask.subject], chance);
        if rule.actor.token_required || chance.one_in(5) {
            let actors = of(&|token| {
                fits(
                    token,
                    &[TokenKind::AccessToken, TokenKind::IdToken],
                    rule.actor.issuer.as_deref(),
                ) && token.act.is_empty()
            });
            let at = chance.recent(actors.len());
            ask.actor = at.map(|at| (actors[at], type_of(&facts.tokens[actors[at]], chance)));
        }
        ask.requested = match wanted {
            TokenKind::AccessToken => TokenType::AccessToken,
            TokenKind::IdToken => TokenType::IdToken,
            TokenKind::RefreshToken => TokenType::RefreshToken,
        };
        if let RuleTarget::Resource(identifier) = &rule.target {
            let resource = realm.resource(identifier).expect("a resource");
            match (chance.below(6), &resource.uri) {
                (0 | 1, Some(uri)) => ask.resources.push(uri.clone()),
                (0..=2, _) => ask.audiences.push(identifier.clone()),
                (3 | 4, _) => ask.audiences.push(resource.audience().to_owned()),
                _ => {}
            }
            let is_jwt = resource.token != TokenForm::Sealed;
            if wanted == TokenKind::AccessToken && is_jwt && chance.one_in(3) {
                ask.requested = TokenType::Jwt;
            }
        }
        if chance.one_in(2) {
            let into = rule
                .scopes
                .values()
                .chain([&rule.gives])
                .flat_map(Scope::iter);
            let into: Vec<String> = into.map(ToOwned::to_owned).collect();
            let count = 1 + chance.below(2);
            ask.scope = Some(
                (0..count)
                    .map(|_| into[chance.index(into.len())].clone())
                    .collect(),
            );
        }
        Some(ask)
    }

    /// A violated invariant.
    fn change(&mut self, realm: &Realm, facts: &Facts, chance: &mut Chance) {
        let any =
            |chance: &mut Chance| chance.recent(facts.tokens.len()).expect("there are tokens");
        let resource = &realm.resources[chance.index(realm.resources.len())];
        match chance.below(12) {
            0 => self.client = chance.pick(&SERVICES).to_owned(),
            1 | 2 => {
                self.subject = any(chance);
                self.subject_type = type_of(&facts.tokens[self.subject], chance);
            }
            3 => self.subject_type = chance.pick(&TokenType::ALL),
            4 => self.actor = Some((any(chance), chance.pick(&TokenType::ALL))),
            5 | 6 => {
                let actor = any(chance);
                self.actor = Some((actor, type_of(&facts.tokens[actor], chance)));
            }
            7 => self.requested = chance.pick(&TokenType::ALL),
            8 => self.audiences.push(
                chance
                    .pick(&[resource.audience(), "nobody.example", &self.client.clone()])
                    .to_owned(),
            ),
            9 => {
                let uri = resource
                    .uri
                    .clone()
                    .unwrap_or_else(|| "https://nobody.example".to_owned());
                let fragment = if chance.one_in(2) { "#x" } else { "" };
                self.resources.push(format!("{uri}{fragment}"));
            }
            10 => {
                let stray = [
                    format!("{}/write", resource.identifier),
                    "openid".to_owned(),
                    "x".to_owned(),
                ];
                self.scope
                    .get_or_insert_default()
                    .insert(stray[chance.index(3)].clone());
            }
            _ => {
                self.audiences.clear();
                self.resources.clear();
            }
        }
    }
}
