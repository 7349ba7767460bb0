//! Stored password hashes, in PHC form: which ones can be verified. The hashing itself is the shell's.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};

/// The most memory that a hash may ask for: a hash of the configuration is not trusted with more.
const MAX_MEMORY_KIB: u32 = 256 * 1024;

/// A hash that can be verified: its parameters, its salt and what the password must yield.
pub struct StoredHash {
    /// The algorithm with the hash's parameters.
    pub argon2: Argon2<'static>,
    /// Decoded.
    pub salt: Vec<u8>,
    /// Decoded.
    pub output: Vec<u8>,
}

/// A stored hash that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// Not PHC, or not Argon2.
    #[error("not an Argon2 hash in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash)")]
    Malformed,
    /// It would let a configuration exhaust the memory.
    #[error("the hash asks for more than 256 MiB of memory")]
    TooExpensive,
}

impl StoredHash {
    /// Reads a hash in PHC form.
    ///
    /// # Errors
    /// [`UnusableHash`]
    pub fn parse(text: &str) -> Result<Self, UnusableHash> {
        let hash = PasswordHash::new(text).map_err(|_| UnusableHash::Malformed)?;
        let algorithm =
            Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| UnusableHash::Malformed)?;
        let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from);
        let version = version.map_err(|_| UnusableHash::Malformed)?;
        let params = Params::try_from(&hash).map_err(|_| UnusableHash::Malformed)?;
        if params.m_cost() > MAX_MEMORY_KIB {
            return Err(UnusableHash::TooExpensive);
        }
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(UnusableHash::Malformed);
        };
        Ok(Self {
            argon2: Argon2::new(algorithm, version, params),
            salt: salt.to_vec(),
            output: output.as_bytes().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_that_asks_for_too_much_memory_is_refused() {
        let hash = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let error = |text| StoredHash::parse(text).err();
        assert_eq!(error(hash), Some(UnusableHash::TooExpensive));
        assert_eq!(error("secret"), Some(UnusableHash::Malformed));
    }
}
