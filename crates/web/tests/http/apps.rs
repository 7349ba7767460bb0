//! Apps that sign their users in here: how the house knows them, what they ask, and what comes back to them.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::grants::GrantType;
use grantor_core::model::client::{Client, ClientAuth, CodePolicy, ConsentPolicy};

use crate::browser::{Browser, Form};
use crate::house::{House, PASSWORD, device, minutes, scope};
use crate::wire::{Answer, TOKEN, With, basic, post};

pub(crate) const AUTHORIZE: &str = "/oauth2/authorize";
/// What every app may ask for.
pub(crate) const SCOPES: &str = "openid profile email address phone offline_access orders.example.com/read orders.example.com/write";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const OTHER_VERIFIER: &str = "another-verifier-of-43-characters-or-more-0";

/// An app, as it knows itself.
#[derive(Debug)]
pub(crate) struct WebApp {
    pub(crate) id: &'static str,
    pub(crate) secret: Option<&'static str>,
    pub(crate) redirect_uri: &'static str,
    pkce: bool,
}

/// Runs in a browser: public, with PKCE.
pub(crate) const SPA: WebApp = WebApp {
    id: "spa",
    secret: None,
    redirect_uri: "https://spa.example.com/callback",
    pkce: true,
};
/// Runs on a server, without PKCE; it has two redirect URIs, the other with a query.
pub(crate) const SHOP: WebApp = WebApp {
    id: "shop",
    secret: Some("shop:secret/with 22+ characters"),
    redirect_uri: "https://shop.example.com/cb",
    pkce: false,
};
pub(crate) const SHOP_WITH_QUERY: &str = "https://shop.example.com/cb?tenant=a%20b&x=1";
/// Another of its like, with one redirect URI.
pub(crate) const FORUM: WebApp = WebApp {
    id: "forum",
    secret: Some("forum:secret/with 22+ characters"),
    redirect_uri: "https://forum.example.com/cb",
    pkce: false,
};
/// The operator's own: its users are not asked.
pub(crate) const PORTAL: WebApp = WebApp {
    id: "portal",
    secret: Some("portal:secret/with 22+ characters"),
    redirect_uri: "https://portal.example.com/cb",
    pkce: false,
};
/// A program of a machine: any port of a loopback address, or a scheme of its own.
pub(crate) const NATIVE: WebApp = WebApp {
    id: "native",
    secret: None,
    redirect_uri: "http://127.0.0.1:49152/cb",
    pkce: true,
};

/// The apps, as the house knows them.
pub(crate) fn clients(secret: impl Fn(&str) -> ClientAuth) -> [Client; 5] {
    let client = |app: &WebApp, redirect_uris: &[&str]| Client {
        name: format!("The {} & Co", app.id),
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: scope(SCOPES),
        default_scopes: scope("openid"),
        code: CodePolicy {
            redirect_uris: redirect_uris
                .iter()
                .map(|uri| uri.parse().expect("a redirect URI"))
                .collect(),
            pkce_required: app.pkce,
            lifetime: minutes(1),
            consent: ConsentPolicy::Ask,
        },
        ..device(app.id, app.secret.map_or(ClientAuth::Public, &secret))
    };
    let mut portal = client(&PORTAL, &[PORTAL.redirect_uri]);
    portal.code.consent = ConsentPolicy::Skip;
    [
        client(&SPA, &[SPA.redirect_uri]),
        client(&SHOP, &[SHOP.redirect_uri, SHOP_WITH_QUERY]),
        client(&FORUM, &[FORUM.redirect_uri]),
        portal,
        client(
            &NATIVE,
            &[
                "http://127.0.0.1/cb",
                "http://[::1]/cb",
                "http://localhost:3000/cb",
                "com.example.native:/cb",
            ],
        ),
    ]
}

/// RFC 7636 section 4.2.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// An authorization request.
#[derive(Clone, Debug)]
pub(crate) struct Ask(pub(crate) Vec<(String, String)>);

impl Ask {
    /// What the app asks when it wants to know who is there.
    pub(crate) fn of(app: &WebApp) -> Self {
        let ask = Self(Vec::new())
            .and("client_id", app.id)
            .and("response_type", "code")
            .and("redirect_uri", app.redirect_uri)
            .and("scope", "openid")
            .and("state", "st-1")
            .and("nonce", "no-1");
        if !app.pkce {
            return ask;
        }
        ask.pkce(VERIFIER)
    }

    pub(crate) fn pkce(self, verifier: &str) -> Self {
        self.with("code_challenge", &challenge(verifier))
            .with("code_challenge_method", "S256")
    }

    /// With a parameter more, whatever is there.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this value of the parameter alone.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// As a query.
    pub(crate) fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    pub(crate) fn path(&self) -> String {
        format!("{AUTHORIZE}?{}", self.query())
    }
}

