//! Randomness as a value: 32 bytes from a CSPRNG, and named draws from them.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroize;

/// The randomness of one decision attempt. Draws are named, so their order does not matter and
/// repeating a decision with the same seed draws the same values.
pub struct Seed([u8; 32]);

impl Seed {
    /// The bytes must come fresh from a CSPRNG for each attempt.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Uniform bytes, independent for each name.
    #[must_use]
    pub fn bytes<const N: usize>(&self, name: &str) -> [u8; N] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut out = [0; N];
        for (block, chunk) in (0_u32..).zip(out.chunks_mut(32)) {
            let mut context = hmac::Context::with_key(&key);
            context.update(&block.to_be_bytes());
            context.update(name.as_bytes());
            chunk.copy_from_slice(&context.sign().as_ref()[..chunk.len()]);
        }
        out
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_and_name_only() {
        let seed = Seed::from_bytes([1; 32]);
        assert_eq!(seed.bytes::<16>("a"), seed.bytes::<16>("a"));
        assert_ne!(seed.bytes::<16>("a"), seed.bytes::<16>("b"));
        assert_ne!(
            seed.bytes::<16>("a"),
            Seed::from_bytes([2; 32]).bytes::<16>("a")
        );
        assert_ne!(seed.bytes::<64>("a")[..32], seed.bytes::<64>("a")[32..]);
    }
}
