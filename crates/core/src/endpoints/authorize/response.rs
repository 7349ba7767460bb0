//! The authorization response: a code or an error, sent to a checked redirect URI.

use url::form_urlencoded;

use crate::base::error::Refusal;
use crate::base::secret::Secret;
use crate::model::ids::ClientId;
use crate::model::redirect_uri::RedirectUri;

/// OAuth 2.0 Multiple Response Types section 2.1, OAuth 2.0 Form Post Response Mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In the body of a POST that the browser sends.
    FormPost,
    /// In the fragment of a redirect. For errors only, where the client reads them there: codes do not go there.
    Fragment,
}

/// The modes of codes, by registered name, for `response_modes_supported`.
pub const MODES: [(&str, ResponseMode); 2] = [
    ("query", ResponseMode::Query),
    ("form_post", ResponseMode::FormPost),
];

/// A redirect URI that its client registered, and how to respond there. Only this module makes one and responses go
/// nowhere else, which rules out open redirects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRedirect {
    client: ClientId,
    pub(super) uri: String,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
    /// Whether it equals the registered URI byte for byte.
    pub(super) exact: bool,
    /// Whether the request had a `redirect_uri`.
    pub(super) named: bool,
}

impl CheckedRedirect {
    pub(super) fn new(
        client: &ClientId,
        registered: &RedirectUri,
        requested: Option<&str>,
        exact: bool,
    ) -> Self {
        Self {
            client: client.clone(),
            uri: requested.unwrap_or(registered.as_str()).to_owned(),
            mode: ResponseMode::Query,
            state: None,
            exact,
            named: requested.is_some(),
        }
    }

    #[must_use]
    pub const fn client(&self) -> &ClientId {
        &self.client
    }

    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// An HTTP(S) URI that equals the registered one.
    pub(super) fn is_web(&self) -> bool {
        self.exact && (self.uri.starts_with("https:") || self.uri.starts_with("http:"))
    }

    #[must_use]
    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }
}

#[derive(Debug)]
pub struct AuthorizationResponse {
    pub redirect: CheckedRedirect,
    /// The code or the error.
    pub outcome: Result<Secret, Refusal>,
    /// RFC 9207 section 2.
    pub iss: String,
}

impl AuthorizationResponse {
    /// RFC 6749 sections 4.1.2 and 4.1.2.1. The trace id is part of `error_uri`, because clients do not know a separate
    /// parameter.
    #[must_use]
    pub fn parameters(&self, trace_id: &str) -> Vec<(&'static str, String)> {
        let mut parameters = match &self.outcome {
            Ok(code) => vec![("code", code.reveal().to_owned())],
            Err(refusal) => vec![
                ("error", refusal.code.name().to_owned()),
                ("error_description", refusal.description().into_owned()),
                (
                    "error_uri",
                    with_trace(&refusal.code.authorization_uri(), trace_id),
                ),
            ],
        };
        // RFC 6749 section 4.1.2: "The exact value received from the client."
        let state = self.redirect.state.clone();
        parameters.extend(state.map(|state| ("state", state)));
        parameters.push(("iss", self.iss.clone()));
        parameters
    }

    /// Adds the parameters to the redirect URI, whose query is kept (RFC 6749 section 3.1.2). It has no fragment.
    #[must_use]
    pub fn location(&self, trace_id: &str) -> String {
        let mut parameters = form_urlencoded::Serializer::new(String::new());
        let parameters = parameters.extend_pairs(self.parameters(trace_id)).finish();
        match self.redirect.mode {
            ResponseMode::Fragment => format!("{}#{parameters}", self.redirect.uri),
            ResponseMode::Query | ResponseMode::FormPost => {
                with_query(&self.redirect.uri, &parameters)
            }
        }
    }
}

pub(in crate::endpoints) fn with_query(uri: &str, query: &str) -> String {
    let join = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{join}{query}")
}

fn with_trace(uri: &str, trace_id: &str) -> String {
    match uri.split_once('#') {
        Some((page, section)) => format!("{page}?trace_id={trace_id}#{section}"),
        None => format!("{uri}?trace_id={trace_id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::ErrorCode;

    fn response(uri: &str, outcome: Result<Secret, Refusal>) -> AuthorizationResponse {
        let registered: RedirectUri = uri.parse().unwrap();
        let mut redirect = CheckedRedirect::new(&"app".parse().unwrap(), &registered, None, true);
        redirect.state = Some("a&b=c d".to_owned());
        AuthorizationResponse {
            redirect,
            outcome,
            iss: "https://id.example".to_owned(),
        }
    }

    #[test]
    fn rfc6749_3_1_2_the_query_of_the_redirect_uri_is_kept() {
        let end = "code=c&state=a%26b%3Dc+d&iss=https%3A%2F%2Fid.example";
        for (uri, begin) in [
            ("https://app.example/cb", "https://app.example/cb?"),
            ("https://app.example/cb?", "https://app.example/cb?"),
            ("https://app.example/cb?x=1", "https://app.example/cb?x=1&"),
            ("com.example.app:/cb", "com.example.app:/cb?"),
        ] {
            let location = response(uri, Ok(Secret::new("c"))).location("t");
            assert_eq!(location, format!("{begin}{end}"));
        }
    }

    #[test]
    fn an_error_has_its_trace_id_in_error_uri_and_no_other_parameters() {
        let refusal = Refusal::new(ErrorCode::LoginRequired, "Nobody is signed in.");
        let parameters = response("https://app.example/cb", Err(refusal)).parameters("4f");
        let names: Vec<_> = parameters.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["error", "error_description", "error_uri", "state", "iss"]
        );
        let uri = "https://openid.net/specs/openid-connect-core-1_0.html?trace_id=4f#AuthError";
        assert_eq!(parameters[2].1, uri);
    }
}
