//! The rules of exchange, and the trusted issuers.

use grantor_core::model::exchange_rule::{ActorRule, ExchangeRule, RuleTarget, SubjectRule};
use grantor_core::model::trusted_issuer::TrustedIssuer;

use super::clients::scope;
use grantor_config::{self as config, Exchange, Settings};

pub(super) fn rules(settings: &Settings) -> Vec<ExchangeRule> {
    let rules = settings.exchanges.iter().zip(settings.exchange_names());
    rules.map(|(it, name)| rule(it, name, settings)).collect()
}

fn rule(rule: &Exchange, name: String, settings: &Settings) -> ExchangeRule {
    let scopes = rule.scopes.iter();
    ExchangeRule {
        name,
        client: rule.client.clone(),
        subject: SubjectRule {
            issuer: rule.subject_issuer.clone(),
            kinds: rule.effective_subject_tokens().to_vec(),
            clients: rule.subject_clients.clone(),
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
        issues: rule.effective_tokens().to_vec(),
        impersonation: rule.impersonation,
        max_depth: usize::try_from(rule.max_depth.get()).unwrap_or(usize::MAX),
        lifetime: rule.lifetime,
    }
}

/// The `aud` of tokens for an API that the rule names by its uri or identifier. The issuer is its own audience.
fn audience(name: &str, settings: &Settings) -> String {
    let resource = settings.resource(name);
    resource.map_or(name, config::Resource::audience).to_owned()
}

fn target(rule: &Exchange, settings: &Settings) -> RuleTarget {
    match settings.resource(&rule.audience) {
        _ if rule.is_for_id_tokens() => RuleTarget::Client,
        Some(resource) => RuleTarget::Resource(resource.identifier.to_string()),
        // The settings were checked; a rule for an unknown audience would allow nothing.
        None => RuleTarget::Resource(rule.audience.clone()),
    }
}

pub(super) fn trusted_issuers(settings: &Settings) -> Vec<TrustedIssuer> {
    let issuers = settings
        .trusted_issuers
        .iter()
        .map(|trusted| TrustedIssuer {
            issuer: trusted.issuer.to_string(),
            algorithms: trusted.effective_algorithms().to_vec(),
            audiences: trusted.audiences.clone(),
            has_links: has_links(settings, trusted.issuer.as_str()),
            user_claim: trusted.user_claim.clone(),
            max_age: trusted.max_age,
            skew: settings.lifetimes.skew,
        });
    issuers.collect()
}

fn has_links(settings: &Settings, issuer: &str) -> bool {
    let mut links = settings.users.iter().flat_map(|user| &user.links);
    links.any(|link| link.issuer == issuer)
}
