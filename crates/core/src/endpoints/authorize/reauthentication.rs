//! Whether the user signed in for this very request. No state is kept: the sign-in page adds a proof to the request, which
//! the browser brings back.

use std::time::Duration;

use aws_lc_rs::digest::{self, Digest};

use crate::base::params::Params;
use crate::base::sealing::SealingKeys;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::tokens::handles::PresentedCookie;

/// Our own parameter: the proof. A link cannot hold one for someone else's browser.
pub const AUTH_AFTER: &str = "auth_after";
/// After this time a proof in the browser's history counts no more.
const MAX_PROOF_AGE: Duration = Duration::from_secs(60 * 60);

/// The proof that this session cookie is of a sign-in for this request. Each sign-in draws another cookie.
#[must_use]
pub fn sign_in_proof(sealing: &SealingKeys, cookie: &Secret, request: &Params) -> String {
    sealing.form_token(&binding(cookie, &request_digest(request)))
}

/// A proof that came with a request.
#[derive(Debug)]
pub(super) struct SignInProof {
    proof: Secret,
    request: Digest,
}

impl SignInProof {
    pub(super) fn from_params(params: &Params) -> Option<Self> {
        Some(Self {
            proof: Secret::new(params.opt(AUTH_AFTER)?),
            request: request_digest(params),
        })
    }

    /// `auth_time` is the time of the session's latest sign-in.
    pub(super) fn is_valid(
        &self,
        sealing: &SealingKeys,
        cookie: &PresentedCookie,
        auth_time: Timestamp,
        now: Timestamp,
    ) -> bool {
        auth_time.is_within(MAX_PROOF_AGE, now)
            && sealing
                .accepts_form_token(&binding(&cookie.text, &self.request), self.proof.reveal())
    }
}

fn request_digest(request: &Params) -> Digest {
    let mut hash = digest::Context::new(&digest::SHA256);
    let parts = request.iter().filter(|(name, _)| *name != AUTH_AFTER);
    for part in parts.flat_map(|(name, value)| [name, value]) {
        hash.update(&part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finish()
}

fn binding(cookie: &Secret, request: &Digest) -> Vec<u8> {
    let (label, cookie) = (b"signed in for\0", cookie.reveal().as_bytes());
    [&label[..], request.as_ref(), cookie].concat()
}
