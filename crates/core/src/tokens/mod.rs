//! Tokens of grants: what they say, how they are issued and read back, and the rows that keep them alive.

pub mod bearer;
pub mod grant_liveness;
pub mod handles;
pub mod issue;
pub mod key_life;
