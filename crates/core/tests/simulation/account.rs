//! Answers to authorization requests and on the account page, compared with what was true.

use std::collections::BTreeSet;

use grantor_core::base::error::ErrorCode::{self, InvalidGrant, InvalidScope};
use grantor_core::model::ids::{ClientId, GrantId};
use grantor_core::people::account::{EndSessionReply, RemoveAccessReply, SignOutEverywhereReply};

use crate::answers::refused;
use crate::life::{Flight, Life};
use crate::model::{State, client_of};
use crate::requests::{Authorized, Request};
use crate::things::granted;
use grantor_testkit::world::Tokens;
use grantor_testkit::{Spans as _, user_id};

impl Life {
    pub(crate) fn authorized(&mut self, flight: &Flight, said: Authorized) {
        let Request::Authorize {
            cookie,
            client,
            scope: asked,
            agrees,
            ..
        } = flight.request
        else {
            panic!("no authorization");
        };
        let config = client_of(&flight.realm, client);
        match said {
            Authorized::Page => return assert!(!config.enabled, "it is enabled"),
            Authorized::SignIn => {
                assert!(!self.is_certain(flight, cookie), "a live session is dead");
                return self.count("app: sign in first");
            }
            Authorized::Refused(InvalidScope) => {
                return assert_eq!(granted(&flight.realm, client, asked), None);
            }
            Authorized::Refused(code) => panic!("an app gets {code:?}"),
            Authorized::Asked => {
                let agreed =
                    flight.before.good && self.need_not_ask(&flight.realm, cookie, client, asked);
                assert!(!agrees && !agreed, "asked again");
                self.count("app: the user is asked");
            }
            Authorized::Code(code) => {
                let place = flight.device.expect("a code without a row");
                let opened = flight.realm.sealing.open_authorization_code(&code);
                let opened = opened.expect("a code of ours");
                let app = &mut self.things.devices[place];
                assert_eq!((opened.grant, opened.expires_at), (app.grant, app.ends));
                app.codes.device = code;
                self.count(if agrees {
                    "app: a code, since its user agrees"
                } else {
                    "app: a code, silently"
                });
            }
        }
        assert!(flight.before.signed_in || flight.tried, "a dead session");
        self.used(cookie, flight.now);
    }

    pub(crate) fn redeems(&mut self, flight: &Flight, end: Result<Tokens, ErrorCode>) {
        let Request::Redeem { device, by, right } = flight.request else {
            panic!("no code");
        };
        let own = by == self.things.devices[device].client;
        match end {
            Ok(tokens) => {
                assert!(own && right, "given to another");
                assert_eq!(flight.wrote.len(), 1, "tokens without a commit");
                let given = self.things.devices[device].take(&flight.realm, &tokens);
                assert_eq!(given, Some(0), "the first refresh token");
                if let Some(grant) = self.model.grants.get_mut(&device) {
                    grant.given += 1;
                    assert_eq!(grant.given, 1, "a code redeemed twice");
                }
                self.within(device, None, &tokens.scope);
                self.count("app: tokens");
            }
            Err(InvalidGrant) => {
                let good = |now| self.model.redeems(device, now);
                let good = flight.before.good && good(flight.begun) && good(flight.now);
                assert!(!(own && right && good), "tokens are withheld");
                self.count("app: refused");
            }
            Err(code) => refused(flight, by, code),
        }
    }

    /// The user of each action was signed in.
    fn was_here(&mut self, flight: &Flight, cookie: usize) {
        assert!(flight.before.signed_in || flight.tried, "a dead session");
        self.used(cookie, flight.now);
    }

    fn sign_in_first(&mut self, flight: &Flight, cookie: usize) {
        assert!(!self.is_certain(flight, cookie), "a live session is dead");
        self.count("account: sign in first");
    }

    pub(crate) fn session_ended(
        &mut self,
        flight: &Flight,
        cookie: usize,
        of: usize,
        said: EndSessionReply,
    ) {
        let (who, whose) = (
            self.things.cookies[cookie].user,
            self.things.cookies[of].user,
        );
        let ended = self.model.cookies.get(&of).copied();
        let lives = |now| ended.is_some_and(|ended| self.model.lives(ended.session, now));
        let lives = lives(flight.begun) && lives(flight.now);
        match said {
            EndSessionReply::SignIn => return self.sign_in_first(flight, cookie),
            EndSessionReply::Ended | EndSessionReply::SignedOut => {
                assert!(who == whose && !lives, "said to be ended, and is not");
                assert!(!flight.wrote.is_empty() || flight.unknown);
                self.count(match said {
                    EndSessionReply::SignedOut => "account: signed out here",
                    _ => "account: a session ended",
                });
            }
            EndSessionReply::Gone => {
                assert!(who != whose || !lives, "said to be gone, and is there");
                self.count("account: gone");
            }
        }
        self.was_here(flight, cookie);
    }

