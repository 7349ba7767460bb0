//! The endpoints, one file each.

pub mod app_grant;
pub mod authorize;
pub mod device_authorization;
mod id_token_hint;
pub mod introspect;
pub mod logout;
pub mod metadata;
pub mod revoke;
pub mod token;
pub mod unsupported;
pub mod userinfo;
pub mod whoami;
