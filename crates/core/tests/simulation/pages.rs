//! Each page, compared with what was true from the request's first attempt to its last.

use grantor_core::base::secret::Secret;
use grantor_core::model::client::DeviceApproval;
use grantor_core::model::ids::UserId;

use crate::life::{Flight, Life};
use crate::model::{State, client_of};
use crate::requests::{Request, Typed};
use crate::tables::Wrong;
use grantor_testkit::world::{CodeLookup, Decided, SignedIn};
use grantor_testkit::{Spans as _, user_id};

impl Life {
    pub(crate) fn signed_in(
        &mut self,
        flight: &Flight,
        said: SignedIn,
        cookies: Option<[Secret; 2]>,
    ) {
        let Request::SignIn {
            seat,
            user,
            password,
            ..
        } = flight.request
        else {
            panic!("no sign-in");
        };
        let address = self.things.seats[seat].address;
        let wrong = |what, whom, limit| Wrong { what, whom, limit };
        let passwords = [
            wrong(
                "passwords for one account from one address",
                format!("{user} {address}"),
                10,
            ),
            wrong("passwords from one address", address.to_owned(), 100),
        ];
        // The cookie that it sent may have ended meanwhile, and its count may be used up.
        let may_be_known = flight.may_be_known;
        match said {
            SignedIn::Yes => {
                let place = flight.cookie.expect("a session without a row");
                let [session, known] = cookies.expect("cookies");
                let opened = flight.realm.sealing.open_session_cookie(session.reveal());
                let cookie = &mut self.things.cookies[place];
                cookie.session = opened.map(|opened| opened.id);
                cookie.text = session;
                let seat = &mut self.things.seats[seat];
                (seat.cookie, seat.known) = (Some(place), Some(known));
                self.count("sign-in: right");
            }
            SignedIn::Wrong => {
                let unchanged = flight.cut == self.cut(flight.request);
                let right = flight.before.good && unchanged && self.opens(user, password);
                assert!(!right || flight.tried, "a right password is refused");
                for of in passwords {
                    if may_be_known {
                        self.tables.perhaps_wrong(of, flight.asked);
                    } else {
                        self.tables.wrong(of, flight.asked, self.passed);
                    }
                }
                self.count("sign-in: wrong");
            }
            SignedIn::TooMany => {
                let used_up = |of| self.tables.is_used_up(of, flight.asked);
                assert!(passwords.into_iter().any(used_up), "locked out");
                self.count("sign-in: too many");
            }
        }
    }

    /// Whether a session is certainly live, from beginning to end.
    pub(crate) fn is_certain(&self, flight: &Flight, cookie: usize) -> bool {
        let session = self.model.signed_in(cookie, flight.begun);
        flight.before.signed_in
            && !flight.tried
            // After the clock stepped back, its row may be swept already.
            && session.is_some_and(|session| {
                session.signed_in <= flight.begun && flight.begun.since(session.signed_in) < 1.h()
            })
    }

    pub(crate) fn visited(&mut self, flight: &Flight, cookie: usize, user: Option<UserId>) {
        match user {
            Some(user) => {
                assert!(flight.before.signed_in || flight.tried, "a dead session");
                let name = self.things.cookies[cookie].user;
                assert_eq!(user, user_id(name));
                self.used(cookie, flight.now);
                self.count("visit: signed in");
            }
            None => {
                assert!(!self.is_certain(flight, cookie), "a live session is dead");
                self.count("visit: a dead session");
            }
        }
    }

    /// The user codes that this account and this address typed wrong.
    fn codes_typed(&self, seat: usize, cookie: usize) -> [Wrong; 2] {
        [
            Wrong {
                what: "user codes of one account",
                whom: self.things.cookies[cookie].user.to_owned(),
                limit: 20,
            },
            Wrong {
                what: "user codes from one address",
                whom: self.things.seats[seat].address.to_owned(),
                limit: 200,
            },
        ]
    }

    fn guessed(&mut self, flight: &Flight, seat: usize, cookie: usize) {
        for of in self.codes_typed(seat, cookie) {
            self.tables.wrong(of, flight.asked, self.passed);
        }
    }

