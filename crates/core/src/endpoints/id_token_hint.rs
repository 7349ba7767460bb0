//! `id_token_hint` (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2).

use grantor_jose::TokenType;
use serde::Deserialize;

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::model::realm::Realm;

/// An ID token of ours, which may have expired.
#[derive(Deserialize)]
pub(super) struct IdTokenHint {
    iss: String,
    /// The user.
    pub(super) sub: String,
    /// The client.
    pub(super) aud: String,
}

const NOT_OURS: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The id_token_hint is no ID token of this issuer.",
)
.because(Cause::ForgedOrForeignToken);

impl IdTokenHint {
    /// RP-Initiated Logout section 2: "the OP MUST validate that it was the issuer of the ID Token".
    ///
    /// # Errors
    /// `invalid_request` for anything but an ID token of ours, such as our own access and logout tokens.
    pub(super) fn from_params(params: &Params, realm: &Realm) -> Result<Option<Self>, Refusal> {
        let hint = params.opt("id_token_hint");
        hint.map(|hint| Self::verify(realm, hint)).transpose()
    }

    fn verify(realm: &Realm, token: &str) -> Result<Self, Refusal> {
        let decoded = grantor_jose::decode(token).map_err(|_| NOT_OURS)?;
        let verified = realm.signing.verify(decoded).map_err(|_| NOT_OURS)?;
        let is_id_token = TokenType::Id.is(verified.header().typ.as_deref());
        let hint: Self = verified.claims().map_err(|_| NOT_OURS)?;
        (is_id_token && hint.iss == realm.issuer)
            .then_some(hint)
            .ok_or(NOT_OURS)
    }
}
