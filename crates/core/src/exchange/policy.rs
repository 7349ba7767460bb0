//! Applies one rule to one request.

use super::party::Party;
use crate::base::error::{ErrorCode, Refusal};
use crate::engine::env::Env;
use crate::model::actor::Actor;
use crate::model::client::Client;
use crate::model::exchange_rule::{ExchangeRule, RuleTarget, TokenKind};
use crate::model::realm::OPENID_SCOPES;
use crate::model::resource::Resource;
use crate::model::scope::Scope;
use crate::records::{Grant, User};

pub(super) struct RuleInput<'a> {
    pub(super) client: &'a Client,
    pub(super) subject: &'a Party,
    /// The actor token's party; none where the client acts.
    pub(super) actor: Option<&'a Party>,
    /// The acting party, with the prior actors inside.
    pub(super) act: &'a Actor,
    pub(super) target: ExchangeTarget<'a>,
    pub(super) requested: TokenKind,
    /// The requested scope.
    pub(super) scope: Option<&'a Scope>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExchangeTarget<'p> {
    Resource(&'p Resource),
    /// The client itself, for an ID token.
    Client,
}

impl<'p> ExchangeTarget<'p> {
    /// The new token's `aud`; none for an ID token.
    pub(crate) fn audience(self) -> Option<&'p str> {
        match self {
            Self::Resource(resource) => Some(resource.audience()),
            Self::Client => None,
        }
    }

    fn matches(self, target: &RuleTarget) -> bool {
        match (self, target) {
            (Self::Resource(resource), RuleTarget::Resource(named)) => {
                resource.identifier == *named
            }
            (Self::Client, RuleTarget::Client) => true,
            _ => false,
        }
    }
}

#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) scope: Scope,
    pub(super) act: Option<Actor>,
}

/// Why a rule does not apply, in the order of the checks: the later, the closer the rule came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unmet {
    Audience,
    Issues,
    SubjectIssuer,
    SubjectToken,
    /// The subject token was issued to a client that the rule does not name.
    SubjectClient,
    /// The subject token was neither issued to the client nor for one of its resources.
    SubjectAudience,
    /// The user is in none of the rule's groups.
    SubjectGroups,
    ActorToken,
    ActorIssuer,
    /// The actor token was neither issued to the client nor for one of its resources.
    ActorAudience,
    /// The subject token has no `may_act`.
    MayAct,
    ActsForItself,
    /// The actor is in the chain already.
    Cycle,
    /// The chain of actors would be too long.
    Depth,
    /// The requested scope is wider than what the rule gives, or the rule gives none.
    Scope,
    /// What the rule gives of it is limited to groups, and the subject is no user who is in one of them.
    ScopeGroups,
}

impl Unmet {
    /// For operators and clients (`error_description`).
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Audience => "No rule lets the client exchange tokens for this audience.",
            Self::Issues => "No rule issues a token of the requested type for this audience.",
            Self::SubjectIssuer => "The rule is for subjects of another issuer.",
            Self::SubjectToken => "The rule takes no subject token of this type.",
            Self::SubjectClient => {
                "The subject token was given to a client that the rule does not name."
            }
            Self::SubjectAudience => {
                "The subject token is neither for a resource of this client, nor was it given to it."
            }
            Self::SubjectGroups => "The user is in none of the groups that the rule names.",
            Self::ActorToken => "The rule needs an actor token.",
            Self::ActorIssuer => "The rule is for actors of another issuer.",
            Self::ActorAudience => {
                "The actor token is neither for a resource of this client, nor was it given to it."
            }
            Self::MayAct => "The rule needs a subject token that says by may_act who may act.",
            Self::ActsForItself => "The actor is the subject itself.",
            Self::Cycle => "The actor acts for the subject already.",
            Self::Depth => "More would act for the subject than the rule allows.",
            Self::Scope => {
                "The scope is wider than what the subject token holds and the rule gives for it."
            }
            Self::ScopeGroups => {
                "The scope is limited to groups, and the subject is not a user who is in one of them."
            }
        }
    }

    /// RFC 8693 section 2.2.2: `invalid_target` for a target for which no token is issued, `invalid_request` for tokens
    /// that are "unacceptable based on policy"; RFC 6749 section 5.2 for scopes.
    pub(super) const fn refusal(self) -> Refusal {
        let code = match self {
            Self::Audience | Self::Issues => ErrorCode::InvalidTarget,
            Self::Scope | Self::ScopeGroups => ErrorCode::InvalidScope,
            _ => ErrorCode::InvalidRequest,
        };
        Refusal::new(code, self.description())
    }
}

/// # Errors
/// The first condition that is not met.
pub(super) fn apply(
    env: &Env<'_>,
    rule: &ExchangeRule,
    input: &RuleInput<'_>,
) -> Result<Allowed, Unmet> {
    let met = |condition: bool, unmet| condition.then_some(()).ok_or(unmet);
    met(input.target.matches(&rule.target), Unmet::Audience)?;
    met(rule.issues.contains(&input.requested), Unmet::Issues)?;
    subject(env, rule, input)?;
    actor(env, rule, input)?;
    // Impersonation leaves out the client, but never the party of an actor token.
    let impersonates = rule.impersonation && input.actor.is_none();
    let act = match impersonates {
        true => input.subject.act.clone(),
        false => {
            met(input.act.sub != input.subject.sub, Unmet::ActsForItself)?;
            let mut prior = input.act.chain().skip(1);
            met(
                !prior.any(|other| other.is_same_party(input.act)),
                Unmet::Cycle,
            )?;
            Some(input.act.clone())
        }
    };
    let depth = act.as_ref().map_or(0, |act| act.chain().count());
    met(depth <= rule.max_depth, Unmet::Depth)?;
    let scope = scope(env, rule, input)?;
    Ok(Allowed { scope, act })
}

