//! What should be true, as simply as possible: who approved which device or app, and what ended it.
//!
//! It is updated when the store has a commit, and by nothing else: every answer must follow from that.

use std::collections::{BTreeMap, BTreeSet};

use grantor_core::base::time::Timestamp;
use grantor_core::model::client::Client;
use grantor_core::model::realm::Realm;
use grantor_core::model::scope::Scope;
use grantor_store::SWEEP_GRACE;

use grantor_testkit::Spans as _;

pub(crate) type Name = &'static str;

pub(crate) const USERS: [Name; 3] = ["alice", "bob", "carol"];

/// What the store should contain, and what a copy of it would contain again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) users: BTreeMap<Name, User>,
    /// By the device's place.
    pub(crate) grants: BTreeMap<usize, Grant>,
    /// By the cookie's place.
    pub(crate) cookies: BTreeMap<usize, Cookie>,
    /// By the place of the first cookie that opens it.
    pub(crate) sessions: BTreeMap<usize, Session>,
    /// By user and client.
    pub(crate) consents: BTreeMap<(Name, Name), Consent>,
    /// Access tokens, by the device's place and theirs.
    pub(crate) revoked: BTreeSet<(usize, usize)>,
    /// When grants end whose codes were not received: the answer is under way, or lost.
    pub(crate) unnamed: Vec<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct User {
    pub(crate) enabled: bool,
    pub(crate) password: u8,
    /// How often everything was cut off.
    pub(crate) cut: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Grant {
    pub(crate) client: Name,
    /// What was asked.
    pub(crate) scope: usize,
    /// When its row ends.
    pub(crate) ends: Timestamp,
    pub(crate) state: State,
    /// How often tokens were given for its device code.
    pub(crate) given: u32,
    /// Its client was withdrawn since, and another one has its id.
    pub(crate) of_earlier: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Pending,
    Denied(Name),
    Approved(Yes),
    /// A code waits for its app.
    Issued(Yes),
    Active {
        yes: Yes,
        generation: u32,
        rotated_at: Timestamp,
        /// From where the current refresh token was asked for.
        by: Name,
        /// Whether its predecessor came from another network.
        elsewhere: bool,
    },
}

/// A user approved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Yes {
    pub(crate) user: Name,
    /// How often that user had been cut off.
    pub(crate) cut: u32,
    pub(crate) at: Timestamp,
    /// The session that must live for it to count.
    pub(crate) session: Option<usize>,
}

/// A user gave consent to a client.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    /// How often that user had been cut off.
    pub(crate) cut: u32,
    pub(crate) scope: Scope,
    /// As of a grant.
    pub(crate) of_earlier: bool,
}

/// A session, whichever cookie opens it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) ends: Timestamp,
    /// Signed out, or ended otherwise.
    pub(crate) over: bool,
}

/// A cookie: of a session, the newest one opens it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookie {
    pub(crate) user: Name,
    pub(crate) session: usize,
    pub(crate) cut: u32,
    pub(crate) signed_in: Timestamp,
    /// The latest moment at which it was shown and taken.
    pub(crate) used: Timestamp,
    pub(crate) ends: Timestamp,
    /// Followed by a newer one.
    pub(crate) over: bool,
}

/// The state of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// Nothing is given for it.
    Refused,
    /// It was used before: its grant is to end.
    Reused,
    /// The successor was given already, and is given again.
    Again(u32),
    /// The successor was given already, to another network.
    Elsewhere,
    /// This generation comes next.
    Next(u32),
}

impl State {
    pub(crate) const fn yes(&self) -> Option<&Yes> {
        match self {
            Self::Approved(yes) | Self::Issued(yes) | Self::Active { yes, .. } => Some(yes),
            _ => None,
        }
    }
}

impl Model {
    pub(crate) fn grant(&self, device: usize, now: Timestamp) -> Option<&Grant> {
        self.grants
            .get(&device)
            .filter(|grant| !grant.ends.is_past(now))
    }

