//! The authorization request: parsed once, then judged for its client before the user is asked.

use std::fmt;
use std::time::Duration;

use super::error_redirect::ErrorRedirectParams;
use super::reauthentication::SignInProof;
use super::response::ResponseMode;
use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::time::Timestamp;
use crate::endpoints::id_token_hint::{IdTokenHint, VerifiedHint};
use crate::endpoints::unsupported;
use crate::engine::env::Env;
use crate::model::claims::ACR;
use crate::model::claims_request::ClaimsRequest;
use crate::model::client::Client;
use crate::model::grant_type::GrantType;
use crate::model::ids::{ClientId, UserId};
use crate::model::pkce::CodeChallenge;
use crate::model::prompt::Prompt;
use crate::model::realm::Realm;
use crate::model::requested_scope::RequestedScope;
use crate::model::scope::Scope;
use crate::model::target::{RequestedResources, Target};
use crate::people::Withheld;
use crate::people::withheld::Grantable;
use crate::records::User;

const MAX_NONCE_BYTES: usize = 1024;

/// A request as it was parsed. What is wrong with its details is kept: only a client that is known, at a redirect URI that
/// is registered, can be told.
pub struct AuthorizationRequest {
    pub(super) client: Option<ClientId>,
    pub(super) redirect_uri: Option<String>,
    /// OpenID Connect Core section 3.1.2.1 makes the redirect URI REQUIRED, and a request object could name another.
    pub(super) needs_redirect_uri: bool,
    /// Whether the redirect URI can only be in a request object.
    pub(super) is_by_object: bool,
    pub(super) response_mode: ResponseMode,
    pub(super) state: Option<String>,
    pub(super) proof: Option<SignInProof>,
    pub(super) details: Result<RequestDetails, Refusal>,
}

/// What every client's request is asked.
pub(super) struct RequestDetails {
    code_challenge: Option<CodeChallenge>,
    scope: Option<Scope>,
    resources: Vec<String>,
    claims: ClaimsRequest,
    hint: Option<IdTokenHint>,
    nonce: Option<String>,
    pub(super) prompt: Prompt,
    max_age: Option<Duration>,
}

/// What a realm makes of a request, once.
#[derive(Debug)]
pub struct PreparedRequest {
    resources: Result<RequestedResources, Refusal>,
    /// Verified when the client and its redirect URI are known.
    hint: VerifiedHint,
}

/// A request that is valid for its client.
#[derive(Debug)]
pub(super) struct ValidRequest {
    pub(super) scope: Scope,
    /// Requested, but unknown or not allowed for the client.
    pub(super) left_out: Scope,
    pub(super) resources: RequestedResources,
    pub(super) code_challenge: Option<CodeChallenge>,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) max_age: Option<Duration>,
    pub(super) claims: ClaimsRequest,
    /// The expected users, from `id_token_hint` and the claim `sub`.
    pub(super) expected: Vec<String>,
    /// The user of an `id_token_hint` that this very client was given, and when that ends.
    pub(super) hinted: Option<(UserId, Timestamp)>,
}

impl fmt::Debug for AuthorizationRequest {
    /// Without what only its client may know, such as `state`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl AuthorizationRequest {
    #[must_use]
    pub fn parse(params: &Params) -> Self {
        let redirect = ErrorRedirectParams::parse(params);
        Self {
            client: params.opt("client_id").and_then(|id| id.parse().ok()),
            response_mode: redirect.mode(),
            redirect_uri: redirect.redirect_uri,
            needs_redirect_uri: is_openid(params),
            is_by_object: has_object(params) && params.opt("redirect_uri").is_none(),
            state: redirect.state,
            proof: SignInProof::from_params(params),
            details: RequestDetails::parse(params),
        }
    }

    pub(super) fn prepare(&self, realm: &Realm) -> PreparedRequest {
        let resources = self.details.iter().flat_map(|details| &details.resources);
        PreparedRequest {
            resources: RequestedResources::parse(realm, resources),
            hint: VerifiedHint::default(),
        }
    }

