//! What signatures cost by themselves, in CPU time of one thread.

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

/// How long each is repeated.
const TIME: Duration = Duration::from_millis(200);

/// Prints the nanoseconds of each.
pub(crate) fn print() -> Result<()> {
    let unspecified = |_| "aws-lc refuses";
    let random = SystemRandom::new();
    // About as long as what is signed of an access token.
    let message = [7; 400];

    let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(unspecified)?;
    let signed = es256.sign(&random, &message).map_err(unspecified)?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, es256.public_key().as_ref());
    let eddsa = Ed25519KeyPair::generate().map_err(unspecified)?;
    let rs256 = RsaKeyPair::generate(KeySize::Rsa2048).map_err(unspecified)?;
    let mut room = vec![0; rs256.public_modulus_len()];

    let mut figures = json!({
        "ES256": cost(|| es256.sign(&random, &message).is_ok())?,
        "EdDSA": cost(|| eddsa.sign(&message).as_ref().len() == 64)?,
        "RS256": cost(|| rs256.sign(&RSA_PKCS1_SHA256, &random, &message, &mut room).is_ok())?,
        "ES256 verified": cost(|| public.verify(&message, signed.as_ref()).is_ok())?,
    });
    for (name, cost) in verify::figures()? {
        figures[name] = cost.into();
    }
    println!("{figures}");
    Ok(())
}

pub(crate) fn cost(mut work: impl FnMut() -> bool) -> Result<f64> {
    let (began, cpu) = (Instant::now(), cpu()?);
    let mut times = 0_u32;
    while began.elapsed() < TIME {
        for _ in 0..10 {
            if !work() {
                return Err("a signature failed".into());
            }
        }
        times += 10;
    }
    Ok((self::cpu()? - cpu) / f64::from(times))
}

/// Nanoseconds of this thread, the only one.
fn cpu() -> Result<f64> {
    let used = fs::read_to_string("/proc/self/schedstat")?;
    Ok(used.split(' ').next().unwrap_or_default().parse()?)
}
