//! Values without policy: time, randomness, secrets, sealing, rows, request parameters and errors.

pub mod cause;
pub mod check;
pub mod error;
pub(crate) mod names;
pub mod params;
pub mod peer;
pub mod row;
pub mod sealing;
pub mod secret;
pub mod seed;
pub mod time;
