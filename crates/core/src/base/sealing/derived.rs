//! Per-realm keys derived from a master key by HKDF, one for each kind of sealed value.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::{digest, hkdf, hmac};
use zeroize::Zeroizing;

use super::{KEY_ID_BYTES, array};

/// The root of every secret of an installation: 32 random bytes that never enter the store.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A public name: 4 bytes of a MAC in hexadecimal, which reveal nothing about the key.
    #[must_use]
    pub fn id(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.reveal());
        let tag = hmac::sign(&key, b"grantor master key id");
        let id = tag.as_ref()[..KEY_ID_BYTES].iter();
        id.map(|byte| format!("{byte:02x}")).collect()
    }

    /// The bytes, for deriving other keys.
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

macro_rules! seal_kinds {
    ($($kind:ident => $label:literal),+ $(,)?) => {
        /// The kinds of sealed values. Each has its own key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum SealKind {
            $($kind),+
        }

        impl SealKind {
            const ALL: [Self; [$($label),+].len()] = [$(Self::$kind),+];

            /// The token's prefix, which secret scanners look for. The tag covers it and the key is derived from
            /// it, so a label never changes.
            pub(crate) const fn label(self) -> &'static str {
                match self {
                    $(Self::$kind => $label),+
                }
            }
        }
    };
}

seal_kinds! {
    DeviceCode => "grantor_dc_",
    AuthorizationCode => "grantor_ac_",
    RefreshToken => "grantor_rt_",
    AccessToken => "grantor_at_",
    UserCode => "user_code ",
    Form => "form ",
    SessionCookie => "grantor_se_",
    KnownBrowser => "grantor_kb_",
    ClientSecret => "client_secret ",
    Declared => "declared_credential ",
    LoggedName => "logged name ",
    FirstAdministrator => "grantor_fa_",
}

/// The kinds of encrypted values. Each has its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncryptedKind {
    AccessToken,
    ApiAnswer,
    ApiCursor,
}

impl EncryptedKind {
    const ALL: [Self; 3] = [Self::AccessToken, Self::ApiAnswer, Self::ApiCursor];

    /// The key is derived from it, so a label never changes.
    const fn label(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::ApiAnswer => "api answer",
            Self::ApiCursor => "api cursor",
        }
    }

    /// What the tag covers besides the realm.
    pub(super) const fn covered(self) -> &'static str {
        match self {
            Self::AccessToken => SealKind::AccessToken.label(),
            other => other.label(),
        }
    }
}

pub(super) struct Derived {
    pub(super) id: [u8; KEY_ID_BYTES],
    macs: Vec<hmac::Key>,
    encryption: Vec<LessSafeKey>,
}

impl Derived {
    pub(super) fn mac(&self, kind: SealKind) -> &hmac::Key {
        &self.macs[kind as usize]
    }

    pub(super) fn encryption(&self, kind: EncryptedKind) -> &LessSafeKey {
        &self.encryption[kind as usize]
    }
}

impl Derived {
    pub(super) fn new(realm: &str, master: &MasterKey) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"grantor sealing keys");
        let root = salt.extract(master.reveal());
        let derive = |label: &str| -> Zeroizing<[u8; 32]> {
            let info = [realm.as_bytes(), b"\0", label.as_bytes()];
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
        let encryption = |kind: &EncryptedKind| {
            let key = UnboundKey::new(&AES_256_GCM_SIV, &derive(kind.label())[..]);
            LessSafeKey::new(key.expect("a key of 32 bytes"))
        };
        Self {
            id: array(
                &digest::digest(&digest::SHA256, &derive("key id")[..]).as_ref()[..KEY_ID_BYTES],
            ),
            macs: SealKind::ALL
                .iter()
                .map(|kind| hmac::Key::new(hmac::HMAC_SHA256, &derive(kind.label())[..]))
                .collect(),
            encryption: EncryptedKind::ALL.iter().map(encryption).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivation_labels_are_stable_and_each_kind_finds_its_own_key() {
        let labels: Vec<&str> = SealKind::ALL.iter().map(|kind| kind.label()).collect();
        let stored = [
            "grantor_dc_",
            "grantor_ac_",
            "grantor_rt_",
            "grantor_at_",
            "user_code ",
            "form ",
            "grantor_se_",
            "grantor_kb_",
            "client_secret ",
            "declared_credential ",
            "logged name ",
            "grantor_fa_",
        ];
        assert_eq!(labels, stored);
        for (position, kind) in SealKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, position, "{kind:?}");
        }
        let labels = EncryptedKind::ALL.map(EncryptedKind::label);
        assert_eq!(labels, ["access token", "api answer", "api cursor"]);
        for (position, kind) in EncryptedKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, position, "{kind:?}");
        }
    }
}
