//! A dry run of an exchange for operators: the same decision without its effects.

use std::borrow::Cow;
use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::party::Party;
use super::{Case, Content, PreparedExchange, Unmet, evaluate, policy};
use crate::base::error::{Cause, ErrorCode, Failure, Refusal};
use crate::base::params::Params;
use crate::client_auth::require_grant;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::actor::Actor;
use crate::model::client::Client;
use crate::model::exchange_rule::ExchangeRule;
use crate::model::grant_type::GrantType;
use crate::model::ids::ClientId;
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;
use crate::tokens::issue;

const UNKNOWN_CLIENT: Refusal = Refusal::new(ErrorCode::InvalidClient, "There is no such client.");

/// Issues nothing and writes no event.
#[derive(Debug)]
pub struct Explain {
    client: ClientId,
    request: super::ExchangeRequest,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    pub allowed: bool,
    /// The error that the client would get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refused>,
    /// None where the subject token is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<PartySummary>,
    /// None without a valid actor token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<PartySummary>,
    /// The `aud` of the new token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The rules that were tried, in order. Those after the one that applies are not.
    pub rules: Vec<RuleTrace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<Issued>,
}

/// An error, with the cause that no client sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub error: Cow<'static, str>,
    pub error_description: Cow<'static, str>,
    /// None where the description says it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// The content of a presented token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartySummary {
    /// The `sub` in our own tokens.
    pub sub: String,
    /// None where the party is not one of our users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The trusted issuer; none for our own tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The client to which the token was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// The widest scope that an exchange can give.
    pub scope: Scope,
    /// In seconds since the epoch.
    pub exp: u64,
    /// The current actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTrace {
    pub name: String,
    pub applies: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Cow<'static, str>>,
    /// The widest scope for this subject, where every condition but the scope is met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gives: Option<Scope>,
    /// What it gives besides to users in the groups to which these scopes are limited.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub withheld: Scope,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub issued_token_type: TokenType,
    /// In seconds.
    pub expires_in: u64,
    pub scope: Scope,
    /// For a refresh token, its delegation instead of claims.
    pub claims: Value,
}

impl Explain {
    /// Takes the parameters of RFC 8693 section 2.1 and `client_id`; no secret is needed. In place of the subject token,
    /// `assumed_user` with `assumed_client`, `assumed_scope` and `assumed_audience` describe a hypothetical access token.
    ///
    /// # Errors
    /// A [`Refusal`] for a malformed request.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let missing = Refusal::new(
            ErrorCode::InvalidRequest,
            "The parameter client_id is missing.",
        );
        let client = params.opt("client_id").ok_or(missing)?;
        Ok(Self {
            client: client.parse().map_err(|_| UNKNOWN_CLIENT)?,
            request: super::ExchangeRequest::parse_assumed(params)?,
        })
    }
}

impl Operation for Explain {
    type Parsed = PreparedExchange;
    type Reply = Explanation;
    type Refused = Infallible;

    fn prepare(&self, realm: &Realm) -> Result<PreparedExchange, Infallible> {
        Ok(self.request.prepare(realm))
    }

    fn decide(
        &self,
        prepared: &PreparedExchange,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Explanation, Infallible>, Stop<Infallible>> {
        match self.explain(prepared, env, facts) {
            Ok(explanation) => Ok(Decision::reply(explanation)),
            Err(stop) => {
                let explanation = stop.recover(|refusal| Explanation::refused(&refusal))?;
                Ok(Decision::reply(explanation))
            }
        }
    }
}

impl Explain {
    /// # Errors
    /// What is refused before any rule is tried.
    fn explain(
        &self,
        prepared: &PreparedExchange,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Explanation, Stop> {
        let client = self.asking_client(env, facts)?;
        let (case, outcome) = evaluate(env, facts, client, &self.request, prepared)?;
        let mut explanation = match &outcome {
            Err(refusal) => Explanation::refused(refusal),
            Ok(granted) => {
                let mut content = Content::new(env, client, &case.subject, granted)?;
                if let Content::Access(claims, resource) = &mut content {
                    // Leaves out what the token would have no room for.
                    issue::access_token(env, Some(resource), claims)?;
                }
                let expires_at = content.ends_at().as_secs();
                Explanation {
                    allowed: true,
                    issued: Some(Issued {
                        issued_token_type: granted.requested,
                        expires_in: expires_at.saturating_sub(env.now.as_secs()),
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
            .map(|(rule, unmet)| trace_rule(env, rule, *unmet, &case))
            .collect();
        explanation.subject = Some(summarize(&case.subject));
        explanation.actor = case.actor.as_ref().map(summarize);
        Ok(explanation)
    }

    /// The checks of client authentication and the token endpoint, except the secret.
    fn asking_client<'p>(&self, env: &Env<'p>, facts: &'p Facts) -> Result<&'p Client, Stop> {
        let client = facts.client(env, &self.client)?;
        let client = client.ok_or(UNKNOWN_CLIENT.because(Cause::UnknownClient))?;
        if !facts.is_enabled(env, client)? {
            let disabled = Refusal::new(ErrorCode::InvalidClient, "The client is disabled.");
            return Err(disabled.because(Cause::DisabledClient).into());
        }
        require_grant(client, GrantType::TokenExchange)?;
        if !client.is_confidential() {
            let public = Refusal::new(ErrorCode::InvalidClient, "The client is public.");
            return Err(public.because(Cause::SecretMissing).into());
        }
        Ok(client)
    }
}

impl Explanation {
    /// For a request that is refused before its tokens are opened.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let cause = refusal.cause.logged();
        Self {
            refusal: Some(Refused {
                error: refusal.code.name().into(),
                error_description: refusal.description(),
                cause: cause.map(|cause| format!("{cause:?}")),
            }),
            ..Self::default()
        }
    }
}

impl Content<'_> {
    fn claims(&self) -> Result<Value, Failure> {
        let claims = match self {
            Self::Access(claims, _) => serde_json::to_value(claims),
            Self::Id(claims, _) => serde_json::to_value(claims),
            Self::Refresh(new) => serde_json::to_value(&new.exchanged),
        };
        claims.map_err(|_| Failure::Bug("claims do not serialize"))
    }
}

fn trace_rule(
    env: &Env<'_>,
    rule: &ExchangeRule,
    unmet: Option<Unmet>,
    case: &Case<'_>,
) -> RuleTrace {
    let scope_is_known = matches!(unmet, None | Some(Unmet::Scope | Unmet::ScopeGroups));
    let gives = scope_is_known.then(|| policy::max_scope(env, rule, &case.subject, case.target));
    let withheld = gives.as_ref().map(|gives| {
        let widest = policy::widest_scope(env, rule, &case.subject, case.target);
        widest.filter(|token| !gives.contains(token))
    });
    RuleTrace {
        name: rule.name.clone(),
        applies: unmet.is_none(),
        why: unmet.map(|unmet| {
            let why = match unmet {
                // The client's texts for these speak of all rules.
                Unmet::Audience => "The rule is for another audience.",
                Unmet::Issues => "The rule issues no token of the requested type.",
                other => other.description(),
            };
            why.into()
        }),
        gives,
        withheld: withheld.unwrap_or_default(),
    }
}

fn summarize(party: &Party) -> PartySummary {
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
