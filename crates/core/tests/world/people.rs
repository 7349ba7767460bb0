//! People and their browsers.

use std::collections::BTreeMap;

use grantor_core::base::secret::Secret;
use grantor_core::endpoints::logout::Logout;
use grantor_core::engine::drive::Outcome;
use grantor_core::model::ids::{GrantId, UserId};
use grantor_core::people::{
    Deprovision, DeviceDecision, DeviceDecisionReply, LookupUserCode, LookupUserCodeReply,
    Password, PendingDevice, Provision, ProvisionReply, SignIn, SignInReply, Visit, Visitor,
};

use super::{Codes, SOFA, World, peer};

/// A browser: where it is, and its cookies.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    pub(crate) address: String,
    pub(crate) session: Option<Secret>,
    pub(crate) known: Option<Secret>,
}

/// What came of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignedIn {
    Yes,
    Wrong,
    TooMany,
}

/// What came of typing a code.
#[derive(Clone, Debug)]
pub(crate) enum Looked {
    SignIn,
    NotValid,
    TooMany,
    Asks(Box<PendingDevice>),
}

impl Looked {
    pub(crate) fn asker(self) -> PendingDevice {
        match self {
            Self::Asks(asker) => *asker,
            other => panic!("nobody asks: {other:?}"),
        }
    }
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    Approved,
    Denied,
    SignIn,
    Gone,
    Again,
    TooMany,
}

impl Browser {
    /// A browser that has seen nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            address: SOFA.to_owned(),
            session: None,
            known: None,
        }
    }

    /// The requests that it sends.
    pub(crate) fn sign_in(&self, username: &str, password: &str) -> SignIn {
        SignIn {
            username: username.to_owned(),
            password: Secret::new(password),
            previous: self.session.clone(),
            known_browser: self.known.clone(),
            peer: peer(&self.address),
        }
    }

    pub(crate) fn lookup_user_code(&self, typed: &str) -> LookupUserCode {
        LookupUserCode {
            cookie: self.session.clone(),
            typed: Secret::new(typed),
            peer: peer(&self.address),
        }
    }

    pub(crate) fn decide(
        &self,
        grant: GrantId,
        approve: bool,
        typed: Option<&str>,
    ) -> DeviceDecision {
        DeviceDecision {
            cookie: self.session.clone(),
            grant,
            approve,
            typed: typed.map(Secret::new),
            peer: peer(&self.address),
        }
    }

    /// The user says yes to signing out.
    pub(crate) fn sign_out(&self) -> Logout {
        Logout {
            params: super::apps::params(&[]),
            cookie: self.session.clone(),
            confirmed: true,
        }
    }
}

/// What a page says of a decision.
pub(crate) fn decided(outcome: &Outcome<DeviceDecisionReply>) -> Decided {
    match &outcome.reply {
        Ok(DeviceDecisionReply::Decided { approved: true, .. }) => Decided::Approved,
        Ok(DeviceDecisionReply::Decided {
            approved: false, ..
        }) => Decided::Denied,
        Ok(DeviceDecisionReply::SignIn) => Decided::SignIn,
        Ok(DeviceDecisionReply::Gone { .. }) => Decided::Gone,
        Ok(DeviceDecisionReply::Again(_)) => Decided::Again,
        Ok(DeviceDecisionReply::TooMany { .. }) => Decided::TooMany,
        Err(refusal) => panic!("a page is no protocol: {refusal:?}"),
    }
}

/// What a page says of a look-up.
pub(crate) fn looked(outcome: Outcome<LookupUserCodeReply>) -> Looked {
    match outcome.reply {
        Ok(LookupUserCodeReply::SignIn) => Looked::SignIn,
        Ok(LookupUserCodeReply::NotValid { .. }) => Looked::NotValid,
        Ok(LookupUserCodeReply::TooMany { .. }) => Looked::TooMany,
        Ok(LookupUserCodeReply::Pending(asker)) => Looked::Asks(asker),
        Err(refusal) => panic!("a page is no protocol: {refusal:?}"),
    }
}

pub(crate) fn user_id(username: &str) -> UserId {
    UserId::from_username("default", username)
}

