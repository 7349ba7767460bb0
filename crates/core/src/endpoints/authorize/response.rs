//! The answer of the authorization endpoint: a code or an error, sent to an address that was proven first.

use url::form_urlencoded;

use crate::base::error::Refusal;
use crate::base::secret::Secret;
use crate::model::ids::ClientId;
use crate::model::redirect_uri::RedirectUri;

/// How an answer travels (OAuth 2.0 Multiple Response Types section 2.1, OAuth 2.0 Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In the body of a POST that the browser sends.
    FormPost,
}

/// The modes by registered name: what metadata advertises.
pub const MODES: [(&str, ResponseMode); 2] = [
    ("query", ResponseMode::Query),
    ("form_post", ResponseMode::FormPost),
];

/// A redirect URI that its client registered, and how to answer there. It is made here from a client's own, and
/// nothing is sent anywhere else: so no link through us leads to an address of the sender's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRedirect {
    client: ClientId,
    pub(super) uri: String,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
    /// Whether it is the very text of the registered one.
    pub(super) exact: bool,
    /// Whether the request named it.
    pub(super) named: bool,
}

impl CheckedRedirect {
    pub(super) fn of(
        client: &ClientId,
        registered: &RedirectUri,
        asked: Option<&str>,
        exact: bool,
    ) -> Self {
        Self {
            client: client.clone(),
            uri: asked.unwrap_or(registered.as_str()).to_owned(),
            mode: ResponseMode::Query,
            state: None,
            exact,
            named: asked.is_some(),
        }
    }

    /// Whose address it is.
    #[must_use]
    pub const fn client(&self) -> &ClientId {
        &self.client
    }

    /// The address.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether it is of the web, and the very text that was registered.
    pub(super) fn is_web(&self) -> bool {
        self.exact && (self.uri.starts_with("https:") || self.uri.starts_with("http:"))
    }

    /// How to answer there.
    #[must_use]
    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }
}

/// An answer to a client.
#[derive(Debug)]
pub struct AuthorizationResponse {
    /// Where it goes.
    pub redirect: CheckedRedirect,
    /// A code, or what is refused.
    pub outcome: Result<Secret, Refusal>,
    /// RFC 9207 section 2: who answers.
    pub iss: String,
}

impl AuthorizationResponse {
    /// The parameters of the answer (RFC 6749 sections 4.1.2 and 4.1.2.1). The trace id stands within `error_uri`: a
    /// member of its own is none that clients know.
    #[must_use]
    pub fn parameters(&self, trace_id: &str) -> Vec<(&'static str, String)> {
        let mut parameters = match &self.outcome {
            Ok(code) => vec![("code", code.reveal().to_owned())],
            Err(refusal) => vec![
                ("error", refusal.code.name().to_owned()),
                ("error_description", refusal.description.to_owned()),
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

    /// The address with the parameters in its query; what it has there already is kept (RFC 6749 section 3.1.2).
    #[must_use]
    pub fn location(&self, trace_id: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.parameters(trace_id));
        with_query(&self.redirect.uri, &query.finish())
    }
}

/// The address with more in its query.
pub(in crate::endpoints) fn with_query(uri: &str, query: &str) -> String {
    let join = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, there)) if there.ends_with('&') => "",
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
        let mut redirect = CheckedRedirect::of(&"app".parse().unwrap(), &registered, None, true);
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
    fn an_error_tells_its_trace_id_within_error_uri_and_has_no_other_members() {
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
