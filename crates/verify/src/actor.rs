//! Who acts for a token's subject (RFC 8693 section 4.1).

use serde_json::{Map, Value};

use crate::refusal::Invalid;

/// The longest chain that is read: longer than any that Grantor makes.
const LONGEST: usize = 32;

/// Somebody who acts for a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actor {
    /// `sub`.
    pub subject: String,
    /// `iss`, where it is told: then only both together say who it is.
    pub issuer: Option<String>,
    /// `client_id`, where it is told.
    pub client_id: Option<String>,
}

/// Those who act and acted for a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorChain {
    current: Actor,
    prior: Vec<Actor>,
}

impl ActorChain {
    /// Who acts now: the one for whom, with the subject, access is decided.
    #[must_use]
    pub const fn current(&self) -> &Actor {
        &self.current
    }

    /// Who acted before, the latest first. For information only. Section 4.1: "prior actors identified by any nested
    /// "act" claims are informational only and are not to be considered in access control decisions".
    #[must_use]
    pub fn prior(&self) -> &[Actor] {
        &self.prior
    }

    /// Reads the claim `act`. What cannot be read is not left out: a decision that asks who acts must not be made as
    /// if nobody did.
    pub(crate) fn read(claim: Value) -> Result<Self, Invalid> {
        let (current, mut next) = actor(claim)?;
        let mut prior = Vec::new();
        while let Some(claim) = next {
            let (actor, before) = actor(claim)?;
            prior.push(actor);
            if prior.len() == LONGEST {
                return Err(Invalid::Claim("act"));
            }
            next = before;
        }
        Ok(Self { current, prior })
    }
}

fn actor(claim: Value) -> Result<(Actor, Option<Value>), Invalid> {
    let Value::Object(mut members) = claim else {
        return Err(Invalid::Claim("act"));
    };
    let actor = Actor {
        subject: text(&mut members, "sub")?.ok_or(Invalid::Claim("act"))?,
        issuer: text(&mut members, "iss")?,
        client_id: text(&mut members, "client_id")?,
    };
    Ok((actor, members.remove("act")))
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Invalid> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Invalid::Claim("act")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rfc8693_4_1_the_outermost_actor_is_the_current_one() {
        // The example of section 4.1, figure 6.
        let chain = ActorChain::read(json!({
            "sub": "https://service16.example.com",
            "act": { "sub": "https://service77.example.com" }
        }));
        let chain = chain.unwrap();
        assert_eq!(chain.current().subject, "https://service16.example.com");
        let prior: Vec<_> = chain.prior().iter().map(|actor| &actor.subject).collect();
        assert_eq!(prior, ["https://service77.example.com"]);
    }

    #[test]
    fn an_actor_has_the_names_that_it_is_given() {
        let chain =
            ActorChain::read(json!({ "sub": "a", "iss": "https://as", "client_id": "c", "x": 1 }));
        let chain = chain.unwrap();
        let Actor {
            subject,
            issuer,
            client_id,
        } = chain.current();
        assert_eq!(subject, "a");
        assert_eq!(issuer.as_deref(), Some("https://as"));
        assert_eq!(client_id.as_deref(), Some("c"));
        assert!(chain.prior().is_empty());
    }

    #[test]
    fn an_actor_who_cannot_be_read_is_nobody_unnoticed() {
        let deep = (0..=LONGEST).fold(
            json!({ "sub": "a" }),
            |act, _| json!({ "sub": "a", "act": act }),
        );
        for wrong in [
            json!("orders"),
            json!(null),
            json!([]),
            json!({}),
            json!({ "sub": 1 }),
            json!({ "sub": "a", "client_id": 1 }),
            json!({ "sub": "a", "act": "b" }),
            json!({ "sub": "a", "act": null }),
            deep,
        ] {
            assert_eq!(
                ActorChain::read(wrong.clone()),
                Err(Invalid::Claim("act")),
                "{wrong}"
            );
        }
    }
}
