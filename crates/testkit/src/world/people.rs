//! People and their browsers.

use std::convert::Infallible;

use grantor_core::base::secret::Secret;
use grantor_core::endpoints::logout::{Logout, LogoutRequest};
use grantor_core::engine::drive::Outcome;
use grantor_core::model::ids::GrantId;
use grantor_core::people::{
    Deprovision, DeviceDecision, DeviceDecisionReply, LookupUserCode, LookupUserCodeReply,
    PendingDevice, Provision, ProvisionReply, SignIn, SignInReply, Visit, Visitor, Withheld,
};
use grantor_core::tokens::handles::PresentedCookie;

use super::{Codes, Tokens, World, params, peer};
use crate::{BROWSER_ADDRESS, password_of, sealing, user_id, user_with_hash};

/// A browser: where it is, and its cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    pub address: String,
    pub session: Option<Secret>,
    pub known: Option<Secret>,
}

/// How a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedIn {
    Yes,
    Wrong,
    TooMany,
}

/// What the page shows after a code was typed.
#[derive(Clone, Debug)]
pub enum CodeLookup {
    SignIn,
    NotValid,
    TooMany,
    Asks(Box<PendingDevice>),
    Withheld(Withheld),
}

impl CodeLookup {
    pub fn device(self) -> PendingDevice {
        match self {
            Self::Asks(asker) => *asker,
            other => panic!("no device waits: {other:?}"),
        }
    }
}

/// What the page shows after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    Approved,
    Denied,
    /// By the same user, before.
    Before,
    SignIn,
    Gone,
    Again,
    Withheld,
    TooMany,
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A new browser, without cookies.
    pub fn new() -> Self {
        Self {
            address: BROWSER_ADDRESS.to_owned(),
            session: None,
            known: None,
        }
    }

    /// Its session cookie, as a server with the key of all tests opens it.
    pub fn cookie(&self) -> Option<PresentedCookie> {
        PresentedCookie::open(&sealing(), self.session.clone()?)
    }

    /// The requests that it sends.
    pub fn sign_in(&self, username: &str, password: &str) -> SignIn {
        SignIn {
            username: username.to_owned(),
            password: Secret::new(password),
            stay: false,
            previous: self.cookie(),
            known_browser: self.known.clone(),
            peer: peer(&self.address),
        }
    }

    pub fn type_code(&self, typed: &str) -> LookupUserCode {
        LookupUserCode {
            cookie: self.cookie(),
            typed: Secret::new(typed),
            peer: peer(&self.address),
        }
    }

    pub fn decide(&self, grant: GrantId, approve: bool, typed: Option<&str>) -> DeviceDecision {
        DeviceDecision {
            cookie: self.cookie(),
            grant,
            approve,
            typed: typed.map(Secret::new),
            shown: None,
            peer: peer(&self.address),
        }
    }

    /// The user confirms signing out.
    pub fn sign_out(&self) -> Logout {
        Logout {
            request: LogoutRequest::parse(&params(&[])),
            cookie: self.cookie(),
            confirmed: true,
            peer: peer(&self.address),
        }
    }
}

/// What the page shows after a decision.
pub fn decided(outcome: &Outcome<DeviceDecisionReply, Infallible>) -> Decided {
    match &outcome.reply {
        Ok(DeviceDecisionReply::Decided(device)) if device.approved => Decided::Approved,
        Ok(DeviceDecisionReply::Decided(_)) => Decided::Denied,
        Ok(DeviceDecisionReply::DecidedBefore(_)) => Decided::Before,
        Ok(DeviceDecisionReply::SignIn) => Decided::SignIn,
        Ok(DeviceDecisionReply::Gone { .. }) => Decided::Gone,
        Ok(DeviceDecisionReply::Again(_)) => Decided::Again,
        Ok(DeviceDecisionReply::Withheld(_)) => Decided::Withheld,
        Ok(DeviceDecisionReply::TooMany { .. }) => Decided::TooMany,
        Err(refusal) => panic!("a page is not refused by an OAuth error: {refusal:?}"),
    }
}

/// What the page shows after a code was typed.
pub fn code_lookup(outcome: Outcome<LookupUserCodeReply, Infallible>) -> CodeLookup {
    match outcome.reply {
        Ok(LookupUserCodeReply::SignIn) => CodeLookup::SignIn,
        Ok(LookupUserCodeReply::NotValid { .. }) => CodeLookup::NotValid,
        Ok(LookupUserCodeReply::TooMany { .. }) => CodeLookup::TooMany,
        Ok(LookupUserCodeReply::Withheld(device)) => CodeLookup::Withheld(device.why),
        Ok(LookupUserCodeReply::Pending(asker)) => CodeLookup::Asks(asker),
        Err(refusal) => panic!("a page is not refused by an OAuth error: {refusal:?}"),
    }
}

