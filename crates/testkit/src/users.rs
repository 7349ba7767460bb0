//! The users of every world and every server: alice, bob, and carol, who is disabled.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use grantor_core::model::ids::UserId;
use grantor_core::model::password_hash::StoredHash;
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

/// A real hash of a password, far below OWASP's minimum, so that it is quickly made.
pub fn weak_hash(password: &str) -> String {
    let hash = |output: [u8; 32]| {
        let output = STANDARD_NO_PAD.encode(output);
        format!("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${output}")
    };
    let mut output = [0; 32];
    let StoredHash { argon2, salt, .. } = StoredHash::parse(&hash(output)).expect("a hash");
    argon2
        .hash_password_into(password.as_bytes(), &salt, &mut output)
        .expect("a short password");
    hash(output)
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
        groups: Some(vec!["staff".to_owned()]),
        organization: None,
        claims: BTreeMap::from(claims.map(|(name, value)| (name.to_owned(), value.into()))),
    }
}
