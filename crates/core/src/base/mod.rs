//! Values that know no policy: time, randomness, secrets, seals, rows, and what a request and a refusal are made of.

pub mod cause;
pub mod error;
pub(crate) mod names;
pub mod params;
pub mod peer;
pub mod row;
pub mod sealing;
pub mod secret;
pub mod seed;
pub mod time;
