//! `id_token_hint` (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2).

use std::cell::OnceCell;

use grantor_jose::TokenType;
use serde::Deserialize;

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::secret::Secret;
use crate::model::realm::Realm;

/// As the request holds it, not verified.
#[derive(Debug)]
pub(super) struct IdTokenHint(Secret);

/// An ID token of ours, which may have expired.
#[derive(Debug, Deserialize)]
pub(super) struct HintClaims {
    iss: String,
    /// The user.
    pub(super) sub: String,
    /// The client.
    pub(super) aud: String,
}

/// A hint is verified once for a request, however often it is decided.
#[derive(Debug, Default)]
pub struct VerifiedHint(OnceCell<Result<HintClaims, Refusal>>);

const NOT_OURS: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The id_token_hint is no ID token of this issuer.",
)
.because(Cause::ForgedOrForeignToken);

impl IdTokenHint {
    pub(super) fn from_params(params: &Params) -> Option<Self> {
        params
            .opt("id_token_hint")
            .map(|hint| Self(Secret::new(hint)))
    }

    /// RP-Initiated Logout section 2: "the OP MUST validate that it was the issuer of the ID Token".
    ///
    /// # Errors
    /// `invalid_request` for anything but an ID token of ours, such as our own access and logout tokens.
    pub(super) fn verified<'v>(
        &self,
        verified: &'v VerifiedHint,
        realm: &Realm,
    ) -> Result<&'v HintClaims, Refusal> {
        let verified = verified.0.get_or_init(|| verify(realm, self.0.reveal()));
        verified.as_ref().map_err(Clone::clone)
    }
}

fn verify(realm: &Realm, token: &str) -> Result<HintClaims, Refusal> {
    let decoded = grantor_jose::decode(token).map_err(|_| NOT_OURS)?;
    let verified = realm.signing.verify(decoded).map_err(|_| NOT_OURS)?;
    let is_id_token = TokenType::Id.is(verified.header().typ.as_deref());
    let hint: HintClaims = verified.claims().map_err(|_| NOT_OURS)?;
    (is_id_token && hint.iss == realm.issuer)
        .then_some(hint)
        .ok_or(NOT_OURS)
}
