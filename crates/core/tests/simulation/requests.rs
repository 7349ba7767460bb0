//! What devices, browsers and the operator ask for, and how each is answered.

use std::convert::Infallible;

use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::base::secret::Secret;
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::authorize::{AuthorizeReply, ConsentDecision};
use grantor_core::endpoints::introspect::Introspect;
use grantor_core::endpoints::token::Token;
use grantor_core::endpoints::userinfo::Userinfo;
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::Outcome;
use grantor_core::model::ids::UserId;
use grantor_core::people::account::{
    Disconnect, EndSessionReply, RemoveAccessReply, SignOutEverywhereReply,
};
use grantor_core::people::{Password, SignInReply, Visit};

use crate::model::Name;
use crate::things::Things;
use grantor_testkit::world::{
    Browser, CodeLookup, Decided, Down, Run, Seen, SignedIn, Tokens, World, answer, code_lookup,
    decided, declared_user, form_of, params,
};
use grantor_testkit::{AuthorizationRequest, Codes, VERIFIER, redirect_uri};

/// What is asked for. Devices, seats, tokens and cookies are named by their places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Request {
    Codes {
        client: Name,
        scope: usize,
        address: Name,
    },
    Poll {
        device: usize,
        by: Name,
    },
    Refresh {
        device: usize,
        generation: u32,
        by: Name,
        from: Name,
        scope: Option<usize>,
    },
    RevokeGrant {
        device: usize,
        generation: u32,
        by: Name,
    },
    RevokeAccess {
        device: usize,
        token: usize,
        by: Name,
    },
    Introspect {
        device: usize,
        token: usize,
        by: Name,
    },
    Userinfo {
        device: usize,
        token: usize,
    },
    /// A machine asks for a token, with its secret or with a guess.
    Machine {
        right: bool,
        address: Name,
    },
    SignIn {
        seat: usize,
        cookie: Option<usize>,
        user: Name,
        password: u8,
    },
    SignOut {
        cookie: usize,
    },
    Visit {
        cookie: usize,
    },
    /// A user types a code.
    Type {
        seat: usize,
        cookie: usize,
        typed: Typed,
    },
    Decide {
        seat: usize,
        cookie: usize,
        device: usize,
        approve: bool,
        typed: Typed,
    },
    /// An app sends a browser for a code.
    Authorize {
        seat: usize,
        cookie: usize,
        client: Name,
        scope: usize,
        /// Whether the user consents, or has to be asked.
        agrees: bool,
    },
    /// An app comes with its code, with the right verifier or another.
    Redeem {
        device: usize,
        by: Name,
        right: bool,
    },
    /// A user ends the session of another cookie, or of this one.
    EndSession {
        seat: usize,
        cookie: usize,
        of: usize,
    },
    /// A user revokes one grant.
    TakeBack {
        seat: usize,
        cookie: usize,
        device: usize,
    },
    /// A user disconnects a client.
    Disconnect {
        seat: usize,
        cookie: usize,
        client: Name,
    },
    /// A user signs out everywhere.
    Everywhere {
        seat: usize,
        cookie: usize,
    },
    /// The operator declares a user.
    Declare {
        user: Name,
        enabled: bool,
        password: u8,
        group: u8,
    },
}

/// A user code: that of a device, or a guess.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Typed {
    Of(usize),
    Guess(u64),
}

/// How a request was answered.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Codes(Result<Codes, ErrorCode>),
    Tokens(Result<Tokens, ErrorCode>),
    /// Whether a token is valid, and its scope.
    Active(Result<Option<String>, ErrorCode>),
    Plain(Result<(), ErrorCode>),
    SignedIn(SignedIn, Option<[Secret; 2]>),
    Visitor(Option<UserId>),
    Looked(CodeLookup),
    Page(Decided),
    Authorized(Authorized),
    Ended(EndSessionReply),
    RemoveAccessReply(RemoveAccessReply),
    Everywhere(SignOutEverywhereReply),
}

/// How an authorization request was answered.
#[derive(Clone, Debug)]
pub(crate) enum Authorized {
    SignIn,
    Asked,
    Code(String),
    Refused(ErrorCode),
    /// A page, without a redirect.
    Page,
}

fn authorized(outcome: Outcome<AuthorizeReply>) -> End {
    End::Authorized(match outcome.reply {
        Ok(AuthorizeReply::SignIn) => Authorized::SignIn,
        Ok(AuthorizeReply::Consent(_)) => Authorized::Asked,
        Ok(AuthorizeReply::Respond(response)) => match response.outcome {
            Ok(code) => Authorized::Code(code.reveal().to_owned()),
            Err(refusal) => Authorized::Refused(refusal.code),
        },
        Err(_) => Authorized::Page,
    })
}

