//! The keys that one master key gives a pool: one for each kind of what is sealed, by HKDF.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::{digest, hkdf, hmac};
use zeroize::Zeroizing;

use super::{KEY_ID, array};

/// The root of every secret of an installation: 32 random bytes that never enter the store.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// The key with these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// By what it can be named: 4 bytes in hexadecimal that tell nothing of it.
    #[must_use]
    pub fn id(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.reveal());
        let tag = hmac::sign(&key, b"grantor master key id");
        let id = tag.as_ref()[..KEY_ID].iter();
        id.map(|byte| format!("{byte:02x}")).collect()
    }

    /// The bytes, for what derives keys of its own.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// The kinds of what is sealed. Each has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    DeviceCode,
    AuthorizationCode,
    RefreshToken,
    AccessToken,
    UserCode,
    Form,
    SessionCookie,
    KnownBrowser,
    ClientSecret,
}

const KINDS: [Kind; 9] = [
    Kind::DeviceCode,
    Kind::AuthorizationCode,
    Kind::RefreshToken,
    Kind::AccessToken,
    Kind::UserCode,
    Kind::Form,
    Kind::SessionCookie,
    Kind::KnownBrowser,
    Kind::ClientSecret,
];

impl Kind {
    /// What stands before a token, so that secret scanners find leaks of it. Part of what the tag covers.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::DeviceCode => "grantor_dc_",
            Self::AuthorizationCode => "grantor_ac_",
            Self::RefreshToken => "grantor_rt_",
            Self::AccessToken => "grantor_at_",
            Self::KnownBrowser => "grantor_kb_",
            Self::SessionCookie => "grantor_se_",
            Self::UserCode => "user_code ",
            Self::Form => "form ",
            Self::ClientSecret => "client_secret ",
        }
    }
}

pub(super) struct Derived {
    pub(super) id: [u8; KEY_ID],
    macs: Vec<hmac::Key>,
    pub(super) access_token: LessSafeKey,
}

impl Derived {
    pub(super) fn mac(&self, kind: Kind) -> &hmac::Key {
        &self.macs[kind as usize]
    }
}

impl Derived {
    pub(super) fn new(pool: &str, master: &MasterKey) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"grantor sealing keys");
        let root = salt.extract(master.reveal());
        let derive = |label: &str| -> Zeroizing<[u8; 32]> {
            let info = [pool.as_bytes(), b"\0", label.as_bytes()];
            let mut key = Zeroizing::new([0; 32]);
            #[expect(
                clippy::expect_used,
                reason = "32 bytes are within HKDF-SHA256's limit of 255 blocks"
            )]
            root.expand(&info, hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut key[..]))
                .expect("HKDF output of one block");
            key
        };
        #[expect(clippy::expect_used, reason = "the key has the 32 bytes of AES-256")]
        let access_token = UnboundKey::new(&AES_256_GCM_SIV, &derive("access token")[..])
            .expect("a key of 32 bytes");
        Self {
            id: array(&digest::digest(&digest::SHA256, &derive("key id")[..]).as_ref()[..KEY_ID]),
            macs: KINDS
                .iter()
                .map(|kind| hmac::Key::new(hmac::HMAC_SHA256, &derive(kind.prefix())[..]))
                .collect(),
            access_token: LessSafeKey::new(access_token),
        }
    }
}
