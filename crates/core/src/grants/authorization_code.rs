//! The authorization code grant at the token endpoint (RFC 6749 section 4.1.3, RFC 7636). A code works once.

use super::{GrantOperation, TokenReply, own_code, redeem, required_secret};
use crate::base::error::{Cause, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Excess, Stop, invalid_grant};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Lookup, Versioned};
use crate::model::client::Client;
use crate::model::pkce::{CodeChallenge, CodeVerifier};
use crate::model::realm::Realm;
use crate::records::{self, CodeError, CodeIssued, Grant};
use crate::tokens::handles::Code;

#[derive(Debug)]
pub(crate) struct AuthorizationCodeRequest {
    code: Secret,
    redirect_uri: Option<String>,
    verifier: Option<CodeVerifier>,
    resources: Vec<String>,
}

impl GrantOperation for AuthorizationCodeRequest {
    type Parsed = Option<Code>;

    fn parse(params: &Params) -> Result<Self, Refusal> {
        Ok(Self {
            code: required_secret(params, "code", "The parameter code is missing.")?,
            redirect_uri: params.opt("redirect_uri").map(ToOwned::to_owned),
            verifier: CodeVerifier::parse(params.opt("code_verifier"))?,
            resources: params.resource_indicators(),
        })
    }

    fn prepare(&self, realm: &Realm) -> Option<Code> {
        realm.sealing.open_authorization_code(self.code.reveal())
    }

    fn decide(
        &self,
        code: &Option<Code>,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        // RFC 6749 section 4.1.3: "ensure that the authorization code was issued to the authenticated confidential
        // client, or if the client is public, ensure that the code was issued to client_id".
        let code = own_code(code.as_ref(), &client)?;
        let key = records::key::<Grant>(&env.realm.name, &code.grant.to_string());
        let grant = match facts.record::<Grant>(env, &key)? {
            Lookup::Live(grant) => grant,
            Lookup::Expired => return Err(invalid_grant(Cause::CodeExpired).into()),
            Lookup::Absent => return Err(invalid_grant(Cause::NoSuchGrant).into()),
        };
        // The tag of a code names the client's id only.
        if !grant.record.is_of(&client) {
            return Err(invalid_grant(Cause::GrantOfAnotherClient).into());
        }
        match grant.record.code() {
            Ok(issued) => {
                self.check(issued, &client)?;
                let nonce = issued.nonce.clone();
                let Versioned { record, row } = grant;
                let lifetimes = client.grant_lifetimes(env.realm.lifetimes.session_absolute);
                let record = record.redeem_code(env.now, &lifetimes, peer);
                let active = Versioned { record, row };
                let user = active.record.active().map(|of| of.user);
                let excess =
                    user.and_then(|user| Excess::of_new_grant(code.grant, user, &client.id));
                let decision = redeem(env, facts, &client, &active, &self.resources, nonce, peer)?;
                Ok(decision.excess(excess))
            }
            // Checked after the code expired too: somebody else may have used it first.
            Err(CodeError::Used(challenge)) => {
                self.handle_replay(facts, &grant, challenge.as_ref(), peer)
            }
            Err(CodeError::Revoked) => Err(invalid_grant(Cause::RevokedGrant).into()),
            Err(CodeError::NotACode) => Err(invalid_grant(Cause::NoSuchGrant).into()),
        }
    }
}

impl AuthorizationCodeRequest {
    /// Checks the redirect URI and the PKCE verifier. A failure leaves the code usable.
    fn check(&self, issued: &CodeIssued, client: &Client) -> Result<(), Refusal> {
        // A redirect URI that was removed since may belong to somebody else by now, with the code sent to it.
        if client.redirect_uri(&issued.redirect_uri).is_none() {
            return Err(invalid_grant(Cause::RedirectUriOther));
        }
        // RFC 6749 section 4.1.3: "ensure that the redirect_uri parameter is present if the redirect_uri parameter was
        // included in the initial authorization request …, and if included ensure that their values are identical."
        let same = match &self.redirect_uri {
            Some(presented) => *presented == issued.redirect_uri,
            None => !issued.redirect_uri_named,
        };
        if !same {
            return Err(invalid_grant(Cause::RedirectUriOther));
        }
        match (&issued.code_challenge, &self.verifier) {
            (None, None) => Ok(()),
            (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
            (Some(_), Some(_)) => Err(invalid_grant(Cause::VerifierWrong)),
            (Some(_), None) => Err(invalid_grant(Cause::VerifierMissing)),
            // RFC 9700 section 4.8.2: "ensuring that a token request containing a code_verifier parameter is accepted
            // only if a code_challenge parameter was present in the authorization request".
            (None, Some(_)) => Err(invalid_grant(Cause::VerifierUnexpected)),
        }
    }

    /// RFC 6749 section 4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the
    /// request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code." Only
    /// the right verifier proves a second use; anyone else who found the code cannot revoke the grant with it.
    fn handle_replay(
        &self,
        facts: &Facts,
        grant: &Versioned<Grant>,
        challenge: Option<&CodeChallenge>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        // After a commit with an unknown outcome, the first use may be this very request.
        if facts.after_unknown() {
            return Err(invalid_grant(Cause::CodeSeenAfterUnknownCommit).into());
        }
        let has_verifier = challenge.is_none_or(|challenge| {
            let verifier = self.verifier.as_ref();
            verifier.is_some_and(|verifier| challenge.is_met_by(verifier))
        });
        if !has_verifier {
            return Err(invalid_grant(Cause::CodeReplayUnproven).into());
        }
        let mut event = Event::new(EventKind::CodeReusedGrantRevoked)
            .client(&grant.record.client)
            .grant(grant.record.id)
            .peer(peer);
        event.user = grant.record.active().map(|of| of.user);
        Ok(Decision::refuse(invalid_grant(Cause::CodeReused))
            .write(records::delete(&grant.row)?)
            .event(event))
    }
}
