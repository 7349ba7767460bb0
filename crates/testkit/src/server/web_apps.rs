//! Apps that sign their users in here: what comes back to them, and what they do with it.

use std::collections::BTreeMap;

use super::{Answer, Browser, Form, TestServer};
use crate::{AuthorizationRequest, VERIFIER, merged, password_of, redirect_uri, uses_pkce};

/// How an authorization request ended: with the answer that sends the browser away, or with a page of ours.
#[derive(Debug)]
pub struct FlowResult {
    pub answer: Answer,
    /// The pages that the user had to fill in.
    pub pages: Vec<&'static str>,
}

impl FlowResult {
    /// Where the browser is redirected to, without the query, and the parameters of the query.
    pub fn redirect(&self) -> (String, BTreeMap<String, String>) {
        redirect_of(&self.answer)
    }

    /// The code that the app receives.
    pub fn code(&self) -> String {
        self.redirect()
            .1
            .remove("code")
            .unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    /// The error that the app receives; "" where it receives a code.
    pub fn error(&self) -> String {
        self.redirect().1.remove("error").unwrap_or_default()
    }
}

/// Where a redirect leads, and the parameters of its query or fragment.
pub fn redirect_of(answer: &Answer) -> (String, BTreeMap<String, String>) {
    assert_eq!(answer.status, 303, "{answer:?}");
    let location = answer.header("location");
    let (to, query) = location.split_once(['?', '#']).unwrap_or((location, ""));
    let mut params = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let before = params.insert(name.into_owned(), value.into_owned());
        assert_eq!(before, None, "each comes once: {location}");
    }
    (to.to_owned(), params)
}

impl Browser<'_> {
    /// Brings the request, and does what alice would: signs in and consents where a page asks for it.
    pub async fn authorize(&mut self, request: &AuthorizationRequest) -> FlowResult {
        let answer = self.get(&request.path()).await;
        self.follow(answer, "alice", "approve").await
    }

    /// The same with another user, or another decision on the consent page.
    pub async fn authorize_with(
        &mut self,
        request: &AuthorizationRequest,
        user: &str,
        decision: &str,
    ) -> FlowResult {
        let answer = self.get(&request.path()).await;
        self.follow(answer, user, decision).await
    }

    /// Follows redirects and fills in pages until the browser leaves, or no page is left to fill in.
    pub async fn follow(&mut self, mut answer: Answer, user: &str, decision: &str) -> FlowResult {
        let mut pages = Vec::new();
        for _ in 0..10 {
            if answer.status == 303 && answer.header("location").starts_with('/') {
                let location = answer.header("location").to_owned();
                answer = self.get(&location).await;
            } else if answer.body.contains("value=\"sign-in\"") {
                pages.push("login");
                let form = Form::of(&answer, "/login");
                let form = form
                    .fill("username", user)
                    .fill("password", &password_of(user));
                answer = self.submit(form).await;
            } else if answer.body.contains("action=\"/consent\"") {
                pages.push("consent");
                let form = Form::of(&answer, "/consent").fill("decision", decision);
                answer = self.submit(form).await;
            } else {
                return FlowResult { answer, pages };
            }
        }
        panic!("no end: {pages:?} {answer:?}");
    }

    /// The consent page of a request.
    pub async fn consent_form(&mut self, request: &AuthorizationRequest) -> Form {
        let page = self.get(&request.path()).await;
        Form::of(&page, "/consent")
    }
}

impl TestServer {
    /// The app redeems a code, with the verifier where it uses PKCE.
    pub async fn redeem(&self, client: &str, code: &str) -> Answer {
        let verifier = [("code_verifier", VERIFIER)];
        let more: &[_] = if uses_pkce(client) { &verifier } else { &[] };
        self.redeem_with(client, code, more).await
    }

    /// The app redeems a code with these parameters; its redirect URI is its own where they name no other.
    pub async fn redeem_with(&self, client: &str, code: &str, more: &[(&str, &str)]) -> Answer {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri(client)),
        ];
        self.request_tokens(client, &merged(&pairs, more)).await
    }

    /// The app's tokens for alice, who signs in and consents in a new browser.
    pub async fn app_tokens(&self, request: &AuthorizationRequest) -> Answer {
        let code = self.browser().authorize(request).await.code();
        let client = request.value("client_id").expect("a client");
        let tokens = self.redeem(client, &code).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens
    }
}
