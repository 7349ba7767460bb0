//! Sign-in at Grantor, by authorization code and PKCE (OpenID Connect Core section 3.1, RFC 7636).

use common::{Fault, PATIENCE};
use grantor_verify::BearerToken;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse as _,
};
use serde::Deserialize;
use url::Url;

/// What the user is asked for.
const SCOPES: [&str; 3] = [
    "profile",
    "api.example.com/orders",
    "api.example.com/invoices",
];

/// Where users sign in.
pub(crate) struct Provider {
    issuer: IssuerUrl,
    id: ClientId,
    secret: ClientSecret,
    callback: RedirectUrl,
    home: PostLogoutRedirectUrl,
    http: reqwest::Client,
}

/// An attempt to sign in: what the browser that began it must bring back.
pub(crate) struct Attempt {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// What the browser brings to `/callback`.
#[derive(Deserialize)]
pub(crate) struct Answer {
    iss: Option<String>,
    state: Option<String>,
    code: Option<String>,
    error: Option<CoreErrorResponseType>,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    /// For orders, and for what orders asks for this user.
    pub(crate) token: BearerToken,
    /// Where the session at Grantor is ended.
    pub(crate) sign_out: String,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("The answer is not to a question of this browser. Begin again.")]
    NotAsked,
    #[error("You did not let the shop in.")]
    Denied,
    #[error("Grantor refuses the sign-in ({}).", .0.as_ref())]
    Refused(CoreErrorResponseType),
    #[error("Grantor cannot be reached, or said what cannot be used.")]
    Grantor(#[source] Fault),
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    pub(crate) fn new(
        issuer: &str,
        id: &str,
        secret: String,
        own: &str,
        http: reqwest::Client,
    ) -> Result<Self, url::ParseError> {
        Ok(Self {
            issuer: IssuerUrl::new(issuer.to_owned())?,
            id: ClientId::new(id.to_owned()),
            secret: ClientSecret::new(secret),
            callback: RedirectUrl::new(format!("{own}/callback"))?,
            home: PostLogoutRedirectUrl::new(format!("{own}/"))?,
            http,
        })
    }

    /// Where to send the browser, and what to compare with its answer.
    pub(crate) async fn begin(&self) -> Result<(Url, Attempt), SignInError> {
        let (client, _) = self.discovered().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        let attempt = Attempt {
            state,
            nonce,
            verifier,
        };
        Ok((url, attempt))
    }

    /// Who has signed in.
    pub(crate) async fn finish(
        &self,
        attempt: Option<Attempt>,
        answer: Answer,
    ) -> Result<User, SignInError> {
        let attempt = attempt.ok_or(SignInError::NotAsked)?;
        // RFC 9207 section 2.4: clients "MUST [...] compare the result to the issuer identifier of the authorization
        // server where the authorization request was sent to".
        let is_of_issuer = answer.iss.as_deref() == Some(self.issuer.as_str());
        let is_of_attempt = answer.state.as_ref() == Some(attempt.state.secret());
        if !is_of_issuer || !is_of_attempt {
            return Err(SignInError::NotAsked);
        }
        let code = match (answer.code, answer.error) {
            (Some(code), None) => AuthorizationCode::new(code),
            (_, Some(error)) if error.as_ref() == "access_denied" => {
                return Err(SignInError::Denied);
            }
            (_, Some(error)) => return Err(SignInError::Refused(error)),
            (None, None) => return Err(SignInError::NotAsked),
        };
        let (client, metadata) = self.discovered().await?;
        let tokens = client
            .exchange_code(code)
            .map_err(grantor)?
            .set_pkce_verifier(attempt.verifier)
            .request_async(&|request| send(self.http.clone(), request))
            .await
            .map_err(grantor)?;
        let id_token = tokens.id_token().ok_or_else(|| grantor("no ID token"))?;
        let claims = id_token.claims(&client.id_token_verifier(), &attempt.nonce);
        let name = claims
            .map_err(grantor)?
            .name()
            .and_then(|name| name.get(None));
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let sign_out = LogoutRequest::from(end_session.ok_or_else(|| grantor("no sign-out"))?)
            .set_id_token_hint(id_token)
            .set_post_logout_redirect_uri(self.home.clone());
        Ok(User {
            name: name.map_or("you", |name| name.as_str()).to_owned(),
            token: BearerToken::new(tokens.access_token().secret()),
            sign_out: sign_out.http_get_url().into(),
        })
    }

    /// Where everything is, and the keys, which change: so it is asked each time.
    async fn discovered(&self) -> Result<(Client, ProviderMetadataWithLogout), SignInError> {
        let send = |request| send(self.http.clone(), request);
        let metadata = ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &send);
        let metadata = metadata.await.map_err(grantor)?;
        let secret = Some(self.secret.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.id.clone(), secret)
            .set_redirect_uri(self.callback.clone());
        Ok((client, metadata))
    }
}

fn grantor(why: impl Into<Fault>) -> SignInError {
    SignInError::Grantor(why.into())
}

/// What openidconnect asks, by the client that all requests go by: it follows no redirects.
async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let mut request = reqwest::Request::try_from(request)?;
    *request.timeout_mut() = Some(PATIENCE);
    let answer = http.execute(request).await?;
    let mut response = HttpResponse::default();
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.into();
    Ok(response)
}
