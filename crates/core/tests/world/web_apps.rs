//! Apps that sign their users in by a redirect: they send a browser here, and wait for it to come back with a code.

use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::endpoints::authorize::{
    AUTH_AFTER, AuthorizationResponse, Authorize, AuthorizeReply, ConsentAsk, ConsentDecision,
};
use grantor_core::engine::drive::Outcome;

use super::apps::params;
use super::{Browser, Tokens, World, peer};

/// A verifier, and the challenge that it meets (RFC 7636 appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The parameters of an authorization request: what each app of the house sends, to be changed.
#[derive(Clone, Debug)]
pub(crate) struct Request(Vec<(String, String)>);

impl Request {
    /// A request of this client: `openid`, with PKCE, to its first redirect URI.
    pub(crate) fn of(client: &str) -> Self {
        Self(Vec::new())
            .with("client_id", client)
            .with("response_type", "code")
            .with("redirect_uri", &callback(client))
            .with("scope", "openid")
            .with("state", "af0ifjsldkj")
            .with("code_challenge", CHALLENGE)
            .with("code_challenge_method", "S256")
    }

    /// With this value of a parameter, and no other.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut request = self.without(name);
        request.0.push((name.to_owned(), value.to_owned()));
        request
    }

    /// With one more value of a parameter.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// As the browser brings it, with what its user said on the consent page.
    pub(crate) fn by(&self, browser: &Browser, decision: Option<ConsentDecision>) -> Authorize {
        let pairs = self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let pairs: Vec<_> = pairs.collect();
        Authorize {
            params: params(&pairs),
            cookie: browser.session.clone(),
            decision,
            peer: peer(&browser.address),
        }
    }
}

/// Where a client of the house waits.
pub(crate) fn callback(client: &str) -> String {
    format!("https://{client}.example/cb")
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Came {
    /// A page says what is wrong, and nobody is sent anywhere.
    Page(Refusal),
    /// Sign-in comes first: the request as it comes back from there.
    SignIn(Request),
    /// The user is asked.
    Consent(Box<ConsentAsk>),
    /// The client is answered.
    Answer(Box<AuthorizationResponse>),
}

impl Came {
    fn of(request: &Request, outcome: Outcome<AuthorizeReply>) -> Self {
        match outcome.reply {
            Err(refusal) => Self::Page(refusal),
            Ok(AuthorizeReply::SignIn { after }) => Self::SignIn(
                request
                    .clone()
                    .with(AUTH_AFTER, &after.as_millis().to_string()),
            ),
            Ok(AuthorizeReply::Consent(ask)) => Self::Consent(ask),
            Ok(AuthorizeReply::Respond(response)) => Self::Answer(response),
        }
    }

    pub(crate) fn answer(self) -> AuthorizationResponse {
        match self {
            Self::Answer(response) => *response,
            other => panic!("the client is not answered: {other:?}"),
        }
    }

    pub(crate) fn code(self) -> String {
        let code = self.answer().outcome.expect("a code");
        code.reveal().to_owned()
    }

    pub(crate) fn error(self) -> ErrorCode {
        self.answer().outcome.expect_err("an error").code
    }

    pub(crate) fn ask(self) -> ConsentAsk {
        match self {
            Self::Consent(ask) => *ask,
            other => panic!("nobody is asked: {other:?}"),
        }
    }

    pub(crate) fn sign_in(self) -> Request {
        match self {
            Self::SignIn(request) => request,
            other => panic!("nobody has to sign in: {other:?}"),
        }
    }
}

impl World {
    /// The browser comes with a request.
    pub(crate) fn authorize(&mut self, browser: &Browser, request: &Request) -> Came {
        self.decision(browser, request, None)
    }

    /// The user agrees.
    pub(crate) fn agree(&mut self, browser: &Browser, request: &Request) -> Came {
        self.decision(browser, request, Some(ConsentDecision::Approve))
    }

    pub(crate) fn decision(
        &mut self,
        browser: &Browser,
        request: &Request,
        decision: Option<ConsentDecision>,
    ) -> Came {
        let outcome = self.ask(request.by(browser, decision));
        Came::of(request, outcome)
    }

    /// The client presents a code, with the verifier of the house.
    pub(crate) fn redeem(&mut self, client: &str, code: &str) -> Result<Tokens, ErrorCode> {
        self.redeem_with(client, code, &[("code_verifier", VERIFIER)])
    }

    pub(crate) fn redeem_with(
        &mut self,
        client: &str,
        code: &str,
        more: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        let callback = callback(client);
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &callback),
        ];
        self.token(client, &[&pairs, more].concat())
    }

    /// Tokens of this client for the user of the browser, who agrees.
    pub(crate) fn app_tokens(&mut self, browser: &Browser, request: &Request) -> Tokens {
        let code = self.agree(browser, request).code();
        let client = request.0.iter().find(|(name, _)| name == "client_id");
        let client = client.expect("a client").1.clone();
        self.redeem(&client, &code).expect("tokens")
    }
}
