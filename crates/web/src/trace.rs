//! The W3C trace id: in the body of each error, in a header of each answer, and in the log.

use std::fmt;

use grantor_core::base::seed::Seed;
use http::HeaderMap;

/// The header that carries the id back.
pub(crate) const HEADER: &str = "x-request-id";

/// 16 bytes in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceId(String);

impl TraceId {
    /// The id of a request: the caller's, where it sent a valid `traceparent` (W3C Trace Context section 3.2), else a new one.
    pub(crate) fn of(headers: &HeaderMap, seed: &Seed) -> Self {
        let given = headers
            .get("traceparent")
            .and_then(|value| parse(value.to_str().ok()?));
        match given {
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

/// The span from which a request was sent.
#[cfg(feature = "spans")]
pub(crate) struct Caller {
    pub(crate) span_id: [u8; 8],
    /// Whether the caller's own is recorded.
    pub(crate) sampled: bool,
}

/// What a valid `traceparent` says of the caller.
#[cfg(feature = "spans")]
pub(crate) fn caller(headers: &HeaderMap) -> Option<Caller> {
    let [_, parent, flags] = parse(headers.get("traceparent")?.to_str().ok()?)?;
    let span_id = u64::from_str_radix(parent, 16).ok()?.to_be_bytes();
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some(Caller {
        span_id,
        sampled: flags & 1 == 1,
    })
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `version "-" trace-id "-" parent-id "-" flags`, without the version; an id of zeros is invalid, and so is version `ff`.
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
    fn a_valid_traceparent_is_continued_and_any_other_is_not() {
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
