//! The engine of token exchange. It only decides and issues nothing, so the grant and the explanation share it.

use super::party::{Party, Role};
use super::policy::{self, ExchangeTarget, RuleInput, Unmet};
use super::request::{ExchangeRequest, PreparedExchange};
use crate::base::error::{ErrorCode, Refusal};
use crate::base::time::Timestamp;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Need};
use crate::model::actor::Actor;
use crate::model::client::Client;
use crate::model::exchange_rule::ExchangeRule;
use crate::model::grant_type::GrantType;
use crate::model::resource::{Resource, TokenForm};
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;
use crate::records::{Authorization, Grant};

/// A request with its tokens opened, and the rules tried on it.
#[derive(Debug)]
pub(crate) struct Case<'p> {
    pub(crate) subject: Party,
    pub(crate) actor: Option<Party>,
    /// The acting party, with the prior actors inside.
    pub(crate) act: Actor,
    pub(crate) target: ExchangeTarget<'p>,
    /// The client's rules up to the one that applied, each with the reason why it did not.
    pub(crate) rules: Vec<(&'p ExchangeRule, Option<Unmet>)>,
}

/// A kind of token, with what it is made of.
#[derive(Debug)]
pub(crate) enum Issuable<'p> {
    Access(&'p Resource),
    /// For the client itself.
    Id(UserGrant),
    Refresh(&'p Resource, UserGrant),
}

/// A grant that a user gave here, still active.
#[derive(Debug)]
pub(crate) struct UserGrant {
    pub(crate) grant: Grant,
    pub(crate) authorization: Authorization,
}

#[derive(Debug)]
pub(crate) struct Granted<'p> {
    pub(crate) issuable: Issuable<'p>,
    pub(crate) rule: &'p ExchangeRule,
    pub(crate) requested: TokenType,
    pub(crate) scope: Scope,
    pub(crate) act: Option<Actor>,
    /// The earliest of subject token, actor token and the rule's lifetime.
    pub(crate) ends_at: Timestamp,
}

const OTHER_ACTOR: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The subject token says by may_act that somebody else may act.",
);
const SEALED_RESOURCE: Refusal = Refusal::new(
    ErrorCode::InvalidTarget,
    "The tokens of this resource are sealed: it takes no JWT.",
);
const NEEDS_USER_GRANT: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "Such a token comes only of what a user granted here, and not of a grant that was exchanged itself.",
);
const NO_REFRESH: Refusal = Refusal::new(
    ErrorCode::UnauthorizedClient,
    "The client may not use refresh tokens.",
);

/// # Errors
/// The outer [`Refusal`] is for requests that reach no rule: without a single target, or with an invalid token.
pub(crate) fn evaluate<'p>(
    env: &Env<'p>,
    facts: &Facts,
    client: &Client,
    request: &ExchangeRequest,
    prepared: &PreparedExchange,
) -> Result<(Case<'p>, Result<Granted<'p>, Refusal>), Stop> {
    let target = request.target(prepared, env.realm, client)?;
    let subject = prepared.open_subject(env, facts, client);
    let actor = prepared.actor.as_ref();
    let actor = actor.map(|actor| actor.open(env, facts, client, Role::Actor));
    let (subject, actor) = join(subject, actor.transpose())?;
    let actor = actor.map(Party::require_no_actor).transpose()?;
    let act = new_actor(client, &subject, actor.as_ref());
    let mut rules = Vec::new();
    let outcome = check_may_act(env, &subject, actor.as_ref(), &act)
        .and_then(|()| issuable(client, &subject, target, request.requested))
        .and_then(|issuable| {
            let input = RuleInput {
                client,
                subject: &subject,
                actor: actor.as_ref(),
                act: &act,
                target,
                requested: request.kind(),
                scope: request.scope.as_ref(),
            };
            apply_rules(env, &input, issuable, request.requested, &mut rules)
        });
    let case = Case {
        subject,
        actor,
        act,
        target,
        rules,
    };
    Ok((case, outcome))
}