/// A request of any kind under way.
pub(crate) trait Lane {
    fn effect(&mut self, world: &mut World) -> Option<Result<End, Down>>;
    fn is_about_to_commit(&self) -> bool;
    fn seen(&mut self) -> Option<Seen>;
}

struct Of<O: Operation> {
    run: Run<O>,
    end: fn(Outcome<O::Reply, O::Refused>) -> End,
}

impl<O: Operation> Lane for Of<O> {
    fn effect(&mut self, world: &mut World) -> Option<Result<End, Down>> {
        let end = self.run.effect(world)?;
        Some(end.map(self.end))
    }

    fn is_about_to_commit(&self) -> bool {
        self.run.is_about_to_commit()
    }

    fn seen(&mut self) -> Option<Seen> {
        self.run.seen.take()
    }
}

fn lane<O: Operation + 'static>(
    world: &mut World,
    operation: O,
    end: fn(Outcome<O::Reply, O::Refused>) -> End,
) -> Box<dyn Lane> {
    let run = Run::new(world, operation);
    Box::new(Of { run, end })
}

fn code(refusal: Refusal) -> ErrorCode {
    refusal.code
}

fn plain<R>(outcome: Outcome<R>) -> End {
    End::Plain(outcome.reply.map(drop).map_err(code))
}

fn done<R>(_: Outcome<R, Infallible>) -> End {
    End::Plain(Ok(()))
}

fn taken_back(outcome: Outcome<RemoveAccessReply, Infallible>) -> End {
    End::RemoveAccessReply(outcome.reply.unwrap_or_else(|never| match never {}))
}

/// The password of a user.
fn password(user: &str, number: u8) -> String {
    format!("{user}-password-{number}")
}

/// Eight letters that are hardly ever a code.
fn guess(mut number: u64) -> String {
    let letters = b"BCDFGHJKLMNPQRSTVWXZ";
    let letter = |_| {
        let letter = letters[(number % 20) as usize];
        number /= 20;
        char::from(letter)
    };
    (0..8).map(letter).collect()
}

impl Things {
    fn typed(&self, typed: Typed) -> String {
        match typed {
            Typed::Of(device) => self.devices[device].codes.user.clone(),
            Typed::Guess(number) => guess(number),
        }
    }

    /// A browser that shows this cookie.
    pub(crate) fn browser(&self, seat: usize, cookie: Option<usize>) -> Browser {
        let seat = &self.seats[seat];
        Browser {
            address: seat.address.to_owned(),
            session: cookie.map(|cookie| self.cookies[cookie].text.clone()),
            known: seat.known.clone(),
        }
    }