    /// Whether an approval still holds: the user was not cut off, and the session is live.
    pub(crate) fn stands(&self, yes: &Yes, now: Timestamp) -> bool {
        let lives = |session| self.lives(session, now);
        self.is_behind(yes.user, yes.cut) && yes.session.is_none_or(lives)
    }

    /// Whether a session's row is there.
    pub(crate) fn lives(&self, session: usize, now: Timestamp) -> bool {
        let session = self.sessions.get(&session);
        session.is_some_and(|session| !session.over && !session.ends.is_past(now))
    }

    pub(crate) fn end_session(&mut self, session: usize) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.over = true;
        }
    }

    /// Whether no consent page is needed.
    pub(crate) fn has_agreed(&self, user: Name, client: Name, to: &Scope) -> bool {
        let consent = self.consents.get(&(user, client));
        consent.is_some_and(|of| {
            !of.of_earlier && self.is_behind(user, of.cut) && to.is_within(&of.scope)
        })
    }

    /// A user consents: to more than before, unless the user was cut off since.
    pub(crate) fn agree(&mut self, user: Name, client: Name, to: &Scope) {
        let cut = self.users[user].cut;
        let before = self.consents.get(&(user, client));
        let before = before.filter(|before| before.cut == cut && !before.of_earlier);
        let before = before.map_or_else(Scope::default, |before| before.scope.clone());
        let scope = before.iter().chain(to.iter()).collect();
        let of_earlier = false;
        let consent = Consent {
            cut,
            scope,
            of_earlier,
        };
        self.consents.insert((user, client), consent);
    }

    pub(crate) fn is_behind(&self, user: Name, cut: u32) -> bool {
        let user = self.users[user];
        user.enabled && user.cut == cut
    }

    /// Whether tokens would be given for its code.
    pub(crate) fn redeems(&self, device: usize, now: Timestamp) -> bool {
        self.grant(device, now).is_some_and(|grant| {
            let (State::Approved(yes) | State::Issued(yes)) = &grant.state else {
                return false;
            };
            !grant.of_earlier && self.stands(yes, now)
        })
    }

    pub(crate) fn is_pending(&self, device: usize, now: Timestamp) -> bool {
        self.grant(device, now)
            .is_some_and(|grant| grant.state == State::Pending && !grant.of_earlier)
    }

    /// Whether tokens of a grant are valid.
    pub(crate) fn is_live(&self, device: usize, now: Timestamp) -> bool {
        self.grant(device, now).is_some_and(
            |grant| matches!(&grant.state, State::Active { yes, .. } if !grant.of_earlier && self.stands(yes, now)),
        )
    }

    pub(crate) fn refresh(
        &self,
        realm: &Realm,
        device: usize,
        presented: u32,
        from: Name,
        now: Timestamp,
    ) -> Refresh {
        let grant = self.grant(device, now);
        let Some(grant) = grant.filter(|grant| !grant.of_earlier) else {
            return Refresh::Refused;
        };
        let State::Active {
            yes,
            generation,
            rotated_at,
            by,
            elsewhere,
        } = grant.state
        else {
            return Refresh::Refused;
        };
        let client = client_of(realm, grant.client);
        let is_last = presented + 1 == generation
            && now.since(rotated_at) <= client.grace
            && rotated_at.since(now) <= 30.s();
        if presented < generation && !is_last || presented == generation && elsewhere {
            return Refresh::Reused;
        }
        if is_last && !client.is_confidential() && !is_one_network(by, from) {
            return Refresh::Elsewhere;
        }
        if refresh_ends(client, &yes, rotated_at).is_past(now) || !self.stands(&yes, now) {
            return Refresh::Refused;
        }
        if is_last {
            Refresh::Again(generation)
        } else if client.rotation || presented > generation {
            Refresh::Next(presented + 1)
        } else {
            Refresh::Next(presented)
        }
    }

    /// The device of such a grant has its codes.
    pub(crate) fn name(&mut self, ends: Timestamp) {
        let place = self.unnamed.iter().position(|unnamed| *unnamed == ends);
        self.unnamed.swap_remove(place.expect("a row"));
    }

    /// Tokens are given, with this generation of the refresh token.
    pub(crate) fn activate(
        &mut self,
        realm: &Realm,
        device: usize,
        generation: u32,
        by: Name,
        at: Timestamp,
    ) {
        let grant = self.grants.get_mut(&device).expect("a grant");
        let yes = *grant.state.yes().expect("it was approved");
        let client = client_of(realm, grant.client);
        grant.state = State::Active {
            yes,
            generation,
            rotated_at: at,
            by,
            elsewhere: false,
        };
        let ends = refresh_ends(client, &yes, at).max(at + client.access_lifetime);
        // One that is bound to a session cannot outlive it.
        let session = yes.session.map(|_| at + realm.lifetimes.session_absolute);
        grant.ends = session.map_or(ends, |session| ends.min(session));
    }

    /// A predecessor came from another network.
    pub(crate) fn repeated_elsewhere(&mut self, device: usize) {
        let grant = self.grants.get_mut(&device).expect("a grant");
        let State::Active { elsewhere, .. } = &mut grant.state else {
            panic!("a grant that gives no tokens");
        };
        assert!(!*elsewhere, "once");
        *elsewhere = true;
    }

    /// The client is withdrawn, and another one is declared under its id.
    pub(crate) fn declare_again(&mut self, client: Name) {
        let grants = self.grants.values_mut();
        for grant in grants.filter(|grant| grant.client == client) {
            grant.of_earlier = true;
        }
        for ((_, of), consent) in &mut self.consents {
            consent.of_earlier |= *of == client;
        }
    }

    pub(crate) fn revoke(&mut self, device: usize) {
        self.grants.remove(&device).expect("a grant");
    }

    /// The user behind a cookie, if it opens a session.
    pub(crate) fn signed_in(&self, cookie: usize, now: Timestamp) -> Option<&Cookie> {
        self.cookies.get(&cookie).filter(|cookie| {
            !cookie.over
                && self.lives(cookie.session, now)
                && !cookie.ends.is_past(now)
                && now.since(cookie.used) < 8.h()
                && self.is_behind(cookie.user, cookie.cut)
        })
    }

    /// What the store forgets at this moment.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        self.grants.retain(|_, grant| !is_swept(grant.ends, now));
        self.cookies.retain(|_, cookie| !is_swept(cookie.ends, now));
        self.sessions.retain(|_, of| !is_swept(of.ends, now));
        self.unnamed.retain(|ends| !is_swept(*ends, now));
    }

    /// The most rows that there can be after it.
    pub(crate) fn rows(&self, revoked: usize, clients: usize) -> usize {
        // A user, the name twice and the address; a grant and its code; a session and its use.
        let grants = self.grants.len() + self.unnamed.len();
        4 * self.users.len()
            + 2 * (grants + self.cookies.len())
            + self.consents.len()
            + revoked
            + clients
    }
}

pub(crate) fn is_swept(ends: Timestamp, now: Timestamp) -> bool {
    now.since(ends) >= SWEEP_GRACE
}

/// Of the simulation's addresses, those of one family are of one network.
pub(crate) fn is_one_network(a: &str, b: &str) -> bool {
    a.contains(':') == b.contains(':')
}

pub(crate) fn client_of<'p>(realm: &'p Realm, name: &str) -> &'p Client {
    realm.client(name).expect("a client of the realm")
}

fn refresh_ends(client: &Client, yes: &Yes, rotated_at: Timestamp) -> Timestamp {
    (rotated_at + client.refresh_idle).min(yes.at + client.refresh_absolute)
}
