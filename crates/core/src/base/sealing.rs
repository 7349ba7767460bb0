//! Sealed tokens: an authenticated handle instead of a row. Forged or truncated tokens are refused without
//! a read, and a stolen store contains no credentials.
//!
//! `PREFIX base64url( key id (4) | payload | HMAC-SHA256 (32) )`: the tag covers prefix, realm, key id and
//! payload. Each realm and kind has its own key, derived from the master key by HKDF, so a token of one kind
//! never passes for another.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{self, Aad, Nonce};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

mod derived;

use derived::Derived;
pub use derived::MasterKey;
pub(crate) use derived::{EncryptedKind, SealKind};

const KEY_ID_BYTES: usize = 4;
const TAG_BYTES: usize = 32;
const MAX_SEALED_BYTES: usize = 8 * 1024;

/// The sealing keys of one realm.
#[derive(Clone)]
pub struct SealingKeys {
    realm: String,
    /// The current key first, then those that only open.
    masters: Arc<[Derived]>,
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SealingKeys({}, {} keys)",
            self.realm,
            self.masters.len()
        )
    }
}

impl SealingKeys {
    /// `older` master keys still open what they sealed.
    #[must_use]
    pub fn new(realm: &str, current: &MasterKey, older: &[MasterKey]) -> Self {
        let masters = std::iter::once(current)
            .chain(older)
            .map(|key| Derived::new(realm, key))
            .collect();
        Self {
            realm: realm.to_owned(),
            masters,
        }
    }