    fn is_locked_out(&self, flight: &Flight, seat: usize, cookie: usize) {
        let mut typed = self.codes_typed(seat, cookie).into_iter();
        let used_up = typed.any(|of| self.tables.is_used_up(of, flight.asked));
        assert!(used_up, "locked out without wrong codes");
    }

    pub(crate) fn looked(&mut self, flight: &Flight, looked: CodeLookup) {
        let Request::Type {
            seat,
            cookie,
            typed,
        } = flight.request
        else {
            panic!("nothing was typed");
        };
        match looked {
            CodeLookup::SignIn => {
                assert!(!self.is_certain(flight, cookie), "a live session is dead");
                return self.count("code: sign in first");
            }
            CodeLookup::TooMany => {
                self.is_locked_out(flight, seat, cookie);
                self.count("code: too many");
            }
            CodeLookup::NotValid => {
                if let Typed::Of(device) = typed {
                    self.is_not_pending(flight, device);
                }
                self.guessed(flight, seat, cookie);
                self.count("code: not valid");
            }
            CodeLookup::Withheld(why) => panic!("nothing is limited here: {why:?}"),
            CodeLookup::Asks(asker) => {
                let Typed::Of(device) = typed else {
                    panic!("a guess was right");
                };
                assert_eq!(asker.grant, self.things.devices[device].grant);
                assert!(flight.tried || flight.before.state == Some(State::Pending));
                self.count("code: a device asks");
            }
        }
        assert!(flight.before.signed_in || flight.tried, "a dead session");
        self.used(cookie, flight.now);
    }

    /// The user of the cookie decided, at the latest while the request was under way.
    fn was_decided(&self, flight: &Flight, device: usize, cookie: usize) {
        let user = self.things.cookies[cookie].user;
        let so = |state: State| match state {
            State::Denied(by) => by == user,
            State::Approved(yes) | State::Active { yes, .. } => yes.user == user,
            State::Pending | State::Issued(_) => false,
        };
        let now = self.model.grants.get(&device).map(|grant| grant.state);
        let gone = now.is_none();
        assert!(
            gone || now.is_some_and(so) || flight.before.state.is_some_and(so),
            "decided by someone else"
        );
    }

    /// This can no longer be decided.
    fn is_not_pending(&self, flight: &Flight, device: usize) {
        let pending = flight.before.state == Some(State::Pending)
            && self.model.is_pending(device, flight.begun)
            && self.model.is_pending(device, flight.now);
        let client = self.things.devices[device].client;
        let enabled = client_of(&flight.realm, client).enabled;
        assert!(!(pending && enabled), "it waits, and is said to be gone");
    }

    pub(crate) fn page(&mut self, flight: &Flight, page: Decided) {
        let Request::Decide {
            seat,
            cookie,
            device,
            approve,
            typed,
        } = flight.request
        else {
            panic!("no decision");
        };
        match page {
            Decided::Approved | Decided::Denied => {
                assert_eq!(page == Decided::Approved, approve);
                assert!(
                    !flight.wrote.is_empty() || flight.unknown,
                    "nothing is written"
                );
                let client = client_of(&flight.realm, self.things.devices[device].client);
                let lifetime = client.device.lifetime;
                self.tables.decided(device, lifetime, self.passed);
                self.count(if approve {
                    "decision: approved"
                } else {
                    "decision: denied"
                });
            }
            Decided::Withheld => panic!("nothing is limited here"),
            Decided::Before => {
                self.was_decided(flight, device, cookie);
                self.count("decision: sent again");
            }
            Decided::Gone => {
                self.is_not_pending(flight, device);
                self.count("decision: gone");
            }
            Decided::Again => {
                assert!(approve);
                let client = client_of(&flight.realm, self.things.devices[device].client);
                if client.device.approval == DeviceApproval::Retype {
                    assert_ne!(typed, Typed::Of(device), "rightly retyped");
                    self.guessed(flight, seat, cookie);
                }
                self.count("decision: again");
            }
            Decided::SignIn => {
                assert!(!self.is_certain(flight, cookie), "a live session is dead");
                self.count("decision: sign in first");
            }
            Decided::TooMany => {
                self.is_locked_out(flight, seat, cookie);
                self.count("decision: too many");
            }
        }
    }
}
