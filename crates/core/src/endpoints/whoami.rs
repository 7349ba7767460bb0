//! Who a token is of, as clients of other systems ask: the user with the organization, or the client that acts for itself.

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::{ClientId, OrganizationId};
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::tokens::bearer::{self, OpenedToken, PresentedToken};

/// The scope that lets a client know it.
const PROFILE: &str = "profile";

#[derive(Debug)]
pub struct Whoami {
    token: PresentedToken,
}

/// What a token says, and what is stored now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoamiReply {
    /// The `sub`.
    pub sub: String,
    pub username: Option<String>,
    /// Only where the token has the scope `email`.
    pub email: Option<String>,
    pub scope: Scope,
    /// Its id and, if it has one, its name.
    pub organization: Option<(OrganizationId, Option<String>)>,
}

const INVALID: Refusal = Refusal::new(
    ErrorCode::InvalidToken,
    "The access token is not valid, has ended, or was revoked.",
);

impl Whoami {
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self {
            token: PresentedToken::new(token),
        }
    }
}

impl Operation for Whoami {
    type Parsed = OpenedToken;
    type Reply = WhoamiReply;
    type Refused = Refusal;

    fn prepare(&self, realm: &Realm) -> Result<OpenedToken, Refusal> {
        Ok(self.token.open(realm))
    }

    fn client(&self, opened: &OpenedToken) -> Option<ClientId> {
        opened.known_claims().map(|claims| claims.client_id.clone())
    }

    fn decide(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<WhoamiReply>, Stop> {
        let claims = opened.claims(env);
        let claims = claims.ok_or(INVALID.because(Cause::ForgedOrForeignToken))?;
        let live = bearer::verify_live(env, facts, claims, &[])
            .map_err(|stop| stop.map(|cause| INVALID.because(cause)))?;
        let scope = live.scope(env);
        if !scope.contains(PROFILE) {
            return Err(Refusal::new(
                ErrorCode::InsufficientScope,
                "The access token lacks the scope profile.",
            )
            .into());
        }
        let user = live.owner.user();
        let email = user.filter(|_| scope.contains("email"));
        Ok(Decision::reply(WhoamiReply {
            sub: live.claims.sub.clone(),
            username: user.map(|user| user.username.clone()),
            email: email.and_then(|user| user.email.clone()),
            organization: match user.and_then(|user| user.organization.clone()) {
                Some(id) => {
                    let name = facts.organization_name(env, &id)?;
                    Some((id, name))
                }
                None => None,
            },
            scope,
        }))
    }
}
