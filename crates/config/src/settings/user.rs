//! The people whom the file declares.

use std::collections::BTreeMap;

use grantor_core::base::secret::Secret;
use grantor_core::model::credentials::ValidUsername;
use grantor_core::model::ids::OrganizationId;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::link::UserLink;
use crate::table::table;
use crate::text::PasswordHash;

table! {
    /// A person who signs in.
    pub struct User {
        /// The name to sign in with. It holds an @ only where it is the user's own email.
        username: ValidUsername, example "alice";

        /// The password. Without it and without password_hash, the password is set by
        /// `grantor user password`, and its user may change it. Likewise, commands change what of
        /// the rest is not written here.
        password: Option<Secret>, example "correct horse battery staple";

        /// The Argon2id hash of the password, instead of it.
        password_hash: Option<PasswordHash>, example "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$NIZzwR2U5Ii0yfKmSzy1gTcrtaFsWdFF5HSD2p5QKiI";

        /// The subject of the user's tokens, a UUID; derived from realm and username, if left out.
        id: Option<Uuid>, example "0b0e5bd5-8d4b-4f3e-9d1e-6d1b6b8f7a11";

        /// Whether the user may sign in, and the user's tokens count.
        enabled: bool = "true", example "false";

        /// The e-mail address. The user signs in with it, too, unless another user has it or the claim
        /// email_verified is false.
        email: Option<String>, example "alice@example.com";

        /// The groups that the user is in.
        groups: Option<Vec<String>>, example r#"["staff"]"#;

        /// The organization that the user belongs to. While that is disabled, so is the user.
        organization: Option<OrganizationId>, example "acme";

        /// The subjects of trusted issuers that are this user; tokens of theirs are exchanged as the
        /// user's. Issuer and subject are compared byte for byte.
        links: Vec<UserLink>, example r#"[{ issuer = "https://idp.partner.example", sub = "248289761001" }]"#;

        /// Further claims.
        claims: BTreeMap<String, Json>, example r#"{ given_name = "Alice" }"#;
    }
}

/// What a user's password is checked against.
#[derive(Debug, Clone, Copy)]
pub enum UserPassword<'a> {
    Plain(&'a Secret),
    Hash(&'a PasswordHash),
}

impl User {
    /// The password, where the file declares it.
    pub fn credential(&self) -> Option<UserPassword<'_>> {
        let plain = self.password.as_ref().map(UserPassword::Plain);
        plain.or_else(|| self.password_hash.as_ref().map(UserPassword::Hash))
    }
}
