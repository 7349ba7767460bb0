//! The meaning of commits that sign users and apps in, and of those that revoke.

use grantor_core::base::row::Key;
use grantor_core::base::secret::Secret;
use grantor_core::base::time::Timestamp;
use grantor_core::model::client::ConsentPolicy;
use grantor_core::people::account::Disconnect;

use crate::life::{Flight, Life};
use crate::model::{self, Cookie, Grant, Name, State, Yes, client_of};
use crate::requests::Request;
use crate::things::{self, granted, scope};
use grantor_testkit::{Codes, user_id};

impl Life {
    /// The grants that a user's disconnecting of a client is to end, where one operation can.
    pub(crate) fn to_end(&self, request: Request) -> Vec<usize> {
        let Request::Disconnect { cookie, client, .. } = request else {
            return Vec::new();
        };
        let user = self.things.cookies[cookie].user;
        let of_user = |grant: &Grant| {
            let yes = grant.state.yes();
            grant.client == client && yes.is_some_and(|yes| yes.user == user)
        };
        let grants = self.model.grants.iter();
        let live = grants.filter(|(_, grant)| !grant.ends.is_past(self.world.now));
        let all: Vec<_> = live
            .filter(|(_, grant)| of_user(grant))
            .map(|(place, _)| *place)
            .collect();
        if all.len() > Disconnect::MAX_GRANTS {
            return Vec::new();
        }
        all
    }

    /// Whether only the end of a session ended a grant.
    pub(crate) fn is_unbound_only(&self, device: usize) -> bool {
        let grant = self.model.grants.get(&device);
        let yes = grant.and_then(|grant| grant.state.yes());
        yes.is_some_and(|yes| yes.session.is_some() && self.model.is_behind(yes.user, yes.cut))
    }

    /// A user signed in: in the session of the cookie that the browser showed, or in a new one.
    pub(crate) fn new_cookie(
        &mut self,
        flight: &mut Flight,
        user: Name,
        shown: Option<usize>,
        at: Timestamp,
    ) {
        let (mut used, place) = (at, self.things.cookies.len());
        let mut session = place;
        let shown = shown.and_then(|shown| self.model.cookies.get_mut(&shown));
        let shown = shown.filter(|shown| !shown.over).map(|shown| {
            let before = *shown;
            shown.over |= !shown.ends.is_past(at);
            before
        });
        if let Some(shown) = shown.filter(|shown| self.model.lives(shown.session, at)) {
            if shown.user == user && self.model.is_behind(user, shown.cut) {
                session = shown.session;
                // Used at times later than now, where the clock stepped back.
                used = used.max(shown.used);
            } else {
                self.model.end_session(shown.session);
            }
        }
        self.things.cookies.push(things::Cookie {
            user,
            text: Secret::new(""),
            session: None,
        });
        flight.cookie = Some(place);
        let ends = at + flight.realm.lifetimes.session_absolute;
        let cookie = Cookie {
            user,
            session,
            cut: self.model.users[user].cut,
            signed_in: at,
            used,
            ends,
            over: false,
        };
        self.model.cookies.insert(place, cookie);
        let over = false;
        let of = model::Session { ends, over };
        self.model.sessions.insert(session, of);
    }

    /// Whether a client gets what it asks for without a consent page.
    pub(crate) fn need_not_ask(
        &self,
        realm: &grantor_core::model::realm::Realm,
        cookie: usize,
        client: Name,
        asked: usize,
    ) -> bool {
        let user = self.things.cookies[cookie].user;
        let asked = granted(realm, client, asked).unwrap_or(asked);
        client_of(realm, client).code.consent == ConsentPolicy::Skip
            || self.model.has_agreed(user, client, &scope(asked))
    }

