//! An explanation, as text: blocks with their names at the left.

use serde_json::Value as Json;

use super::short;

/// The width of the names of blocks.
const LABEL: usize = 9;

/// The explanation of the server, for a person.
pub(super) fn text(told: &Json) -> String {
    let mut text = verdict(told);
    let blocks = [
        ("Subject", party(&told["subject"])),
        ("Actor", party(&told["actor"])),
        ("Rules", rules(&told["rules"])),
        ("Token", token(told)),
        ("Claims", claims(&told["issued"]["claims"])),
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

fn verdict(told: &Json) -> String {
    let refusal = &told["refusal"];
    if refusal.is_null() {
        let mut rules = told["rules"].as_array().into_iter().flatten();
        let rule = rules.find(|rule| rule["applies"] == true);
        let name = rule.map_or("", |rule| string(&rule["name"]));
        return format!("Allowed by the rule: {name}\n");
    }
    let (error, why) = (&refusal["error"], &refusal["error_description"]);
    let mut text = format!("Refused, {}: {}\n", string(error), string(why));
    if let Some(cause) = refusal["cause"].as_str() {
        text.push_str(&format!("The client is not told: {}.\n", words(cause)));
    }
    text
}

/// Whom a token speaks of, and how far.
fn party(party: &Json) -> Vec<String> {
    if party.is_null() {
        return Vec::new();
    }
    let sub = string(&party["sub"]);
    let who = match party["username"].as_str() {
        Some(name) => format!("{name}, sub {sub}"),
        None => sub.to_owned(),
    };
    let by = [
        ("issued by", "issuer"),
        ("given to", "client_id"),
        ("for", "aud"),
    ];
    let by = by.iter().filter_map(|(words, member)| {
        let value = party[*member].as_str()?;
        Some(format!("{words} {value}"))
    });
    let groups: Vec<_> = party["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(string)
        .collect();
    let mut lines = vec![who, by.collect::<Vec<_>>().join(", ")];
    if !groups.is_empty() {
        lines.push(format!("in {}", groups.join(", ")));
    }
    lines.push(format!("scope {}", string(&party["scope"])));
    lines.push(format!("until {}", moment(&party["exp"])));
    if !party["act"].is_null() {
        lines.push(format!("by {}", chain(&party["act"])));
    }
    // A trusted issuer's subject has no scope of its own here.
    lines.retain(|line| !line.is_empty() && line != "scope ");
    lines
}

fn rules(rules: &Json) -> Vec<String> {
    let rules = rules.as_array().into_iter().flatten();
    let lines = rules.flat_map(|rule| {
        let mark = if rule["applies"] == true {
            '✓'
        } else {
            '✗'
        };
        let head = format!("{mark} {}", string(&rule["name"]));
        let why = rule["why"].as_str().map(|why| format!("  {why}"));
        let gives = rule["gives"].as_str().map(|gives| match gives {
            "" => "  It gives nothing for what the subject token holds.".to_owned(),
            gives => format!("  It gives {gives}."),
        });
        [Some(head), why, gives]
    });
    lines.flatten().collect()
}

fn token(told: &Json) -> Vec<String> {
    let issued = &told["issued"];
    if issued.is_null() {
        return Vec::new();
    }
    let typ = short(string(&issued["issued_token_type"]));
    let audience = told["audience"].as_str();
    let audience = audience.map_or_else(String::new, |audience| format!(" for {audience}"));
    vec![
        format!("{typ}{audience}"),
        format!("scope {}", string(&issued["scope"])),
        format!("{} seconds", issued["expires_in"]),
    ]
}

/// What the token would say, in columns.
fn claims(claims: &Json) -> Vec<String> {
    let claims = claims.as_object().into_iter().flatten();
    let claims: Vec<_> = claims
        .map(|(name, value)| (name, claim(name, value)))
        .collect();
    let width = claims.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let line = |(name, value): &(&String, String)| format!("{name:width$}  {value}");
    claims.iter().map(line).collect()
}

fn claim(name: &str, value: &Json) -> String {
    match name {
        // That of the explanation is nobody's.
        "jti" => "a new one".to_owned(),
        "exp" | "iat" | "auth_time" | "ends_at" => format!("{value} ({})", moment(value)),
        _ => value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned),
    }
}

/// Who acts, and who acted before.
fn chain(act: &Json) -> String {
    let actors = std::iter::successors(Some(act), |act| act.get("act"));
    let names = actors.map(
        |act| match (string(&act["sub"]), string(&act["client_id"])) {
            (sub, client) if sub == client => sub.to_owned(),
            (sub, client) => format!("{sub} with {client}"),
        },
    );
    names.collect::<Vec<_>>().join(", before it ")
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

fn string(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// Without what a terminal would obey: some of it was said by others.
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
