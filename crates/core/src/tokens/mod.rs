//! Tokens: their contents, issuing, verification, and the rows that they depend on.

pub mod bearer;
pub mod grant_liveness;
pub mod handles;
pub mod issue;
pub mod key_life;
pub mod replace_signing_keys;
pub(crate) mod user_claims;