/// A user as the configuration file declares one. Passwords are compared by [`Run`](super::Run), which hashes nothing.
pub fn declared_user(username: &str, enabled: bool) -> Provision {
    let hash = format!("plain${}", password_of(username));
    user_with_hash(username, enabled, hash)
}

impl World {
    /// Whether the row had to be written; `None` where the name is taken.
    pub fn provision(&mut self, user: Provision) -> Option<bool> {
        match self.ask(user).reply {
            Ok(ProvisionReply::Done { changed }) => Some(changed),
            _ => None,
        }
    }

    /// The operator disables or enables a user.
    pub fn set_enabled(&mut self, username: &str, enabled: bool) {
        assert_eq!(self.provision(declared_user(username, enabled)), Some(true));
    }

    /// The file no longer names the user.
    pub fn withdraw(&mut self, username: &str) {
        let withdraw = Deprovision {
            id: user_id(username),
            declared: false,
        };
        self.ask(withdraw).reply.expect("no OAuth error");
    }

    /// Signs in with this browser, which keeps its cookies as browsers do.
    pub fn sign_in(&mut self, browser: &mut Browser, username: &str, password: &str) -> SignedIn {
        match self.ask(browser.sign_in(username, password)).reply {
            Ok(SignInReply::SignedIn {
                session,
                known_browser,
                ..
            }) => {
                browser.session = Some(session);
                browser.known = Some(known_browser);
                SignedIn::Yes
            }
            Ok(SignInReply::Wrong) => SignedIn::Wrong,
            Ok(SignInReply::TooMany { .. }) => SignedIn::TooMany,
            Err(refusal) => panic!("a page is not refused by an OAuth error: {refusal:?}"),
        }
    }

    /// A new browser in which this user just signed in.
    pub fn signed_in(&mut self, username: &str) -> Browser {
        let mut browser = Browser::new();
        let password = password_of(username);
        assert_eq!(
            self.sign_in(&mut browser, username, &password),
            SignedIn::Yes
        );
        browser
    }

    /// Who is signed in in this browser.
    pub fn visitor(&mut self, browser: &Browser) -> Option<Visitor> {
        let session = browser.session.clone();
        let cookie = session.and_then(|text| PresentedCookie::open(&self.realm.sealing, text));
        self.ask(Visit { cookie }).reply.expect("no OAuth error")
    }

    pub fn sign_out(&mut self, browser: &Browser) {
        self.ask(browser.sign_out()).reply.expect("no OAuth error");
    }

    /// The user types a code.
    pub fn type_code(&mut self, browser: &Browser, typed: &str) -> CodeLookup {
        code_lookup(self.ask(browser.type_code(typed)))
    }

    pub fn decide(&mut self, browser: &Browser, codes: &Codes, approve: bool) -> Decided {
        self.decide_with(browser, codes, approve, None)
    }

    pub fn decide_with(
        &mut self,
        browser: &Browser,
        codes: &Codes,
        approve: bool,
        typed: Option<&str>,
    ) -> Decided {
        let grant = self.grant_of(codes);
        decided(&self.ask(browser.decide(grant, approve, typed)))
    }

    /// The user signs in in a new browser, types the code, sees the device, and approves.
    pub fn approve(&mut self, username: &str, codes: &Codes) {
        let browser = self.signed_in(username);
        let asker = self.type_code(&browser, &codes.user).device();
        assert_eq!(asker.grant, self.grant_of(codes));
        assert_eq!(self.decide(&browser, codes, true), Decided::Approved);
    }

    /// The same, and denies.
    pub fn deny(&mut self, username: &str, codes: &Codes) {
        let browser = self.signed_in(username);
        self.type_code(&browser, &codes.user).device();
        assert_eq!(self.decide(&browser, codes, false), Decided::Denied);
    }

    /// A device of this client gets its tokens, with this user's approval.
    pub fn device_tokens(&mut self, client: &str, username: &str) -> Tokens {
        self.device_tokens_with(client, username, &[])
    }

    pub fn device_tokens_with(
        &mut self,
        client: &str,
        username: &str,
        pairs: &[(&str, &str)],
    ) -> Tokens {
        let codes = self.device_codes_with(client, pairs).expect("codes");
        self.approve(username, &codes);
        self.poll(&codes).expect("tokens")
    }
}
