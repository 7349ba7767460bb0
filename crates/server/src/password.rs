//! Generated passwords, and hashes of given ones.

use grantor_core::base::secret::Secret;
use grantor_web::Entropy as _;

use crate::system::SystemEntropy;

/// The hash of a password as the file and the store have it, a PHC string. `None` where the password is too long for it.
#[must_use]
pub fn hash(password: &Secret) -> Option<String> {
    grantor_web::hash_password(password, SystemEntropy.seed().bytes("salt"))
}

/// A password of 72 bits that can be read aloud and typed: twelve syllables of six bits, in four words.
#[must_use]
pub fn readable(bytes: [u8; 12]) -> String {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 4] = b"aiou";
    let mut text = String::with_capacity(27);
    for (at, byte) in bytes.into_iter().enumerate() {
        if at > 0 && at % 3 == 0 {
            text.push('-');
        }
        text.push(char::from(CONSONANTS[usize::from(byte >> 4)]));
        text.push(char::from(VOWELS[usize::from(byte & 3)]));
    }
    text
}