/// The first rule that applies decides. Where none does, the one that came closest gives the reason.
fn apply_rules<'p>(
    env: &Env<'p>,
    input: &RuleInput<'_>,
    issuable: Issuable<'p>,
    requested: TokenType,
    rules: &mut Vec<(&'p ExchangeRule, Option<Unmet>)>,
) -> Result<Granted<'p>, Refusal> {
    let of_client = |rule: &&ExchangeRule| rule.client == input.client.id;
    for rule in env.realm.exchange.iter().filter(of_client) {
        let applied = policy::apply(env, rule, input);
        rules.push((rule, applied.as_ref().err().copied()));
        let Ok(allowed) = applied else {
            continue;
        };
        let limits = [
            input.actor.map(|actor| actor.expires_at),
            rule.lifetime.map(|lifetime| env.now + lifetime),
        ];
        return Ok(Granted {
            issuable,
            rule,
            requested,
            scope: allowed.scope,
            act: allowed.act,
            ends_at: limits
                .into_iter()
                .flatten()
                .fold(input.subject.expires_at, Timestamp::min),
        });
    }
    let closest = rules.iter().filter_map(|(_, unmet)| *unmet).max();
    Err(closest.unwrap_or(Unmet::Audience).refusal())
}

/// The actor is the actor token's subject, otherwise the client. `client_id` is always set, so that each client stays in
/// the chain and disabling one ends it.
fn new_actor(client: &Client, subject: &Party, actor: Option<&Party>) -> Actor {
    Actor {
        sub: actor.map_or_else(|| client.id.to_string(), |actor| actor.sub.clone()),
        client_id: client.id.clone(),
        act: subject.act.clone().map(Box::new),
    }
}

/// RFC 8693 section 4.4: "The may_act claim makes a statement that one party is authorized to become the actor". Any
/// other party is refused.
fn check_may_act(
    env: &Env<'_>,
    subject: &Party,
    actor: Option<&Party>,
    act: &Actor,
) -> Result<(), Refusal> {
    let Some(may_act) = &subject.may_act else {
        return Ok(());
    };
    // Without `iss`, may_act names parties of the token's own issuer. So a foreign token needs our `iss` to name ours.
    let is_ours = may_act.iss.is_some() || subject.issuer.is_none();
    let by_us = is_ours && may_act.allows(&env.realm.issuer, &act.sub, &act.client_id);
    // A foreign actor goes by its own issuer's `sub`.
    let by_issuer = actor.is_some_and(|actor| {
        let same_issuer = may_act.iss.is_some() || subject.issuer == actor.issuer;
        let (Some(issuer), Some(sub)) = (&actor.issuer, &actor.foreign_sub) else {
            return false;
        };
        same_issuer && may_act.allows(issuer, sub, &act.client_id)
    });
    match by_us || by_issuer {
        true => Ok(()),
        false => Err(OTHER_ACTOR),
    }
}

/// Refuses what no rule can allow.
fn issuable<'p>(
    client: &Client,
    subject: &Party,
    target: ExchangeTarget<'p>,
    requested: TokenType,
) -> Result<Issuable<'p>, Refusal> {
    let user_grant = || {
        let grant = subject.owner.grant().cloned();
        let authorization = grant.as_ref().and_then(Grant::active).cloned();
        let both = grant.zip(authorization);
        let both = both.map(|(grant, authorization)| UserGrant {
            grant,
            authorization,
        });
        both.ok_or(NEEDS_USER_GRANT)
    };
    match (requested, target) {
        (TokenType::Jwt, ExchangeTarget::Resource(resource))
            if resource.token == TokenForm::Sealed =>
        {
            Err(SEALED_RESOURCE)
        }
        (TokenType::AccessToken | TokenType::Jwt, ExchangeTarget::Resource(resource)) => {
            Ok(Issuable::Access(resource))
        }
        (TokenType::IdToken, ExchangeTarget::Client) => Ok(Issuable::Id(user_grant()?)),
        (TokenType::RefreshToken, ExchangeTarget::Resource(resource)) => {
            if !client.may_use(GrantType::RefreshToken) {
                return Err(NO_REFRESH);
            }
            let given = user_grant()?;
            match given.grant.kind.exchanged() {
                Some(_) => Err(NEEDS_USER_GRANT),
                None => Ok(Issuable::Refresh(resource, given)),
            }
        }
        _ => Err(Unmet::Audience.refusal()),
    }
}

/// Merges the needs of both, so that one read brings the rows of both.
fn join<A, B>(a: Result<A, Stop>, b: Result<B, Stop>) -> Result<(A, B), Stop> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Stop::Need(a)), Err(Stop::Need(b))) => {
            let is_new = |need: &Need| match need {
                Need::Row(key) => !a
                    .iter()
                    .any(|known| matches!(known, Need::Row(k) if k == key)),
                _ => true,
            };
            let new: Vec<Need> = b.into_iter().filter(is_new).collect();
            Err(Stop::Need(a.into_iter().chain(new).collect()))
        }
        (Err(Stop::Need(_)), Err(stop)) | (Err(stop), _) | (_, Err(stop)) => Err(stop),
    }
}
