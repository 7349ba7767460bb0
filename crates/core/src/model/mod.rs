//! The domain: a realm and its parts, and the contents of tokens, as validated values.

pub mod actor;
pub mod checks;
pub mod claim_mapping;
pub mod claims;
pub mod claims_request;
pub mod client;
pub mod credentials;
pub mod endpoint;
pub mod exchange_rule;
pub mod grant_type;
pub mod group_filter;
pub mod ids;
pub mod issuer_keys;
pub mod password_hash;
pub mod pkce;
pub mod prompt;
pub mod realm;
pub mod redirect_uri;
pub mod resource;
pub mod scope;
pub mod server_url;
pub mod target;
pub mod token_type;
pub mod trusted_issuer;
pub mod user_code;
