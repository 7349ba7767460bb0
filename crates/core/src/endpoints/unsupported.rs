//! What is refused by its name, because a client relies on what it asked for. Every other parameter that is not known is
//! ignored (RFC 6749 sections 3.1 and 3.2).

use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;

type Unsupported = (&'static str, ErrorCode, &'static str);

/// RFC 9396 section 5: "The AS MUST refuse to process any unknown authorization details type".
const AUTHORIZATION_DETAILS: Unsupported = (
    "authorization_details",
    ErrorCode::InvalidAuthorizationDetails,
    "The parameter authorization_details is not supported; use scope.",
);

/// OpenID Connect Core section 6: "If the OP does not support request parameters … the OP returns the request_not_supported
/// error". The others are alike.
pub(super) const IN_AUTHORIZATION: [Unsupported; 5] = [
    (
        "request",
        ErrorCode::RequestNotSupported,
        "The parameter request is not supported.",
    ),
    (
        "request_uri",
        ErrorCode::RequestUriNotSupported,
        "The parameter request_uri is not supported.",
    ),
    (
        "registration",
        ErrorCode::RegistrationNotSupported,
        "The parameter registration is not supported.",
    ),
    AUTHORIZATION_DETAILS,
    // RFC 9449 section 10.
    (
        "dpop_jkt",
        ErrorCode::InvalidRequest,
        "The parameter dpop_jkt is not supported: DPoP is not.",
    ),
];

pub(super) const IN_TOKEN: [Unsupported; 2] = [
    AUTHORIZATION_DETAILS,
    // RFC 9201 section 3.1.
    (
        "req_cnf",
        ErrorCode::InvalidRequest,
        "The parameter req_cnf is not supported: tokens are not bound to keys.",
    ),
];

pub(super) const IN_DEVICE_AUTHORIZATION: [Unsupported; 1] = [AUTHORIZATION_DETAILS];

/// A DPoP proof (RFC 9449 section 4) in a request for tokens. Ignored, it would get tokens that anyone who finds them can use.
pub const DPOP_PROOF: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The header DPoP is not supported; tokens are Bearer.",
);

pub(super) fn refuse(params: &Params, unsupported: &[Unsupported]) -> Result<(), Refusal> {
    let mut unsupported = unsupported.iter();
    match unsupported.find(|(name, ..)| params.opt(name).is_some()) {
        Some((_, code, text)) => Err(Refusal::new(*code, text)),
        None => Ok(()),
    }
}
