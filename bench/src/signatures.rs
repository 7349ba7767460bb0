//! What signatures alone cost, in CPU time of one thread.

use std::fs;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use serde_json::json;
use tokio::time::Instant;

use crate::{Result, verify};

/// How long each operation is repeated.
const TIME: Duration = Duration::from_millis(200);

/// Prints the nanoseconds of each operation.
pub(crate) fn print() -> Result<()> {
    let unspecified = |_| "aws-lc failed";
    let random = SystemRandom::new();
    // About as long as the signing input of an access token.
    let message = [7; 400];

    let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(unspecified)?;
    let signed = es256.sign(&random, &message).map_err(unspecified)?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, es256.public_key().as_ref());
    let eddsa = Ed25519KeyPair::generate().map_err(unspecified)?;
    let rs256 = RsaKeyPair::generate(KeySize::Rsa2048).map_err(unspecified)?;
    let mut buffer = vec![0; rs256.public_modulus_len()];

    let mut figures = json!({
        "ES256": cost(|| es256.sign(&random, &message).is_ok())?,
        "EdDSA": cost(|| eddsa.sign(&message).as_ref().len() == 64)?,
        "RS256": cost(|| rs256.sign(&RSA_PKCS1_SHA256, &random, &message, &mut buffer).is_ok())?,
        "ES256 verified": cost(|| public.verify(&message, signed.as_ref()).is_ok())?,
    });
    for (name, cost) in verify::figures()? {
        figures[name] = cost.into();
    }
    println!("{figures}");
    Ok(())
}

/// Nanoseconds of CPU per call; `work` returns whether it succeeded.
pub(crate) fn cost(mut work: impl FnMut() -> bool) -> Result<f64> {
    let (started, cpu) = (Instant::now(), cpu()?);
    let mut repetitions = 0_u32;
    while started.elapsed() < TIME {
        for _ in 0..10 {
            if !work() {
                return Err("a signature failed".into());
            }
        }
        repetitions += 10;
    }
    Ok((self::cpu()? - cpu) / f64::from(repetitions))
}

/// CPU time of this process, which has one thread, in nanoseconds.
fn cpu() -> Result<f64> {
    let used = fs::read_to_string("/proc/self/schedstat")?;
    Ok(used.split(' ').next().unwrap_or_default().parse()?)
}
