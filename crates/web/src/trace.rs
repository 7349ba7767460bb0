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
    /// The id of a valid `traceparent` (W3C Trace Context section 3.2), else a new one.
    pub(crate) fn from_headers(headers: &HeaderMap, seed: &Seed) -> Self {
        let received = headers
            .get("traceparent")
            .and_then(|value| parse(value.to_str().ok()?));
        match received {
            Some([id, ..]) => Self(id.to_owned()),
            None => Self(format!(
                "{:032x}",
                u128::from_be_bytes(seed.bytes("trace id"))
            )),
        }
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

/// The caller's span.
#[cfg(feature = "spans")]
pub(crate) struct ParentSpan {
    pub(crate) span_id: [u8; 8],
    /// Whether the caller may have recorded it.
    pub(crate) sampled: bool,
}

/// `None` without a valid `traceparent`.
#[cfg(feature = "spans")]
pub(crate) fn parent_span(headers: &HeaderMap) -> Option<ParentSpan> {
    let [_, parent, flags] = parse(headers.get("traceparent")?.to_str().ok()?)?;
    let span_id = u64::from_str_radix(parent, 16).ok()?.to_be_bytes();
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some(ParentSpan {
        span_id,
        sampled: flags & 1 == 1,
    })
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses `version "-" trace-id "-" parent-id "-" flags` and drops the version. Version `ff` and ids of zeros are invalid.
fn parse(text: &str) -> Option<[&str; 3]> {
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
        && !zeros(parent);
    valid.then_some([id, parent, flags])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_traceparent_is_used() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            parse(&format!("00-{id}-00f067aa0ba902b7-01")),
            Some([id, "00f067aa0ba902b7", "01"])
        );
        for bad in [
            "",
            "00",
            &format!("ff-{id}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{id}-{}-01", "0".repeat(16)),
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            "00-<script>-00f067aa0ba902b7-01",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
