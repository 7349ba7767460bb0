//! The environment of a decision: everything it may use except the request and the facts.

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
