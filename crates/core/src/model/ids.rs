//! Identifiers: 128 random bits, drawn from the seed, written in hexadecimal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            /// The identifier with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_hex(text).map(Self).ok_or(InvalidId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: 32 lower-case hexadecimal digits are expected")]
pub struct InvalidId;

id128! {
    /// Names a grant: a device's, code's or login's whole life. It is no credential: tokens carry it under a MAC.
    GrantId
}
id128! {
    /// Names a browser session; stable while the secret in its cookie rotates.
    SessionId
}

/// Names a user: a UUID, so that no client id can equal it (RFC 9068 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// The user with this UUID.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// A new user's id, from these random bytes (RFC 9562 section 5.4: UUID version 4).
    #[must_use]
    pub const fn random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The id of a user whom a file names without one: derived from realm and username (UUID version 8, SHA-256).
    #[must_use]
    pub fn derived(realm: &str, username: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            format!("grantor user\0{realm}\0{username}").as_bytes(),
        );
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_ref()[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The user with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl FromStr for UserId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // Only the form that we write: a UUID has others.
        let id = Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)?;
        (id.to_string() == text).then_some(id).ok_or(InvalidId)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 64 random bits, drawn anew at each cut-off. Sessions and authorizations copy it; another value is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of these random bits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    /// The bits.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// A client's identifier (RFC 6749 section 2.2): 1 to 255 characters of `%x20-7E` (its appendix A.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(std::sync::Arc<str>);

impl ClientId {
    /// The identifier's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Eight bytes that tell one client's codes from another's; no secret.
    #[must_use]
    pub fn tag(&self) -> [u8; 8] {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.0.as_bytes());
        let mut tag = [0; 8];
        tag.copy_from_slice(&digest.as_ref()[..8]);
        tag
    }
}

/// The text cannot be a client identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client id is 1 to 255 printable ASCII characters")]
pub struct InvalidClientId;

impl FromStr for ClientId {
    type Err = InvalidClientId;

    fn from_str(text: &str) -> Result<Self, InvalidClientId> {
        let fits =
            (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        fits.then(|| Self(text.into())).ok_or(InvalidClientId)
    }
}

impl TryFrom<String> for ClientId {
    type Error = InvalidClientId;

    fn try_from(text: String) -> Result<Self, InvalidClientId> {
        text.parse()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token's identifier (RFC 7519 section 4.1.7). A user's token: its grant's id and 64 random bits,
/// so that the token itself names the row on which its life depends; a machine's: 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Jti(String);

impl Jti {
    /// The id of a user's token of this grant.
    #[must_use]
    pub fn of_grant(grant: GrantId, random: [u8; 8]) -> Self {
        Self(format!("{grant}{:016x}", u64::from_be_bytes(random)))
    }

    /// The id of a machine's token, or of an ID token that cannot be exchanged.
    #[must_use]
    pub fn of_machine(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)))
    }

    /// The id of the token of a user without a grant: one whom a trusted issuer vouched for.
    #[must_use]
    pub fn of_user(epoch: Epoch, random: [u8; 8]) -> Self {
        let random = u64::from_be_bytes(random);
        Self(format!("u{:016x}{random:016x}", epoch.as_u64()))
    }

    /// The epoch of the user without a grant.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        let rest = self.0.strip_prefix('u').filter(|rest| rest.len() == 32)?;
        let bytes = parse_hex(rest)?;
        let (epoch, _) = bytes.split_first_chunk()?;
        Some(Epoch::from_bytes(*epoch))
    }

    /// The grant that a user's token names; none for a machine's.
    #[must_use]
    pub fn grant(&self) -> Option<GrantId> {
        (self.0.len() == 48)
            .then(|| self.0.get(..32))
            .flatten()?
            .parse()
            .ok()
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (text.len() == 32 && lower)
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
        .map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote_and_nothing_else() {
        let id = GrantId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "ab",
            &"AB".repeat(16),
            &"+b".repeat(16),
            &"0".repeat(33),
        ] {
            assert_eq!(bad.parse::<GrantId>(), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn a_users_jti_names_its_grant_and_a_machines_none() {
        let grant = GrantId::from_bytes([7; 16]);
        assert_eq!(Jti::of_grant(grant, [1; 8]).grant(), Some(grant));
        let epoch = Epoch::from_bytes([0xa1; 8]);
        let of_user = Jti::of_user(epoch, [9; 8]);
        assert_eq!((of_user.grant(), of_user.epoch()), (None, Some(epoch)));
        for other in [Jti::of_machine([7; 16]), Jti::of_grant(grant, [1; 8])] {
            assert_eq!(other.epoch(), None);
        }
        assert_eq!(Jti::of_machine([7; 16]).grant(), None);
    }

    #[test]
    fn rfc6749_a1_a_client_id_is_visible_ascii() {
        assert!("tv 1:a~".parse::<ClientId>().is_ok());
        for bad in ["", "a\u{7f}", "a\n", "é", &"x".repeat(256)] {
            assert_eq!(bad.parse::<ClientId>(), Err(InvalidClientId));
        }
    }

    #[test]
    fn a_derived_user_id_depends_on_pool_and_name() {
        assert_eq!(
            UserId::derived("default", "alice"),
            UserId::derived("default", "alice")
        );
        assert_ne!(
            UserId::derived("default", "alice"),
            UserId::derived("other", "alice")
        );
        assert_ne!(
            UserId::derived("default", "alice"),
            UserId::derived("default", "bob")
        );
    }

    proptest! {
        #[test]
        fn an_id_has_one_text(bytes: [u8; 16], text in "[0-9a-fA-F-]{30,38}") {
            let (grant, user) = (GrantId::from_bytes(bytes), UserId::from_bytes(bytes));
            prop_assert_eq!(grant.to_string().parse(), Ok(grant));
            prop_assert_eq!(user.to_string().parse(), Ok(user));
            if let Ok(id) = text.parse::<GrantId>() {
                prop_assert_eq!(id.to_string(), text.as_str());
            }
            if let Ok(id) = text.parse::<UserId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn a_client_id_is_the_text_that_it_was_read_from(text in ".{0,40}") {
            let printable = !text.is_empty() && text.bytes().all(|b| matches!(b, 0x20..=0x7e));
            let read = text.parse::<ClientId>();
            prop_assert_eq!(read.is_ok(), printable);
            if let Ok(id) = read {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