    /// Row names for values that the store must not reveal: a MAC under each master key, the current one first.
    pub(crate) fn row_names<'a>(
        &'a self,
        kind: SealKind,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = String> + 'a {
        self.masters.iter().map(move |master| {
            let tag = self.tag(master, kind, bytes);
            URL_SAFE_NO_PAD.encode(&tag.as_ref()[..24])
        })
    }

    /// An anti-CSRF token that binds a form to its session and action.
    #[must_use]
    pub fn form_token(&self, binding: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(&self.masters[0], SealKind::Form, binding).as_ref())
    }

    /// Accepts tokens made under any of the master keys.
    #[must_use]
    pub fn accepts_form_token(&self, binding: &[u8], token: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        self.masters
            .iter()
            .any(|master| self.verify(master, SealKind::Form, binding, &tag))
    }

    /// Stands in events and logs for a name that nobody has: it may be a password in the wrong field. The same name is the
    /// same there.
    #[must_use]
    pub fn unknown_name(&self, name: &str) -> String {
        let tag = self.tag(&self.masters[0], SealKind::LoggedName, name.as_bytes());
        format!("unknown:{}", URL_SAFE_NO_PAD.encode(&tag.as_ref()[..9]))
    }

    /// The HMAC key for client secrets in the configuration file.
    #[must_use]
    pub fn client_secret_key(&self) -> hmac::Key {
        self.masters[0].mac(SealKind::ClientSecret).clone()
    }

    /// A MAC by which the user's row recognises a credential that the configuration file declares. It tells which
    /// `kind` it is and whose, so that equal passwords of two users have different ones.
    #[must_use]
    pub fn declared_credential(&self, user: &[u8; 16], kind: &str, credential: &str) -> String {
        let covered = Self::credential_bytes(user, kind, credential);
        URL_SAFE_NO_PAD.encode(self.tag(&self.masters[0], SealKind::Declared, &covered))
    }

    /// Accepts MACs under any of the master keys.
    #[must_use]
    pub fn is_declared_credential(
        &self,
        user: &[u8; 16],
        kind: &str,
        credential: &str,
        mac: &str,
    ) -> bool {
        let covered = Self::credential_bytes(user, kind, credential);
        let Ok(tag) = URL_SAFE_NO_PAD.decode(mac) else {
            return false;
        };
        self.masters
            .iter()
            .any(|master| self.verify(master, SealKind::Declared, &covered, &tag))
    }

    fn credential_bytes(user: &[u8; 16], kind: &str, credential: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&user[..], kind.as_bytes(), b"\0", credential.as_bytes()].concat())
    }

    /// An opaque access token: the encrypted claims, without a row.
    #[must_use]
    pub fn access_token(&self, claims: Vec<u8>, nonce: [u8; 12]) -> Option<String> {
        let sealed = self.encrypt(EncryptedKind::AccessToken, &[], claims, nonce)?;
        Some(format!("{}{sealed}", SealKind::AccessToken.label()))
    }

    /// The claims of an opaque access token that we sealed.
    #[must_use]
    pub fn open_access_token(&self, text: &str) -> Option<Vec<u8>> {
        let encoded = text
            .strip_prefix(SealKind::AccessToken.label())
            .filter(|rest| rest.len() <= MAX_SEALED_BYTES)?;
        self.decrypt(EncryptedKind::AccessToken, &[], encoded)
    }

    /// Encrypted by AES-256-GCM-SIV and bound to `bound`: `base64url( key id (4) | nonce (12) | ciphertext | tag )`.
    pub(crate) fn encrypt(
        &self,
        kind: EncryptedKind,
        bound: &[u8],
        plain: Vec<u8>,
        nonce: [u8; 12],
    ) -> Option<String> {
        let master = &self.masters[0];
        let (mut sealed, aad) = (plain, self.aad(kind, bound));
        master
            .encryption(kind)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .ok()?;
        Some(URL_SAFE_NO_PAD.encode([&master.id[..], &nonce, &sealed].concat()))
    }

    /// What [`Self::encrypt`] made, under any of the master keys.
    pub(crate) fn decrypt(
        &self,
        kind: EncryptedKind,
        bound: &[u8],
        encoded: &str,
    ) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (id, rest) = bytes.split_at_checked(KEY_ID_BYTES)?;
        let (nonce, sealed) = rest.split_at_checked(aead::NONCE_LEN)?;
        let (nonce, mut sealed) = (array(nonce), sealed.to_vec());
        let plain = self
            .master(id)?
            .encryption(kind)
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                self.aad(kind, bound),
                &mut sealed,
            )
            .ok()?;
        Some(plain.to_vec())
    }

    pub(crate) fn seal(&self, kind: SealKind, payload: &[u8]) -> String {
        let master = &self.masters[0];
        let covered = [&master.id[..], payload].concat();
        let tag = self.tag(master, kind, &covered);
        let bytes = [&covered[..], tag.as_ref()].concat();
        format!("{}{}", kind.label(), URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(crate) fn open<const N: usize>(&self, kind: SealKind, text: &str) -> Option<[u8; N]> {
        let size = KEY_ID_BYTES + N + TAG_BYTES;
        let encoded = text
            .strip_prefix(kind.label())
            .filter(|rest| rest.len() == (size * 4).div_ceil(3))?;
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .ok()
            .filter(|bytes| bytes.len() == size)?;
        let (covered, tag) = bytes.split_at(KEY_ID_BYTES + N);
        let master = self.master(&covered[..KEY_ID_BYTES])?;
        self.verify(master, kind, covered, tag)
            .then(|| array(&covered[KEY_ID_BYTES..]))
    }

    fn master(&self, id: &[u8]) -> Option<&Derived> {
        self.masters.iter().find(|master| master.id == id)
    }

    fn tag(&self, master: &Derived, kind: SealKind, covered: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(master.mac(kind));
        context.update(&self.covered(kind, covered));
        context.sign()
    }

    fn verify(&self, master: &Derived, kind: SealKind, covered: &[u8], tag: &[u8]) -> bool {
        hmac::verify(master.mac(kind), &self.covered(kind, covered), tag).is_ok()
    }

    fn covered(&self, kind: SealKind, bytes: &[u8]) -> Vec<u8> {
        [kind.label().as_bytes(), self.realm.as_bytes(), b"\0", bytes].concat()
    }

    fn aad(&self, kind: EncryptedKind, bound: &[u8]) -> Aad<Vec<u8>> {
        let (label, realm) = (kind.covered().as_bytes(), self.realm.as_bytes());
        Aad::from([label, realm, b"\0", bound].concat())
    }
}

/// The first `N` bytes of a slice that has at least as many.
pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}
