//! What is managed while the server runs, as far as a snapshot of the realm knows it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use serde_json::{Map, Value};

use crate::base::row::Version;
use crate::base::time::Timestamp;
use crate::model::checks::Problem;
use crate::model::client::Client;
use crate::model::config_document::{ConfigDocument, PartKind};
use crate::model::ids::ClientId;

/// Reads what was written of managed objects as the configuration file is read, with the same checks.
pub trait WrittenObjects: fmt::Debug + Send + Sync {
    /// The client of these members of `[[client]]`, without secrets.
    ///
    /// # Errors
    /// What is wrong, at pointers in the object.
    fn client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        confidential: bool,
    ) -> Result<Client, Vec<Problem>>;

    /// The client of a row. What the realm no longer has is left out: a row was valid when it was written.
    fn stored_client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        confidential: bool,
    ) -> Option<Client>;

    /// What the file says of a client, without secrets.
    fn declared_client(&self, id: &ClientId) -> Option<Map<String, Value>>;

    /// What the file says of a part.
    fn declared_part(&self, kind: PartKind, name: &str) -> Option<Map<String, Value>>;

    /// The names of the parts that the file declares.
    fn declared_parts(&self, kind: PartKind) -> Vec<String>;

    /// What is wrong with the parts of a document, each with its kind and name.
    fn check(&self, document: &ConfigDocument) -> Vec<(PartKind, String, Problem)>;
}

/// The managed part of a realm.
#[derive(Clone)]
pub struct Managed {
    /// The version of the document that this snapshot was made from; none before the first change.
    pub version: Option<Version>,
    /// Clients whose ids were chosen.
    pub chosen: Arc<HashSet<ClientId>>,
    /// Of the MAC in drawn ids.
    id_key: Option<hmac::Key>,
    /// Since when managed scopes have been there, by their tokens.
    pub scopes_since: Arc<HashMap<String, Timestamp>>,
    pub objects: Arc<dyn WrittenObjects>,
}

impl fmt::Debug for Managed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Managed")
            .field("version", &self.version)
            .field("chosen", &self.chosen.len())
            .finish_non_exhaustive()
    }
}

/// Of a realm in which nothing is managed.
#[derive(Clone, Copy, Debug)]
pub struct NothingManaged;

impl WrittenObjects for NothingManaged {
    fn client(
        &self,
        _: &ClientId,
        _: &Map<String, Value>,
        _: bool,
    ) -> Result<Client, Vec<Problem>> {
        Err(Vec::new())
    }

    fn stored_client(&self, _: &ClientId, _: &Map<String, Value>, _: bool) -> Option<Client> {
        None
    }

    fn declared_client(&self, _: &ClientId) -> Option<Map<String, Value>> {
        None
    }

    fn declared_part(&self, _: PartKind, _: &str) -> Option<Map<String, Value>> {
        None
    }

    fn declared_parts(&self, _: PartKind) -> Vec<String> {
        Vec::new()
    }

    fn check(&self, _: &ConfigDocument) -> Vec<(PartKind, String, Problem)> {
        Vec::new()
    }
}

const PREFIX: &str = "client-";
/// Hexadecimal digits of the MAC: 40 bits.
const MAC_DIGITS: usize = 10;

impl Managed {
    #[must_use]
    pub fn none() -> Self {
        Self::new(None, HashSet::new(), "", Arc::new(NothingManaged))
    }

    /// `id_key` is that of the document; empty before the first change.
    #[must_use]
    pub fn new(
        version: Option<Version>,
        chosen: HashSet<ClientId>,
        id_key: &str,
        objects: Arc<dyn WrittenObjects>,
    ) -> Self {
        let key = || hmac::Key::new(hmac::HMAC_SHA256, id_key.as_bytes());
        Self {
            version,
            chosen: Arc::new(chosen),
            id_key: (!id_key.is_empty()).then(key),
            scopes_since: Arc::default(),
            objects,
        }
    }

    /// A drawn id: `client-` and a UUID (RFC 9562 section 5.4) that ends in a MAC, so that made-up ones cost no read.
    #[must_use]
    pub fn draw_id(id_key: &str, random: [u8; 16]) -> Option<ClientId> {
        drawn(
            &hmac::Key::new(hmac::HMAC_SHA256, id_key.as_bytes()),
            random,
        )
    }

    /// Whether drawn ids can be told from made-up ones.
    #[must_use]
    pub const fn has_id_key(&self) -> bool {
        self.id_key.is_some()
    }

    /// A drawn id, by the key of the document; none before there is one.
    #[must_use]
    pub fn draw(&self, random: [u8; 16]) -> Option<ClientId> {
        drawn(self.id_key.as_ref()?, random)
    }

    /// Whether the store may have a client of this id. Else it is not worth a read.
    #[must_use]
    pub fn may_have(&self, id: &ClientId) -> bool {
        self.chosen.contains(id) || self.is_drawn(id)
    }

    fn is_drawn(&self, id: &ClientId) -> bool {
        let (Some(key), Some(uuid)) = (&self.id_key, id.as_str().strip_prefix(PREFIX)) else {
            return false;
        };
        uuid.len() == 36
            && uuid.is_ascii()
            && mac(key, &uuid[..36 - MAC_DIGITS]) == uuid[36 - MAC_DIGITS..]
    }
}

fn drawn(key: &hmac::Key, random: [u8; 16]) -> Option<ClientId> {
    let random = uuid::Builder::from_random_bytes(random)
        .into_uuid()
        .to_string();
    let stem = &random[..random.len() - MAC_DIGITS];
    format!("{PREFIX}{stem}{}", mac(key, stem)).parse().ok()
}

/// Not secret, so it need not be compared in constant time.
fn mac(key: &hmac::Key, stem: &str) -> String {
    let tag = hmac::sign(key, stem.as_bytes());
    let tag = tag.as_ref()[..MAC_DIGITS / 2].iter();
    tag.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn managed(key: &str) -> Managed {
        let chosen = HashSet::from(["tv".parse().expect("an id")]);
        Managed::new(None, chosen, key, Arc::new(NothingManaged))
    }

    #[test]
    fn only_drawn_and_chosen_ids_are_worth_a_read() {
        let managed = managed("a key");
        let drawn = Managed::draw_id("a key", [7; 16]).expect("an id");
        assert!(managed.may_have(&drawn), "{drawn}");
        assert!(managed.may_have(&"tv".parse().expect("an id")));
        let uuid = drawn.as_str().strip_prefix(PREFIX).expect("its prefix");
        assert!(uuid::Uuid::try_parse(uuid).is_ok(), "{uuid}");
        for digit in 0..uuid.len() {
            let mut other = uuid.as_bytes().to_vec();
            other[digit] = if other[digit] == b'0' { b'1' } else { b'0' };
            let other = format!("{PREFIX}{}", String::from_utf8_lossy(&other));
            assert!(!managed.may_have(&other.parse().expect("an id")), "{other}");
        }
        for other in ["tv2", uuid, PREFIX, &format!("{PREFIX}é")] {
            let other = other.parse::<ClientId>();
            assert!(other.map_or(true, |other| !managed.may_have(&other)));
        }
        let before = self::managed("");
        let drawn = Managed::draw_id("", [7; 16]).expect("an id");
        assert!(!before.may_have(&drawn), "no key, no drawn ids");
    }
}
