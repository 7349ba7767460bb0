//! The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).

use crate::base::error::{Cause, ErrorCode, Failure, Refusal};
use crate::base::peer::Peer;
use crate::base::row::{Key, Write};
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Excess, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::model::client::{Client, ConsentPolicy};
use crate::model::grant_type::GrantType;
use crate::model::ids::{ClientId, GrantId};
use crate::model::prompt::Prompt;
use crate::model::realm::Realm;
use crate::people::session::{self, SignedIn};
use crate::people::{Visitor, Withheld};
use crate::records::{
    self, Authorization, CodeIssued, Consent, Grant, GrantOrigin, GrantState, Started,
};
use crate::tokens::handles::{Code, PresentedCookie};

mod consent_answer;
mod error_redirect;
mod reauthentication;
mod request;
mod response;
mod sign_in_context;

pub use consent_answer::{ConsentAnswer, ConsentDecision, Disclosure, ShownConsent};
pub use reauthentication::{AUTH_AFTER, sign_in_proof};
use reauthentication::{SessionMatch, check_reauthentication};
use request::ValidRequest;
pub use request::{AuthorizationRequest, PreparedRequest};
pub(super) use response::with_query;
pub use response::{AuthorizationResponse, CheckedRedirect, MODES, ResponseMode};
pub use sign_in_context::{DescribeSignIn, ExpectedUser, SignInContext};

#[derive(Debug)]
pub struct Authorize {
    pub request: AuthorizationRequest,
    pub cookie: Option<PresentedCookie>,
    /// From the consent page.
    pub decision: Option<ConsentAnswer>,
    pub peer: Peer,
}

/// The reply once client and redirect URI are valid. Before, errors are shown on a page and never redirected.
#[derive(Debug)]
pub enum AuthorizeReply {
    /// The user must sign in, or sign in again.
    SignIn,
    /// The user must decide on the consent page.
    Consent(Box<ConsentPrompt>),
    /// The response to the client.
    Respond(Box<AuthorizationResponse>),
}

/// The content of the consent page.
#[derive(Clone, Debug)]
pub struct ConsentPrompt {
    pub visitor: Visitor,
    pub client: ClientId,
    pub shown: ShownConsent,
    pub client_name: String,
    pub asked: Disclosure,
    /// What the user consented to before.
    pub agreed_before: Option<Disclosure>,
    pub redirect: CheckedRedirect,
    /// Why there is nothing to agree to: the page says so, and leads back.
    pub withheld: Option<Withheld>,
}

/// A client and one of its registered redirect URIs.
struct ResolvedClient<'e> {
    client: &'e Client,
    redirect: CheckedRedirect,
}

impl AuthorizationRequest {
    /// Validates client and redirect URI, before anything may be sent there.
    ///
    /// # Errors
    /// For a page. RFC 6749 section 4.1.2.1: "the authorization server SHOULD inform the resource owner of the error and
    /// MUST NOT automatically redirect the user agent to the invalid redirection URI".
    fn resolve<'e>(&self, env: &Env<'e>, facts: &'e Facts) -> Result<ResolvedClient<'e>, Stop> {
        let client = match &self.client {
            Some(id) => facts.enabled_client(env, id)?,
            None => None,
        };
        let client =
            client.ok_or(invalid("The client is not known here.").because(Cause::UnknownClient))?;
        let requested = self.redirect_uri.as_deref();
        let (registered, exact) = match (requested, client.code.redirect_uris.as_slice()) {
            (Some(requested), _) => client
                .redirect_uri(requested)
                .ok_or_else(|| self.without_redirect(NOT_REGISTERED))?,
            // RFC 6749 section 3.1.2.3: it may be omitted where only one is registered.
            (None, [only]) if !self.needs_redirect_uri => (only, true),
            (None, _) => return Err(self.without_redirect(NOT_NAMED).into()),
        };
        let mut redirect = CheckedRedirect::new(&client.id, registered, requested, exact);
        redirect.state.clone_from(&self.state);
        redirect.mode = self.response_mode;
        Ok(ResolvedClient { client, redirect })
    }

    /// Why the browser is sent nowhere: the request object, where only that could say where to.
    fn without_redirect(&self, otherwise: Refusal) -> Refusal {
        match &self.details {
            Err(refusal) if self.is_by_object => refusal.clone(),
            _ => otherwise,
        }
    }

