//! The token exchange request (RFC 8693 section 2.1).

use std::sync::Arc;

use super::assumed::AssumedToken;
use super::party::{OpenedParty, Party, PresentedParty, Role};
use super::policy::ExchangeTarget;
use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::secret::Secret;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::client::Client;
use crate::model::exchange_rule::{RuleTarget, TokenKind};
use crate::model::realm::Realm;
use crate::model::resource::Resource;
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;

#[derive(Debug)]
pub(crate) struct ExchangeRequest {
    subject: Subject,
    actor: Option<PresentedParty>,
    resources: Vec<String>,
    audiences: Vec<String>,
    pub(super) scope: Option<Scope>,
    pub(super) requested: TokenType,
}

#[derive(Debug)]
enum Subject {
    Presented(PresentedParty),
    Assumed(Arc<AssumedToken>),
}

/// What this realm reads in a request.
pub struct PreparedExchange {
    subject: PreparedSubject,
    pub(super) actor: Option<OpenedParty>,
    /// Which of the realm's resources the request names, by itself or by its scopes.
    named: Result<Vec<usize>, Refusal>,
}

enum PreparedSubject {
    Presented(OpenedParty),
    Assumed(Arc<AssumedToken>),
}

const fn invalid(text: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, text)
}
const fn no_target(text: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidTarget, text)
}

const NO_SUBJECT: Refusal = invalid("The parameter subject_token is missing.");
const NO_SUBJECT_TYPE: Refusal = invalid("The parameter subject_token_type is missing.");
const NO_ACTOR_TYPE: Refusal = invalid("The parameter actor_token_type is missing.");
const NO_ACTOR: Refusal = invalid("There is an actor_token_type without an actor_token.");
const REFRESH_TOKEN_AS_ACTOR: Refusal = invalid("A refresh token cannot be an actor token.");
const NOT_EXPLAINABLE: Refusal =
    invalid("Without a subject token, only what comes of an access token can be explained.");
const UNKNOWN_TYPE: Refusal = invalid("A token type is not known here.");
const NOT_A_URI: Refusal = no_target("A resource must be an absolute URI without a fragment.");
const UNKNOWN_TARGET: Refusal = no_target("A resource or audience is not known here.");
const SEVERAL_TARGETS: Refusal = no_target("A token is for one resource; ask for one at a time.");
const NO_TARGET: Refusal = no_target("Name the target by audience or resource.");
const ID_TOKEN_TARGET: Refusal = no_target("An ID token is for the client that asks for it.");

impl ExchangeRequest {
    pub(crate) fn parse(params: &Params) -> Result<Self, Refusal> {
        let subject = params.opt("subject_token").ok_or(NO_SUBJECT)?;
        let typ = params
            .opt("subject_token_type")
            .map(token_type)
            .transpose()?
            .ok_or(NO_SUBJECT_TYPE)?;
        let subject = PresentedParty::new(Secret::new(subject), typ);
        Self::with_subject(Subject::Presented(subject), params)
    }

    /// The same, but accepts the parameters of an assumed token.
    pub(super) fn parse_assumed(params: &Params) -> Result<Self, Refusal> {
        let Some(assumed) = AssumedToken::parse(params)? else {
            return Self::parse(params);
        };
        let request = Self::with_subject(Subject::Assumed(Arc::new(assumed)), params)?;
        match request.kind() {
            TokenKind::AccessToken => Ok(request),
            TokenKind::IdToken | TokenKind::RefreshToken => Err(NOT_EXPLAINABLE),
        }
    }

    fn with_subject(subject: Subject, params: &Params) -> Result<Self, Refusal> {
        let typ = |name| params.opt(name).map(token_type).transpose();
        // RFC 8693 section 2.1: actor_token_type "is REQUIRED when the actor_token parameter is present in the request
        // but MUST NOT be included otherwise."
        let actor = match (params.opt("actor_token"), typ("actor_token_type")?) {
            (None, None) => None,
            (Some(_), Some(TokenType::RefreshToken)) => return Err(REFRESH_TOKEN_AS_ACTOR),
            (Some(token), Some(typ)) => Some(PresentedParty::new(Secret::new(token), typ)),
            (Some(_), None) => return Err(NO_ACTOR_TYPE),
            (None, Some(_)) => return Err(NO_ACTOR),
        };
        Ok(Self {
            subject,
            actor,
            resources: params.all("resource").map(ToOwned::to_owned).collect(),
            audiences: params.all("audience").map(ToOwned::to_owned).collect(),
            scope: Scope::from_params(params)?,
            requested: typ("requested_token_type")?.unwrap_or(TokenType::AccessToken),
        })
    }

