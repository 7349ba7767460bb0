//! The authorization request: parsed and validated before the user is asked.

use std::time::Duration;

use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::endpoints::id_token_hint::IdTokenHint;
use crate::model::claims::ACR;
use crate::model::claims_request::ClaimsRequest;
use crate::model::client::Client;
use crate::model::grant_type::GrantType;
use crate::model::pkce::CodeChallenge;
use crate::model::prompt::Prompt;
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::model::target::{RequestedResources, Target};

const MAX_NONCE_BYTES: usize = 1024;

#[derive(Debug)]
pub(super) struct AuthorizationRequest {
    pub(super) scope: Scope,
    pub(super) resources: RequestedResources,
    pub(super) code_challenge: Option<CodeChallenge>,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) max_age: Option<Duration>,
    pub(super) claims: ClaimsRequest,
    /// The expected users, from `id_token_hint` and the claim `sub`.
    pub(super) expected: Vec<String>,
}

impl AuthorizationRequest {
    /// # Errors
    /// For the client's redirect URI (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6).
    pub(super) fn parse(params: &Params, client: &Client, realm: &Realm) -> Result<Self, Refusal> {
        refuse_unsupported(params)?;
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
        if !client.may_use(GrantType::AuthorizationCode) {
            return Err(Refusal::new(
                ErrorCode::UnauthorizedClient,
                "The client may not ask for an authorization code.",
            ));
        }
        let code_challenge = CodeChallenge::parse(
            params.opt("code_challenge"),
            params.opt("code_challenge_method"),
        )?;
        if code_challenge.is_none() && client.code.pkce_required {
            // RFC 9700 section 2.1.1: "For public clients, the use of PKCE [RFC7636] is REQUIRED."
            return Err(invalid("The parameter code_challenge is missing (PKCE)."));
        }
        let scope = client.requested_scope(Scope::from_params(params)?.as_ref())?;
        let resources = RequestedResources::parse(realm, params.all("resource"))?;
        // Fail now, not after consent, where no token can hold these scopes.
        for resource in resources.each() {
            Target::choose(realm, &scope, &resource)?;
        }
        let claims = ClaimsRequest::parse(params.opt("claims"), &client.scopes)?;
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
        let hint = IdTokenHint::from_params(params, realm)?;
        Ok(Self {
            scope,
            resources,
            code_challenge,
            nonce: nonce(params)?,
            prompt: Prompt::parse(params.opt("prompt"))?,
            max_age: max_age(params)?,
            expected: hint
                .map(|hint| hint.sub)
                .into_iter()
                .chain(claims.sub.clone())
                .collect(),
            claims,
        })
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

/// OpenID Connect Core section 6: "If the OP does not support request parameters … the OP returns the
/// request_not_supported error". The others are alike.
fn refuse_unsupported(params: &Params) -> Result<(), Refusal> {
    let refused = [
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
    ];
    let found = refused.iter().find(|(name, ..)| params.opt(name).is_some());
    found.map_or(Ok(()), |(_, code, text)| Err(Refusal::new(*code, text)))
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
