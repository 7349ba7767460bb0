//! Apps that sign their users in by a redirect: they send a browser here, and wait for it to come back with a code.

use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::base::seed::Seed;
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::authorize::{
    AUTH_AFTER, AuthorizationRequest as CoreRequest, AuthorizationResponse, Authorize,
    AuthorizeReply, ConsentAnswer, ConsentDecision, ConsentPrompt, sign_in_proof,
};
use grantor_core::endpoints::token::Token;
use grantor_core::engine::drive::Outcome;
use grantor_core::engine::env::Env;
use grantor_core::engine::facts::Facts;

use super::{Browser, Tokens, World, answer, params, peer};
use crate::{AuthorizationRequest, VERIFIER, merged, redirect_uri, sealing, uses_pkce};

impl Browser {
    /// Brings the request, with what its user decided on the consent page.
    pub fn authorize(
        &self,
        request: &AuthorizationRequest,
        decision: Option<ConsentAnswer>,
    ) -> Authorize {
        Authorize {
            request: CoreRequest::parse(&params(&self.after_sign_in(request).pairs())),
            cookie: self.cookie(),
            decision,
            peer: peer(&self.address),
        }
    }
}

/// Begins the mark of a request that is to be brought again after a sign-in; then comes the cookie of before.
const AFTER: &str = "after ";

impl Browser {
    /// The request as the sign-in page sends the browser on with it, once it has another session cookie.
    fn after_sign_in(&self, request: &AuthorizationRequest) -> AuthorizationRequest {
        let mark = request.value(AUTH_AFTER);
        let before = mark.and_then(|mark| mark.strip_prefix(AFTER));
        match (before, &self.session) {
            (Some(before), Some(cookie)) if cookie.reveal() != before => {
                let proof = sign_in_proof(&sealing(), cookie, &params(&request.pairs()));
                request.clone().with(AUTH_AFTER, &proof)
            }
            _ => request.clone(),
        }
    }
}

/// How an authorization request ended.
#[derive(Debug)]
pub enum AuthorizationOutcome {
    /// A page says what is wrong; the browser stays here.
    Page(Refusal),
    /// The user has to sign in first: the request as the browser brings it after that.
    SignIn(AuthorizationRequest),
    /// The user is asked for consent.
    Consent(Box<ConsentPrompt>),
    /// The client is answered.
    Answer(Box<AuthorizationResponse>),
}

impl AuthorizationOutcome {
    fn new(
        browser: &Browser,
        request: &AuthorizationRequest,
        outcome: Outcome<AuthorizeReply>,
    ) -> Self {
        match outcome.reply {
            Err(refusal) => Self::Page(refusal),
            Ok(AuthorizeReply::SignIn) => {
                let before = browser
                    .session
                    .as_ref()
                    .map_or("", |cookie| cookie.reveal());
                Self::SignIn(
                    request
                        .clone()
                        .with(AUTH_AFTER, &format!("{AFTER}{before}")),
                )
            }
            Ok(AuthorizeReply::Consent(ask)) => Self::Consent(ask),
            Ok(AuthorizeReply::Respond(response)) => Self::Answer(response),
        }
    }

    pub fn answer(self) -> AuthorizationResponse {
        match self {
            Self::Answer(response) => *response,
            other => panic!("the client is not answered: {other:?}"),
        }
    }

    pub fn code(self) -> String {
        let code = self.answer().outcome.expect("a code");
        code.reveal().to_owned()
    }

    pub fn error(self) -> ErrorCode {
        self.answer().outcome.expect_err("an error").code
    }

    pub fn consent(self) -> ConsentPrompt {
        match self {
            Self::Consent(ask) => *ask,
            other => panic!("no consent page: {other:?}"),
        }
    }

    pub fn sign_in(self) -> AuthorizationRequest {
        match self {
            Self::SignIn(request) => request,
            other => panic!("no sign-in: {other:?}"),
        }
    }
}

impl World {
    /// The browser comes with a request.
    pub fn authorize(
        &mut self,
        browser: &Browser,
        request: &AuthorizationRequest,
    ) -> AuthorizationOutcome {
        self.authorize_with(browser, request, None)
    }

    /// The user consents.
    pub fn consent(
        &mut self,
        browser: &Browser,
        request: &AuthorizationRequest,
    ) -> AuthorizationOutcome {
        self.authorize_with(browser, request, Some(ConsentDecision::Approve))
    }

    /// What a user decides on the page of a request as it is now.
    pub fn consent_answer(
        &self,
        request: &AuthorizationRequest,
        decision: ConsentDecision,
    ) -> ConsentAnswer {
        let env = Env {
            now: self.now,
            seed: &Seed::from_bytes([0; 32]),
            realm: &self.realm,
        };
        let authorize = Browser::new().authorize(request, None);
        let shown = authorize.shown(&env, &Facts::default());
        ConsentAnswer {
            decision,
            shown: shown.unwrap_or_default(),
        }
    }

    /// What the user decides on this page, as it was shown.
    pub fn decide_on(
        &mut self,
        browser: &Browser,
        request: &AuthorizationRequest,
        page: &ConsentPrompt,
        decision: ConsentDecision,
    ) -> AuthorizationOutcome {
        let shown = page.shown;
        let answer = ConsentAnswer { decision, shown };
        let outcome = self.ask(browser.authorize(request, Some(answer)));
        AuthorizationOutcome::new(browser, request, outcome)
    }

    pub fn authorize_with(
        &mut self,
        browser: &Browser,
        request: &AuthorizationRequest,
        decision: Option<ConsentDecision>,
    ) -> AuthorizationOutcome {
        let decision = decision.map(|decision| self.consent_answer(request, decision));
        let outcome = self.ask(browser.authorize(request, decision));
        AuthorizationOutcome::new(browser, request, outcome)
    }

    /// The client presents a code, with the verifier where it uses PKCE.
    pub fn redeem(&mut self, client: &str, code: &str) -> Result<Tokens, ErrorCode> {
        answer(self.ask(self.redeem_request(client, code)))
    }

    pub fn redeem_request(&self, client: &str, code: &str) -> Authenticated<Token> {
        let verifier = [("code_verifier", VERIFIER)];
        let more: &[_] = if uses_pkce(client) { &verifier } else { &[] };
        let pairs = code_pairs(client, code);
        let request = self.token_request(client, &merged(&pairs, more));
        request.expect("a request")
    }

    pub fn redeem_with(
        &mut self,
        client: &str,
        code: &str,
        more: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        let pairs = code_pairs(client, code);
        self.request_tokens(client, &merged(&pairs, more))
    }

    /// The same, where the page must be read first: its client is kept in the store, or it shows less than was asked for.
    pub fn app_tokens_by_page(
        &mut self,
        browser: &Browser,
        request: &AuthorizationRequest,
    ) -> Tokens {
        let code = match self.authorize(browser, request) {
            AuthorizationOutcome::Consent(page) => {
                self.decide_on(browser, request, &page, ConsentDecision::Approve)
            }
            other => other,
        };
        let client = request.value("client_id").expect("a client");
        self.redeem(client, &code.code()).expect("tokens")
    }

    /// Tokens of the client for the user of the browser, who consents.
    pub fn app_tokens(&mut self, browser: &Browser, request: &AuthorizationRequest) -> Tokens {
        let code = self.consent(browser, request).code();
        let client = request.value("client_id").expect("a client");
        self.redeem(client, &code).expect("tokens")
    }
}

fn code_pairs<'a>(client: &str, code: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri(client)),
    ]
}
