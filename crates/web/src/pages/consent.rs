//! The consent page: the client, what it requests, and where the response goes (OpenID Connect Core section 3.1.2.4).

use serde::Serialize;

use super::{Account, ScopeLine, Site};
use crate::render::Page;

/// `POST {site.path}/consent` with `form_token`, `request` and `decision` (`approve` or `deny`). The page needs
/// [`content_security_policy`](super::content_security_policy) of the redirect URI, since the form redirects there.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    pub site: Site,
    pub account: Account,
    /// Bound to the session, the client and `request`.
    pub form_token: String,
    /// The query of the authorization request, to be sent with the form.
    pub request: String,
    pub client_name: String,
    pub client_id: String,
    pub scopes: Vec<ScopeLine>,
    /// Names of claims that ID tokens have besides.
    pub claims: Vec<String>,
    /// Whether the user consented to this client before.
    pub asked_again: bool,
    /// Those of the scopes that the user did not consent to then.
    pub new_scopes: Vec<String>,
    /// Whether any of the claims is new.
    pub new_claims: bool,
    /// The host that the browser is redirected to.
    pub goes_to: String,
}

impl Page for Consent {
    const TEMPLATE: &'static str = "consent.html";

    fn samples() -> Vec<Self> {
        let first = Self {
            site: Site::sample(),
            account: Account::sample(),
            form_token: "sample-form-token".to_owned(),
            request: "client_id=orders&response_type=code".to_owned(),
            client_name: "Orders".to_owned(),
            client_id: "orders".to_owned(),
            scopes: vec![
                ScopeLine::sample("openid"),
                ScopeLine::sample("email"),
                ScopeLine::sample("offline_access"),
                ScopeLine::sample_of_resource(),
            ],
            claims: Vec::new(),
            asked_again: false,
            new_scopes: Vec::new(),
            new_claims: false,
            goes_to: "orders.example.com".to_owned(),
        };
        let more = Self {
            claims: vec!["department".to_owned(), "https://example.com/tier".to_owned()],
            new_claims: true,
            asked_again: true,
            new_scopes: vec!["email".to_owned(), "orders.example.com/read".to_owned()],
            client_name: "A very long client name <script>alert(1)</script> that an attacker might choose & \"quote\""
                .to_owned(),
            client_id: "dynamically-registered-client-0190f3c2a7b14d8e9f60".to_owned(),
            goes_to: "a-long-name-of-a-host-that-has-to-be-broken.orders.example.com:8443".to_owned(),
            ..first.clone()
        };
        let nothing = Self {
            scopes: Vec::new(),
            goes_to: "127.0.0.1:49152".to_owned(),
            ..first.clone()
        };
        let same = Self {
            asked_again: true,
            ..first.clone()
        };
        vec![first, more, nothing, same]
    }
}
