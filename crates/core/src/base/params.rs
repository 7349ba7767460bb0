//! Form and query parsing, once, for every endpoint: sizes, character set, duplicates.

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

/// The largest form body or query, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
const MAX_PARAMS: usize = 64;
const MAX_VALUE_BYTES: usize = 16 * 1024;
/// Parameters that may be sent more than once (RFC 8707 section 2, RFC 8693 section 2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// What people fill in on our pages.
const TYPED: [&str; 6] = [
    "username",
    "password",
    "user_code",
    "current",
    "new",
    "repeated",
];

/// The parameters of one request. Names are unique except the repeatable ones; no value is empty.
#[derive(Default)]
pub struct Params(Vec<(Zeroizing<String>, Zeroizing<String>)>);

/// Why a form or query is malformed. The texts are public and contain no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParams {
    /// More than [`MAX_BYTES`], too many parameters, or too long a value.
    #[error("the request has too many or too long parameters")]
    TooLarge,
    #[error("the parameters are not form-encoded UTF-8")]
    Encoding,
    /// A control character, including NUL.
    #[error("a parameter holds a control character")]
    Control,
    /// RFC 6749 section 3.2: "Request and response parameters MUST NOT be included more than once."
    #[error("a parameter is included more than once")]
    Duplicate,
}

impl std::fmt::Debug for Params {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Params {
    /// Parses `application/x-www-form-urlencoded` bytes.
    pub fn parse(form: &[u8]) -> Result<Self, InvalidParams> {
        Self::parse_with(form, &[])
    }

    /// The same for a form of ours with fields that people fill in. They paste what they do not see: control characters in
    /// these are for the reader of the field to judge.
    pub fn parse_typed(form: &[u8]) -> Result<Self, InvalidParams> {
        Self::parse_with(form, &TYPED)
    }

