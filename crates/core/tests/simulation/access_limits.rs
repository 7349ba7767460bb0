//! A user has more access than the limits allow: the least recently used ends, and nothing else.

use grantor_core::base::time::Timestamp;
use grantor_core::engine::decide::Excess;
use grantor_core::model::ids::SessionId;

use crate::life::Life;
use crate::model::{State, USERS};
use crate::things::{APPS, CLIENTS};
use grantor_testkit::user_id;

impl Life {
    /// As after a sign-in, while other requests are under way.
    pub(crate) fn end_excess_sessions(&mut self) {
        let user = self.chance.pick(&USERS);
        let cookies = self.things.cookies.iter();
        let of_user = cookies.filter(|cookie| cookie.user == user);
        let new = of_user.filter_map(|cookie| cookie.session).next_back();
        let new = new.unwrap_or(SessionId::from_bytes([9; 16]));
        let before = self.session_rows();
        let ended = self.world.end_excess(&Excess::Sessions {
            user: user_id(user),
            new,
        });
        let after = self.session_rows();
        let gone: Vec<_> = before.iter().filter(|id| !after.contains(id)).collect();
        assert_eq!(gone.len(), ended);
        assert!(!gone.contains(&&new), "the new one is kept");
        for (place, cookie) in self.things.cookies.iter().enumerate() {
            if cookie.session.is_some_and(|id| gone.contains(&&id)) {
                assert_eq!(cookie.user, user, "another's session");
                if let Some(session) = self.model.cookies.get(&place).map(|of| of.session) {
                    self.model.end_session(session);
                }
            }
        }
        if ended > 0 {
            self.count("limit: sessions are ended");
        }
    }

    fn session_rows(&self) -> Vec<SessionId> {
        let rows = self.world.list_all("session").into_iter();
        rows.map(|row| {
            let name = row.key.as_str().rsplit('/').next();
            name.and_then(|name| name.parse().ok()).expect("an id")
        })
        .collect()
    }

    /// As after a code, while other requests are under way.
    pub(crate) fn end_excess_grants(&mut self) {
        let user = self.chance.pick(&USERS);
        let clients: Vec<_> = CLIENTS.into_iter().chain(APPS).collect();
        let client = self.chance.pick(&clients);
        let ended = self.world.end_excess(&Excess::Grants {
            user: user_id(user),
            client: client.parse().expect("a client id"),
        });
        let now = self.world.now;
        let is_code = |state: &State| matches!(state, State::Issued(_));
        let (mut gone, mut left) = (Vec::new(), Vec::new());
        for (place, grant) in &self.model.grants {
            let id = self.things.devices[*place].grant;
            let of_user = grant.state.yes().is_some_and(|yes| yes.user == user);
            if self.row(&self.world.grant_row(id)).is_none() {
                assert!(of_user, "not this user's: {grant:?}");
                gone.push((*place, last_used(&grant.state, now), is_code(&grant.state)));
            } else if of_user && !grant.ends.is_past(now) && grant.client == client {
                left.push((last_used(&grant.state, now), is_code(&grant.state)));
            }
        }
        assert_eq!(gone.len(), ended);
        let codes = left.iter().filter(|(_, code)| *code).count();
        assert!(codes.max(left.len() - codes) <= self.world.realm.access.grants_per_client);
        for (place, used, code) in gone {
            let of_client = self.model.grants[&place].client == client;
            let mut alike = left.iter().filter(|left| left.1 == code);
            let older = alike.all(|left| used <= left.0);
            assert!(!of_client || older, "used more recently than what is kept");
            self.model.grants.remove(&place);
            self.audit(place);
        }
        if ended > 0 {
            self.count("limit: grants are ended");
        }
    }
}

/// A time in the future is no recent one.
fn last_used(state: &State, now: Timestamp) -> Timestamp {
    let used = match state {
        State::Active { rotated_at, .. } => *rotated_at,
        _ => state.yes().map_or(Timestamp::default(), |yes| yes.at),
    };
    used.age(now).map_or(Timestamp::default(), |_| used)
}
