//! What the sign-in page says of the authorization request that waits for it.

use std::convert::Infallible;

use super::request::{AuthorizationRequest, PreparedRequest, ValidRequest};
use super::{CheckedRedirect, ResolvedClient};
use crate::base::row::Key;
use crate::engine::decide::{Decision, Halt, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::client::{Client, ConsentPolicy};
use crate::model::ids::UserId;
use crate::model::realm::Realm;
use crate::people::Visitor;
use crate::people::session::{self, SignedIn};
use crate::records::{Consent, User};
use crate::tokens::grant_liveness;
use crate::tokens::handles::PresentedCookie;

#[derive(Debug)]
pub struct DescribeSignIn {
    pub request: AuthorizationRequest,
    /// The session of the browser.
    pub cookie: Option<PresentedCookie>,
}

#[derive(Debug)]
pub struct SignInContext {
    pub client_name: String,
    pub redirect: CheckedRedirect,
    /// Whether the request needs no sign-in: its session serves, or its client is to be told an error.
    pub goes_on: bool,
    /// Whoever is signed in already, also where that does not serve.
    pub signed_in: Option<Visitor>,
    pub expected: ExpectedUser,
}

/// Whom the request is for: the user of its `id_token_hint`, or of the claim `sub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedUser {
    Any,
    /// By a name that may be shown.
    Named(String),
    /// Someone else than who is signed in, by an id. Neither the client nor the browser showed that it may know the name.
    Unnamed,
}

impl Operation for DescribeSignIn {
    type Parsed = PreparedRequest;
    /// `None` where client or redirect URI are not known: nothing may be said or sent there.
    type Reply = Option<SignInContext>;
    type Refused = Infallible;

    fn prepare(&self, realm: &Realm) -> Result<PreparedRequest, Infallible> {
        Ok(self.request.prepare(realm))
    }

    fn decide(
        &self,
        prepared: &PreparedRequest,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Stop<Infallible>> {
        let ResolvedClient { client, redirect } = match self.request.resolve(env, facts) {
            Ok(resolved) => resolved,
            Err(stop) => return Ok(stop.recover(|_| Decision::reply(None))?),
        };
        let request = self.request.for_client(prepared, client, env.realm).ok();
        let hinted = request
            .as_ref()
            .and_then(|request| request.hinted)
            // One that leaked long ago discloses no name.
            .filter(|(_, ends)| !ends.is_past(env.now))
            .map(|(user, _)| HintedUser::new(env, user, client));
        let also: Vec<&Key> = hinted.iter().flat_map(HintedUser::keys).collect();
        let cookie = self.cookie.as_ref();
        let signed_in = session::signed_in(env, facts, cookie, &also)?;
        let expected = match &request {
            Some(request) => {
                request.expected_user(env, facts, client, signed_in.as_ref(), hinted.as_ref())?
            }
            None => ExpectedUser::Any,
        };
        let goes_on = match (&request, cookie) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(request), Some(_)) => self
                .request
                .session(env, facts, request, cookie, &also)
                .map(|session| session.is_some())
                .or_else(|stop| stop.recover(|_| true))?,
        };
        Ok(Decision::reply(Some(SignInContext {
            client_name: client.name.clone(),
            redirect,
            goes_on,
            signed_in: signed_in.map(|signed_in| signed_in.visitor()),
            expected,
        })))
    }
}

/// The user of an ID token that this client was given, and what shows whether the client may know the name.
struct HintedUser {
    user: Key,
    consent: Key,
}

impl HintedUser {
    fn new(env: &Env<'_>, user: UserId, client: &Client) -> Self {
        Self {
            user: grant_liveness::user_key(env, user),
            consent: Consent::key(&env.realm.name, user, &client.id),
        }
    }

    fn keys(&self) -> [&Key; 2] {
        [&self.user, &self.consent]
    }

    /// The name that the user signs in with, if the client may read it at userinfo: an ID token alone says only who the user is
    /// by id, and anyone who has it can open this page.
    fn name(&self, env: &Env<'_>, facts: &Facts, client: &Client) -> Result<Option<String>, Halt> {
        facts.need(&self.keys())?;
        let user = facts.record::<User>(env, &self.user)?.live();
        let consent = facts.record::<Consent>(env, &self.consent)?.live();
        let Some(user) = user.map(|user| user.record) else {
            return Ok(None);
        };
        if !facts.is_enabled_user(env, &user)? {
            return Ok(None);
        }
        let agreed = consent.is_some_and(|consent| {
            consent.record.counts(&user, client) && consent.record.scope.contains("profile")
        });
        let may_know = match client.code.consent {
            ConsentPolicy::Ask => agreed,
            ConsentPolicy::Skip => client.scopes.contains("profile"),
        };
        let is_told = !user.claims.contains_key("preferred_username");
        Ok((may_know && is_told).then_some(user.username))
    }
}

impl ValidRequest {
    fn expected_user(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        signed_in: Option<&SignedIn>,
        hinted: Option<&HintedUser>,
    ) -> Result<ExpectedUser, Halt> {
        if self.expected.is_empty() {
            return Ok(ExpectedUser::Any);
        }
        if let Some(signed_in) = signed_in {
            let user = &signed_in.user.record;
            let id = user.id.to_string();
            if self.expected.iter().all(|expected| *expected == id) {
                return Ok(ExpectedUser::Named(user.username.clone()));
            }
        }
        let name = match hinted {
            Some(hinted) => hinted.name(env, facts, client)?,
            None => None,
        };
        Ok(name.map_or(ExpectedUser::Unnamed, ExpectedUser::Named))
    }
}
