//! The W3C trace id, which is in the body of each error, in a header of each response, and in the log.

use std::fmt;

use grantor_core::base::seed::Seed;
use http::HeaderMap;

/// The response header with the trace id.
pub(crate) const HEADER: &str = "x-request-id";

/// 16 bytes in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceId(String);

impl TraceId {
    /// Always a new one: an id that a caller chose could be someone else's.
    pub(crate) fn new(seed: &Seed) -> Self {
        let id = u128::from_be_bytes(seed.bytes("trace id"));
        Self(format!("{id:032x}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(feature = "spans")]
    pub(crate) fn bytes(&self) -> [u8; 16] {
        u128::from_str_radix(&self.0, 16)
            .unwrap_or_default()
            .to_be_bytes()
    }
}

/// Whether it has the form of our ids.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The caller's `traceparent` (W3C Trace Context section 3.2), if it is valid. It names the caller's trace and span, and
/// nothing of ours.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    parse(text)?;
    Some(text)
}

/// Whether the caller records its trace (W3C Trace Context section 3.2.2.5.1).
#[cfg(feature = "spans")]
pub(crate) fn is_sampled(traceparent: &str) -> bool {
    let flags = parse(traceparent).and_then(|flags| u8::from_str_radix(flags, 16).ok());
    flags.is_some_and(|flags| flags & 1 == 1)
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The flags of `version "-" trace-id "-" parent-id "-" flags`. Version `ff`, ids of zeros and longer texts are invalid.
fn parse(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zeros = |id: &str| id.bytes().all(|b| b == b'0');
    let valid = hex(version, 2)
        && version != "ff"
        && hex(id, 32)
        && hex(parent, 16)
        && hex(flags, 2)
        && !zeros(id)
        && !zeros(parent)
        && parts.next().is_none();
    valid.then_some(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_traceparent_is_used() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(parse(&format!("00-{id}-00f067aa0ba902b7-01")), Some("01"));
        for bad in [
            "",
            "00",
            &format!("ff-{id}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{id}-{}-01", "0".repeat(16)),
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            "00-<script>-00f067aa0ba902b7-01",
            &format!("00-{id}-00f067aa0ba902b7-01-secret"),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