    /// An app has a code, though the test does not know it yet.
    pub(crate) fn issued(&mut self, flight: &mut Flight, at: Timestamp, key: &Key) {
        let Request::Authorize {
            seat,
            cookie,
            client,
            scope: asked,
            agrees,
        } = flight.request
        else {
            panic!("no authorization");
        };
        let who = *self
            .model
            .signed_in(cookie, at)
            .expect("who lets an app in is signed in");
        let config = client_of(&flight.realm, client);
        assert!(config.enabled);
        let asked = granted(&flight.realm, client, asked).expect("a foreign scope");
        if agrees {
            self.model.agree(who.user, client, &scope(asked));
        } else {
            let agreed = self.need_not_ask(&flight.realm, cookie, client, asked);
            let consent = self.model.consents.get(&(who.user, client));
            assert!(agreed, "a code, though {} agreed to {consent:?}", who.user);
        }
        let id = key.as_str().rsplit('/').next().expect("a name");
        let place = self.things.devices.len();
        let ends = at + config.code.lifetime;
        self.things.devices.push(things::Device {
            client,
            by_redirect: true,
            address: self.things.seats[seat].address,
            scope: asked,
            codes: Codes {
                client: client.to_owned(),
                device: String::new(),
                user: String::new(),
                link: String::new(),
            },
            grant: id.parse().expect("a grant's id"),
            ends,
            refresh: Vec::new(),
            access: Vec::new(),
        });
        let yes = Yes {
            user: who.user,
            cut: who.cut,
            at,
            session: (!things::is_offline(asked)).then_some(who.session),
        };
        let grant = Grant {
            client,
            scope: asked,
            ends,
            state: State::Issued(yes),
            given: 0,
            of_earlier: false,
        };
        self.model.grants.insert(place, grant);
        flight.device = Some(place);
        self.used(cookie, at);
        self.audit(place);
    }

    /// A code was presented: tokens, or the revocation of earlier ones.
    pub(crate) fn redeemed(&mut self, flight: &mut Flight, device: usize, at: Timestamp) {
        let grant = *self.model.grant(device, at).expect("a live row");
        match grant.state {
            State::Issued(yes) => {
                // A session that ended after it was read leaves tokens that are invalid already.
                let bound = flight.before.good || self.model.stands(&yes, at);
                assert!(bound && self.model.is_behind(yes.user, yes.cut), "{yes:?}");
                let by = self.things.devices[device].address;
                self.model.activate(&flight.realm, device, 0, by, at);
                flight.next = Some(0);
            }
            State::Active { .. } => {
                assert!(!flight.spared, "it may be its own write that it sees");
                self.model.revoke(device);
                self.count("app: a replay that revokes");
            }
            other => panic!("a code is redeemed, though it is {other:?}"),
        }
    }

    pub(crate) fn ended_session(&mut self, cookie: usize, of: usize, at: Timestamp) {
        let ended = self.model.cookies.get(&of).copied();
        // Another request ended it after it was read.
        let Some(ended) = ended.filter(|of| self.model.lives(of.session, at)) else {
            return;
        };
        let who = *self
            .model
            .signed_in(cookie, at)
            .expect("who ends a session is signed in");
        assert_eq!(who.user, ended.user, "another's session");
        self.model.end_session(ended.session);
        self.used(cookie, at);
    }

    /// A grant is revoked by its user.
    pub(crate) fn taken_back(&mut self, cookie: usize, device: usize, at: Timestamp) {
        let who = *self
            .model
            .signed_in(cookie, at)
            .expect("who takes something back is signed in");
        let grant = self.model.grant(device, at).expect("a live row");
        let yes = grant.state.yes().expect("it was approved");
        assert_eq!(yes.user, who.user, "another's grant");
        self.model.revoke(device);
    }

    /// A user disconnects a client.
    pub(crate) fn disconnects(&mut self, cookie: usize, client: Name, at: Timestamp) {
        let holders = self.things.devices.iter().enumerate();
        let of_client = holders.filter(|(_, holder)| holder.client == client);
        let places: Vec<_> = of_client.map(|(place, _)| place).collect();
        for place in places {
            let row = self.row(&self.world.grant_row(self.things.devices[place].grant));
            if row.is_none() && self.model.grant(place, at).is_some() {
                self.taken_back(cookie, place, at);
                self.audit(place);
            }
        }
        let user = self.things.cookies[cookie].user;
        let consent = format!("{}/{client}", user_id(user));
        if self
            .row(&Key::new("default", "consent", &consent))
            .is_none()
        {
            self.model.consents.remove(&(user, client));
        }
        self.used(cookie, at);
    }

    pub(crate) fn signs_out_everywhere(&mut self, cookie: usize, at: Timestamp) {
        let who = self.model.signed_in(cookie, at).copied();
        let who = who.expect("who signs out everywhere is signed in");
        self.model.users.get_mut(who.user).expect("a user").cut += 1;
        self.model.end_session(who.session);
        for _ in 0..3 {
            self.audit_anything();
        }
    }
}