    pub(crate) fn grant_taken_back(
        &mut self,
        flight: &Flight,
        cookie: usize,
        device: usize,
        said: RemoveAccessReply,
    ) {
        let who = self.things.cookies[cookie].user;
        let own = |state: &State| state.yes().is_some_and(|yes| yes.user == who);
        let there = |now| {
            let grant = self.model.grant(device, now);
            grant.is_some_and(|grant| own(&grant.state))
        };
        let there = flight.before.state.as_ref().is_some_and(own)
            && there(flight.begun)
            && there(flight.now);
        match said {
            RemoveAccessReply::SignIn => return self.sign_in_first(flight, cookie),
            RemoveAccessReply::Done => {
                assert!(!there, "said to be taken back, and is not");
                assert!(!flight.wrote.is_empty() || flight.unknown);
                self.count("account: one grant taken back");
            }
            RemoveAccessReply::Gone => {
                assert!(!there, "said to be gone, and is there");
                self.count("account: gone");
            }
        }
        self.was_here(flight, cookie);
    }

    pub(crate) fn disconnected(&mut self, flight: &Flight, cookie: usize, said: RemoveAccessReply) {
        if said == RemoveAccessReply::SignIn {
            return self.sign_in_first(flight, cookie);
        }
        let times = [flight.begun, flight.now];
        let times = times.iter().chain(&flight.wrote);
        for place in &flight.to_end {
            let Some(grant) = self.model.grants.get(place) else {
                continue;
            };
            let over = times.clone().any(|now| grant.ends.is_past(*now));
            assert!(over, "left over: {grant:?}");
        }
        self.count(match said {
            RemoveAccessReply::Done => "account: an app disconnected",
            _ => "account: gone",
        });
        self.was_here(flight, cookie);
    }

    pub(crate) fn signed_out_everywhere(
        &mut self,
        flight: &Flight,
        cookie: usize,
        said: SignOutEverywhereReply,
    ) {
        let SignOutEverywhereReply::SignedOut { user } = said else {
            return self.sign_in_first(flight, cookie);
        };
        assert!(!flight.wrote.is_empty() || flight.unknown);
        // The process may end before.
        if !self.chance.one_in(3) {
            self.world.end_cut_off(user);
            let dead: Vec<_> = self.model.cookies.values().copied().collect();
            for cookie in dead {
                let of_user = user_id(cookie.user) == user;
                if of_user && cookie.cut != self.model.users[cookie.user].cut {
                    self.model.end_session(cookie.session);
                }
            }
        }
        self.count("account: signed out everywhere");
    }

    /// The page of an account shows what has access, and nothing else.
    pub(crate) fn audit_account(&mut self) {
        let Some(place) = self.chance.recent(self.things.cookies.len()) else {
            return;
        };
        if self.things.cookies[place].text.is_empty() {
            return;
        }
        let now = self.world.now;
        let browser = self.things.browser(0, Some(place));
        let view = self.world.view_account(&browser);
        let who = self.model.signed_in(place, now).copied();
        let (view, who) = match (view, who) {
            (Some(view), Some(who)) => (view, who),
            (None, Some(who)) => {
                let is_recent = who.signed_in <= now && now.since(who.signed_in) < 1.h();
                return assert!(!is_recent, "a live session is dead");
            }
            (Some(_), None) => panic!("a dead session has a page"),
            (None, None) => return,
        };
        self.used(place, now);
        let (mut devices, mut apps) = (BTreeSet::new(), BTreeSet::new());
        for (place, grant) in &self.model.grants {
            let Some(yes) = grant.state.yes() else {
                continue;
            };
            let counts = !grant.of_earlier && self.model.stands(yes, now);
            if yes.user != who.user || grant.ends.is_past(now) || !counts {
                continue;
            }
            let holder = &self.things.devices[*place];
            if holder.by_redirect {
                apps.insert(holder.client);
            } else {
                devices.insert(holder.grant);
            }
        }
        for ((user, client), consent) in &self.model.consents {
            let counts = !consent.of_earlier && self.model.is_behind(user, consent.cut);
            if *user == who.user && counts {
                apps.insert(client);
            }
        }
        let shown: BTreeSet<GrantId> = view.devices.iter().map(|device| device.grant).collect();
        assert_eq!(shown, devices, "the devices of {}", who.user);
        let shown = view.apps.iter().map(|app| ClientId::as_str(&app.client));
        assert_eq!(
            shown.collect::<BTreeSet<_>>(),
            apps,
            "the apps of {}",
            who.user
        );
        assert_eq!(
            Some(view.sessions[0].id),
            self.things.cookies[place].session
        );
        for (of, cookie) in self.things.cookies.iter().enumerate() {
            let shown = cookie.session.is_some()
                && view.sessions.iter().any(|of| Some(of.id) == cookie.session);
            let lives = self
                .model
                .cookies
                .get(&of)
                .is_some_and(|of| self.model.lives(of.session, now) && of.user == who.user);
            assert!(
                !shown || lives || !self.model.cookies.contains_key(&of),
                "a dead session"
            );
        }
        self.count("account: a look");
    }
}
