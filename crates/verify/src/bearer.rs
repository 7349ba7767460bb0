//! The token of a request (RFC 6750 section 2).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use url::form_urlencoded;

use crate::refusal::Refusal;
use crate::secret::BearerToken;

/// The token in the header `Authorization` (section 2.1). Tokens in the query are not accepted (section 2.3: "SHOULD NOT
/// be used"), nor in a form (section 2.2), whose body would have to be read before its sender is known.
pub(crate) fn from_request(
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<BearerToken, Refusal> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let Some(header) = headers.next() else {
        return Err(Refusal::NoToken);
    };
    if headers.next().is_some() {
        return Err(Refusal::InvalidRequest(
            "there is more than one Authorization header",
        ));
    }
    let header = header.as_bytes();
    let (scheme, token) = match header.iter().position(|byte| *byte == b' ') {
        Some(space) => header.split_at(space),
        None => (header, &b""[..]),
    };
    // RFC 9110 section 11.1: "a case-insensitive token". Another scheme carries no bearer token.
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(Refusal::NoToken);
    }
    // Section 2: "Clients MUST NOT use more than one method to transmit the token in each request."
    if has_token(query.unwrap_or_default()) {
        return Err(Refusal::InvalidRequest(
            "the request has a token in its header and another in its query",
        ));
    }
    let token = std::str::from_utf8(token).ok().map(str::trim_ascii);
    match token.filter(|token| is_b64token(token)) {
        Some(token) => Ok(BearerToken::new(token)),
        None => Err(Refusal::InvalidRequest(
            "the Authorization header is malformed",
        )),
    }
}

fn has_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}

/// Section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn token_in(headers: &[&str], query: Option<&str>) -> Result<String, Refusal> {
        let headers = headers.iter().map(|value| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (AUTHORIZATION, value)
        });
        from_request(&headers.collect(), query).map(|token| token.reveal().to_owned())
    }

    #[test]
    fn rfc6750_2_1_the_token_is_in_the_authorization_header() {
        for header in [
            "Bearer a-._~+/9==",
            "bearer a-._~+/9==",
            "BEARER  a-._~+/9== ",
        ] {
            assert_eq!(token_in(&[header], Some("a=b")).unwrap(), "a-._~+/9==");
        }
    }

    #[test]
    fn rfc6750_3_1_another_scheme_is_not_a_bearer_token() {
        for headers in [&[][..], &["Basic YTpi"], &["DPoP a"], &[""], &["Bearers a"]] {
            let refusal = token_in(headers, None).unwrap_err();
            assert!(matches!(refusal, Refusal::NoToken), "{headers:?}");
        }
    }

    #[test]
    fn rfc6750_2_3_a_token_in_the_query_is_ignored() {
        let refusal = token_in(&[], Some("access_token=a")).unwrap_err();
        assert!(matches!(refusal, Refusal::NoToken));
    }

    #[test]
    fn rfc6750_2_and_3_1_two_tokens_and_malformed_ones_are_invalid_requests() {
        for (headers, query) in [
            (&["Bearer a", "Bearer a"][..], None),
            (&["Basic YTpi", "Bearer a"], None),
            (&["Bearer a"], Some("x=1&access_token=a")),
            (&["Bearer a"], Some("access%5Ftoken=")),
            (&["Bearer"], None),
            (&["Bearer "], None),
            (&["Bearer ="], None),
            (&["Bearer a b"], None),
            (&["Bearer a,b"], None),
            (&["Bearer a=b"], None),
            (&["Bearer \u{e9}"], None),
        ] {
            let refusal = token_in(headers, query).unwrap_err();
            assert!(matches!(refusal, Refusal::InvalidRequest(_)), "{headers:?}");
        }
    }
}
