//! The token exchange request (RFC 8693 section 2.1).

use super::assumed::AssumedToken;
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

#[derive(Debug)]
pub(crate) struct ExchangeRequest {
    pub(super) subject: Subject,
    pub(super) actor: Option<PresentedParty>,
    resources: Vec<String>,
    audiences: Vec<String>,
    pub(super) scope: Option<Scope>,
    pub(super) requested: TokenType,
}

#[derive(Debug)]
pub(super) enum Subject {
    Presented(Box<PresentedParty>),
    Assumed(AssumedToken),
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
        Self::with_subject(Subject::Presented(Box::new(subject)), params)
    }

    /// The same, but accepts the parameters of an assumed token.
    pub(super) fn parse_assumed(params: &Params) -> Result<Self, Refusal> {
        let Some(assumed) = AssumedToken::parse(params)? else {
            return Self::parse(params);
        };
        let request = Self::with_subject(Subject::Assumed(assumed), params)?;
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

    pub(super) const fn kind(&self) -> TokenKind {
        match self.requested {
            TokenType::AccessToken | TokenType::Jwt => TokenKind::AccessToken,
            TokenType::IdToken => TokenKind::IdToken,
            TokenType::RefreshToken => TokenKind::RefreshToken,
        }
    }

    /// The one target: the named one, else the owner of the scopes, else the only target of the client's rules.
    ///
    /// # Errors
    /// `invalid_target` for none or several.
    pub(super) fn target<'p>(
        &self,
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

    /// The resources that `resource` and `audience` name.
    fn named<'p>(&self, realm: &'p Realm) -> Result<Vec<&'p Resource>, Refusal> {
        // RFC 8693 section 2.1: "The value of the resource parameter MUST be an absolute URI […] and MUST NOT include a
        // fragment component."
        let is_uri = |text: &String| text.contains(':') && !text.contains('#');
        if !self.resources.iter().all(is_uri) {
            return Err(NOT_A_URI);
        }
        let find = |name: &String| {
            realm
                .resources
                .iter()
                .find(|one| one.matches_indicator(name))
        };
        let names = self.resources.iter().chain(&self.audiences);
        names.map(|name| find(name).ok_or(UNKNOWN_TARGET)).collect()
    }
}

fn token_type(uri: &str) -> Result<TokenType, Refusal> {
    TokenType::from_uri(uri).ok_or(UNKNOWN_TYPE)
}