    /// # Errors
    /// For the client's redirect URI (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6).
    pub(super) fn for_client(
        &self,
        prepared: &PreparedRequest,
        client: &Client,
        realm: &Realm,
    ) -> Result<ValidRequest, Refusal> {
        let details = self.details.as_ref().map_err(Clone::clone)?;
        if !client.may_use(GrantType::AuthorizationCode) {
            return Err(Refusal::new(
                ErrorCode::UnauthorizedClient,
                "The client may not ask for an authorization code.",
            ));
        }
        if details.code_challenge.is_none() && client.code.pkce_required {
            // RFC 9700 section 2.1.1: "For public clients, the use of PKCE [RFC7636] is REQUIRED."
            return Err(invalid("The parameter code_challenge is missing (PKCE)."));
        }
        let resources = prepared.resources.clone()?;
        let asked = details.scope.as_ref();
        let requested =
            RequestedScope::new(client, realm, asked, &resources, realm.unknown_scopes)?;
        let RequestedScope { scope, left_out } = requested;
        // Fail now, not after consent, where no token can hold these scopes.
        for resource in resources.each() {
            Target::choose(realm, &scope, &resource)?;
        }
        let mut claims = details.claims.clone();
        claims.requested = claims.requested.within(&client.scopes);
        let hint = match &details.hint {
            Some(hint) => Some(hint.verified(&prepared.hint, realm)?),
            None => None,
        };
        let own_hint = hint.filter(|hint| hint.aud == client.id);
        let hinted = hint.map(|hint| hint.sub.clone()).into_iter();
        Ok(ValidRequest {
            scope,
            left_out,
            resources,
            code_challenge: details.code_challenge.clone(),
            nonce: details.nonce.clone(),
            prompt: details.prompt,
            max_age: details.max_age,
            expected: hinted.chain(claims.sub.clone()).collect(),
            hinted: own_hint
                .and_then(|hint| Some((hint.sub.parse().ok()?, Timestamp::from_secs(hint.exp)))),
            claims,
        })
    }
}

impl RequestDetails {
    fn parse(params: &Params) -> Result<Self, Refusal> {
        unsupported::refuse(params, &unsupported::IN_AUTHORIZATION)?;
        match params.opt("response_type") {
            Some("code") => {}
            Some(_) => {
                return Err(Refusal::new(
                    ErrorCode::UnsupportedResponseType,
                    "The response_type must be code.",
                ));
            }
            None => return Err(invalid("The parameter response_type is missing.")),
        }
        if let Some(mode) = params.opt("response_mode")
            && !super::MODES.iter().any(|(known, _)| *known == mode)
        {
            return Err(invalid("The response_mode must be query or form_post."));
        }
        let code_challenge = CodeChallenge::parse(
            params.opt("code_challenge"),
            params.opt("code_challenge_method"),
        )?;
        let claims = ClaimsRequest::parse(params.opt("claims"))?;
        if let Some(acr) = &claims.essential_acr
            && !acr.iter().any(|acr| ACR.contains(&acr.as_str()))
        {
            // OpenID Connect Core section 5.5.1.1: "then the Authorization Server MUST treat that outcome as a failed
            // authentication attempt."
            return Err(Refusal::new(
                ErrorCode::UnmetAuthenticationRequirements,
                "No class of authentication that the claims parameter demands is offered here.",
            ));
        }
        Ok(Self {
            code_challenge,
            scope: Scope::from_params(params)?,
            resources: params.resource_indicators(),
            claims,
            hint: IdTokenHint::from_params(params),
            nonce: nonce(params)?,
            prompt: Prompt::parse(params.opt("prompt"))?,
            max_age: max_age(params)?,
        })
    }
}

impl ValidRequest {
    /// What of it this user can be given.
    ///
    /// # Errors
    /// [`Withheld`]
    pub(super) fn within_limits(
        mut self,
        env: &Env<'_>,
        client: &Client,
        user: &User,
    ) -> Result<Self, Withheld> {
        let given = Grantable::new(env, client, user, &self.scope, &self.resources)?;
        let lost = self.scope.filter(|token| !given.scope.contains(token));
        self.left_out = self.left_out.iter().chain(lost.iter()).collect();
        self.scope = given.scope;
        self.resources = given.resources;
        Ok(self)
    }

    /// The requested scopes, and those of individually requested claims.
    pub(super) fn consent_scope(&self) -> Scope {
        let scopes_of_claims = self.claims.requested.scopes();
        self.scope.iter().chain(scopes_of_claims.iter()).collect()
    }
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, description)
}

fn is_openid(params: &Params) -> bool {
    let scope = params.opt("scope").unwrap_or_default();
    has_object(params) || scope.split(' ').any(|token| token == "openid")
}

fn has_object(params: &Params) -> bool {
    params.opt("request").is_some() || params.opt("request_uri").is_some()
}

fn nonce(params: &Params) -> Result<Option<String>, Refusal> {
    match params.opt("nonce") {
        Some(nonce) if nonce.len() > MAX_NONCE_BYTES => {
            Err(invalid("The nonce is longer than 1024 bytes."))
        }
        nonce => Ok(nonce.map(ToOwned::to_owned)),
    }
}

/// OpenID Connect Core section 3.1.2.1: "the allowable elapsed time in seconds".
fn max_age(params: &Params) -> Result<Option<Duration>, Refusal> {
    let seconds = params.opt("max_age").map(str::parse).transpose();
    let seconds = seconds.map_err(|_| invalid("The max_age is not a number of seconds."))?;
    Ok(seconds.map(Duration::from_secs))
}