    /// The session of the browser, if it meets the request; `None` where the user must sign in.
    fn session(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        request: &ValidRequest,
        cookie: Option<&PresentedCookie>,
        also: &[&Key],
    ) -> Result<Option<SignedIn>, Stop> {
        let signed_in = session::signed_in(env, facts, cookie, also)?;
        let (Some(signed_in), Some(cookie)) = (signed_in, cookie) else {
            return sign_in(request);
        };
        let auth_time = signed_in.session.record.auth_time;
        let proven = self
            .proof
            .as_ref()
            .is_some_and(|proof| proof.is_valid(&env.realm.sealing, cookie, auth_time, env.now));
        match check_reauthentication(env, request, &signed_in, proven) {
            SessionMatch::Accepted => Ok(Some(signed_in)),
            SessionMatch::SignInRequired => sign_in(request),
            SessionMatch::OtherUser => Err(LOGIN_REQUIRED.into()),
        }
    }
}

const NOT_NAMED: Refusal =
    invalid("The parameter redirect_uri is missing.").because(Cause::RedirectUriMissing);

const NOT_REGISTERED: Refusal =
    invalid("The redirect_uri is not registered for the client.").because(Cause::RedirectUriOther);

const LOGIN_REQUIRED: Refusal = Refusal::new(
    ErrorCode::LoginRequired,
    "The user must sign in, or is not the one expected.",
);

const CONSENT_REQUIRED: Refusal = Refusal::new(
    ErrorCode::ConsentRequired,
    "The user has not agreed to this yet.",
);

const DENIED: Refusal = Refusal::new(ErrorCode::AccessDenied, "The user denied the request.");

/// Of a user who can be given nothing of what the request asks for.
const NOT_FOR_USER: Refusal = Refusal::new(
    ErrorCode::AccessDenied,
    "The client, or what it asks for, is not available to the user.",
);

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, description)
}

impl Authorize {
    /// What the consent page would show of this request.
    ///
    /// # Errors
    /// [`Stop`] if the request is refused.
    pub fn shown(&self, env: &Env<'_>, facts: &Facts) -> Result<ShownConsent, Stop> {
        let ResolvedClient { client, redirect } = self.request.resolve(env, facts)?;
        let prepared = self.request.prepare(env.realm);
        let request = self.request.for_client(&prepared, client, env.realm)?;
        let asked = Disclosure::new(client, request.consent_scope());
        Ok(ShownConsent::new(client, &redirect, &asked))
    }

    fn decide_for(
        &self,
        prepared: &PreparedRequest,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        redirect: &CheckedRedirect,
    ) -> Result<Decision<AuthorizeReply>, Stop> {
        let request = self.request.for_client(prepared, client, env.realm)?;
        let cookie = self.cookie.as_ref();
        let consent_key =
            cookie.map(|cookie| Consent::key(&env.realm.name, cookie.user(), &client.id));
        let also: Vec<_> = consent_key.iter().collect();
        let signed_in = self.request.session(env, facts, &request, cookie, &also)?;
        let (Some(signed_in), Some(consent_key)) = (signed_in, consent_key) else {
            return Ok(Decision::reply(AuthorizeReply::SignIn));
        };
        let prompt = request.prompt;
        let stored = facts.record::<Consent>(env, &consent_key)?.live();
        let user = &signed_in.user.record;
        let agreed = stored
            .as_ref()
            .filter(|stored| stored.record.counts(user, client));
        let request = match request.within_limits(env, client, user) {
            Ok(request) => request,
            Err(why) => return self.withhold(client, redirect, prompt, &signed_in, why),
        };
        let asked = Disclosure::new(client, request.consent_scope());
        let shown = ShownConsent::new(client, redirect, &asked);
        let decided = self.decided(shown);
        match decided {
            Some(ConsentDecision::Deny) => {
                let event = event(EventKind::ConsentDenied, client, &signed_in, &self.peer);
                return Ok(Decision::reply(respond(env, redirect, Err(DENIED))).event(event));
            }
            Some(ConsentDecision::Approve) => {}
            None if is_agreed(env.realm, client, redirect, &request, &asked, agreed) => {}
            None if prompt == Prompt::Nothing => return Err(CONSENT_REQUIRED.into()),
            None => {
                let prompt = ConsentPrompt {
                    visitor: signed_in.visitor(),
                    client: client.id.clone(),
                    shown,
                    client_name: client.name.clone(),
                    asked,
                    agreed_before: agreed
                        .map(|agreed| Disclosure::agreed(env.realm, &agreed.record)),
                    redirect: redirect.clone(),
                    withheld: None,
                };
                let reply = AuthorizeReply::Consent(Box::new(prompt));
                return Ok(Decision::reply(reply).writes(signed_in.touch));
            }
        }
        let decision = self.issue(env, client, redirect, request, &signed_in)?;
        if decided != Some(ConsentDecision::Approve) {
            // The commit fails if the consent was withdrawn meanwhile.
            let consent_unchanged = agreed.map(Versioned::unchanged);
            return Ok(decision.writes(consent_unchanged).writes(signed_in.touch));
        }
        let event = event(EventKind::ConsentGiven, client, &signed_in, &self.peer);
        let write = record_consent(
            env,
            client,
            &signed_in,
            &asked.remembered(env.realm),
            stored,
        )?;
        Ok(decision.event(event).write(write).writes(signed_in.touch))
    }

