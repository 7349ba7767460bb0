//! `at_hash` and `c_hash`, which bind an ID token to the access token and the code that were issued with it.

use aws_lc_rs::digest;

use crate::algorithm::Algorithm;
use crate::base64url;

/// The value of `at_hash` for an access token, and of `c_hash` for a code, in an ID token signed
/// with `alg`.
///
/// OpenID Connect Core 1.0 section 3.1.3.6: "the base64url encoding of the left-most half of the
/// hash of the octets of the ASCII representation of the access_token value, where the hash
/// algorithm used is the hash algorithm used in the alg Header Parameter of the ID Token's JOSE
/// Header". Ed25519 hashes with SHA-512 (RFC 8032 section 5.1), so EdDSA uses it.
#[must_use]
pub fn left_half_hash(alg: Algorithm, token: &str) -> String {
    let hash = match alg {
        Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => &digest::SHA256,
        Algorithm::EdDsa => &digest::SHA512,
    };
    let digest = digest::digest(hash, token.as_bytes());
    base64url::encode(&digest.as_ref()[..hash.output_len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OpenID Connect Core 1.0 appendix A.3 (`at_hash`) and A.4 (`c_hash`), both RS256.
    #[test]
    fn oidc_core_appendix_a_vectors() {
        let at_hash = left_half_hash(
            Algorithm::Rs256,
            "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        );
        assert_eq!(at_hash, "77QmUPtjPfzWtF2AnpK9RQ");
        let c_hash = left_half_hash(
            Algorithm::Rs256,
            "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
        );
        assert_eq!(c_hash, "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn eddsa_takes_half_of_sha_512() {
        assert_eq!(left_half_hash(Algorithm::EdDsa, "abc").len(), 43);
        // FIPS 180-4's example for "abc": the first 32 bytes.
        let half = hex::decode("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a");
        assert_eq!(
            left_half_hash(Algorithm::EdDsa, "abc"),
            base64url::encode(half.unwrap())
        );
    }
}
