//! Whole flows in a simulated world: one thread, no sleep, no port.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod access_limits;
mod account;
mod administration;
mod approval;
mod authorization_code;
mod authorize;
mod backchannel;
mod change_password;
mod claims;
mod client_auth;
mod clock;
mod consent;
mod cut_off;
mod device;
mod exchange;
mod exchange_attacks;
mod exchange_ended;
mod exchange_forged;
mod exchange_refresh;
mod faults;
mod floods;
mod instances;
mod introspection;
mod known_browsers;
mod links;
mod logins;
mod logout;
mod logout_unasked;
mod machines;
mod newer_versions;
mod password_hashes;
mod pending;
mod polling;
mod provisioning;
mod refresh;
mod revocation;
mod scopes;
mod sessions;
mod sign_in;
mod tokens;
mod unsupported;
mod user_codes;
mod userinfo;
