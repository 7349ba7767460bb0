//! Answers as clients read them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::Value;

use crate::key_set;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A header that occurs at most once; "" where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        let value = all.next().map(|value| value.to_str().expect("text"));
        assert_eq!(all.next(), None, "{name} comes once");
        value.unwrap_or_default()
    }

    /// A JSON answer of a protocol endpoint, with the headers that each has.
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("pragma"), "no-cache");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The status and code of an error; checks everything else that an error must have.
    pub fn error(&self) -> (u16, String) {
        let json = self.json();
        let members = json.as_object().expect("an object");
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["error", "error_description", "error_uri", "trace_id"]
        );
        let text = |name: &str| members[name].as_str().expect("text");
        // RFC 6749 section 5.2: %x20-21 / %x23-5B / %x5D-7E, and without %x20 in the URI.
        let is_allowed = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(text("error").bytes().all(is_allowed));
        assert!(text("error_description").bytes().all(is_allowed), "{json}");
        assert!(
            text("error_uri")
                .bytes()
                .all(|b| is_allowed(b) && b != b' ')
        );
        url::Url::parse(text("error_uri")).expect("a URI");
        assert_eq!(text("trace_id"), self.header("x-request-id"));
        assert_eq!(text("trace_id").len(), 32);
        let challenge = self.header("www-authenticate");
        // A client that names itself in the body gets none.
        let may_lack_one = self.status != 401 || text("error") == "invalid_client";
        assert!(may_lack_one || !challenge.is_empty(), "401 has a challenge");
        (self.status, text("error").to_owned())
    }

    /// The text of a member.
    pub fn member(&self, name: &str) -> String {
        match &self.json()[name] {
            Value::String(text) => text.clone(),
            other => panic!("{name} is {other} in {}", self.body),
        }
    }

    /// The names of the members, in order.
    pub fn members(&self) -> Vec<String> {
        let json = self.json();
        json.as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    }
}

/// What [`Answer::error`] returns, for comparison.
pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The claims of a JWT that a key of the standard realm signed.
pub fn claims(token: &str) -> Value {
    let token = grantor_jose::decode(token).expect("a JWT");
    let token = key_set().verify(token).expect("signed by a key of ours");
    token.claims().expect("claims")
}

/// The header of a JWT.
pub fn jose_header(token: &str) -> Value {
    let header = token.split('.').next().expect("a JWT");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    serde_json::from_slice(&header).expect("JSON")
}
