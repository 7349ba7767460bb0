//! An explanation, as text: blocks with their names at the left.

use grantor_core::exchange::{Explanation, PartySummary, RuleTrace};
use grantor_core::model::actor::Actor;
use serde_json::Value as Json;

use super::short;

/// The width of the names of blocks.
const LABEL: usize = 9;

pub(super) fn text(explanation: &Explanation) -> String {
    let mut text = verdict(explanation);
    let party = |party: &Option<PartySummary>| party.as_ref().map(party_lines).unwrap_or_default();
    let blocks = [
        ("Subject", party(&explanation.subject)),
        ("Actor", party(&explanation.actor)),
        ("Rules", rule_lines(&explanation.rules)),
        ("Token", token_lines(explanation)),
        ("Claims", claim_lines(explanation)),
    ];
    for (label, lines) in blocks {
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            if at == 0 {
                text.push('\n');
            }
            text.push_str(&format!("{label:LABEL$}{line}\n"));
        }
    }
    plain(&text)
}

fn verdict(explanation: &Explanation) -> String {
    let Some(refusal) = &explanation.refusal else {
        let rule = explanation.rules.iter().find(|rule| rule.applies);
        let name = rule.map_or("", |rule| &rule.name);
        return format!("Allowed by the rule: {name}\n");
    };
    let (error, description) = (&refusal.error, &refusal.error_description);
    let mut text = format!("Refused, {error}: {description}\n");
    if let Some(cause) = &refusal.cause {
        text.push_str(&format!("The client is not told: {}.\n", words(cause)));
    }
    text
}

/// Whose token it is, and what it can be exchanged for at most.
fn party_lines(party: &PartySummary) -> Vec<String> {
    let who = match &party.username {
        Some(name) => format!("{name}, sub {}", party.sub),
        None => party.sub.clone(),
    };
    let by = [
        ("issued by", &party.issuer),
        ("given to", &party.client_id),
        ("for", &party.aud),
    ];
    let by = by
        .iter()
        .filter_map(|(words, value)| Some(format!("{words} {}", value.as_ref()?)));
    let mut lines = vec![who, by.collect::<Vec<_>>().join(", ")];
    if !party.groups.is_empty() {
        lines.push(format!("in {}", party.groups.join(", ")));
    }
    lines.push(format!("scope {}", party.scope));
    lines.push(format!("until {}", moment(&party.exp.into())));
    if let Some(act) = &party.act {
        lines.push(format!("by {}", chain(act)));
    }
    // A trusted issuer's subject has no scope of its own here.
    lines.retain(|line| !line.is_empty() && line != "scope ");
    lines
}

fn rule_lines(rules: &[RuleTrace]) -> Vec<String> {
    let lines = rules.iter().flat_map(|rule| {
        let mark = if rule.applies { '✓' } else { '✗' };
        let head = format!("{mark} {}", rule.name);
        let why = rule.why.as_ref().map(|why| format!("  {why}"));
        let gives = rule.gives.as_ref().map(|gives| match gives.is_empty() {
            true => "  It gives nothing for what the subject token holds.".to_owned(),
            false => format!("  It gives {gives}."),
        });
        let withheld = &rule.withheld;
        let withheld = (!withheld.is_empty())
            .then(|| format!("  Only users in the groups that it is limited to get {withheld}."));
        [Some(head), why, gives, withheld]
    });
    lines.flatten().collect()
}

fn token_lines(explanation: &Explanation) -> Vec<String> {
    let Some(issued) = &explanation.issued else {
        return Vec::new();
    };
    let typ = short(issued.issued_token_type.uri());
    let audience = explanation.audience.as_ref();
    let audience = audience.map_or_else(String::new, |audience| format!(" for {audience}"));
    vec![
        format!("{typ}{audience}"),
        format!("scope {}", issued.scope),
        format!("{} seconds", issued.expires_in),
    ]
}

/// The claims of the token, in columns.
fn claim_lines(explanation: &Explanation) -> Vec<String> {
    let issued = explanation.issued.as_ref();
    let claims = issued.and_then(|issued| issued.claims.as_object());
    let claims: Vec<_> = claims
        .into_iter()
        .flatten()
        .map(|(name, value)| (name, claim(name, value)))
        .collect();
    let width = claims.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let line = |(name, value): &(&String, String)| format!("{name:width$}  {value}");
    claims.iter().map(line).collect()
}

fn claim(name: &str, value: &Json) -> String {
    match name {
        // The one of the explanation belongs to no token.
        "jti" => "a new one".to_owned(),
        "exp" | "iat" | "auth_time" | "ends_at" => format!("{value} ({})", moment(value)),
        _ => value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned),
    }
}

/// The current actor, and those before it.
fn chain(act: &Actor) -> String {
    let name = |actor: &Actor| {
        let (sub, client) = (&actor.sub, actor.client_id.to_string());
        if *sub == client {
            client
        } else {
            format!("{sub} with {client}")
        }
    };
    let names: Vec<_> = act.chain().map(name).collect();
    names.join(", before it ")
}

fn moment(seconds: &Json) -> String {
    let at = seconds
        .as_i64()
        .and_then(|at| jiff::Timestamp::from_second(at).ok());
    at.map_or_else(
        || seconds.to_string(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// `TokenExpired`, the name of the cause in the log, as "token expired".
fn words(cause: &str) -> String {
    let mut words = String::new();
    for letter in cause.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// Replaces control characters, which a terminal would obey: parts of the text come from others.
fn plain(text: &str) -> String {
    let harmless = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(harmless).collect()
}
