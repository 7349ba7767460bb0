//! How a client that sends a request object is told that none is taken.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::base::params::Params;

/// The way of the answer, as the client wants it: in the query, or where that tells nothing, in the request object.
///
/// Request objects are refused. But OpenID Connect Core section 6.1 lets a client put all but `response_type`, `client_id`
/// and `scope` into the object alone, and the refusal has to arrive where such a client listens, with the state by which
/// it knows its request. The object is not verified: what is taken from it, its sender could as well say in the query.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorRedirectParams {
    pub(super) response_mode: Option<String>,
    pub(super) state: Option<String>,
}

impl ErrorRedirectParams {
    pub(super) fn of(params: &Params) -> Self {
        let query = |name| params.opt(name).map(ToOwned::to_owned);
        let object = params.opt("request").and_then(Self::in_object);
        let object = object.unwrap_or_default();
        Self {
            response_mode: query("response_mode").or(object.response_mode),
            state: query("state").or(object.state),
        }
    }

    /// `None` for objects that are encrypted, or none at all.
    fn in_object(object: &str) -> Option<Self> {
        let mut parts = object.split('.');
        let (_, Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let found: Self = serde_json::from_slice(&claims).ok()?;
        // As of every parameter.
        let is_text = |text: &String| !text.chars().any(char::is_control);
        Some(Self {
            response_mode: found.response_mode,
            state: found.state.filter(is_text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> (Option<String>, Option<String>) {
        let params = Params::parse(query.as_bytes()).unwrap();
        let way = ErrorRedirectParams::of(&params);
        (way.response_mode, way.state)
    }

    fn object(claims: &str) -> String {
        format!("request=eyJ9.{}.", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn what_the_query_says_counts_before_the_request_object() {
        let some = |text: &str| Some(text.to_owned());
        let object = object(r#"{"response_mode":"form_post","state":"inner","scope":"x"}"#);
        assert_eq!(of(&object), (some("form_post"), some("inner")));
        let both = format!("{object}&state=outer&response_mode=query");
        assert_eq!(of(&both), (some("query"), some("outer")));
    }

    #[test]
    fn what_is_no_readable_object_tells_nothing() {
        for claims in ["", "{}", "[]", r#"{"state":1}"#, r#"{"state":"a\nb"}"#] {
            assert_eq!(of(&object(claims)), (None, None), "{claims}");
        }
        for request in ["eyJ", "a.b", "a.e30=.c", "a.e30.c.d", "a.e30.c.d.e"] {
            assert_eq!(of(&format!("request={request}")), (None, None), "{request}");
        }
    }
}
