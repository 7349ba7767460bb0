//! The protocol: what Grantor decides, and nothing of how it is carried out.
//!
//! No socket, SQL, clock or async in here. Time, randomness and keys come in as values,
//! decisions go out as data; `ARCHITECTURE.md` walks one request through the house.

pub mod backchannel;
mod bearer;
pub mod claim_mapping;
pub mod claims;
pub mod claims_request;
pub mod client;
pub mod client_auth;
pub mod cors;
pub mod decide;
pub mod drive;
pub mod endpoints;
pub mod env;
pub mod error;
pub mod event;
pub mod exchange;
pub mod grant_type;
pub mod grants;
pub mod group_filter;
pub mod id;
pub mod interaction;
pub mod key_life;
pub mod limits;
pub mod params;
pub mod peer;
pub mod pkce;
pub mod pool;
pub mod prompt;
pub mod records;
pub mod redirect_uri;
pub mod resource;
pub mod row;
pub mod scope;
pub mod sealed;
pub mod secret;
pub mod seed;
pub mod target;
pub mod time;
mod tokens;
pub mod trusted_issuer;
pub mod user_code;
pub mod users;
