//! The same decision without its effects: what an operator asks before a client does, or after one was refused.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::party::Party;
use super::{Case, Content, Unmet, evaluate, policy};
use crate::base::error::{Cause, ErrorCode, Failure, Refusal};
use crate::base::params::Params;
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::model::actor::Actor;
use crate::model::client::Client;
use crate::model::exchange_rule::ExchangeRule;
use crate::model::grant_type::GrantType;
use crate::model::ids::ClientId;
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;
use crate::tokens::issue;

/// What would come of this request, were it this client's. Nothing is issued, and no event is written.
#[derive(Debug)]
pub struct Explain {
    client: ClientId,
    request: super::ExchangeRequest,
}

/// The explanation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Whether a token would be issued.
    pub allowed: bool,
    /// What the client would be told, where it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refused>,
    /// What the subject token says, if it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<PartySummary>,
    /// What the actor token says, if there is a good one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<PartySummary>,
    /// Whom the new token is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The rules that were asked, in their order; those after the one that decides are not.
    pub rules: Vec<RuleTrace>,
    /// What would be issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<Issued>,
}

/// A refusal, and its cause, which no client is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// `error`.
    pub error: Cow<'static, str>,
    /// `error_description`.
    pub error_description: Cow<'static, str>,
    /// Why, where the description does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// What a presented token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartySummary {
    /// What we call the party.
    pub sub: String,
    /// The user's name, if it is one of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The trusted issuer, where the token is not ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The client to which it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// The most that can come of it.
    pub scope: Scope,
    /// When it ends, in seconds since the epoch.
    pub exp: u64,
    /// Who acts by it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// A rule, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTrace {
    /// Its name.
    pub name: String,
    /// Whether it decides.
    pub applies: bool,
    /// Why it does not apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Cow<'static, str>>,
    /// The most that it gives for this subject, where all but the scope was right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gives: Option<Scope>,
}

/// What would be issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// `issued_token_type`.
    pub issued_token_type: TokenType,
    /// `expires_in`, in seconds.
    pub expires_in: u64,
    /// `scope`.
    pub scope: Scope,
    /// The token's claims; of a refresh token, who would act by it.
    pub claims: Value,
}

impl Explain {
    /// Reads the parameters of a token exchange (RFC 8693 section 2.1), and `client_id`, whose secret is not needed.
    /// Instead of the subject token there may be `assumed_user` with `assumed_client`, `assumed_scope` and
    /// `assumed_audience`: an access token that this user would have.
    ///
    /// # Errors
    /// A [`Refusal`] for what cannot be read.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let missing = Refusal::new(
            ErrorCode::InvalidRequest,
            "The parameter client_id is missing.",
        );
        let client = params.opt("client_id").ok_or(missing)?;
        let unknown = Refusal::new(ErrorCode::InvalidClient, "There is no such client.");
        Ok(Self {
            client: client.parse().map_err(|_| unknown)?,
            request: super::ExchangeRequest::parse_assumed(params)?,
        })
    }
}

impl Operation for Explain {
    type Reply = Explanation;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Explanation>, Stop> {
        let client = match self.client(env) {
            Ok(client) => client,
            Err(refusal) => return Ok(Decision::reply(Explanation::refused(&refusal))),
        };
        let (case, outcome) = match evaluate(env, facts, client, &self.request) {
            Ok(evaluated) => evaluated,
            Err(Stop::Refuse(refusal)) => {
                return Ok(Decision::reply(Explanation::refused(&refusal)));
            }
            Err(stop) => return Err(stop),
        };
        let mut explanation = match &outcome {
            Err(refusal) => Explanation::refused(refusal),
            Ok(granted) => {
                let content = Content::of(env, client, &case, granted)?;
                if let Content::Access(claims, resource) = &content {
                    // Not to be promised where it would be too long.
                    issue::access_token(env, Some(resource), claims)?;
                }
                let ends = content.ends_at().as_secs();
                Explanation {
                    allowed: true,
                    issued: Some(Issued {
                        issued_token_type: granted.requested,
                        expires_in: ends.saturating_sub(env.now.as_secs()),
                        scope: granted.scope.clone(),
                        claims: content.claims()?,
                    }),
                    ..Explanation::default()
                }
            }
        };
        explanation.audience = case.target.audience().map(ToOwned::to_owned);
        explanation.rules = case
            .rules
            .iter()
            .map(|(rule, unmet)| asked(env, rule, *unmet, &case))
            .collect();
        explanation.subject = Some(said(&case.subject));
        explanation.actor = case.actor.as_ref().map(said);
        Ok(Decision::reply(explanation))
    }
}

impl Explain {
    /// What client authentication and the token endpoint ask of a client, but its secret.
    fn client<'p>(&self, env: &Env<'p>) -> Result<&'p Client, Refusal> {
        let client = env.realm.clients.get(&self.client);
        let unknown = Refusal::new(ErrorCode::InvalidClient, "There is no such client.");
        let client = client.ok_or(unknown.because(Cause::UnknownClient))?;
        if !client.enabled {
            let disabled = Refusal::new(ErrorCode::InvalidClient, "The client is disabled.");
            return Err(disabled.because(Cause::DisabledClient));
        }
        if !client.may_use(GrantType::TokenExchange) {
            return Err(Refusal::new(
                ErrorCode::UnauthorizedClient,
                "The client may not use this grant type.",
            ));
        }
        if !client.is_confidential() {
            let public = Refusal::new(ErrorCode::InvalidClient, "The client is public.");
            return Err(public.because(Cause::SecretMissing));
        }
        Ok(client)
    }
}

impl Explanation {
    /// That of a request which is refused before anything else is known of it.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let cause = Some(refusal.cause).filter(|cause| *cause != Cause::AsDescribed);
        Self {
            refusal: Some(Refused {
                error: refusal.code.name().into(),
                error_description: refusal.description.into(),
                cause: cause.map(|cause| format!("{cause:?}")),
            }),
            ..Self::default()
        }
    }
}

impl Content<'_> {
    /// The claims, as JSON.
    fn claims(&self) -> Result<Value, Failure> {
        let claims = match self {
            Self::Access(claims, _) => serde_json::to_value(claims),
            Self::Id(claims) => serde_json::to_value(claims),
            Self::Refresh(new) => serde_json::to_value(&new.exchanged),
        };
        claims.map_err(|_| Failure::Bug("claims are no JSON"))
    }
}

fn asked(env: &Env<'_>, rule: &ExchangeRule, unmet: Option<Unmet>, case: &Case<'_>) -> RuleTrace {
    let near = matches!(unmet, None | Some(Unmet::Scope));
    RuleTrace {
        name: rule.name.clone(),
        applies: unmet.is_none(),
        why: unmet.map(|unmet| {
            let why = match unmet {
                // Of one rule among others.
                Unmet::Audience => "The rule is for another audience.",
                Unmet::Issues => "The rule issues no token of the requested type.",
                other => other.words(),
            };
            why.into()
        }),
        gives: near.then(|| policy::possible(env, rule, &case.subject, case.target)),
    }
}

fn said(party: &Party) -> PartySummary {
    let user = party.owner.user();
    PartySummary {
        sub: party.sub.clone(),
        username: user.map(|user| user.username.clone()),
        groups: user.map(|user| user.groups.clone()).unwrap_or_default(),
        issuer: party.issuer.clone(),
        client_id: party.client.as_ref().map(ToString::to_string),
        aud: party.aud.clone(),
        scope: party.max_scope.clone(),
        exp: party.expires_at.as_secs(),
        act: party.act.clone(),
    }
}
