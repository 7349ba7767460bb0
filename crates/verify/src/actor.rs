//! The actors of a token: who acts for its subject (RFC 8693 section 4.1).

use serde_json::Value;

use crate::refusal::Invalid;
use crate::token;

/// The longest accepted chain, the current actor included. Grantor's chains are shorter.
const MAX_ACTORS: usize = 32;

/// Someone who acts for a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actor {
    /// `sub`.
    pub subject: String,
    /// `iss`, if present: then only `iss` and `sub` together identify the actor.
    pub issuer: Option<String>,
    /// `client_id`, if present.
    pub client_id: Option<String>,
}

/// The current actor and the prior ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorChain {
    current: Actor,
    prior: Vec<Actor>,
}

impl ActorChain {
    /// The current actor, who counts for access control, together with the subject.
    #[must_use]
    pub const fn current(&self) -> &Actor {
        &self.current
    }

    /// The prior actors, the latest first. For information only. Section 4.1: "prior actors identified by any nested
    /// "act" claims are informational only and are not to be considered in access control decisions".
    #[must_use]
    pub fn prior(&self) -> &[Actor] {
        &self.prior
    }

    /// Parses the claim `act`. A malformed actor is an error, never ignored: access must not be decided as if no one
    /// acted for the subject.
    pub(crate) fn read(claim: Value) -> Result<Self, Invalid> {
        let (current, mut next) = actor(claim)?;
        let mut prior = Vec::new();
        while let Some(claim) = next {
            let (actor, before) = actor(claim)?;
            prior.push(actor);
            if prior.len() == MAX_ACTORS {
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
    let mut text = |name| token::text(&mut members, name).map_err(|_| Invalid::Claim("act"));
    let actor = Actor {
        subject: text("sub")?.ok_or(Invalid::Claim("act"))?,
        issuer: text("iss")?,
        client_id: text("client_id")?,
    };
    Ok((actor, members.remove("act")))
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
    fn an_actor_may_have_an_issuer_and_a_client_id() {
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
    fn a_malformed_actor_is_refused_and_not_ignored() {
        let deep = (0..=MAX_ACTORS).fold(
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
