//! The users of every world and every server: alice, bob, and carol, who is disabled.

use std::collections::BTreeMap;

use grantor_core::model::ids::UserId;
use grantor_core::people::{Password, Provision};

/// Each user's name, and whether the account is enabled.
pub const USERS: [(&str, bool); 3] = [("alice", true), ("bob", true), ("carol", false)];

/// A user's password: the name and `-password`.
pub fn password_of(username: &str) -> String {
    format!("{username}-password")
}

pub fn user_id(username: &str) -> UserId {
    UserId::from_username("default", username)
}

/// A user as the configuration file declares one, with this hash of a password.
pub fn user_with_hash(username: &str, enabled: bool, password_hash: String) -> Provision {
    let claims = [("given_name", username), ("address", "1 Main Street")];
    Provision {
        id: user_id(username),
        username: username.to_owned(),
        enabled,
        password: Password::Hash(password_hash),
        email: Some(format!("{username}@example.com")),
        groups: vec!["staff".to_owned()],
        claims: BTreeMap::from(claims.map(|(name, value)| (name.to_owned(), value.into()))),
    }
}
