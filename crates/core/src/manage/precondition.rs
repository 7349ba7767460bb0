//! Versions of objects, and the condition of a change (RFC 9110 section 13.1.1).

use std::fmt;

use aws_lc_rs::digest;

use super::refusal::{ApiCode, ApiRefusal};
use crate::base::row::Version;

/// A strong entity tag (RFC 9110 section 8.8.3), without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// Of what is not a row of its own: by its content.
    #[must_use]
    pub fn of_content(canonical: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, canonical);
        Self(digest.as_ref().iter().map(|b| format!("{b:02x}")).collect())
    }
}

impl From<Version> for ETag {
    fn from(version: Version) -> Self {
        Self(format!("{version:?}"))
    }
}

/// With quotes, as in the header.
impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// The versions that a change may replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Vec<String>);

const REQUIRED: ApiRefusal = ApiRefusal::new(
    ApiCode::PreconditionRequired,
    "Read the object, and send its ETag as If-Match: a change of what someone else changed meanwhile would be lost. * names \
     no version.",
);

impl IfMatch {
    /// The header's value, if there is one. `*` is not enough: it would overwrite what the caller never saw.
    ///
    /// # Errors
    /// 428 without a version; 400 if it is no list of entity tags.
    pub fn parse(header: Option<&[u8]>) -> Result<Self, ApiRefusal> {
        let malformed = || ApiRefusal::new(ApiCode::Malformed, "If-Match is not an ETag.");
        let header = std::str::from_utf8(header.ok_or(REQUIRED)?).map_err(|_| malformed())?;
        let tags = header.split(',').map(str::trim);
        let tags: Vec<_> = tags.filter(|tag| !tag.is_empty()).collect();
        if tags.is_empty() || tags.contains(&"*") {
            return Err(REQUIRED);
        }
        let mut strong = Vec::new();
        for tag in tags {
            let weak = tag.strip_prefix("W/");
            let text = unquoted(weak.unwrap_or(tag)).ok_or_else(malformed)?;
            // RFC 9110 section 13.1.1: "An origin server MUST use the strong comparison function", by which a weak tag is
            // equal to none.
            if weak.is_none() {
                strong.push(text.to_owned());
            }
        }
        Ok(Self(strong))
    }

    /// # Errors
    /// 412 if the object has another version.
    pub fn check(&self, current: &ETag) -> Result<(), ApiRefusal> {
        match self.0.contains(&current.0) {
            true => Ok(()),
            false => Err(ApiRefusal::new(
                ApiCode::PreconditionFailed,
                "The object has changed since it was read: read it again.",
            )),
        }
    }
}

/// RFC 9110 section 8.8.3: `opaque-tag = DQUOTE *etagc DQUOTE`.
fn unquoted(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    inner
        .bytes()
        .all(|b| b != b'"' && b > 0x20)
        .then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9110_13_1_1_a_change_names_the_version_that_it_replaces() {
        let current = ETag::from(Version::from_bytes([7; 16]));
        let check = |header: &str| {
            let parsed = IfMatch::parse(Some(header.as_bytes()));
            parsed
                .and_then(|it| it.check(&current))
                .map_err(|it| it.code)
        };
        let tag = current.to_string();
        assert_eq!(check(&tag), Ok(()));
        assert_eq!(check(&format!("\"other\", {tag}")), Ok(()));
        for (header, code) in [
            (format!("W/{tag}"), ApiCode::PreconditionFailed),
            ("\"other\"".to_owned(), ApiCode::PreconditionFailed),
            ("*".to_owned(), ApiCode::PreconditionRequired),
            (format!("{tag}, *"), ApiCode::PreconditionRequired),
            (String::new(), ApiCode::PreconditionRequired),
            (tag.trim_matches('"').to_owned(), ApiCode::Malformed),
            ("\"a".to_owned(), ApiCode::Malformed),
        ] {
            assert_eq!(check(&header), Err(code), "{header}");
        }
        assert_eq!(IfMatch::parse(None), Err(REQUIRED));
    }
}