fn subject(env: &Env<'_>, rule: &ExchangeRule, input: &RuleInput<'_>) -> Result<(), Unmet> {
    let (accepted, subject) = (&rule.subject, input.subject);
    if accepted.issuer != subject.issuer {
        return Err(Unmet::SubjectIssuer);
    }
    if subject.issuer.is_none() && !accepted.kinds.contains(&subject.kind) {
        return Err(Unmet::SubjectToken);
    }
    if !accepted.accepts_client(subject.client.as_ref()) {
        return Err(Unmet::SubjectClient);
    }
    let accepts_audience = |aud| accepted.audiences.iter().any(|named| named == aud);
    if !subject.is_for(env, input.client) && !subject.aud.as_ref().is_some_and(accepts_audience) {
        return Err(Unmet::SubjectAudience);
    }
    let groups = subject.owner.user().map(|user| user.groups.as_slice());
    if !accepted.accepts_groups(groups.unwrap_or_default()) {
        return Err(Unmet::SubjectGroups);
    }
    Ok(())
}

fn actor(env: &Env<'_>, rule: &ExchangeRule, input: &RuleInput<'_>) -> Result<(), Unmet> {
    if let Some(actor) = input.actor {
        if rule.actor.issuer != actor.issuer {
            return Err(Unmet::ActorIssuer);
        }
        if !actor.is_for(env, input.client) {
            return Err(Unmet::ActorAudience);
        }
    } else if rule.actor.token_required {
        return Err(Unmet::ActorToken);
    }
    if rule.actor.may_act_required && input.subject.may_act.is_none() {
        return Err(Unmet::MayAct);
    }
    Ok(())
}

/// The widest scope that a rule gives for a subject. Scopes limited to groups come only of a user who is in one of them.
pub(super) fn max_scope(
    env: &Env<'_>,
    rule: &ExchangeRule,
    subject: &Party,
    target: ExchangeTarget<'_>,
) -> Scope {
    let groups = subject.owner.user().map(|user| user.groups.as_slice());
    let widest = widest_scope(env, rule, subject, target);
    env.realm.within_limits(&widest, groups, env.now)
}

/// As if no scope were limited to groups.
pub(super) fn widest_scope(
    env: &Env<'_>,
    rule: &ExchangeRule,
    subject: &Party,
    target: ExchangeTarget<'_>,
) -> Scope {
    let scope = match subject.issuer {
        Some(_) => rule.gives.clone(),
        None => rule.max_scope(&subject.max_scope),
    };
    // Whatever the rule says, a token holds only scopes of its target.
    scope.filter(|token| match target {
        ExchangeTarget::Resource(resource) => env.realm.scope_owner(token) == Some(resource),
        ExchangeTarget::Client => {
            let plain = env.realm.plain_scopes.get(token);
            OPENID_SCOPES.contains(&token) || plain.is_some_and(|plain| plain.resource.is_none())
        }
    })
}

/// The requested scope, by default the widest.
///
/// # Errors
/// [`Unmet::Scope`] or [`Unmet::ScopeGroups`], where the request is wider, or the result is empty.
fn scope(env: &Env<'_>, rule: &ExchangeRule, input: &RuleInput<'_>) -> Result<Scope, Unmet> {
    let within = |max_scope: &Scope| {
        let scope = input.scope.unwrap_or(max_scope);
        (!scope.is_empty() && scope.is_within(max_scope)).then(|| scope.clone())
    };
    let max_scope = max_scope(env, rule, input.subject, input.target);
    within(&max_scope).ok_or_else(|| {
        let widest = widest_scope(env, rule, input.subject, input.target);
        match within(&widest) {
            Some(_) => Unmet::ScopeGroups,
            None => Unmet::Scope,
        }
    })
}

/// Whether some rule still allows this refresh token. Removing the rule ends the token, and so does leaving the group
/// that the rule requires.
pub(crate) fn still_allowed(env: &Env<'_>, grant: &Grant, user: &User) -> bool {
    let (Some(authorization), Some(exchanged)) = (grant.active(), grant.kind.exchanged()) else {
        return false;
    };
    let allows = |rule: &ExchangeRule| {
        let all = rule.scopes.values().flat_map(Scope::iter).collect();
        let RuleTarget::Resource(target) = &rule.target else {
            return false;
        };
        let depth = exchanged.act.as_ref().map_or(0, |act| act.chain().count());
        rule.client == grant.client
            && rule.issues.contains(&TokenKind::RefreshToken)
            && grant.resources.is_only(target)
            && authorization.scope.is_within(&all)
            && rule.subject.accepts_client(Some(&exchanged.given_to))
            && rule.subject.accepts_groups(&user.groups)
            && (exchanged.act.is_some() || rule.impersonation)
            && depth <= rule.max_depth
    };
    env.realm.exchange.iter().any(allows)
}
