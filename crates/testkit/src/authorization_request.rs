//! The parameters of an authorization request.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clients::{redirect_uri, uses_pkce};

/// RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge that [`VERIFIER`] meets.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const OTHER_VERIFIER: &str = "another-verifier-of-43-characters-or-more-0";
/// Where authorization requests go.
pub const AUTHORIZE: &str = "/oauth2/authorize";

/// What an app asks for, to be changed by a test.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest(pub Vec<(String, String)>);

impl AuthorizationRequest {
    /// `openid`, to the app's first redirect URI, with PKCE where the app uses it.
    pub fn new(client: &str) -> Self {
        let request = Self(Vec::new())
            .and("client_id", client)
            .and("response_type", "code")
            .and("redirect_uri", redirect_uri(client))
            .and("scope", "openid")
            .and("state", "st-1")
            .and("nonce", "no-1");
        if uses_pkce(client) {
            request.pkce(VERIFIER)
        } else {
            request
        }
    }

    /// With the challenge that this verifier meets.
    #[must_use]
    pub fn pkce(self, verifier: &str) -> Self {
        self.with("code_challenge", &challenge(verifier))
            .with("code_challenge_method", "S256")
    }

    /// With this value of the parameter and no other.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// With this value of the parameter in addition to others that it has.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The first value of a parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> Vec<(&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(n, v)| (n.as_str(), v.as_str())).collect()
    }

    pub fn query(&self) -> String {
        encoded(&self.pairs())
    }

    /// The path and query that the browser is sent to.
    pub fn path(&self) -> String {
        format!("{AUTHORIZE}?{}", self.query())
    }
}

/// RFC 7636 section 4.2.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// A form or query, encoded.
pub fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// The parameters of `more`, and those of `own` that `more` does not name.
pub fn merged<'a>(
    own: &[(&'a str, &'a str)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let is_named = |name: &str| more.iter().any(|(other, _)| *other == name);
    let own = own.iter().filter(|(name, _)| !is_named(name));
    own.chain(more).copied().collect()
}
