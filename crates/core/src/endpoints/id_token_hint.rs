//! `id_token_hint` (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2).

use std::cell::OnceCell;
use std::sync::Arc;

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::secret::Secret;
use crate::model::claims::IdTokenClaims;
use crate::model::realm::Realm;

/// As the request holds it, not verified.
#[derive(Debug)]
pub(super) struct IdTokenHint(Secret);

/// A hint is verified once for a request, however often it is decided.
#[derive(Debug, Default)]
pub struct VerifiedHint(OnceCell<Result<Arc<IdTokenClaims>, Refusal>>);

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

    /// The claims of an ID token of ours, which may have expired. RP-Initiated Logout section 2: "the OP MUST validate that it was the issuer of the ID Token".
    ///
    /// # Errors
    /// `invalid_request` for anything but an ID token of ours, such as our own access and logout tokens.
    pub(super) fn verified<'v>(
        &self,
        verified: &'v VerifiedHint,
        realm: &Realm,
    ) -> Result<&'v IdTokenClaims, Refusal> {
        let verified = verified.0.get_or_init(|| verify(realm, self.0.reveal()));
        verified.as_deref().map_err(Clone::clone)
    }
}

fn verify(realm: &Realm, token: &str) -> Result<Arc<IdTokenClaims>, Refusal> {
    let claims = realm.signing.id_token(token);
    let ours = claims.filter(|claims| claims.iss == realm.issuer);
    ours.ok_or(NOT_OURS)
}
