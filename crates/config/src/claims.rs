//! Claims of tokens and their sources, as the file has them.

use std::collections::BTreeSet;

use grantor_core::model::claim_mapping::{InvalidSource, Source};
use grantor_core::model::claims_request;
use grantor_core::model::group_filter::{GroupFilter, GroupPattern, InvalidPattern};
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::mistake::did_you_mean;
use super::place::Place;
use super::read::{Context, Reader, Written};
use super::settings::Settings;
use super::table::{Shape, Value, expected};
use super::values::from_toml;

/// Where a claim comes from: a name, or a constant.
impl Value for Source {
    const EXPECTED: &'static str = "a source, a number, or true or false";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse().map_err(|why| match why {
            InvalidSource::Unknown => unknown_source(text),
            InvalidSource::Constant => format!("{text:?} {why}"),
        })
    }

    fn read(reader: &mut Reader<'_>, _: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Variable(text) => Self::parse(text, reader.context()),
            Written::Toml(DeValue::String(text)) => Self::parse(text, reader.context()),
            Written::Toml(value @ (DeValue::Integer(_) | DeValue::Boolean(_))) => {
                from_toml(value).map(Self::Constant)
            }
            Written::Toml(other) => Err(expected::<Self>(other)),
        }
    }

    fn json_schema() -> Json {
        json!({ "type": ["string", "integer", "boolean"] })
    }

    fn stand_in() -> Self {
        Self::Constant(Json::Null)
    }
}

impl Settings {
    /// Of mapped claims that no user of the file has, those spelt almost like one that some user has. Others may be of users
    /// who are not in the file.
    pub(super) fn claims_advice(&self) -> Vec<String> {
        let mut held: BTreeSet<&str> = claims_request::standard_claims().collect();
        let of_users = self.users.iter().flat_map(|user| user.claims.keys());
        held.extend(of_users.map(String::as_str));
        let resources = self.resources.iter().map(|resource| {
            let whose = format!("Resource {:?}: claims", &*resource.identifier);
            (whose, &resource.claims)
        });
        let scopes = self.scopes.iter().map(|scope| {
            let whose = format!("Scope {:?}: claims", &*scope.name);
            (whose, &scope.claims)
        });
        let clients = self.clients.iter().map(|client| {
            let whose = format!("Client {:?}: id_claims", client.id.as_str());
            (whose, &client.id_claims)
        });
        let mut advice = Vec::new();
        for (whose, claims) in resources.chain(scopes).chain(clients) {
            for source in claims.values() {
                let Source::UserClaim(claim) = source else {
                    continue;
                };
                let hint = did_you_mean(claim, held.iter().copied());
                if !held.contains(claim.as_str()) && !hint.is_empty() {
                    advice.push(format!(
                        "{whose}: no user of the file has the claim {claim:?}{hint}"
                    ));
                }
            }
        }
        advice
    }
}

fn unknown_source(text: &str) -> String {
    // The names of users' claims and of groups are free, so what stands after the dot may well be meant so.
    let free = text.split_once('.').into_iter();
    let free = free.flat_map(|(_, name)| [format!("user.{name}"), format!("groups.{name}")]);
    let known = Source::names().map(ToOwned::to_owned).chain(free);
    let known: Vec<_> = known
        .filter(|name| name.parse::<Source>().is_ok())
        .collect();
    let hint = match text {
        "user.groups" => did_you_mean("groups", ["groups"]),
        _ => did_you_mean(text, known.iter().map(String::as_str)),
    };
    match hint.as_str() {
        "" => format!(
            "unknown source {text:?}; write \"user.{text}\" for a claim of the user, or \"'{text}'\" for a constant"
        ),
        hint => format!("unknown source {text:?}{hint}"),
    }
}

/// The groups in tokens: true for all, false for none, or a list.
impl Value for GroupFilter {
    const EXPECTED: &'static str = "true, false or a list of groups";
    const SHAPE: Shape = Shape::Bare;

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        match text {
            "true" => Ok(Self::All),
            "false" => Ok(Self::NONE),
            _ => Err(format!("expected {}, found {text:?}", Self::EXPECTED)),
        }
    }

    fn read(reader: &mut Reader<'_>, place: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Toml(DeValue::Array(_)) => Vec::read(reader, place, written).map(Self::Only),
            Written::Toml(DeValue::Boolean(true)) => Ok(Self::All),
            Written::Toml(DeValue::Boolean(false)) => Ok(Self::NONE),
            Written::Toml(other) => Err(expected::<Self>(other)),
            Written::Variable(text) => Self::parse(text, reader.context()),
        }
    }

    fn json_schema() -> Json {
        let list = Vec::<GroupPattern>::json_schema();
        json!({ "oneOf": [{ "type": "boolean" }, list] })
    }

    fn stand_in() -> Self {
        Self::All
    }
}

impl Value for GroupPattern {
    const EXPECTED: &'static str = "a group";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|why: InvalidPattern| format!("{text:?} {why}"))
    }

    fn stand_in() -> Self {
        Self::ANY
    }
}
