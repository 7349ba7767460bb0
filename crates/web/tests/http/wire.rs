//! Requests as clients write them, answers as clients read them, and what the devices and machines of the house do.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, header};
use serde_json::Value;

use crate::browser::Browser;
use crate::house::{CONSOLE_SECRET, House, ORDERS_SECRET};

pub(crate) const TOKEN: &str = "/oauth2/token";
pub(crate) const DEVICE_AUTHORIZATION: &str = "/oauth2/device_authorization";
pub(crate) const INTROSPECT: &str = "/oauth2/introspect";
pub(crate) const REVOKE: &str = "/oauth2/revoke";
pub(crate) const USERINFO: &str = "/oauth2/userinfo";
/// The endpoints that take a form from a client.
pub(crate) const FORMS: [&str; 4] = [TOKEN, DEVICE_AUTHORIZATION, INTROSPECT, REVOKE];

pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// A header that is there once; "" where it is not.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        let value = all.next().map(|value| value.to_str().expect("text"));
        assert_eq!(all.next(), None, "{name} comes once");
        value.unwrap_or_default()
    }

    /// A JSON answer of a protocol endpoint, with the headers that each has.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("pragma"), "no-cache");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The status and code of an error, after a look at all that an error must have.
    pub(crate) fn error(&self) -> (u16, String) {
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
        assert!(
            self.status != 401 || !challenge.is_empty(),
            "401 has a challenge"
        );
        (self.status, text("error").to_owned())
    }

    /// The value of a member, or its text.
    pub(crate) fn member(&self, name: &str) -> String {
        match &self.json()[name] {
            Value::String(text) => text.clone(),
            other => panic!("{name} is {other} in {}", self.body),
        }
    }

    /// The names of the members, in order.
    pub(crate) fn members(&self) -> Vec<String> {
        let json = self.json();
        json.as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    }
}

/// What an error says, for comparison.
pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A POST of a form.
pub(crate) fn post(path: &str, pairs: &[(&str, &str)]) -> Request<Body> {
    raw(path, FORM, encoded(pairs))
}

/// A POST of anything.
pub(crate) fn raw(path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, content_type);
    request.body(body.into()).expect("a request")
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// A request with a header more.
pub(crate) trait With {
    fn with(self, name: &'static str, value: &str) -> Self;
}

impl With for Request<Body> {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = value.parse().expect("a header value");
        self.headers_mut().append(name, value);
        self
    }
}

/// An `Authorization` header by RFC 6749 section 2.3.1.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let form = |text: &str| encoded(&[(text, "")]).trim_end_matches('=').to_owned();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", form(id), form(secret)))
    )
}

/// The claims of a JWT that the house signed.
pub(crate) fn claims(token: &str) -> Value {
    let token = grantor_jose::decode(token).expect("a JWT");
    let token = crate::house::keys()
        .verify(token)
        .expect("signed by the house");
    token.claims().expect("claims")
}

/// The header of a JWT.
pub(crate) fn jose_header(token: &str) -> Value {
    let header = token.split('.').next().expect("a JWT");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    serde_json::from_slice(&header).expect("JSON")
}

/// The codes that a device got.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) device: String,
    pub(crate) user: String,
    pub(crate) link: String,
}

impl House {
    /// A device of the public client `tv` begins.
    pub(crate) async fn device(&self, scope: &str) -> Codes {
        let asked = [("client_id", "tv"), ("scope", scope)];
        let answer = self.post(DEVICE_AUTHORIZATION, &asked).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Codes {
            device: answer.member("device_code"),
            user: answer.member("user_code"),
            link: answer.member("verification_uri_complete"),
        }
    }

    pub(crate) async fn poll(&self, codes: &Codes) -> Answer {
        let poll = [
            ("grant_type", DEVICE_CODE),
            ("client_id", "tv"),
            ("device_code", &codes.device),
        ];
        self.post(TOKEN, &poll).await
    }

    /// A device of `tv` gets its tokens, approved by alice.
    pub(crate) async fn device_tokens(&self, scope: &str) -> Answer {
        let codes = self.device(scope).await;
        let mut alice = Browser::signed_in(self, "alice").await;
        alice.approve(&codes.user).await;
        let tokens = self.poll(&codes).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens
    }

    /// The machine `orders` asks for a token.
    pub(crate) async fn machine(&self, more: &[(&str, &str)]) -> Answer {
        let pairs = [&[("grant_type", "client_credentials")], more].concat();
        self.send(post(TOKEN, &pairs).with("authorization", &orders()))
            .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        let refresh = [
            ("grant_type", "refresh_token"),
            ("client_id", "tv"),
            ("refresh_token", token),
        ];
        self.post(TOKEN, &refresh).await
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::get(USERINFO)
            .body(Body::empty())
            .expect("a request");
        self.send(request.with("authorization", &format!("Bearer {token}")))
            .await
    }

    /// The API `orders` asks about a token.
    pub(crate) async fn introspect(&self, token: &str) -> Answer {
        self.send(post(INTROSPECT, &[("token", token)]).with("authorization", &orders()))
            .await
    }
}

pub(crate) fn orders() -> String {
    basic("orders", ORDERS_SECRET)
}

pub(crate) fn console() -> String {
    basic("console", CONSOLE_SECRET)
}