    /// What the user decided on a page that showed this.
    fn decided(&self, shown: ShownConsent) -> Option<ConsentDecision> {
        let answer = self.decision.filter(|answer| answer.shown == shown);
        answer.map(|answer| answer.decision)
    }

    /// A page says that there is nothing to agree to. It leads back to the client, which is then told.
    fn withhold(
        &self,
        client: &Client,
        redirect: &CheckedRedirect,
        prompt: Prompt,
        signed_in: &SignedIn,
        why: Withheld,
    ) -> Result<Decision<AuthorizeReply>, Stop> {
        let asked = Disclosure::default();
        let shown = ShownConsent::new(client, redirect, &asked);
        let goes_back = self.decided(shown) == Some(ConsentDecision::Deny);
        if goes_back || prompt == Prompt::Nothing {
            return Err(NOT_FOR_USER.because(why.cause()).into());
        }
        let prompt = ConsentPrompt {
            visitor: signed_in.visitor(),
            client: client.id.clone(),
            shown,
            client_name: client.name.clone(),
            asked,
            agreed_before: None,
            redirect: redirect.clone(),
            withheld: Some(why),
        };
        let reply = AuthorizeReply::Consent(Box::new(prompt));
        Ok(Decision::reply(reply).writes(signed_in.touch.clone()))
    }

    /// The commit fails if user or session changed since they were read.
    fn issue(
        &self,
        env: &Env<'_>,
        client: &Client,
        redirect: &CheckedRedirect,
        request: ValidRequest,
        signed_in: &SignedIn,
    ) -> Result<Decision<AuthorizeReply>, Stop> {
        let id = GrantId::newest_first(env.now, env.seed.bytes("grant"));
        let expires_at = env.now + client.code.lifetime;
        let code = env.realm.sealing.authorization_code(&Code {
            grant: id,
            expires_at,
            client: client.id.tag(),
        });
        let (user, session) = (&signed_in.user.record, &signed_in.session.record);
        // OpenID Connect Core section 11: offline_access is for "when the End-User is not present (not logged in)".
        let offline =
            request.scope.contains("offline_access") && client.may_use(GrantType::RefreshToken);
        let authorization = Authorization {
            user: user.id,
            epoch: user.epoch,
            scope: request.scope.clone(),
            at: env.now,
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            session: Some(session.id),
            offline,
            claims: request.claims.requested,
            disclosed: Some(client.disclosed_claims(&request.scope)),
            from: self.peer.clone(),
        };
        let grant = Grant {
            id,
            kind: GrantOrigin::Code,
            client: client.id.clone(),
            instance: client.instance,
            scope: request.scope,
            resources: request.resources,
            started: Started {
                at: env.now,
                by: self.peer.clone(),
            },
            expires_at,
            state: GrantState::CodeIssued(CodeIssued {
                authorization,
                redirect_uri: redirect.uri.clone(),
                redirect_uri_named: redirect.named,
                code_challenge: request.code_challenge,
                nonce: request.nonce,
            }),
        };
        let left_out = Event::scopes_left_out(&client.id, &request.left_out, &self.peer);
        let event = event(EventKind::CodeIssued, client, signed_in, &self.peer).grant(id);
        Ok(
            Decision::reply(respond(env, redirect, Ok(Secret::new(code))))
                .write(records::insert(&env.realm.name, &grant)?)
                .writes(preconditions(env, client, signed_in)?)
                .event(event)
                .events(left_out)
                .excess(Excess::of_new_grant(id, user.id, &client.id)),
        )
    }
}

impl Operation for Authorize {
    type Parsed = PreparedRequest;
    type Reply = AuthorizeReply;
    /// For a page.
    type Refused = Refusal;

    fn prepare(&self, realm: &Realm) -> Result<PreparedRequest, Refusal> {
        Ok(self.request.prepare(realm))
    }

