//! JWTs and JWKs, which anybody may send.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::{
    Algorithm, Jwk, Jwks, ProtectedHeader, SigningInput, SigningKey, TokenType, VerificationKey,
    decode,
};

/// A key, and what verifies by it. Another one in each run: nothing that was kept can be signed by it.
static KEY: LazyLock<(SigningKey, VerificationKey)> = LazyLock::new(|| {
    let made = SigningKey::generate(Algorithm::EdDsa).unwrap_or_else(|why| panic!("{why}"));
    let public = VerificationKey::new(&made.0.jwk()).unwrap_or_else(|why| panic!("{why}"));
    (made.0, public)
});

/// A token that is taken apart is made of what it was taken apart into, and is signed by nobody. One that we sign over
/// the input is, and is no more with one byte changed.
pub fn jwt(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(token) = decode(text)
    {
        let signature = URL_SAFE_NO_PAD.encode(token.signature());
        let made = [token.signing_input(), b".", signature.as_bytes()].concat();
        assert_eq!(made, text.as_bytes());
        let payload = URL_SAFE_NO_PAD.encode(token.unverified_payload());
        assert_eq!(text.split('.').nth(1), Some(payload.as_str()));
        assert!(token.verify(&KEY.1).is_err(), "nobody signed it");
    }
    if let Some((at, payload)) = input.split_at_checked(3) {
        signed(u16::from_be_bytes([at[0], at[1]]), at[2], payload);
    }
}

fn signed(at: u16, change: u8, payload: &[u8]) {
    // What is longer than any token of ours is not looked at.
    let payload = &payload[..payload.len().min(4096)];
    let (key, public) = &*KEY;
    let header = ProtectedHeader::new(Algorithm::EdDsa, TokenType::Access, key.kid());
    let claims = serde_json::json!({ "input": URL_SAFE_NO_PAD.encode(payload) });
    let input = SigningInput::new(&header, &claims).unwrap_or_else(|why| panic!("{why}"));
    let signature = key.sign(Algorithm::EdDsa, input.as_bytes());
    let token = input.finish(&signature.unwrap_or_else(|why| panic!("{why}")));
    let verifies = |token: &str| decode(token).is_ok_and(|token| token.verify(public).is_ok());
    assert!(verifies(&token));
    let mut bytes = token.clone().into_bytes();
    let at = usize::from(at) % bytes.len();
    bytes[at] ^= change;
    if let Ok(changed) = String::from_utf8(bytes)
        && changed != token
    {
        assert!(!verifies(&changed), "changed at {at}: {changed}");
    }
}

/// A key or a set that is read is read again from what is written of it, holds nothing private, and is one to verify with
/// or is refused; its thumbprint is that of the key alone.
pub fn jwk(input: &[u8]) {
    if let Ok(jwk) = serde_json::from_slice::<Jwk>(input) {
        whole(&jwk);
    }
    if let Ok(set) = serde_json::from_slice::<Jwks>(input) {
        set.keys.iter().for_each(whole);
        let written = serde_json::to_vec(&set).unwrap_or_else(|why| panic!("{why}"));
        let again: Jwks = serde_json::from_slice(&written).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(again, set);
    }
}

fn whole(jwk: &Jwk) {
    let written = serde_json::to_value(jwk).unwrap_or_else(|why| panic!("{why}"));
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(written.get(private).is_none());
    }
    let again: Jwk = serde_json::from_value(written).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(again, *jwk);
    let named = Jwk::new(jwk.key.clone(), None);
    let thumbprint = jwk.key.thumbprint();
    assert_eq!(
        named.kid.as_ref().map(|kid| kid.as_str()),
        Some(&*thumbprint)
    );
    if let Ok(key) = VerificationKey::new(jwk) {
        assert_eq!(key.algorithms(), jwk.algorithms());
        for alg in Algorithm::ALL {
            assert!(key.verify(alg, b"nobody signed it", &[0; 64]).is_err());
        }
    }
}
