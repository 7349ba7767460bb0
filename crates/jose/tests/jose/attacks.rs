//! What an attacker tries: to choose the algorithm, the key, the spelling or the size.

use crate::common::{base64url, key, pair, token, verification_key};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use grantor_jose::{
    Algorithm, DecodeError, KeySet, KeyState, MAX_TOKEN_LEN, SigningKey, VerificationKey,
    VerifyError, decode,
};
use serde_json::{Value, json};

fn es256(header: &str) -> String {
    token(key(Algorithm::Es256), Algorithm::Es256, header, "{}")
}

/// RFC 8725 section 2.1: a public RSA key taken for the secret of an HMAC.
#[test]
fn hs256_keyed_with_the_public_rsa_key_is_refused() {
    let rsa = RsaKeyPair::from_pkcs8(pair(Algorithm::Rs256).1.reveal()).unwrap();
    let spki = rsa.public_key().as_der().unwrap();
    let jwk = json!(key(Algorithm::Rs256).jwk()).to_string();
    for secret in [rsa.public_key().as_ref(), spki.as_ref(), jwk.as_bytes()] {
        let input = format!("{}.{}", base64url(r#"{"alg":"HS256"}"#), base64url("{}"));
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        let forged = format!("{input}.{}", base64url(mac));
        assert_eq!(
            decode(&forged).unwrap_err(),
            DecodeError::UnsupportedAlgorithm
        );
        // Renamed, it is still no signature.
        let renamed = forged.replacen(
            &base64url(r#"{"alg":"HS256"}"#),
            &base64url(r#"{"alg":"RS256"}"#),
            1,
        );
        let verdict = decode(&renamed)
            .unwrap()
            .verify(&verification_key(Algorithm::Rs256));
        assert_eq!(verdict.unwrap_err(), VerifyError::BadSignature);
    }
}

/// RFC 8725 section 2.1: "none", and its spellings.
#[test]
fn alg_none_is_refused_in_any_case() {
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = base64url(json!({ "alg": name }).to_string());
        for token in [format!("{header}.e30."), format!("{header}.e30.e30")] {
            assert_eq!(
                decode(&token).unwrap_err(),
                DecodeError::UnsupportedAlgorithm,
                "{name}"
            );
        }
    }
    for header in [
        "{}",
        r#"{"alg":null}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"ALG":"ES256"}"#,
    ] {
        assert_eq!(
            decode(&es256(header)).unwrap_err(),
            DecodeError::Header,
            "{header}"
        );
    }
}

#[test]
fn an_empty_signature_never_verifies() {
    for alg in Algorithm::ALL {
        let header = base64url(json!({ "alg": alg }).to_string());
        let verdict = decode(&format!("{header}.e30."))
            .unwrap()
            .verify(&verification_key(alg));
        assert_eq!(verdict.unwrap_err(), VerifyError::BadSignature, "{alg}");
    }
}

/// RFC 8725 section 3.1. Every signature, under every key, with every `alg` in the header: only
/// the three that belong together pass.
#[test]
fn only_the_right_key_with_the_right_algorithm_verifies() {
    for signed in Algorithm::ALL {
        for said in Algorithm::ALL {
            let header = json!({ "alg": said }).to_string();
            let token = decode(&token(key(signed), signed, &header, "{}")).unwrap();
            for held in Algorithm::ALL {
                let verdict = token.clone().verify(&verification_key(held)).map(drop);
                let expected = match (said == held, signed == held) {
                    (false, _) => Err(VerifyError::AlgorithmNotAllowed),
                    (true, false) => Err(VerifyError::BadSignature),
                    (true, true) => Ok(()),
                };
                assert_eq!(
                    verdict, expected,
                    "signed {signed}, said {said}, held {held}"
                );
            }
        }
    }
}

/// The same RSA key, the two paddings: a signature of one is none of the other, and an `alg` in
/// the JWK forbids the other whatever the token says.
#[test]
fn rs256_and_ps256_of_one_key_cannot_be_swapped() {
    let pkcs8 = pair(Algorithm::Rs256).1.reveal();
    for (alg, other) in [
        (Algorithm::Rs256, Algorithm::Ps256),
        (Algorithm::Ps256, Algorithm::Rs256),
    ] {
        let only = SigningKey::from_pkcs8(alg, pkcs8).unwrap();
        let renamed = token(&only, alg, &json!({ "alg": other }).to_string(), "{}");
        let renamed = decode(&renamed).unwrap();
        let pinned = VerificationKey::new(&only.jwk()).unwrap();
        assert_eq!(
            renamed.clone().verify(&pinned).unwrap_err(),
            VerifyError::AlgorithmNotAllowed
        );
        let both = VerificationKey::new(&only.allow(other).unwrap().jwk()).unwrap();
        assert_eq!(
            renamed.verify(&both).unwrap_err(),
            VerifyError::BadSignature
        );
    }
}

/// RFC 7515 section 4.1.3: a `jwk` in the header is the sender's own.
#[test]
fn a_key_in_the_header_is_not_used() {
    let attacker = SigningKey::generate(Algorithm::Es256).unwrap().0;
    let keys = KeySet::new([(key(Algorithm::Es256).jwk(), KeyState::Active)]).unwrap();
    let verdict = |header: Value| {
        keys.verify(
            decode(&token(
                &attacker,
                Algorithm::Es256,
                &header.to_string(),
                "{}",
            ))
            .unwrap(),
        )
    };
    let kid = key(Algorithm::Es256).kid();
    let named = verdict(json!({ "alg": "ES256", "kid": kid, "jwk": attacker.jwk() }));
    assert_eq!(named.unwrap_err(), VerifyError::BadSignature);
    let foreign = verdict(json!({ "alg": "ES256", "kid": attacker.kid(), "jwk": attacker.jwk() }));
    assert_eq!(foreign.unwrap_err(), VerifyError::UnknownKey);
    let nameless = verdict(json!({ "alg": "ES256", "jwk": attacker.jwk() }));
    assert_eq!(nameless.unwrap_err(), VerifyError::UnknownKey);
}

/// RFC 7518 section 3.4: R and S, 32 bytes each; not DER, not shorter, not zero.
#[test]
fn es256_signatures_of_another_form_are_refused() {
    let token = es256(r#"{"alg":"ES256"}"#);
    let (input, _) = token.rsplit_once('.').unwrap();
    let good = decode(&token).unwrap().signature().to_vec();
    let key = verification_key(Algorithm::Es256);
    let verify = |signature: &[u8]| key.verify(Algorithm::Es256, input.as_bytes(), signature);
    assert_eq!(verify(&good), Ok(()));
    let der = [&[0x30, 68, 2, 32], &good[..32], &[2, 32], &good[32..]].concat();
    let longer = [&[0], &good[..32], &[0], &good[32..]].concat();
    let zero_s = [&good[..32], &[0; 32]].concat();
    for bad in [&der, &longer, &zero_s, &vec![0; 64], &good[..63].to_vec()] {
        assert_eq!(verify(bad), Err(VerifyError::BadSignature));
    }
}

#[test]
fn rfc7515_4_duplicate_header_members_are_refused() {
    for header in [
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"a","kid":"b"}"#,
        r#"{"alg":"ES256","x":1,"x":1}"#,
        r#"{"alg":"ES256","\u0061lg":"none"}"#,
    ] {
        assert_eq!(
            decode(&es256(header)).unwrap_err(),
            DecodeError::Header,
            "{header}"
        );
    }
}

#[test]
fn rfc7515_4_1_11_crit_is_refused() {
    for header in [
        r#"{"alg":"ES256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","crit":[]}"#,
        r#"{"alg":"ES256","crit":null}"#,
    ] {
        assert_eq!(
            decode(&es256(header)).unwrap_err(),
            DecodeError::Critical,
            "{header}"
        );
    }
}

#[test]
fn a_header_that_is_not_a_json_object_is_refused() {
    for header in [
        "",
        "null",
        "[]",
        r#""ES256""#,
        r#"{"alg":"ES256"} x"#,
        r#"{"alg":"ES256""#,
    ] {
        assert_eq!(
            decode(&es256(header)).unwrap_err(),
            DecodeError::Header,
            "{header}"
        );
    }
    let deep = format!(r#"{{"alg":"ES256","x":{}}}"#, "[".repeat(10_000));
    assert_eq!(decode(&es256(&deep)).unwrap_err(), DecodeError::Header);
    let not_utf8 = format!(
        "{}.e30.e30",
        base64url(b"{\"alg\":\"ES256\",\"x\":\"\xff\"}")
    );
    assert_eq!(decode(&not_utf8).unwrap_err(), DecodeError::Header);
    for header in [r#"{"alg":"ES256","kid":7}"#, r#"{"alg":"ES256","typ":{}}"#] {
        assert_eq!(
            decode(&es256(header)).unwrap_err(),
            DecodeError::Header,
            "{header}"
        );
    }
}

#[test]
fn parts_and_spelling_are_strict() {
    let token = es256(r#"{"alg":"ES256"}"#);
    let (input, signature) = token.rsplit_once('.').unwrap();
    for bad in [
        "",
        ".",
        input,
        &format!("{token}."),
        &format!("{token}.{signature}"),
        "no token",
    ] {
        assert_eq!(
            decode(bad).unwrap_err(),
            DecodeError::NotThreeParts,
            "{bad}"
        );
    }
    let unused_bits = {
        // 64 bytes end in a character of which four bits are used; the next one spells the same.
        let last = signature.as_bytes()[signature.len() - 1];
        format!(
            "{input}.{}{}",
            &signature[..signature.len() - 1],
            char::from(last + 1)
        )
    };
    for bad in [
        &format!("{token}=="),
        &format!("{token}\n"),
        &format!(" {token}"),
        &unused_bits,
    ] {
        assert_eq!(decode(bad).unwrap_err(), DecodeError::Base64url, "{bad}");
    }
}

#[test]
fn a_token_of_the_maximum_length_is_read_and_a_longer_one_refused() {
    let head = format!("{}.", base64url(r#"{"alg":"ES256"}"#));
    let longest = format!(
        "{head}{}.",
        "A".repeat((MAX_TOKEN_LEN - head.len() - 1) / 4 * 4)
    );
    assert!(longest.len() > MAX_TOKEN_LEN - 4);
    decode(&longest).unwrap();
    // Four more pass the limit, and nothing else is wrong with it.
    assert_eq!(
        decode(&longest.replacen('.', ".AAAA", 1)).unwrap_err(),
        DecodeError::TooLong
    );
    assert_eq!(
        decode(&"A".repeat(1 << 24)).unwrap_err(),
        DecodeError::TooLong
    );
}

#[test]
fn nothing_that_holds_a_secret_prints_it() {
    for (key, pkcs8) in crate::common::KEYS.iter() {
        assert_eq!(format!("{pkcs8:?}"), "Pkcs8([redacted])");
        let kid = key.kid();
        let algorithms = key.algorithms();
        let expected = format!("SigningKey {{ kid: {kid:?}, algorithms: {algorithms:?}, .. }}");
        assert_eq!(format!("{key:?}"), expected);
        let names: Vec<_> = json!(key.jwk())
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let public = ["kty", "use", "alg", "kid", "crv", "x", "y", "n", "e"];
        assert!(
            names.iter().all(|name| public.contains(&name.as_str())),
            "{names:?}"
        );
    }
    let token = es256(r#"{"alg":"ES256"}"#);
    let unverified = decode(&token).unwrap();
    assert!(!format!("{unverified:?}").contains("signature"));
}