    fn client(&self, _: &PreparedRequest) -> Option<ClientId> {
        self.request.client.clone()
    }

    fn decide(
        &self,
        prepared: &PreparedRequest,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<AuthorizeReply>, Stop> {
        let ResolvedClient { client, redirect } = self.request.resolve(env, facts)?;
        match self.decide_for(prepared, env, facts, client, &redirect) {
            Err(Stop::Refuse(refusal)) => {
                Ok(Decision::reply(respond(env, &redirect, Err(refusal))))
            }
            decided => decided,
        }
    }
}

fn respond(
    env: &Env<'_>,
    redirect: &CheckedRedirect,
    outcome: Result<Secret, Refusal>,
) -> AuthorizeReply {
    AuthorizeReply::Respond(Box::new(AuthorizationResponse {
        redirect: redirect.clone(),
        outcome,
        iss: env.realm.issuer.clone(),
    }))
}

/// OpenID Connect Core section 3.1.2.1: with `none`, "the Authorization Server MUST NOT display any authentication or
/// consent user interface pages."
fn sign_in(request: &ValidRequest) -> Result<Option<SignedIn>, Stop> {
    if request.prompt == Prompt::Nothing {
        return Err(LOGIN_REQUIRED.into());
    }
    Ok(None)
}

/// Whether a code may be issued without asking the user.
fn is_agreed(
    realm: &Realm,
    client: &Client,
    redirect: &CheckedRedirect,
    request: &ValidRequest,
    asked: &Disclosure,
    agreed: Option<&Versioned<Consent>>,
) -> bool {
    if request.prompt.wants_consent() {
        return false;
    }
    // Rights over others are asked about, whoever vouches for the client: a link would be enough to use them.
    let over_others = asked.scope.iter().any(|token| realm.is_over_others(token));
    if client.code.consent == ConsentPolicy::Skip && !over_others {
        return true;
    }
    // RFC 8252 section 8.6: "authorization servers SHOULD NOT process authorization requests automatically without user
    // consent or interaction, except when the identity of the client can be assured". It cannot for custom schemes and
    // ephemeral loopback ports, which any program of the machine could claim. A registered port counts as assured; it is
    // an app under development.
    let is_assured = client.is_confidential() || redirect.is_web();
    is_assured && agreed.is_some_and(|agreed| asked.is_within(realm, &agreed.record))
}

/// Writes the consent where it is wider than before. Otherwise the commit fails if it changed since it was read.
fn record_consent(
    env: &Env<'_>,
    client: &Client,
    signed_in: &SignedIn,
    asked: &Disclosure,
    stored: Option<Versioned<Consent>>,
) -> Result<Write, Failure> {
    let user = &signed_in.user.record;
    let consent = |agreed: &Disclosure| Consent {
        user: user.id,
        client: client.id.clone(),
        instance: client.instance,
        epoch: user.epoch,
        scope: agreed.scope.clone(),
        claims: agreed.claims.clone(),
        at: env.now,
    };
    let Some(stored) = stored else {
        return records::insert(&env.realm.name, &consent(asked));
    };
    let Versioned { record, row } = &stored;
    // Nothing stays of what someone else may have agreed to before the user was cut off, or agreed to for an earlier
    // client of this id.
    if !record.counts(user, client) {
        return records::replace(&env.realm.name, &consent(asked), row);
    }
    if asked.is_within(env.realm, record) {
        return Ok(stored.unchanged());
    }
    records::update(
        &env.realm.name,
        &consent(&asked.and(&Disclosure::agreed(env.realm, record))),
        row,
    )
}

/// The commit fails if user or session changed since they were read. A client with a back-channel logout URI is added to
/// the session once.
fn preconditions(
    env: &Env<'_>,
    client: &Client,
    signed_in: &SignedIn,
) -> Result<[Write; 2], Failure> {
    let Versioned { record, row } = &signed_in.session;
    let known = record.logout_subscribers.contains(client);
    if client.logout.backchannel_uri.is_none() || known {
        return Ok(signed_in.checks(env));
    }
    let mut session = record.clone();
    session.logout_subscribers.add(client);
    let session = records::update(&env.realm.name, &session, row)?;
    Ok([signed_in.user.unchanged(), session])
}

fn event(kind: EventKind, client: &Client, signed_in: &SignedIn, peer: &Peer) -> Event {
    Event::new(kind)
        .client(&client.id)
        .user(signed_in.user.record.id)
        .peer(peer)
}
