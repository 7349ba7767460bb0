//! Where to send the error for a request object.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::base::params::Params;

/// From the query, otherwise from the request object.
///
/// Request objects are refused. But OpenID Connect Core section 6.1 lets a client put all but `response_type`, `client_id`
/// and `scope` into the object alone, and the error must reach the client in its response mode, with its state. The object is
/// not verified, because its sender could put the same values into the query.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorRedirectParams {
    pub(super) response_mode: Option<String>,
    pub(super) state: Option<String>,
}

impl ErrorRedirectParams {
    pub(super) fn parse(params: &Params) -> Self {
        let query = |name| params.opt(name).map(ToOwned::to_owned);
        let object = params.opt("request").and_then(Self::from_object);
        let object = object.unwrap_or_default();
        Self {
            response_mode: query("response_mode").or(object.response_mode),
            state: query("state").or(object.state),
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
            response_mode: object.response_mode,
            state: object.state.filter(is_text),
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
