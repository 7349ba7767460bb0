//! JWTs and JWKs, which anyone may send.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::{
    Algorithm, Jwk, Jwks, ProtectedHeader, SigningInput, SigningKey, TokenType, VerificationKey,
    decode,
};

/// A key pair. It is new in each run, so nothing in the corpus can be signed with it.
static KEY: LazyLock<(SigningKey, VerificationKey)> = LazyLock::new(|| {
    let generated = SigningKey::generate(Algorithm::EdDsa).unwrap_or_else(|why| panic!("{why}"));
    let public = VerificationKey::new(&generated.0.jwk()).unwrap_or_else(|why| panic!("{why}"));
    (generated.0, public)
});

/// A decoded token encodes to the same text, and has no valid signature. A token that we sign over the input has one, and
/// loses it when one byte changes.
pub fn jwt(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(token) = decode(text)
    {
        let signature = URL_SAFE_NO_PAD.encode(token.signature());
        let encoded = [token.signing_input(), b".", signature.as_bytes()].concat();
        assert_eq!(encoded, text.as_bytes());
        let payload = URL_SAFE_NO_PAD.encode(token.unverified_payload());
        assert_eq!(text.split('.').nth(1), Some(payload.as_str()));
        assert!(
            token.verify(&KEY.1).is_err(),
            "the signature must not be valid"
        );
    }
    if let Some((head, payload)) = input.split_at_checked(3) {
        sign_and_tamper(u16::from_be_bytes([head[0], head[1]]), head[2], payload);
    }
}

fn sign_and_tamper(at: u16, change: u8, payload: &[u8]) {
    // No token of ours is longer.
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

/// A key or a set survives serialization, contains nothing private, and either verifies or is refused. The thumbprint
/// depends on the key alone.
pub fn jwk(input: &[u8]) {
    if let Ok(jwk) = serde_json::from_slice::<Jwk>(input) {
        check_jwk(&jwk);
    }
    if let Ok(set) = serde_json::from_slice::<Jwks>(input) {
        set.keys.iter().for_each(check_jwk);
        let serialized = serde_json::to_vec(&set).unwrap_or_else(|why| panic!("{why}"));
        let again: Jwks = serde_json::from_slice(&serialized).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(again, set);
    }
}

fn check_jwk(jwk: &Jwk) {
    let serialized = serde_json::to_value(jwk).unwrap_or_else(|why| panic!("{why}"));
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(serialized.get(private).is_none());
    }
    let again: Jwk = serde_json::from_value(serialized).unwrap_or_else(|why| panic!("{why}"));
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
            assert!(key.verify(alg, b"never signed", &[0; 64]).is_err());
        }
    }
}
