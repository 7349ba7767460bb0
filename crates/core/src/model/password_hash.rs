//! Stored password hashes in PHC form. The hashing itself happens outside of the core.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};

/// A hash from the configuration must not exhaust the memory.
const MAX_MEMORY_KIB: u32 = 256 * 1024;

pub struct StoredHash {
    pub argon2: Argon2<'static>,
    pub salt: Vec<u8>,
    pub output: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    #[error("not an Argon2 hash in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash)")]
    Malformed,
    #[error("the hash asks for more than 256 MiB of memory")]
    TooExpensive,
}

impl StoredHash {
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
    fn a_hash_with_an_excessive_memory_cost_is_refused() {
        let hash = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let error = |text| StoredHash::parse(text).err();
        assert_eq!(error(hash), Some(UnusableHash::TooExpensive));
        assert_eq!(error("secret"), Some(UnusableHash::Malformed));
    }
}
