//! The rules of exchange, and the trusted issuers.

use grantor_core::model::exchange_rule::{ActorRule, Rule, RuleTarget, SubjectRule, TokenKind};
use grantor_core::model::ids::{ClientId, InvalidClientId};
use grantor_core::model::trusted_issuer::TrustedIssuer;

use super::{algorithm, clients::scope};
use crate::config::{self, Exchange, Settings};

pub(super) fn rules(settings: &Settings) -> Result<Vec<Rule>, InvalidClientId> {
    let rules = settings.exchanges.iter().zip(settings.exchange_names());
    rules.map(|(it, name)| rule(it, name, settings)).collect()
}

fn rule(rule: &Exchange, name: String, settings: &Settings) -> Result<Rule, InvalidClientId> {
    let clients = rule.subject_clients.iter().map(|id| id.parse());
    let scopes = rule.scopes.iter();
    Ok(Rule {
        name,
        client: rule.client.parse()?,
        subject: SubjectRule {
            issuer: rule.subject_issuer.clone(),
            kinds: kinds(rule.effective_subject_tokens()),
            clients: clients.collect::<Result<Vec<ClientId>, _>>()?,
            groups: rule.subject_groups.clone(),
            audiences: rule
                .subject_audience
                .iter()
                .map(|name| audience(name, settings))
                .collect(),
        },
        actor: ActorRule {
            token_required: rule.require_actor_token,
            issuer: rule.actor_issuer.clone(),
            may_act_required: rule.require_may_act,
        },
        target: target(rule, settings),
        scopes: scopes
            .map(|(from, into)| (from.clone(), scope(into)))
            .collect(),
        gives: scope(&rule.gives),
        issues: kinds(rule.effective_tokens()),
        impersonation: rule.impersonation,
        max_depth: usize::try_from(rule.max_depth.get()).unwrap_or(usize::MAX),
        lifetime: rule.lifetime,
    })
}

/// What a token's `aud` says for an API that is written by its uri or identifier; the issuer stays what it is.
fn audience(name: &str, settings: &Settings) -> String {
    let resource = settings.resource(name);
    resource.map_or(name, config::Resource::audience).to_owned()
}

fn target(rule: &Exchange, settings: &Settings) -> RuleTarget {
    match settings.resource(&rule.audience) {
        _ if rule.is_for_id_tokens() => RuleTarget::Client,
        Some(resource) => RuleTarget::Resource(resource.identifier.to_string()),
        // Settings are checked; a rule for nobody would allow nothing.
        None => RuleTarget::Resource(rule.audience.clone()),
    }
}

fn kinds(kinds: &[config::TokenKind]) -> Vec<TokenKind> {
    let kinds = kinds.iter().map(|kind| match kind {
        config::TokenKind::AccessToken => TokenKind::AccessToken,
        config::TokenKind::IdToken => TokenKind::IdToken,
        config::TokenKind::RefreshToken => TokenKind::RefreshToken,
    });
    kinds.collect()
}

pub(super) fn trusted_issuers(settings: &Settings) -> Vec<TrustedIssuer> {
    let issuers = settings
        .trusted_issuers
        .iter()
        .map(|trusted| TrustedIssuer {
            issuer: trusted.issuer.to_string(),
            algorithms: trusted
                .effective_algorithms()
                .iter()
                .copied()
                .map(algorithm)
                .collect(),
            audiences: trusted.audiences.clone(),
            user_claim: trusted.user_claim.clone(),
            max_age: trusted.max_age,
            skew: settings.lifetimes.skew,
        });
    issuers.collect()
}
