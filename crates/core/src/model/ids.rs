//! Identifiers of grants, sessions, users, clients, organizations and tokens.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::base::sealing::array;
use crate::base::time::Timestamp;

macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Sorts before those made earlier, and before nearly all of versions that drew every byte, so that a list
            /// begins with the newest.
            #[must_use]
            pub fn newest_first(now: Timestamp, random: [u8; 16]) -> Self {
                let mut bytes = random;
                let before_end = (1_u64 << 48).saturating_sub(1 + now.as_millis());
                bytes[..7].copy_from_slice(&before_end.to_be_bytes()[1..]);
                Self(bytes)
            }

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: 32 lower-case hexadecimal digits are expected")]
pub struct InvalidId;

id128! {
    /// Not a credential: tokens contain it under a MAC.
    GrantId
}
id128! {
    /// A browser session's id; stable while the secret in its cookie rotates.
    SessionId
}

/// A UUID, so that it never equals a client id (RFC 9068 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// UUID version 4 (RFC 9562 section 5.4) from random bytes.
    #[must_use]
    pub const fn random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// UUID version 8 from the SHA-256 of realm and username, for users whose id the configuration omits.
    #[must_use]
    pub fn from_username(realm: &str, username: &str) -> Self {
        let named = format!("grantor user\0{realm}\0{username}");
        let digest = digest::digest(&digest::SHA256, named.as_bytes());
        Self(uuid::Builder::from_custom_bytes(array(digest.as_ref())).into_uuid())
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl FromStr for UserId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // Only the form that we write; UUIDs have others.
        let id = Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)?;
        (id.to_string() == text).then_some(id).ok_or(InvalidId)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user's 64 random bits, replaced to cut the user off. Sessions and authorizations copy it, and end once it
/// changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// Tells apart who has one `sub` after another: 64 random bits, drawn when a user is made, and when the file declares one again
/// that it had withdrawn. What a user owns copies it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserInstance(u64);

impl UserInstance {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    /// Of users that earlier versions made.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.0 == 0
    }
}

/// Tells clients of one id apart: 64 random bits, drawn when a client is first declared. Grants and consents copy it, and
/// those of another instance are dead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Hash, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientInstance(u64);

impl ClientInstance {
    /// Of the clients that were declared before there were instances, and of rows without one.
    pub const FIRST: Self = Self(0);

    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    #[must_use]
    pub fn is_first(&self) -> bool {
        *self == Self::FIRST
    }
}

/// A client's identifier (RFC 6749 section 2.2): 1 to 255 characters of `%x20-7E` (its appendix A.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(std::sync::Arc<str>);

impl ClientId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Eight bytes that identify the client in sealed codes. Not secret.
    #[must_use]
    pub fn tag(&self) -> [u8; 8] {
        array(digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref())
    }
}

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

/// An organization's identifier: 1 to 64 ASCII letters, digits, dots, underscores and hyphens, so that it stands in paths
/// and rows as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganizationId(std::sync::Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not 1 to 64 letters, digits, dots, underscores and hyphens, of which the first is a letter or digit"
)]
pub struct InvalidOrganizationId;

impl OrganizationId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrganizationId {
    type Err = InvalidOrganizationId;

    fn from_str(text: &str) -> Result<Self, InvalidOrganizationId> {
        let may_follow = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let fits = begins && text.len() <= 64 && text.bytes().all(may_follow);
        fits.then(|| Self(text.into())).ok_or(InvalidOrganizationId)
    }
}

impl TryFrom<String> for OrganizationId {
    type Error = InvalidOrganizationId;

    fn try_from(text: String) -> Result<Self, InvalidOrganizationId> {
        text.parse()
    }
}

impl From<OrganizationId> for String {
    fn from(id: OrganizationId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token's identifier (RFC 7519 section 4.1.7). For a user's token, the grant's id and 64 random bits, so that
/// the token names the row that it depends on; for a machine's, 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Jti(String);

impl Jti {
    #[must_use]
    pub fn for_grant(grant: GrantId, random: [u8; 8]) -> Self {
        Self(format!("{grant}{:016x}", u64::from_be_bytes(random)))
    }

    /// For machines' tokens, and ID tokens that cannot be exchanged.
    #[must_use]
    pub fn for_machine(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)))
    }

    /// For users without a grant, whom a trusted issuer vouched for.
    #[must_use]
    pub fn for_user(epoch: Epoch, random: [u8; 8]) -> Self {
        let random = u64::from_be_bytes(random);
        Self(format!("u{:016x}{random:016x}", epoch.as_u64()))
    }

    /// The user's epoch, in a token without a grant.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        let rest = self.0.strip_prefix('u').filter(|rest| rest.len() == 32)?;
        let bytes = parse_hex(rest)?;
        let (epoch, _) = bytes.split_first_chunk()?;
        Some(Epoch::from_bytes(*epoch))
    }

    /// The grant of a user's token.
    #[must_use]
    pub fn grant(&self) -> Option<GrantId> {
        let text = Some(&self.0).filter(|text| text.len() == 48)?;
        text.get(..32)?.parse().ok()
    }

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
    fn only_the_canonical_text_of_an_id_is_parsed() {
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
    fn a_jti_names_its_grant_or_epoch() {
        let grant = GrantId::from_bytes([7; 16]);
        assert_eq!(Jti::for_grant(grant, [1; 8]).grant(), Some(grant));
        let epoch = Epoch::from_bytes([0xa1; 8]);
        let of_user = Jti::for_user(epoch, [9; 8]);
        assert_eq!((of_user.grant(), of_user.epoch()), (None, Some(epoch)));
        for other in [Jti::for_machine([7; 16]), Jti::for_grant(grant, [1; 8])] {
            assert_eq!(other.epoch(), None);
        }
        assert_eq!(Jti::for_machine([7; 16]).grant(), None);
    }

    #[test]
    fn rfc6749_a1_a_client_id_is_printable_ascii() {
        assert!("tv 1:a~".parse::<ClientId>().is_ok());
        for bad in ["", "a\u{7f}", "a\n", "é", &"x".repeat(256)] {
            assert_eq!(bad.parse::<ClientId>(), Err(InvalidClientId));
        }
    }

    #[test]
    fn an_organization_id_stands_in_paths_as_it_is() {
        assert!("acme-1.example_x".parse::<OrganizationId>().is_ok());
        for bad in ["", "a/b", "a b", ".a", "-a", "é", "a%", &"x".repeat(65)] {
            assert!(bad.parse::<OrganizationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_derived_user_id_depends_on_realm_and_name() {
        assert_eq!(
            UserId::from_username("default", "alice"),
            UserId::from_username("default", "alice")
        );
        assert_ne!(
            UserId::from_username("default", "alice"),
            UserId::from_username("other", "alice")
        );
        assert_ne!(
            UserId::from_username("default", "alice"),
            UserId::from_username("default", "bob")
        );
    }

    proptest! {
        #[test]
        fn ids_round_trip(bytes: [u8; 16], text in "[0-9a-fA-F-]{30,38}") {
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
        fn client_ids_round_trip(text in ".{0,40}") {
            let printable = !text.is_empty() && text.bytes().all(|b| matches!(b, 0x20..=0x7e));
            let read = text.parse::<ClientId>();
            prop_assert_eq!(read.is_ok(), printable);
            if let Ok(id) = read {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