    pub(crate) fn prepare(&self, realm: &Realm) -> PreparedExchange {
        let subject = match &self.subject {
            Subject::Presented(subject) => PreparedSubject::Presented(subject.prepare(realm)),
            Subject::Assumed(subject) => PreparedSubject::Assumed(Arc::clone(subject)),
        };
        PreparedExchange {
            subject,
            actor: self.actor.as_ref().map(|actor| actor.prepare(realm)),
            named: self.named(realm),
        }
    }

    pub(super) const fn kind(&self) -> TokenKind {
        match self.requested {
            TokenType::AccessToken | TokenType::Jwt => TokenKind::AccessToken,
            TokenType::IdToken => TokenKind::IdToken,
            TokenType::RefreshToken => TokenKind::RefreshToken,
        }
    }

    /// The resources that `resource` and `audience` name, else the owners of the scopes.
    fn named(&self, realm: &Realm) -> Result<Vec<usize>, Refusal> {
        // RFC 8693 section 2.1: "The value of the resource parameter MUST be an absolute URI […] and MUST NOT include a
        // fragment component."
        let is_uri = |text: &String| text.contains(':') && !text.contains('#');
        if !self.resources.iter().all(is_uri) {
            return Err(NOT_A_URI);
        }
        let position = |found: &Resource| {
            let mut resources = realm.resources.iter();
            resources.position(|one| std::ptr::eq(one, found))
        };
        let resources = self.resources.iter();
        let by_resource = resources.map(|name| realm.indicated_resource(name));
        // Section 2.1: an audience is a name, so it is compared as it is written.
        let audiences = self.audiences.iter();
        let by_audience = audiences.map(|name| {
            let mut resources = realm.resources.iter();
            resources.find(|one| one.matches_indicator(name))
        });
        let named: Vec<usize> = by_resource
            .chain(by_audience)
            .map(|found| found.and_then(position).ok_or(UNKNOWN_TARGET))
            .collect::<Result<_, _>>()?;
        if !named.is_empty() {
            return Ok(named);
        }
        let owner = |token| {
            let owner = realm.scope_owner(token)?;
            realm.resources.iter().position(|one| one == owner)
        };
        Ok(self
            .scope
            .iter()
            .flat_map(Scope::iter)
            .filter_map(owner)
            .collect())
    }

    /// The one target: the named one, else the owner of the scopes, else the only target of the client's rules.
    ///
    /// # Errors
    /// `invalid_target` for none or several.
    pub(super) fn target<'p>(
        &self,
        prepared: &PreparedExchange,
        realm: &'p Realm,
        client: &Client,
    ) -> Result<ExchangeTarget<'p>, Refusal> {
        if self.kind() == TokenKind::IdToken {
            let is_client = |audience: &String| audience == client.id.as_str();
            return match self.resources.is_empty() && self.audiences.iter().all(is_client) {
                true => Ok(ExchangeTarget::Client),
                false => Err(ID_TOKEN_TARGET),
            };
        }
        let named = prepared.named.as_ref().map_err(Clone::clone)?.iter();
        let mut named: Vec<_> = named.filter_map(|at| realm.resources.get(*at)).collect();
        if named.is_empty() {
            let rules = realm
                .exchange
                .iter()
                .filter(|rule| rule.client == client.id);
            let targets = rules.filter_map(|rule| match &rule.target {
                RuleTarget::Resource(identifier) => realm.resource(identifier),
                RuleTarget::Client => None,
            });
            named = targets.collect();
            // Never guess which of several the client means.
            named.dedup_by(|a, b| a.identifier == b.identifier);
            if named.len() != 1 {
                return Err(NO_TARGET);
            }
        }
        match named.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => {
                Ok(ExchangeTarget::Resource(first))
            }
            _ => Err(SEVERAL_TARGETS),
        }
    }
}

impl PreparedExchange {
    pub(super) fn open_subject(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
    ) -> Result<Party, Stop> {
        match &self.subject {
            PreparedSubject::Presented(token) => token.open(env, facts, client, Role::Subject),
            PreparedSubject::Assumed(assumed) => assumed.open(env, facts),
        }
    }
}

fn token_type(uri: &str) -> Result<TokenType, Refusal> {
    TokenType::from_uri(uri).ok_or(UNKNOWN_TYPE)
}
