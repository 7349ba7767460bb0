//! The methods that are refused by their name (RFC 6749 section 5.2: "unsupported authentication method"). The text is the
//! same for every client, so it tells nothing about one.

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;

pub(super) const ASSERTION: Refusal = Refusal::new(
    ErrorCode::InvalidClient,
    "Client authentication by client_assertion is not supported; use a client secret.",
)
.because(Cause::AssertionNotSupported);

pub(super) const SCHEME: Refusal = Refusal::new(
    ErrorCode::InvalidClient,
    "The scheme of the Authorization header is not supported here; use Basic.",
)
.because(Cause::SchemeNotSupported);

/// RFC 7521 section 4.2: `private_key_jwt`, `client_secret_jwt`, SAML and their like. Half of one counts: a client that sends
/// it takes itself for authenticated.
pub(super) fn is_assertion(params: &Params) -> bool {
    ["client_assertion", "client_assertion_type"]
        .iter()
        .any(|name| params.opt(name).is_some())
}
