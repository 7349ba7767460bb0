//! What the sign-in page says of the authorization request that waits for it.

use std::convert::Infallible;

use super::request::{AuthorizationRequest, PreparedRequest};
use super::{CheckedRedirect, ResolvedClient};
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::tokens::handles::PresentedCookie;

#[derive(Debug)]
pub struct DescribeSignIn {
    pub request: AuthorizationRequest,
    /// The session, where it may serve in place of a sign-in. Without one, nothing is read.
    pub cookie: Option<PresentedCookie>,
}

#[derive(Debug)]
pub struct SignInContext {
    pub client_name: String,
    pub redirect: CheckedRedirect,
    /// Whether the request needs no sign-in: its session serves, or its client is to be told an error.
    pub goes_on: bool,
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
        let goes_on = match &self.cookie {
            None => false,
            Some(cookie) => self
                .needs_no_sign_in(prepared, env, facts, client, cookie)
                .or_else(|stop| stop.recover(|_| true))?,
        };
        Ok(Decision::reply(Some(SignInContext {
            client_name: client.name.clone(),
            redirect,
            goes_on,
        })))
    }
}

impl DescribeSignIn {
    /// # Errors
    /// An error for the client, too.
    fn needs_no_sign_in(
        &self,
        prepared: &PreparedRequest,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        cookie: &PresentedCookie,
    ) -> Result<bool, Stop> {
        let request = self.request.for_client(prepared, client, env.realm)?;
        let session = self
            .request
            .session(env, facts, &request, Some(cookie), &[])?;
        Ok(session.is_some())
    }
}
