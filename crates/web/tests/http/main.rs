//! The HTTP face, in process: the real router, pages and workers over a store in memory, with time that a test sets.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod account;
mod account_load;
mod assertions;
mod attacks;
mod authorize;
mod bad_input;
mod client_auth;
mod cors;
mod csrf;
mod device;
mod exchange;
mod floods;
mod gone;
mod health;
mod introspection;
mod logout;
mod mapped_claims;
mod metadata;
mod methods;
mod pages;
mod password;
mod path;
mod replaced_realm;
mod revocation;
mod rotation;
mod socket;
mod tls;
mod token;
mod trace;
mod unavailable;
mod userinfo;
