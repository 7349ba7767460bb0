//! The HTTP handlers, one file for each endpoint. `router.rs` maps paths to them.

pub(crate) mod account;
pub(crate) mod admin_first;
pub(crate) mod assets;
pub(crate) mod authorize;
mod browser;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod device_authorization;
pub(crate) mod fallback;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod metadata;
mod return_to;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;
