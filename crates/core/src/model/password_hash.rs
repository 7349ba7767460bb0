//! Stored password hashes in PHC form, and what they cost. The hashing itself happens outside of the core.

use std::iter;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};

/// A hash from the configuration must not exhaust the memory.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// Nor keep a worker busy for longer than some seconds.
const MAX_PASSES: u32 = 16;
/// The least that OWASP's Password Storage Cheat Sheet recommends for Argon2id: each pair of memory and passes defends as
/// well as the others.
const OWASP_MINIMA: [Cost; 5] = [
    Cost::new(47104, 1),
    Cost::new(19456, 2),
    Cost::new(12288, 3),
    Cost::new(9216, 4),
    Cost::new(7168, 5),
];

/// What one computation of Argon2 costs: the memory that it fills, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

impl Cost {
    /// Of new hashes: 19 MiB, two passes, one lane, as the crate and OWASP recommend.
    pub const NEW: Self = Self::new(Params::DEFAULT_M_COST, Params::DEFAULT_T_COST);

    #[must_use]
    pub const fn new(memory_kib: u32, passes: u32) -> Self {
        Self { memory_kib, passes }
    }

    /// How many blocks of a KiB are computed. The time is in proportion.
    #[must_use]
    pub fn blocks(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// The one that takes longer.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let key = |cost: Self| (cost.blocks(), cost.memory_kib);
        if key(other) > key(self) { other } else { self }
    }

    #[must_use]
    pub fn is_below_minimum(self) -> bool {
        !OWASP_MINIMA
            .iter()
            .any(|least| self.memory_kib >= least.memory_kib && self.passes >= least.passes)
    }

    /// Computations that cost as much as is missing from `spent` to this cost, to within eight blocks: Argon2 computes no
    /// fewer. They use the same memory, so that they also take as long.
    pub fn padding(self, spent: u64) -> impl Iterator<Item = Self> {
        let mut missing = self.blocks().saturating_sub(spent);
        let memory = u64::from(self.memory_kib).max(u64::from(Params::MIN_M_COST));
        iter::from_fn(move || {
            let blocks = missing.min(memory);
            let passes = missing.checked_div(blocks)?;
            missing -= blocks * passes;
            let memory_kib = u32::try_from(blocks).ok()?;
            let cost = Self::new(memory_kib, u32::try_from(passes).ok()?);
            (memory_kib >= Params::MIN_M_COST).then_some(cost)
        })
    }
}

pub struct StoredHash {
    pub argon2: Argon2<'static>,
    pub salt: Vec<u8>,
    pub output: Vec<u8>,
    algorithm: Algorithm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    #[error("not an Argon2 hash in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash)")]
    Malformed,
    #[error("the hash asks for more than 256 MiB of memory")]
    TooExpensive,
    #[error("the hash asks for more than 16 passes over its memory")]
    TooSlow,
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
        if params.t_cost() > MAX_PASSES {
            return Err(UnusableHash::TooSlow);
        }
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(UnusableHash::Malformed);
        };
        Ok(Self {
            argon2: Argon2::new(algorithm, version, params),
            salt: salt.to_vec(),
            output: output.as_bytes().to_vec(),
            algorithm,
        })
    }

    #[must_use]
    pub fn cost(&self) -> Cost {
        let params = self.argon2.params();
        Cost::new(params.m_cost(), params.t_cost())
    }

    /// Whether a new hash of the same password protects it better.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.cost().is_below_minimum()
            || self.cost().blocks() < Cost::NEW.blocks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_with_an_excessive_cost_is_refused() {
        let hash = |params: &str| {
            let text = format!(
                "$argon2id$v=19${params}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
            );
            StoredHash::parse(&text).err()
        };
        assert_eq!(hash("m=4194304,t=2,p=1"), Some(UnusableHash::TooExpensive));
        assert_eq!(hash("m=256,t=4294967295,p=1"), Some(UnusableHash::TooSlow));
        assert_eq!(hash("m=262144,t=16,p=1"), None);
        assert_eq!(
            StoredHash::parse("secret").err(),
            Some(UnusableHash::Malformed)
        );
    }

    #[test]
    fn hashes_below_owasps_minimum_and_those_cheaper_than_new_ones_are_weak() {
        let weak = |algorithm: &str, params: &str| {
            let text = format!(
                "${algorithm}$v=19${params}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
            );
            StoredHash::parse(&text).unwrap().is_weak()
        };
        for (params, is_weak) in [
            ("m=19456,t=2,p=1", false),
            ("m=65536,t=3,p=4", false),
            ("m=47104,t=1,p=1", false),
            ("m=12288,t=4,p=1", false),
            ("m=12288,t=3,p=1", true),
            ("m=46080,t=1,p=1", true),
            ("m=4096,t=16,p=1", true),
            ("m=256,t=2,p=1", true),
        ] {
            assert_eq!(weak("argon2id", params), is_weak, "{params}");
        }
        assert!(weak("argon2i", "m=19456,t=2,p=1"));
    }

    #[test]
    fn padding_adds_up_to_the_cost() {
        for cost in [Cost::NEW, Cost::new(262_144, 16), Cost::new(8, 1)] {
            for spent in [0, 1, 8, 256, 512, 38_905, 38_912, 1 << 40] {
                let padded: u64 = cost.padding(spent).map(Cost::blocks).sum();
                let missing = cost.blocks().saturating_sub(spent);
                assert!(missing - padded < 8, "{cost:?} {spent}: {padded}");
                assert!(cost.padding(spent).count() <= 2);
            }
        }
    }
}
