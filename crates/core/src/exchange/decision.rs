//! The engine: who asks for what, which rule decides, and what comes of it. It issues nothing itself, so that the
//! grant and the explanation are the same decision.

use super::party::{Party, Role};
use super::policy::{self, ExchangeTarget, RuleInput, Unmet};
use super::request::ExchangeRequest;
use crate::base::error::{ErrorCode, Refusal};
use crate::base::time::Timestamp;
use crate::engine::decide::{Facts, Need, Stop};
use crate::engine::env::Env;
use crate::model::actor::Actor;
use crate::model::client::Client;
use crate::model::exchange_rule::ExchangeRule;
use crate::model::grant_type::GrantType;
use crate::model::resource::TokenForm;
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;

/// Who asks for what, and what the rules said to it.
#[derive(Debug)]
pub(crate) struct Case<'p> {
    pub(crate) subject: Party,
    pub(crate) actor: Option<Party>,
    /// Who would act, and who acted before.
    pub(crate) act: Actor,
    pub(crate) target: ExchangeTarget<'p>,
    /// The client's rules as far as they were asked, each with why it does not apply.
    pub(crate) rules: Vec<(&'p ExchangeRule, Option<Unmet>)>,
}

/// What is granted.
#[derive(Debug)]
pub(crate) struct Granted<'p> {
    /// The rule that decided.
    pub(crate) rule: &'p ExchangeRule,
    pub(crate) requested: TokenType,
    pub(crate) scope: Scope,
    pub(crate) act: Option<Actor>,
    /// When the subject token, the actor token or the rule's time ends, whichever is first.
    pub(crate) ends_at: Timestamp,
}

const OTHER_ACTOR: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The subject token says by may_act that somebody else may act.",
);
const NO_JWT: Refusal = Refusal::new(
    ErrorCode::InvalidTarget,
    "The tokens of this resource are sealed: it takes no JWT.",
);
const NO_GRANT: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "Such a token comes only of what a user granted here, and not of a grant that was exchanged itself.",
);
const NO_REFRESH: Refusal = Refusal::new(
    ErrorCode::UnauthorizedClient,
    "The client may not use refresh tokens.",
);

/// Decides.
///
/// # Errors
/// [`Refusal`]s of requests that no rule is asked about: without one target, or with a token that is not good;
/// [`Stop`] where more must be known.
pub(crate) fn evaluate<'p>(
    env: &Env<'p>,
    facts: &Facts,
    client: &Client,
    request: &ExchangeRequest,
) -> Result<(Case<'p>, Result<Granted<'p>, Refusal>), Stop> {
    let target = request.target(env.realm, client)?;
    let subject = request.subject.open(env, facts, client);
    let actor = request.actor.as_ref();
    let actor = actor.map(|actor| actor.open(env, facts, client, Role::Actor));
    let (subject, actor) = both(subject, actor.transpose())?;
    let actor = actor.map(Party::alone).transpose()?;
    let act = acting(client, &subject, actor.as_ref());
    let mut rules = Vec::new();
    let outcome = may_act(env, &subject, actor.as_ref(), &act)
        .and_then(|()| possible(client, &subject, target, request.requested))
        .and_then(|()| {
            let asked = RuleInput {
                client,
                subject: &subject,
                actor: actor.as_ref(),
                act: &act,
                target,
                wanted: request.wanted(),
                scope: request.scope.as_ref(),
            };
            by_rules(env, &asked, request.requested, &mut rules)
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

/// The first rule that allows the whole case decides; where there is none, the one that was nearest says why.
fn by_rules<'p>(
    env: &Env<'p>,
    asked: &RuleInput<'_>,
    requested: TokenType,
    rules: &mut Vec<(&'p ExchangeRule, Option<Unmet>)>,
) -> Result<Granted<'p>, Refusal> {
    let of_client = |rule: &&ExchangeRule| rule.client == asked.client.id;
    for rule in env.realm.exchange.iter().filter(of_client) {
        let applied = policy::apply(env, rule, asked);
        rules.push((rule, applied.as_ref().err().copied()));
        let Ok(allowed) = applied else {
            continue;
        };
        let own = rule.lifetime.map(|lifetime| env.now + lifetime);
        let actor = asked.actor.map(|actor| actor.expires_at);
        let ends = [actor, own].into_iter().flatten();
        return Ok(Granted {
            rule,
            requested,
            scope: allowed.scope,
            act: allowed.act,
            ends_at: ends.fold(asked.subject.expires_at, Timestamp::min),
        });
    }
    let nearest = rules.iter().filter_map(|(_, unmet)| *unmet).max();
    Err(nearest.unwrap_or(Unmet::Audience).refusal())
}

/// "The actor is the actor token's subject, else the client." By which client it acts is said in both cases, so that
/// each stays in the chain, and who is disabled ends it.
fn acting(client: &Client, subject: &Party, actor: Option<&Party>) -> Actor {
    Actor {
        sub: actor.map_or_else(|| client.id.to_string(), |actor| actor.sub.clone()),
        client_id: client.id.clone(),
        act: subject.act.clone().map(Box::new),
    }
}

/// RFC 8693 section 4.4: "The may_act claim makes a statement that one party is authorized to become the actor": who is
/// another one, is not.
fn may_act(
    env: &Env<'_>,
    subject: &Party,
    actor: Option<&Party>,
    act: &Actor,
) -> Result<(), Refusal> {
    let Some(may_act) = &subject.may_act else {
        return Ok(());
    };
    // A statement without `iss` speaks as its own issuer does: of others' subjects only one with ours names ours.
    let is_ours = may_act.iss.is_some() || subject.issuer.is_none();
    let by_us = is_ours && may_act.allows(&env.realm.issuer, &act.sub, &act.client_id);
    // Another issuer's actor is named as that issuer does.
    let by_issuer = actor.is_some_and(|actor| {
        let is_whose = may_act.iss.is_some() || subject.issuer == actor.issuer;
        let (Some(issuer), Some(sub)) = (&actor.issuer, &actor.foreign_sub) else {
            return false;
        };
        is_whose && may_act.allows(issuer, sub, &act.client_id)
    });
    match by_us || by_issuer {
        true => Ok(()),
        false => Err(OTHER_ACTOR),
    }
}

/// What no rule can allow.
fn possible(
    client: &Client,
    subject: &Party,
    target: ExchangeTarget<'_>,
    requested: TokenType,
) -> Result<(), Refusal> {
    let grant = subject.owner.grant();
    match (requested, target) {
        (TokenType::Jwt, ExchangeTarget::Resource(resource))
            if resource.token == TokenForm::Sealed =>
        {
            Err(NO_JWT)
        }
        (TokenType::IdToken, _) if grant.is_none() => Err(NO_GRANT),
        (TokenType::RefreshToken, _) if !client.may_use(GrantType::RefreshToken) => Err(NO_REFRESH),
        (TokenType::RefreshToken, _)
            if grant.is_none_or(|grant| grant.kind.exchanged().is_some()) =>
        {
            Err(NO_GRANT)
        }
        _ => Ok(()),
    }
}

/// Two findings, whose rows one read brings.
fn both<A, B>(a: Result<A, Stop>, b: Result<B, Stop>) -> Result<(A, B), Stop> {
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
