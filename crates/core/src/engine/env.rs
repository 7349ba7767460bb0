//! All that a decision may look at, beside the request and the rows.

use crate::base::seed::Seed;
use crate::base::time::Timestamp;
use crate::model::realm::Realm;

/// The surroundings of one attempt at a decision.
#[derive(Debug)]
pub struct Env<'a> {
    /// The time of this attempt.
    pub now: Timestamp,
    /// The randomness of this attempt.
    pub seed: &'a Seed,
    /// Issuer, policy and keys.
    pub realm: &'a Realm,
}