    fn parse_with(form: &[u8], typed: &[&str]) -> Result<Self, InvalidParams> {
        if form.len() > MAX_BYTES {
            return Err(InvalidParams::TooLarge);
        }
        let mut params: Vec<(Zeroizing<String>, Zeroizing<String>)> = Vec::new();
        for (count, pair) in form
            .split(|&b| b == b'&')
            .filter(|pair| !pair.is_empty())
            .enumerate()
        {
            if count >= MAX_PARAMS {
                return Err(InvalidParams::TooLarge);
            }
            let (name, value) = match pair.iter().position(|&b| b == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &pair[pair.len()..]),
            };
            let (name, value) = (decode(name)?, decode_text(value)?);
            if !typed.contains(&name.as_str()) {
                check_control(&value)?;
            }
            let repeated = params.iter().any(|(known, _)| *known == name);
            if repeated && !REPEATABLE.contains(&name.as_str()) {
                return Err(InvalidParams::Duplicate);
            }
            params.push((name, value));
        }
        // RFC 6749 section 3.2: "Parameters sent without a value MUST be treated as if they were omitted".
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    /// Every parameter with its value, in the order received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    #[must_use]
    pub fn opt(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// `resource` parameters (RFC 8707 section 2), unchecked: checking needs the realm.
    #[must_use]
    pub fn resource_indicators(&self) -> Vec<String> {
        self.all("resource").map(ToOwned::to_owned).collect()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known.as_str() == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Decodes one form-encoded name or value: UTF-8 without control characters.
pub fn decode(bytes: &[u8]) -> Result<Zeroizing<String>, InvalidParams> {
    let text = decode_text(bytes)?;
    check_control(&text)?;
    Ok(text)
}

fn decode_text(bytes: &[u8]) -> Result<Zeroizing<String>, InvalidParams> {
    if bytes.len() > MAX_VALUE_BYTES {
        return Err(InvalidParams::TooLarge);
    }
    // Most names and values need no decoding.
    if !bytes.iter().any(|b| matches!(b, b'+' | b'%')) {
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidParams::Encoding)?;
        return Ok(Zeroizing::new(text.to_owned()));
    }
    let spaced: Zeroizing<Vec<u8>> = Zeroizing::new(
        bytes
            .iter()
            .map(|&b| if b == b'+' { b' ' } else { b })
            .collect(),
    );
    let escapes_hold = spaced
        .split(|&b| b == b'%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit));
    if !escapes_hold {
        return Err(InvalidParams::Encoding);
    }
    let text = percent_decode(&spaced)
        .decode_utf8()
        .map_err(|_| InvalidParams::Encoding)?;
    Ok(Zeroizing::new(text.into_owned()))
}

fn check_control(text: &str) -> Result<(), InvalidParams> {
    if text.chars().any(char::is_control) {
        return Err(InvalidParams::Control);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(form: &[u8]) -> Option<InvalidParams> {
        Params::parse(form).err()
    }

    #[test]
    fn rfc6749_3_2_a_parameter_without_a_value_counts_as_omitted() {
        let params = Params::parse(b"scope=&client_id=tv&grant_type").unwrap();
        assert_eq!(params.opt("scope"), None);
        assert_eq!(params.opt("grant_type"), None);
        assert_eq!(params.opt("client_id"), Some("tv"));
    }

    #[test]
    fn rfc6749_3_2_repeated_parameters_are_refused_even_if_empty_or_unknown() {
        assert_eq!(error(b"a=1&a=1"), Some(InvalidParams::Duplicate));
        assert_eq!(error(b"a=&a=1"), Some(InvalidParams::Duplicate));
        assert_eq!(error(b"a=1&%61=2"), Some(InvalidParams::Duplicate));
    }

    #[test]
    fn rfc8707_2_resource_may_be_repeated() {
        let params = Params::parse(b"resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb").unwrap();
        assert_eq!(
            params.all("resource").collect::<Vec<_>>(),
            ["https://a", "https://b"]
        );
    }

    #[test]
    fn malformed_parameters_are_refused() {
        assert_eq!(error(b"a=%"), Some(InvalidParams::Encoding));
        assert_eq!(error(b"a=%4"), Some(InvalidParams::Encoding));
        assert_eq!(error(b"a=%zz"), Some(InvalidParams::Encoding));
        assert_eq!(error(b"a=%FF"), Some(InvalidParams::Encoding));
        assert_eq!(error(b"a=\xff"), Some(InvalidParams::Encoding));
        assert_eq!(error(b"a=%00"), Some(InvalidParams::Control));
        assert_eq!(error(b"a=b%0A"), Some(InvalidParams::Control));
    }

    #[test]
    fn control_characters_are_let_through_in_typed_fields_only() {
        let params = Params::parse_typed(b"username=al%00%09ice%0A&return_to=x").unwrap();
        assert_eq!(params.opt("username"), Some("al\0\tice\n"));
        for bad in ["return_to=%0A", "user%0Aname=x", "username=a&grant=%00"] {
            let read = Params::parse_typed(bad.as_bytes()).err();
            assert_eq!(read, Some(InvalidParams::Control), "{bad}");
        }
        assert_eq!(error(b"username=a%0A"), Some(InvalidParams::Control));
    }

    #[test]
    fn sizes_are_limited() {
        assert_eq!(
            error(&vec![b'a'; MAX_BYTES + 1]),
            Some(InvalidParams::TooLarge)
        );
        let many: Vec<_> = (0..65).map(|i| format!("p{i}=1")).collect();
        assert_eq!(
            error(many.join("&").as_bytes()),
            Some(InvalidParams::TooLarge)
        );
        let long = [b"a=".to_vec(), vec![b'x'; MAX_VALUE_BYTES + 1]].concat();
        assert_eq!(error(&long), Some(InvalidParams::TooLarge));
    }

    #[test]
    fn plus_is_a_space_and_an_escaped_plus_is_a_plus() {
        let params = Params::parse(b"scope=a+b%2Bc").unwrap();
        assert_eq!(params.opt("scope"), Some("a b+c"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Params::parse(&bytes);
        }

        #[test]
        fn form_encoding_round_trips(values in prop::collection::vec("[^\\p{Cc}]{0,20}", 0..8)) {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(values.iter().map(|value| ("resource", value)));
            let params = Params::parse(form.finish().as_bytes())?;
            let read: Vec<_> = params.all("resource").collect();
            let given: Vec<_> = values.iter().filter(|value| !value.is_empty()).collect();
            prop_assert_eq!(read, given);
        }
    }
}
