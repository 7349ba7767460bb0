//! Where to send an error, and how.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::response::{MODES, ResponseMode};
use crate::base::params::Params;

/// From the query, otherwise from the request object.
///
/// Request objects are refused. But OpenID Connect Core section 6.1 lets a client put all but `response_type`, `client_id`
/// and `scope` into the object alone (RFC 9101 section 5 all but `client_id`), and the error must reach the client in its
/// response mode, with its state. The object is not verified, because its sender could put the same values into the query:
/// its redirect URI, too, must be one that the client registered.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorRedirectParams {
    pub(super) redirect_uri: Option<String>,
    response_type: Option<String>,
    response_mode: Option<String>,
    pub(super) state: Option<String>,
}

impl ErrorRedirectParams {
    pub(super) fn parse(params: &Params) -> Self {
        let query = |name| params.opt(name).map(ToOwned::to_owned);
        let object = params.opt("request").and_then(Self::from_object);
        let object = object.unwrap_or_default();
        Self {
            redirect_uri: query("redirect_uri").or(object.redirect_uri),
            response_type: query("response_type").or(object.response_type),
            response_mode: query("response_mode").or(object.response_mode),
            state: query("state").or(object.state),
        }
    }

    /// OAuth 2.0 Multiple Response Types section 2.1: the mode that was asked for, else the default of the response type.
    pub(super) fn mode(&self) -> ResponseMode {
        let asked = self.response_mode.as_deref();
        let known = MODES.iter().find(|(name, _)| asked == Some(name));
        let mut types = self.response_type.iter().flat_map(|types| types.split(' '));
        let is_implicit = types.any(|one| matches!(one, "token" | "id_token"));
        match (known, asked) {
            (Some((_, mode)), _) => *mode,
            (None, Some("fragment")) => ResponseMode::Fragment,
            (None, _) if is_implicit => ResponseMode::Fragment,
            (None, _) => ResponseMode::Query,
        }
    }

    /// `None` for encrypted and malformed objects.
    fn from_object(object: &str) -> Option<Self> {
        let mut parts = object.split('.');
        let (_, Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let object: Self = serde_json::from_slice(&claims).ok()?;
        // As for every parameter.
        let is_text = |text: &String| !text.chars().any(char::is_control);
        Some(Self {
            state: object.state.filter(is_text),
            ..object
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> (Option<String>, Option<String>) {
        let params = Params::parse(query.as_bytes()).unwrap();
        let parsed = ErrorRedirectParams::parse(&params);
        (parsed.response_mode, parsed.state)
    }

    fn object(claims: &str) -> String {
        format!("request=eyJ9.{}.", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_query_takes_precedence_over_the_request_object() {
        let some = |text: &str| Some(text.to_owned());
        let object = object(r#"{"response_mode":"form_post","state":"inner","scope":"x"}"#);
        assert_eq!(parse(&object), (some("form_post"), some("inner")));
        let both = format!("{object}&state=outer&response_mode=query");
        assert_eq!(parse(&both), (some("query"), some("outer")));
    }

    #[test]
    fn oauth_multiple_response_types_2_1_the_mode_is_what_was_asked_or_the_default_of_the_type() {
        use ResponseMode::{FormPost, Fragment, Query};
        let mode = |query: &str| {
            let params = Params::parse(query.as_bytes()).unwrap();
            ErrorRedirectParams::parse(&params).mode()
        };
        for (query, expected) in [
            ("", Query),
            ("response_type=code", Query),
            ("response_type=none", Query),
            ("response_type=xtoken", Query),
            ("response_type=token", Fragment),
            ("response_type=code+id_token", Fragment),
            ("response_type=id_token+token", Fragment),
            ("response_type=token&response_mode=query", Query),
            ("response_type=id_token&response_mode=form_post", FormPost),
            ("response_type=code&response_mode=fragment", Fragment),
            ("response_type=code&response_mode=jwt", Query),
        ] {
            assert_eq!(mode(query), expected, "{query}");
        }
        let in_object = object(r#"{"response_type":"id_token"}"#);
        assert_eq!(mode(&in_object), Fragment);
        assert_eq!(mode(&format!("{in_object}&response_type=code")), Query);
    }

    #[test]
    fn unreadable_request_objects_are_ignored() {
        for claims in ["", "{}", "[]", r#"{"state":1}"#, r#"{"state":"a\nb"}"#] {
            assert_eq!(parse(&object(claims)), (None, None), "{claims}");
        }
        for request in ["eyJ", "a.b", "a.e30=.c", "a.e30.c.d", "a.e30.c.d.e"] {
            assert_eq!(
                parse(&format!("request={request}")),
                (None, None),
                "{request}"
            );
        }
    }
}
