//! Delegation: the claims `act` and `may_act` (RFC 8693 sections 4.1 and 4.4).

use serde::{Deserialize, Serialize};

use crate::model::ids::ClientId;

/// The current actor, with the previous ones nested. Section 4.1: "the outermost "act" claim represents the current
/// actor"; the inner ones "are not to be considered in access control decisions".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The subject of the actor token, or else the client.
    pub sub: String,
    /// The client that exchanged the token.
    pub client_id: ClientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

impl Actor {
    /// The actors, current one first.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |actor| actor.act.as_deref())
    }

    /// Ignores previous actors.
    #[must_use]
    pub fn is_same_party(&self, other: &Self) -> bool {
        self.sub == other.sub && self.client_id == other.client_id
    }
}

/// Who may act for a token's subject (section 4.4). Unknown members are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayAct {
    pub sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The issuer of the actor's `sub`. Section 4.4: "the combination of the two claims "iss" and "sub" are sometimes
    /// necessary to uniquely identify an authorized actor".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

impl MayAct {
    /// `issuer` is the issuer of `sub`.
    #[must_use]
    pub fn allows(&self, issuer: &str, sub: &str, client_id: &ClientId) -> bool {
        let client = self.client_id.as_deref();
        self.sub == sub
            && client.is_none_or(|named| named == client_id.as_str())
            && self.iss.as_deref().is_none_or(|named| named == issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8693_4_4_may_act_compares_every_member_present() {
        let client: ClientId = "orders".parse().unwrap();
        let named = |json: &str| {
            let may_act: MayAct = serde_json::from_str(json).unwrap();
            may_act.allows("https://as", "orders", &client)
        };
        assert!(named(r#"{"sub":"orders"}"#));
        assert!(named(
            r#"{"sub":"orders","client_id":"orders","iss":"https://as","x":1}"#
        ));
        for other in [
            r#"{"sub":"shipping"}"#,
            r#"{"sub":"orders","client_id":"shipping"}"#,
            r#"{"sub":"orders","iss":"https://other"}"#,
        ] {
            assert!(!named(other), "{other}");
        }
        assert!(serde_json::from_str::<MayAct>("{}").is_err());
    }
}
