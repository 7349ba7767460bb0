//! Whether the user signed in for this very request. No state is kept: the sign-in page adds a proof to the request, which
//! the browser brings back.

use std::time::Duration;

use aws_lc_rs::digest::{self, Digest};

use super::request::ValidRequest;
use crate::base::params::Params;
use crate::base::sealing::SealingKeys;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::env::Env;
use crate::people::session::SignedIn;
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

/// Whether the session's user and last sign-in meet the request.
pub(super) enum SessionMatch {
    Accepted,
    SignInRequired,
    /// The user just signed in, but is not the expected one.
    OtherUser,
}

pub(super) fn check_reauthentication(
    env: &Env<'_>,
    request: &ValidRequest,
    signed_in: &SignedIn,
    signed_in_as_demanded: bool,
) -> SessionMatch {
    let auth_time = signed_in.session.record.auth_time;
    let user = signed_in.user.record.id.to_string();
    let is_expected = request.expected.iter().all(|expected| *expected == user);
    // OpenID Connect Core section 3.1.2.1: "If the elapsed time is greater than this value, the OP MUST attempt to
    // actively re-authenticate the End-User."
    let too_old = |max_age: Duration| !auth_time.is_within(max_age, env.now);
    match (is_expected, signed_in_as_demanded) {
        (true, true) => SessionMatch::Accepted,
        (false, true) => SessionMatch::OtherUser,
        (false, false) => SessionMatch::SignInRequired,
        (true, false) if request.prompt.wants_login() || request.max_age.is_some_and(too_old) => {
            SessionMatch::SignInRequired
        }
        (true, false) => SessionMatch::Accepted,
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
