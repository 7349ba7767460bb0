//! `none`: a public client only identifies itself.

use super::Credentials;
use crate::base::error::{Cause, ErrorCode, Refusal};

/// RFC 6749 section 3.2.1: "an unauthenticated client MUST send its "client_id"".
pub(super) fn parse(client_id: Option<&str>) -> Result<Credentials, Refusal> {
    let client_id = client_id.ok_or(Refusal::new(
        ErrorCode::InvalidRequest,
        "The parameter client_id is missing.",
    ))?;
    Ok(Credentials::None {
        client_id: client_id.to_owned(),
    })
}

/// An empty Basic secret is accepted, because some public clients send `Basic base64(id)`.
pub(super) fn check(credentials: &Credentials) -> Result<(), Cause> {
    match credentials {
        Credentials::None { .. } => Ok(()),
        Credentials::Basic { secret, .. } if secret.is_empty() => Ok(()),
        Credentials::Basic { .. } | Credentials::Post { .. } => Err(Cause::MethodNotAllowed),
    }
}
