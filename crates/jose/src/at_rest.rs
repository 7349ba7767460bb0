//! Private keys at rest, encrypted under the master key: a stolen store cannot sign.
//!
//! Layout: one byte of version (1), the nonce (12), ciphertext, tag (16). The cipher is
//! AES-256-GCM-SIV (RFC 8452), which tolerates a repeated nonce; its key is derived from the master key by HKDF-SHA256
//! with its own label. The key id is associated data, so that a row's ciphertext cannot be used in another row.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::jwk::Kid;
use crate::key::Pkcs8;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"grantor signing key at rest v1";
const HEAD_LEN: usize = 1 + NONCE_LEN;

/// Bytes in a nonce.
pub const NONCE_LEN: usize = 12;

/// Encrypts the private key `kid` under the master key. `nonce` must be fresh random bytes.
///
/// # Errors
/// [`AtRestError`], for inputs beyond the cipher's size limit only.
pub fn encrypt_private_key(
    master: &[u8; 32],
    kid: &Kid,
    pkcs8: &Pkcs8,
    nonce: [u8; NONCE_LEN],
) -> Result<Vec<u8>, AtRestError> {
    let key = derive(master)?;
    let mut body = Zeroizing::new(pkcs8.reveal().to_vec());
    let nonce_bytes = nonce;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, aad(kid), &mut body)?;
    Ok([&[VERSION], &nonce_bytes[..], &body, tag.as_ref()].concat())
}

/// Decrypts what [`encrypt_private_key`] made for `kid`.
///
/// # Errors
/// [`AtRestError`]: another master key, another `kid`, or bytes that were changed.
pub fn decrypt_private_key(
    master: &[u8; 32],
    kid: &Kid,
    encrypted: &[u8],
) -> Result<Pkcs8, AtRestError> {
    let (head, body) = encrypted.split_at_checked(HEAD_LEN).ok_or(AtRestError)?;
    let (&VERSION, nonce) = head.split_first().ok_or(AtRestError)? else {
        return Err(AtRestError);
    };
    let nonce = Nonce::try_assume_unique_for_key(nonce)?;
    let mut body = Zeroizing::new(body.to_vec());
    let len = derive(master)?
        .open_in_place(nonce, aad(kid), &mut body)?
        .len();
    body.truncate(len);
    Ok(Pkcs8::from(body))
}

fn derive(master: &[u8; 32]) -> Result<LessSafeKey, Unspecified> {
    let prk = Salt::new(HKDF_SHA256, &[]).extract(master);
    let key = UnboundKey::from(prk.expand(&[LABEL], &AES_256_GCM_SIV)?);
    Ok(LessSafeKey::new(key))
}

fn aad(kid: &Kid) -> Aad<&[u8]> {
    Aad::from(kid.as_str().as_bytes())
}

/// The bytes are not this private key encrypted under this master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the private key cannot be decrypted: it is damaged, or was encrypted with another master key"
)]
pub struct AtRestError;

impl From<Unspecified> for AtRestError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASTER: [u8; 32] = [7; 32];
    const NONCE: [u8; NONCE_LEN] = [9; NONCE_LEN];

    fn encrypted() -> Vec<u8> {
        let pkcs8 = Pkcs8::from(&b"a private key"[..]);
        encrypt_private_key(&MASTER, &Kid::from("kid"), &pkcs8, NONCE).unwrap()
    }

    #[test]
    fn what_is_encrypted_is_decrypted() {
        let encrypted = encrypted();
        assert_eq!(encrypted.len(), 1 + NONCE_LEN + b"a private key".len() + 16);
        let pkcs8 = decrypt_private_key(&MASTER, &Kid::from("kid"), &encrypted).unwrap();
        assert_eq!(pkcs8.reveal(), b"a private key");
    }

    #[test]
    fn another_master_key_or_another_kid_decrypts_nothing() {
        let refused =
            |master, kid| decrypt_private_key(master, &Kid::from(kid), &encrypted()).is_err();
        assert!(refused(&[8; 32], "kid"));
        assert!(refused(&MASTER, "kie"));
        assert!(refused(&MASTER, ""));
    }

    #[test]
    fn a_change_of_any_byte_is_refused() {
        let good = encrypted();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(
                decrypt_private_key(&MASTER, &Kid::from("kid"), &bad).is_err(),
                "byte {at}"
            );
            let cut = &good[..at];
            assert!(
                decrypt_private_key(&MASTER, &Kid::from("kid"), cut).is_err(),
                "cut at {at}"
            );
        }
    }

    /// The layout is stored: it may change only with its version. The key was derived and the text
    /// encrypted by another implementation (Python's `cryptography`).
    #[test]
    fn the_layout_is_that_of_version_1() {
        assert_eq!(
            hex::encode(encrypted()),
            "0109090909090909090909090907dab0e8c2fe2e2cc9398faa20acdac383642765dbeb6aade88959f819"
        );
    }
}
