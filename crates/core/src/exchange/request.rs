//! A token exchange request (RFC 8693 section 2.1), read.

use super::assumed::Assumed;
use super::party::{Party, PresentedParty, Role};
use super::policy::ExchangeTarget;
use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::secret::Secret;
use crate::engine::decide::{Facts, Stop};
use crate::engine::env::Env;
use crate::model::client::Client;
use crate::model::exchange_rule::{RuleTarget, TokenKind};
use crate::model::realm::Realm;
use crate::model::resource::Resource;
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;

/// The request.
#[derive(Debug)]
pub(crate) struct ExchangeRequest {
    pub(super) subject: Subject,
    pub(super) actor: Option<PresentedParty>,
    resources: Vec<String>,
    audiences: Vec<String>,
    pub(super) scope: Option<Scope>,
    pub(super) requested: TokenType,
}

/// The subject: by a token, or as an operator assumes it.
#[derive(Debug)]
pub(super) enum Subject {
    Presented(Box<PresentedParty>),
    Assumed(Assumed),
}

impl Subject {
    pub(super) fn open(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
    ) -> Result<Party, Stop> {
        match self {
            Self::Presented(token) => token.open(env, facts, client, Role::Subject),
            Self::Assumed(assumed) => assumed.open(env, facts),
        }
    }
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
const ACTOR_TYPE: Refusal = invalid("A refresh token cannot be an actor token.");
const ASSUMED: Refusal =
    invalid("Without a subject token, only what comes of an access token can be explained.");
const UNKNOWN_TYPE: Refusal = invalid("A token type is not known here.");
const NO_URI: Refusal = no_target("A resource must be an absolute URI without a fragment.");
const UNKNOWN: Refusal = no_target("A resource or audience is not known here.");
const SEVERAL: Refusal = no_target("A token is for one resource; ask for one at a time.");
const UNNAMED: Refusal = no_target("Name the target by audience or resource.");
const ID_TOKEN: Refusal = no_target("An ID token is for the client that asks for it.");

impl ExchangeRequest {
    pub(crate) fn parse(params: &Params) -> Result<Self, Refusal> {
        let subject = params.opt("subject_token").ok_or(NO_SUBJECT)?;
        let typ = params
            .opt("subject_token_type")
            .map(known)
            .transpose()?
            .ok_or(NO_SUBJECT_TYPE)?;
        let subject = PresentedParty::new(Secret::new(subject), typ);
        Self::about(Subject::Presented(Box::new(subject)), params)
    }

    /// The same of a user without a token, where the operator assumes one.
    pub(super) fn parse_assumed(params: &Params) -> Result<Self, Refusal> {
        let Some(assumed) = Assumed::parse(params)? else {
            return Self::parse(params);
        };
        let request = Self::about(Subject::Assumed(assumed), params)?;
        match request.wanted() {
            TokenKind::AccessToken => Ok(request),
            TokenKind::IdToken | TokenKind::RefreshToken => Err(ASSUMED),
        }
    }

    fn about(subject: Subject, params: &Params) -> Result<Self, Refusal> {
        let typ = |name| params.opt(name).map(known).transpose();
        // RFC 8693 section 2.1: actor_token_type "is REQUIRED when the actor_token parameter is present in the request
        // but MUST NOT be included otherwise."
        let actor = match (params.opt("actor_token"), typ("actor_token_type")?) {
            (None, None) => None,
            (Some(_), Some(TokenType::RefreshToken)) => return Err(ACTOR_TYPE),
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

    pub(super) const fn wanted(&self) -> TokenKind {
        match self.requested {
            TokenType::AccessToken | TokenType::Jwt => TokenKind::AccessToken,
            TokenType::IdToken => TokenKind::IdToken,
            TokenType::RefreshToken => TokenKind::RefreshToken,
        }
    }

    /// The one target: the one that is named; else the one that the scopes belong to; else the only one of the client's
    /// rules.
    ///
    /// # Errors
    /// `invalid_target` where there is no such one.
    pub(super) fn target<'p>(
        &self,
        realm: &'p Realm,
        client: &Client,
    ) -> Result<ExchangeTarget<'p>, Refusal> {
        if self.wanted() == TokenKind::IdToken {
            let is_client = |audience: &String| audience == client.id.as_str();
            return match self.resources.is_empty() && self.audiences.iter().all(is_client) {
                true => Ok(ExchangeTarget::Client),
                false => Err(ID_TOKEN),
            };
        }
        let mut named = self.named(realm)?;
        if named.is_empty() {
            let tokens = self.scope.iter().flat_map(Scope::iter);
            named = tokens
                .filter_map(|token| realm.scope_owner(token))
                .collect();
        }
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
            // Which of several the client may mean, is not to be guessed.
            named.dedup_by(|a, b| a.identifier == b.identifier);
            if named.len() != 1 {
                return Err(UNNAMED);
            }
        }
        match named.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => {
                Ok(ExchangeTarget::Resource(first))
            }
            _ => Err(SEVERAL),
        }
    }

    /// The resources that `resource` and `audience` name.
    fn named<'p>(&self, realm: &'p Realm) -> Result<Vec<&'p Resource>, Refusal> {
        // RFC 8693 section 2.1: "The value of the resource parameter MUST be an absolute URI […] and MUST NOT include a
        // fragment component."
        let is_uri = |text: &String| text.contains(':') && !text.contains('#');
        if !self.resources.iter().all(is_uri) {
            return Err(NO_URI);
        }
        let of = |name: &String| {
            realm
                .resources
                .iter()
                .find(|one| one.matches_indicator(name))
        };
        let all = self.resources.iter().chain(&self.audiences);
        all.map(|name| of(name).ok_or(UNKNOWN)).collect()
    }
}

fn known(uri: &str) -> Result<TokenType, Refusal> {
    TokenType::from_uri(uri).ok_or(UNKNOWN_TYPE)
}
