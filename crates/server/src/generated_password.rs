//! Passwords that commands make.

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