/// A user as the configuration file declares one; the password is the name and `-password`.
pub(crate) fn file_user(username: &str, enabled: bool) -> Provision {
    let claims = [("given_name", username), ("address", "1 Main Street")];
    Provision {
        id: user_id(username),
        username: username.to_owned(),
        enabled,
        password: Password::Hash(format!("plain${username}-password")),
        email: Some(format!("{username}@example.com")),
        groups: vec!["staff".to_owned()],
        claims: BTreeMap::from(claims.map(|(name, value)| (name.to_owned(), value.into()))),
    }
}

impl World {
    /// Whether the row had to be written; none where the name is taken or a hash is needed.
    pub(crate) fn provision(&mut self, user: Provision) -> Option<bool> {
        match self.ask(user).reply {
            Ok(ProvisionReply::Done { changed }) => Some(changed),
            _ => None,
        }
    }

    /// The operator disables or enables a user.
    pub(crate) fn set_enabled(&mut self, username: &str, enabled: bool) {
        assert_eq!(self.provision(file_user(username, enabled)), Some(true));
    }

    /// The file names the user no more.
    pub(crate) fn withdraw(&mut self, username: &str) {
        let withdraw = Deprovision {
            id: user_id(username),
        };
        self.ask(withdraw).reply.expect("no protocol");
    }

    /// Signs in with this browser, which keeps its cookies as browsers do.
    pub(crate) fn sign_in(
        &mut self,
        browser: &mut Browser,
        username: &str,
        password: &str,
    ) -> SignedIn {
        match self.ask(browser.sign_in(username, password)).reply {
            Ok(SignInReply::SignedIn {
                session,
                known_browser,
            }) => {
                browser.session = Some(session);
                browser.known = Some(known_browser);
                SignedIn::Yes
            }
            Ok(SignInReply::Wrong) => SignedIn::Wrong,
            Ok(SignInReply::TooMany { .. }) => SignedIn::TooMany,
            Err(refusal) => panic!("a page is no protocol: {refusal:?}"),
        }
    }

    /// A new browser in which this user just signed in.
    pub(crate) fn browser_of(&mut self, username: &str) -> Browser {
        let mut browser = Browser::new();
        let password = format!("{username}-password");
        assert_eq!(
            self.sign_in(&mut browser, username, &password),
            SignedIn::Yes
        );
        browser
    }

    /// Who sits at this browser.
    pub(crate) fn visitor(&mut self, browser: &Browser) -> Option<Visitor> {
        let cookie = browser.session.clone();
        self.ask(Visit { cookie }).reply.expect("no protocol")
    }

    pub(crate) fn sign_out(&mut self, browser: &Browser) {
        self.ask(browser.sign_out()).reply.expect("no protocol");
    }

    /// The user types a code.
    pub(crate) fn lookup_user_code(&mut self, browser: &Browser, typed: &str) -> Looked {
        looked(self.ask(browser.lookup_user_code(typed)))
    }

    pub(crate) fn decide(&mut self, browser: &Browser, codes: &Codes, approve: bool) -> Decided {
        self.decide_typing(browser, codes, approve, None)
    }

    pub(crate) fn decide_typing(
        &mut self,
        browser: &Browser,
        codes: &Codes,
        approve: bool,
        typed: Option<&str>,
    ) -> Decided {
        let grant = self.grant_of(codes);
        decided(&self.ask(browser.decide(grant, approve, typed)))
    }

    /// The user signs in, types the code, sees who asks, and approves.
    pub(crate) fn approve(&mut self, username: &str, codes: &Codes) {
        let browser = self.browser_of(username);
        let asker = self.lookup_user_code(&browser, &codes.user).asker();
        assert_eq!(asker.grant, self.grant_of(codes));
        assert_eq!(self.decide(&browser, codes, true), Decided::Approved);
    }

    /// The same, and denies.
    pub(crate) fn deny(&mut self, username: &str, codes: &Codes) {
        let browser = self.browser_of(username);
        self.lookup_user_code(&browser, &codes.user).asker();
        assert_eq!(self.decide(&browser, codes, false), Decided::Denied);
    }

    /// A device of this client gets its tokens, with this user's approval.
    pub(crate) fn device_tokens(&mut self, client: &str, username: &str) -> super::Tokens {
        self.device_tokens_for(client, username, &[])
    }

    pub(crate) fn device_tokens_for(
        &mut self,
        client: &str,
        username: &str,
        pairs: &[(&str, &str)],
    ) -> super::Tokens {
        let codes = self.device_for(client, pairs).expect("codes");
        self.approve(username, &codes);
        self.poll(&codes).expect("tokens")
    }
}
