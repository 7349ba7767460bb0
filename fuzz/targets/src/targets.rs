//! The targets.

mod config;
mod jose;
mod redirect_uri;
mod requests;
mod sealed;

pub use config::config;
pub use jose::{jwk, jwt};
pub use redirect_uri::redirect_uri;
pub use requests::{basic, params, scope, user_code};
pub use sealed::{sealed, tampered};