/// What came of a request: the answer that leads away from us, or our last page.
#[derive(Debug)]
pub(crate) struct Trip {
    pub(crate) answer: Answer,
    /// The pages that the user had to fill in.
    pub(crate) pages: Vec<&'static str>,
}

impl Trip {
    /// Where a redirect went, without what was added, and the parameters that arrived.
    pub(crate) fn arrived(&self) -> (String, BTreeMap<String, String>) {
        arrived(&self.answer)
    }

    /// The code that arrived.
    pub(crate) fn code(&self) -> String {
        self.arrived()
            .1
            .remove("code")
            .unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    /// The error that arrived; "" where a code did.
    pub(crate) fn error(&self) -> String {
        self.arrived().1.remove("error").unwrap_or_default()
    }
}

/// Where a redirect leads, and the parameters of its query.
pub(crate) fn arrived(answer: &Answer) -> (String, BTreeMap<String, String>) {
    assert_eq!(answer.status, 303, "{answer:?}");
    let location = answer.header("location");
    let (to, query) = location.split_once('?').unwrap_or((location, ""));
    let mut params = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let before = params.insert(name.into_owned(), value.into_owned());
        assert_eq!(before, None, "each comes once: {location}");
    }
    (to.to_owned(), params)
}

impl Browser<'_> {
    /// Asks, and does as alice would: signs in and agrees where that is asked.
    pub(crate) async fn authorize(&mut self, ask: &Ask) -> Trip {
        let answer = self.get(&ask.path()).await;
        self.go_on(answer, "alice", "approve").await
    }

    /// As [`Browser::authorize`], with what the user does.
    pub(crate) async fn authorize_as(&mut self, ask: &Ask, user: &str, decision: &str) -> Trip {
        let answer = self.get(&ask.path()).await;
        self.go_on(answer, user, decision).await
    }

    /// Goes on from an answer until there is nothing more to do here.
    pub(crate) async fn go_on(&mut self, mut answer: Answer, user: &str, decision: &str) -> Trip {
        let mut pages = Vec::new();
        for _ in 0..10 {
            if answer.status == 303 && answer.header("location").starts_with('/') {
                let location = answer.header("location").to_owned();
                answer = self.get(&location).await;
            } else if answer.body.contains("id=\"sign-in\"") {
                pages.push("login");
                let form = Form::of(&answer, "/login");
                let form = form.fill("username", user).fill("password", PASSWORD);
                answer = self.submit(form).await;
            } else if answer.body.contains("action=\"/consent\"") {
                pages.push("consent");
                let form = Form::of(&answer, "/consent").fill("decision", decision);
                answer = self.submit(form).await;
            } else {
                return Trip { answer, pages };
            }
        }
        panic!("it leads nowhere: {pages:?} {answer:?}");
    }

    /// The consent page of a request.
    pub(crate) async fn asked(&mut self, ask: &Ask) -> Form {
        let page = self.get(&ask.path()).await;
        Form::of(&page, "/consent")
    }
}

impl House {
    /// The app redeems a code.
    pub(crate) async fn redeem(&self, app: &WebApp, code: &str) -> Answer {
        let verifier = [("code_verifier", VERIFIER)];
        self.redeem_with(app, code, if app.pkce { &verifier } else { &[] })
            .await
    }

    /// The app redeems a code with these parameters more; its redirect URI is its own where they name no other.
    pub(crate) async fn redeem_with(
        &self,
        app: &WebApp,
        code: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut pairs = vec![("grant_type", "authorization_code"), ("code", code)];
        if !more.iter().any(|(name, _)| *name == "redirect_uri") {
            pairs.push(("redirect_uri", app.redirect_uri));
        }
        self.ask_for_tokens(app, &[&pairs, more].concat()).await
    }

    pub(crate) async fn refresh_of(
        &self,
        app: &WebApp,
        token: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.ask_for_tokens(app, &[&pairs, more].concat()).await
    }

    /// A request to the token endpoint as the app authenticates.
    pub(crate) async fn ask_for_tokens(&self, app: &WebApp, pairs: &[(&str, &str)]) -> Answer {
        self.post_as(TOKEN, app, pairs).await
    }

    pub(crate) async fn post_as(&self, path: &str, app: &WebApp, pairs: &[(&str, &str)]) -> Answer {
        match app.secret {
            Some(secret) => {
                let request = post(path, pairs).with("authorization", &basic(app.id, secret));
                self.send(request).await
            }
            None => {
                let pairs = [&[("client_id", app.id)], pairs].concat();
                self.post(path, &pairs).await
            }
        }
    }

    /// The tokens of a new browser in which alice did as she was asked.
    pub(crate) async fn tokens(&self, app: &WebApp, ask: &Ask) -> Answer {
        let mut browser = Browser::new(self);
        let code = browser.authorize(ask).await.code();
        let tokens = self.redeem(app, &code).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens
    }
}
