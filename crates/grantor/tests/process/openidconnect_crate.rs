//! The crate `openidconnect`, unmodified, over its own HTTP client: discovery, sign-in, ID tokens, userinfo, refresh,
//! introspection, revocation, sign-out.

use std::collections::BTreeMap;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreIdTokenClaims,
    CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient as _, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, IntrospectionUrl,
    IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError,
    RevocationUrl, Scope, StandardErrorResponse, TokenIntrospectionResponse as _,
    TokenResponse as _, reqwest,
};

use crate::home::Home;
use crate::visitor::Browser;

const SECRET: &str = "a secret: of + awkward % characters, long enough";
const PASSWORD: &str = "correct horse battery staple";
const READ: &str = "orders.example.com/read";
const CALLBACK: &str = "https://shop.example.com/callback";
const BYE: &str = "https://shop.example.com/bye";

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointSet,
    EndpointSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[tokio::test]
async fn a_web_app_signs_a_user_in_refreshes_introspects_revokes_and_signs_out() {
    let home = home();
    let _server = home.serve();
    home.ready();
    let app = App::discovered(&home, "shop", Some(SECRET)).await;
    let mut browser = home.browser();
    let (tokens, claims) = app.sign_in(&mut browser).await;

    let second = app.refreshed(&tokens).await.expect("tokens");
    let again = second.id_token().expect("an ID token");
    // A refresh says who it is, and answers no nonce (OpenID Connect Core 12.2).
    let again = again
        .claims(&app.client.id_token_verifier(), |_: Option<&Nonce>| Ok(()))
        .expect("a valid ID token");
    assert_eq!(again.subject(), claims.subject());
    assert_eq!(again.auth_time(), claims.auth_time());

    assert!(app.is_active(&second).await);
    app.revoke(&second).await;
    assert!(!app.is_active(&second).await);
    assert_eq!(
        app.refreshed(&second).await.err(),
        Some(CoreErrorResponseType::InvalidGrant)
    );

    let bye = PostLogoutRedirectUrl::new(BYE.to_owned()).expect("a URL");
    let out = LogoutRequest::from(app.end_session.clone())
        .set_id_token_hint(tokens.id_token().expect("an ID token"))
        .set_post_logout_redirect_uri(bye)
        .set_state(CsrfToken::new("left".to_owned()))
        .http_get_url();
    let back = browser.follow(&out, "alice", PASSWORD);
    assert_eq!(back.as_str(), format!("{BYE}?state=left"));
}

#[tokio::test]
async fn a_public_app_signs_a_user_in_and_gets_nothing_without_its_verifier() {
    let home = home();
    let _server = home.serve();
    home.ready();
    let app = App::discovered(&home, "app", None).await;
    let mut browser = home.browser();
    app.sign_in(&mut browser).await;

    let request = app.request();
    let code = request.code(&mut browser);
    let (_, another) = PkceCodeChallenge::new_random_sha256();
    let refused = app.redeem(code, another).await;
    assert_eq!(refused.err(), Some(CoreErrorResponseType::InvalidGrant));
}

/// A server with a web app, an app without a secret, and a person.
fn home() -> Home {
    let app = format!(
        "grants = [\"authorization_code\", \"refresh_token\"]\nscopes = [\"openid\", \"email\", \"{READ}\"]\n\
         redirect_uris = [\"{CALLBACK}\"]\npost_logout_redirect_uris = [\"{BYE}\"]\n"
    );
    Home::new(&format!(
        "store = \"memory:\"\n\
         [[resource]]\nidentifier = \"orders.example.com\"\nscopes = {{ read = \"Read orders\" }}\n\
         [[client]]\nid = \"shop\"\nsecret = \"{SECRET}\"\n{app}\
         [[client]]\nid = \"app\"\n{app}\
         [[user]]\nusername = \"alice\"\npassword = \"{PASSWORD}\"\nemail = \"alice@example.com\"\n"
    ))
}

struct App {
    client: Client,
    end_session: EndSessionUrl,
    http: reqwest::Client,
}

