//! One rule against one request: what it allows, or why it does not apply.

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

/// What a rule is held against.
pub(super) struct RuleInput<'a> {
    pub(super) client: &'a Client,
    pub(super) subject: &'a Party,
    /// The actor token's party; without one the client acts.
    pub(super) actor: Option<&'a Party>,
    /// Who acts, and who acted before.
    pub(super) act: &'a Actor,
    pub(super) target: ExchangeTarget<'a>,
    pub(super) wanted: TokenKind,
    /// The scope that is asked for.
    pub(super) scope: Option<&'a Scope>,
}

/// Whom the new token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExchangeTarget<'p> {
    /// A resource.
    Resource(&'p Resource),
    /// The client itself.
    Client,
}

impl<'p> ExchangeTarget<'p> {
    /// What the new token names in `aud`; none for the client's own ID token.
    pub(crate) fn audience(self) -> Option<&'p str> {
        match self {
            Self::Resource(resource) => Some(resource.audience()),
            Self::Client => None,
        }
    }

    fn is(self, of_rule: &RuleTarget) -> bool {
        match (self, of_rule) {
            (Self::Resource(resource), RuleTarget::Resource(named)) => {
                resource.identifier == *named
            }
            (Self::Client, RuleTarget::Client) => true,
            _ => false,
        }
    }
}

/// What a rule allows.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) scope: Scope,
    pub(super) act: Option<Actor>,
}

/// Why a rule does not apply, in the order in which it is asked: the later, the nearer it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unmet {
    /// It is for another audience.
    Audience,
    /// It does not issue such a token.
    Issues,
    /// It is for subjects of another issuer.
    SubjectIssuer,
    /// It takes no subject token of this kind.
    SubjectToken,
    /// The subject token was not given to a client that it names.
    SubjectClient,
    /// The subject token is for somebody else.
    SubjectAudience,
    /// The user is in none of its groups.
    SubjectGroups,
    /// There is no actor token.
    ActorToken,
    /// The actor token is of another issuer.
    ActorIssuer,
    /// The actor token is neither for the client nor given to it.
    ActorAudience,
    /// The subject token does not say who may act.
    MayAct,
    /// The actor is the subject itself.
    ActsForItself,
    /// The actor acted before.
    Cycle,
    /// Too many act already.
    Depth,
    /// It does not give the scope that is asked for, or nothing at all.
    Scope,
}

impl Unmet {
    /// The reason, in words for operator and client.
    #[must_use]
    pub const fn words(self) -> &'static str {
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
        }
    }

    /// RFC 8693 section 2.2.2: `invalid_target` for a target for which no token is issued, `invalid_request` for tokens
    /// that are "unacceptable based on policy"; RFC 6749 section 5.2 for scopes.
    pub(super) const fn refusal(self) -> Refusal {
        let code = match self {
            Self::Audience | Self::Issues => ErrorCode::InvalidTarget,
            Self::Scope => ErrorCode::InvalidScope,
            _ => ErrorCode::InvalidRequest,
        };
        Refusal::new(code, self.words())
    }
}

/// Holds a rule against a request.
///
/// # Errors
/// The first condition that is not met.
pub(super) fn apply(
    env: &Env<'_>,
    rule: &ExchangeRule,
    input: &RuleInput<'_>,
) -> Result<Allowed, Unmet> {
    let met = |condition: bool, unmet| condition.then_some(()).ok_or(unmet);
    met(input.target.is(&rule.target), Unmet::Audience)?;
    met(rule.issues.contains(&input.wanted), Unmet::Issues)?;
    subject(env, rule, input)?;
    actor(env, rule, input)?;
    // Where nobody is hidden, somebody acts; where somebody presents an actor token, that one acts.
    let hidden = rule.impersonation && input.actor.is_none();
    let act = match hidden {
        true => input.subject.act.clone(),
        false => {
            met(input.act.sub != input.subject.sub, Unmet::ActsForItself)?;
            let mut before = input.act.chain().skip(1);
            met(
                !before.any(|other| other.is_same_party(input.act)),
                Unmet::Cycle,
            )?;
            Some(input.act.clone())
        }
    };
    let depth = act.as_ref().map_or(0, |act| act.chain().count());
    met(depth <= rule.max_depth, Unmet::Depth)?;
    let scope = scope(env, rule, input).ok_or(Unmet::Scope)?;
    Ok(Allowed { scope, act })
}

fn subject(env: &Env<'_>, rule: &ExchangeRule, input: &RuleInput<'_>) -> Result<(), Unmet> {
    let (of_rule, subject) = (&rule.subject, input.subject);
    if of_rule.issuer != subject.issuer {
        return Err(Unmet::SubjectIssuer);
    }
    if subject.issuer.is_none() && !of_rule.kinds.contains(&subject.kind) {
        return Err(Unmet::SubjectToken);
    }
    if !of_rule.accepts_client(subject.client.as_ref()) {
        return Err(Unmet::SubjectClient);
    }
    let named_audience = |aud| of_rule.audiences.iter().any(|named| named == aud);
    if !subject.is_for(env, input.client) && !subject.aud.as_ref().is_some_and(named_audience) {
        return Err(Unmet::SubjectAudience);
    }
    let groups = subject.owner.user().map(|user| user.groups.as_slice());
    if !of_rule.accepts_groups(groups.unwrap_or_default()) {
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

/// The most that a rule gives for a subject: what it makes of what the subject token holds.
pub(super) fn possible(
    env: &Env<'_>,
    rule: &ExchangeRule,
    subject: &Party,
    target: ExchangeTarget<'_>,
) -> Scope {
    let possible = match subject.issuer {
        Some(_) => rule.gives.clone(),
        None => rule.max_scope(&subject.max_scope),
    };
    // Whatever a rule says: a token holds no scope that means nothing to whom it is for.
    possible.filter(|token| match target {
        ExchangeTarget::Resource(resource) => env.realm.scope_owner(token) == Some(resource),
        ExchangeTarget::Client => OPENID_SCOPES.contains(&token),
    })
}

/// "Scopes only narrow": what is asked, of what is possible. None where more is asked, or nothing comes of it.
fn scope(env: &Env<'_>, rule: &ExchangeRule, input: &RuleInput<'_>) -> Option<Scope> {
    let possible = possible(env, rule, input.subject, input.target);
    let scope = input.scope.unwrap_or(&possible);
    (!scope.is_empty() && scope.is_within(&possible)).then(|| scope.clone())
}

/// Whether a rule still gives this refresh token: what the operator took away, and a user who left the group that the
/// rule names, ends what came of it.
pub(crate) fn still_given(env: &Env<'_>, grant: &Grant, user: &User) -> bool {
    let (Some(authorization), Some(exchanged)) = (grant.active(), grant.kind.exchanged()) else {
        return false;
    };
    let gives = |rule: &ExchangeRule| {
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
    env.realm.exchange.iter().any(gives)
}
