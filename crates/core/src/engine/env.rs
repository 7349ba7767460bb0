//! The environment of a decision: everything it may use except the request and the facts.

use crate::base::row::Version;
use crate::base::seed::Seed;
use crate::base::time::Timestamp;
use crate::model::realm::Realm;

/// The environment of one attempt.
#[derive(Debug)]
pub struct Env<'a> {
    pub now: Timestamp,
    pub seed: &'a Seed,
    pub realm: &'a Realm,
}

impl Env<'_> {
    /// The version of the rows that this attempt writes.
    #[must_use]
    pub fn commit_version(&self) -> Version {
        Version::from_bytes(self.seed.bytes("commit"))
    }
}