impl App {
    /// An app that knows an issuer, its id and its secret.
    async fn discovered(home: &Home, id: &str, secret: Option<&str>) -> Self {
        let redirects = reqwest::redirect::Policy::none();
        #[expect(
            clippy::disallowed_methods,
            reason = "the crate brings another version of reqwest"
        )]
        let http = reqwest::Client::builder();
        let http = http.redirect(redirects).build();
        let http = http.expect("an HTTP client");
        let at = |path: &str| format!("http://{}{path}", home.address);
        let issuer = IssuerUrl::new(at("")).expect("a URL");
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &http).await;
        let metadata = metadata.expect("metadata");
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let introspection = IntrospectionUrl::new(at("/oauth2/introspect"));
        // The crate revokes by https alone; see `revoke`.
        let revocation = RevocationUrl::new(at("/oauth2/revoke").replacen("http", "https", 1));
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(id.to_owned()),
            secret.map(|secret| ClientSecret::new(secret.to_owned())),
        )
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).expect("a URL"))
        .set_introspection_url(introspection.expect("a URL"))
        .set_revocation_url(revocation.expect("a URL"));
        Self {
            client,
            end_session: end_session.expect("an end_session_endpoint"),
            http,
        }
    }

    fn request(&self) -> Request {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = self
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(["email", READ].map(|scope| Scope::new(scope.to_owned())))
            .set_max_age(Duration::from_secs(3600))
            .set_pkce_challenge(challenge)
            .url();
        Request {
            url,
            state,
            nonce,
            verifier,
        }
    }

    /// Signs alice in, checks all that the crate can check, and asks who it is.
    async fn sign_in(&self, browser: &mut Browser<'_>) -> (CoreTokenResponse, CoreIdTokenClaims) {
        let request = self.request();
        let code = request.code(browser);
        let tokens = self.redeem(code, request.verifier).await.expect("tokens");

        let fresh = |at: Option<_>| at.map(|_| ()).ok_or_else(|| "no auth_time".to_owned());
        let verifier = self.client.id_token_verifier();
        let verifier = verifier.set_auth_time_verifier_fn(fresh);
        let id_token = tokens.id_token().expect("an ID token");
        let claims = id_token.claims(&verifier, &request.nonce);
        let claims = claims.expect("a valid ID token");
        let hash = AccessTokenHash::from_token(
            tokens.access_token(),
            id_token.signing_alg().expect("an algorithm"),
            id_token.signing_key(&verifier).expect("a key"),
        );
        assert_eq!(claims.access_token_hash(), hash.ok().as_ref());

        let subject = Some(claims.subject().clone());
        let userinfo: CoreUserInfoClaims = self
            .client
            .user_info(tokens.access_token().clone(), subject)
            .expect("a userinfo_endpoint")
            .request_async(&self.http)
            .await
            .expect("claims of this subject");
        let email = userinfo.email().map(|email| email.as_str());
        assert_eq!(email, Some("alice@example.com"));
        let claims = claims.clone();
        (tokens, claims)
    }

    async fn redeem(
        &self,
        code: AuthorizationCode,
        verifier: PkceCodeVerifier,
    ) -> Result<CoreTokenResponse, CoreErrorResponseType> {
        let request = self.client.exchange_code(code).expect("a token_endpoint");
        let answer = request
            .set_pkce_verifier(verifier)
            .request_async(&self.http)
            .await;
        answer.map_err(error)
    }

    async fn refreshed(
        &self,
        tokens: &CoreTokenResponse,
    ) -> Result<CoreTokenResponse, CoreErrorResponseType> {
        let token = tokens.refresh_token().expect("a refresh token");
        let request = self.client.exchange_refresh_token(token);
        let answer = request
            .expect("a token_endpoint")
            .request_async(&self.http)
            .await;
        answer.map_err(error)
    }

    async fn is_active(&self, tokens: &CoreTokenResponse) -> bool {
        let request = self.client.introspect(tokens.access_token());
        let answer = request.request_async(&self.http).await;
        answer.expect("an answer").active()
    }

    async fn revoke(&self, tokens: &CoreTokenResponse) {
        // In the place of the proxy that ends TLS.
        let without_tls = |mut request: HttpRequest| {
            let uri = request.uri().to_string().replacen("https", "http", 1);
            *request.uri_mut() = uri.parse().expect("a URI");
            self.http.call(request)
        };
        let token = tokens.refresh_token().expect("a refresh token").clone();
        let request = self.client.revoke_token(token.into());
        let request = request.expect("an https endpoint");
        request.request_async(&without_tls).await.expect("revoked");
    }
}

/// An authorization request, and what its answer is held to.
struct Request {
    url: url::Url,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl Request {
    /// The code of the answer, after the pages have asked alice what they ask.
    fn code(&self, browser: &mut Browser<'_>) -> AuthorizationCode {
        let answer = browser.follow(&self.url, "alice", PASSWORD);
        assert!(answer.as_str().starts_with(CALLBACK), "{answer}");
        let mut parameters: BTreeMap<_, _> = answer.query_pairs().into_owned().collect();
        assert_eq!(parameters.get("state"), Some(self.state.secret()));
        let code = parameters.remove("code");
        AuthorizationCode::new(code.unwrap_or_else(|| panic!("no code: {answer}")))
    }
}

fn error<E: std::error::Error>(
    why: RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>,
) -> CoreErrorResponseType {
    match why {
        RequestTokenError::ServerResponse(response) => response.error().clone(),
        other => panic!("{other}"),
    }
}
