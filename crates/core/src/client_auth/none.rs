//! `none`: a public client only identifies itself.

use super::Credentials;
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::model::client::AuthMethod;

/// RFC 6749 section 3.2.1: "an unauthenticated client MUST send its "client_id"". Section 5.2 names "no client authentication
/// included" as `invalid_client`.
pub(super) fn parse(client_id: Option<&str>) -> Result<Credentials, Refusal> {
    let missing = Refusal::new(
        ErrorCode::InvalidClient,
        "The request names no client: client_id and the Authorization header are missing.",
    );
    let client_id = client_id.ok_or(missing.because(Cause::CredentialsMissing))?;
    Ok(Credentials::None {
        client_id: client_id.to_owned(),
    })
}

pub(super) fn check(credentials: &Credentials) -> Result<(), Cause> {
    match credentials.method() {
        AuthMethod::None => Ok(()),
        AuthMethod::SecretBasic | AuthMethod::SecretPost => Err(Cause::MethodNotAllowed),
    }
}