    /// Starts a request; no effect is performed yet.
    pub(crate) fn send(&self, world: &mut World, request: Request) -> Box<dyn Lane> {
        match request {
            Request::Codes {
                client,
                scope,
                address,
            } => {
                let asked = [("scope", crate::things::SCOPES[scope])];
                let operation = world.from(address).device_request(client, &asked);
                lane(world, operation.expect("a request"), |outcome| {
                    let codes = outcome.reply.map(|reply| Codes {
                        client: String::new(),
                        device: reply.device_code.reveal().to_owned(),
                        user: reply.user_code,
                        link: String::new(),
                    });
                    End::Codes(codes.map_err(code))
                })
            }
            Request::Poll { device, by } => {
                world.from(self.devices[device].address);
                let poll = world.poll_request(by, &self.devices[device].codes.device);
                lane(world, poll, |outcome| End::Tokens(answer(outcome)))
            }
            Request::Refresh {
                device,
                generation,
                by,
                from,
                scope,
            } => {
                world.from(from);
                let token = self.devices[device].refresh_token(generation);
                let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
                pairs.extend(scope.map(|scope| ("scope", crate::things::SCOPES[scope])));
                let refresh = world.token_request(by, &pairs).expect("a request");
                lane(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            Request::RevokeGrant {
                device,
                generation,
                by,
            } => {
                let token = self.devices[device].refresh_token(generation);
                let revoke = world.revoke_request(by, token);
                lane(world, revoke, plain)
            }
            Request::RevokeAccess { device, token, by } => {
                let token = &self.devices[device].access[token].text;
                let revoke = world.revoke_request(by, token);
                lane(world, revoke, plain)
            }
            Request::Introspect { device, token, by } => {
                let form = form_of(by, &[("token", &self.devices[device].access[token].text)]);
                let introspect = Authenticated::<Introspect>::parse(None, &form, world.peer())
                    .expect("a request");
                lane(world, introspect, |outcome| {
                    let decision = outcome
                        .reply
                        .map(|decision| decision.token.map(|token| token.scope));
                    End::Active(decision.map_err(code))
                })
            }
            Request::Userinfo { device, token } => {
                let header = format!("Bearer {}", self.devices[device].access[token].text);
                let userinfo = Userinfo::parse(Some(header.as_bytes()), &params(&[]));
                lane(world, userinfo.expect("a request"), plain)
            }
            Request::Machine { right, address } => {
                let form = params(&[
                    ("client_id", "orders"),
                    ("client_secret", if right { "s3cr3t" } else { "secret" }),
                    ("grant_type", "client_credentials"),
                    ("scope", "files.example.com/read"),
                ]);
                let peer = world.from(address).peer();
                let token = Authenticated::<Token>::parse(None, &form, peer).expect("a request");
                lane(world, token, |outcome| End::Tokens(answer(outcome)))
            }
            Request::SignIn {
                seat,
                cookie,
                user,
                password: number,
            } => {
                let browser = self.browser(seat, cookie);
                let sign_in = browser.sign_in(user, &password(user, number));
                lane(world, sign_in, |outcome| {
                    match outcome.reply.unwrap_or_else(|never| match never {}) {
                        SignInReply::SignedIn {
                            session,
                            known_browser,
                            ..
                        } => End::SignedIn(SignedIn::Yes, Some([session, known_browser])),
                        SignInReply::Wrong => End::SignedIn(SignedIn::Wrong, None),
                        SignInReply::TooMany { .. } => End::SignedIn(SignedIn::TooMany, None),
                    }
                })
            }
            Request::SignOut { cookie } => {
                let sign_out = self.browser(0, Some(cookie)).sign_out();
                lane(world, sign_out, plain)
            }
            Request::Visit { cookie } => {
                let cookie = self.browser(0, Some(cookie)).cookie();
                lane(world, Visit { cookie }, |outcome| {
                    let visitor = outcome.reply.unwrap_or_else(|never| match never {});
                    End::Visitor(visitor.map(|visitor| visitor.user))
                })
            }
            Request::Type {
                seat,
                cookie,
                typed,
            } => {
                let lookup = self
                    .browser(seat, Some(cookie))
                    .type_code(&self.typed(typed));
                lane(world, lookup, |outcome| End::Looked(code_lookup(outcome)))
            }
            Request::Decide {
                seat,
                cookie,
                device,
                approve,
                typed,
            } => {
                let (grant, typed) = (self.devices[device].grant, self.typed(typed));
                let browser = self.browser(seat, Some(cookie));
                let decision = browser.decide(grant, approve, Some(&typed));
                lane(world, decision, |outcome| End::Page(decided(&outcome)))
            }
            Request::Authorize {
                seat,
                cookie,
                client,
                scope,
                agrees,
            } => {
                let request = AuthorizationRequest::new(client);
                let request = request.with("scope", crate::things::SCOPES[scope]);
                let browser = self.browser(seat, Some(cookie));
                let decision = agrees.then_some(ConsentDecision::Approve);
                let decision = decision.map(|decision| world.consent_answer(&request, decision));
                lane(world, browser.authorize(&request, decision), authorized)
            }
            Request::Redeem { device, by, right } => {
                let device = &self.devices[device];
                world.from(device.address);
                let redirect_uri = redirect_uri(device.client);
                let other = VERIFIER.to_lowercase();
                let form = [
                    ("grant_type", "authorization_code"),
                    ("code", &device.codes.device),
                    ("redirect_uri", redirect_uri),
                    ("code_verifier", if right { VERIFIER } else { &other }),
                ];
                let redeem = world.token_request(by, &form).expect("a request");
                lane(world, redeem, |outcome| End::Tokens(answer(outcome)))
            }
            Request::EndSession { seat, cookie, of } => {
                let session = self.cookies[of].session.expect("a cookie that arrived");
                let end = self.browser(seat, Some(cookie)).end_session(session);
                lane(world, end, |outcome| {
                    End::Ended(outcome.reply.unwrap_or_else(|never| match never {}))
                })
            }
            Request::TakeBack {
                seat,
                cookie,
                device,
            } => {
                let grant = self.devices[device].grant;
                let revoke = self.browser(seat, Some(cookie)).revoke_grant(grant);
                lane(world, revoke, taken_back)
            }
            Request::Disconnect {
                seat,
                cookie,
                client,
            } => {
                let browser = self.browser(seat, Some(cookie));
                let mut grants = world.listed_grants(world.session_of(&browser).1, client);
                grants.truncate(Disconnect::MAX_GRANTS);
                lane(world, browser.disconnect(client, grants), taken_back)
            }
            Request::Everywhere { seat, cookie } => {
                let everywhere = self.browser(seat, Some(cookie)).sign_out_everywhere();
                lane(world, everywhere, |outcome| {
                    End::Everywhere(outcome.reply.unwrap_or_else(|never| match never {}))
                })
            }
            Request::Declare {
                user,
                enabled,
                password: number,
                group,
            } => {
                let mut declared = declared_user(user, enabled);
                declared.password = Password::Hash(format!("plain${}", password(user, number)));
                declared.groups = Some(vec![format!("group-{group}")]);
                lane(world, declared, done)
            }
        }
    }
}
