//! What people do on the page of their account.

use futures_util::FutureExt as _;
use grantor_core::base::row::{Index, Row};
use grantor_core::base::secret::Secret;
use grantor_core::engine::decide::Excess;
use grantor_core::model::ids::{ClientId, GrantId, SessionId, UserId};
use grantor_core::people::account::end_excess::{EndExcessGrants, EndExcessSessions};
use grantor_core::people::account::{
    AccountView, ChangePassword, Disconnect, EndRevokedSessions, EndSession, EndSessionReply,
    Listed, RemoveAccessReply, RevokeGrant, SignOutEverywhere, SignOutEverywhereReply, ViewAccount,
    consents_of, grants_of, sessions_of,
};
use grantor_store::Store as _;

use super::{Browser, World, peer};

impl Browser {
    pub fn end_session(&self, session: SessionId) -> EndSession {
        EndSession {
            cookie: self.cookie(),
            session,
            peer: peer(&self.address),
        }
    }

    pub fn revoke_grant(&self, grant: GrantId) -> RevokeGrant {
        RevokeGrant {
            cookie: self.cookie(),
            grant,
            peer: peer(&self.address),
        }
    }

    pub fn disconnect(&self, client: &str, grants: Vec<GrantId>) -> Disconnect {
        Disconnect {
            cookie: self.cookie(),
            client: client.parse().expect("a client id"),
            grants,
            peer: peer(&self.address),
        }
    }

    pub fn change_password(&self, current: &str, new: &str) -> ChangePassword {
        ChangePassword {
            cookie: self.cookie(),
            current: Secret::new(current),
            new: Secret::new(new),
            peer: peer(&self.address),
        }
    }

    pub fn sign_out_everywhere(&self) -> SignOutEverywhere {
        SignOutEverywhere {
            cookie: self.cookie(),
            peer: peer(&self.address),
        }
    }
}

impl World {
    fn list_of(&self, index: &Index) -> Vec<Row> {
        let rows = self.store.inner().inner().list(index, None, 10_000);
        let rows = rows.now_or_never().and_then(Result::ok);
        rows.expect("memory is ready at once")
    }

    /// The session that this browser's cookie names, live or not, and its user.
    pub fn session_of(&self, browser: &Browser) -> (SessionId, UserId) {
        let cookie = browser.session.as_ref().expect("a cookie");
        let cookie = self.realm.sealing.open_session_cookie(cookie.reveal());
        let cookie = cookie.expect("a cookie of ours");
        (cookie.id, cookie.user)
    }

    /// The request for the account page; the lists are read before.
    pub fn view_account_request(&self, browser: &Browser) -> ViewAccount {
        let user = browser
            .session
            .is_some()
            .then(|| self.session_of(browser).1);
        let list = |of: fn(&grantor_core::model::realm::Realm, UserId) -> Index| {
            user.map_or_else(Vec::new, |user| self.list_of(&of(&self.realm, user)))
        };
        let listed = |rows| Listed { rows, more: false };
        ViewAccount {
            cookie: browser.cookie(),
            sessions: listed(list(sessions_of)),
            grants: listed(list(grants_of)),
            consents: list(consents_of),
        }
    }

    /// What the page shows.
    pub fn view_account(&mut self, browser: &Browser) -> Option<AccountView> {
        let request = self.view_account_request(browser);
        let reply = self.ask(request).reply.expect("no OAuth error");
        reply.map(|view| *view)
    }

    pub fn end_session(&mut self, browser: &Browser, session: SessionId) -> EndSessionReply {
        let request = browser.end_session(session);
        self.ask(request).reply.expect("no OAuth error")
    }

    pub fn revoke_grant(&mut self, browser: &Browser, grant: GrantId) -> RemoveAccessReply {
        let request = browser.revoke_grant(grant);
        self.ask(request).reply.expect("no OAuth error")
    }

    /// The grants of a client that a user's list has.
    pub fn listed_grants(&self, user: UserId, client: &str) -> Vec<GrantId> {
        let client: ClientId = client.parse().expect("a client id");
        let rows = self.list_of(&grants_of(&self.realm, user));
        Disconnect::listed(&rows, user, &client, self.now).expect("grants")
    }

    /// What the shell does after a commit that added access; returns how many were ended.
    pub fn end_excess(&mut self, excess: &Excess) -> usize {
        let limits = self.realm.access;
        match excess {
            Excess::Sessions { user, new } => {
                let mut listed = self.list_of(&sessions_of(&self.realm, *user));
                listed.truncate(EndExcessSessions::rows_to_list(&limits));
                if listed.len() <= limits.sessions {
                    return 0;
                }
                let (user, new) = (*user, *new);
                let end = EndExcessSessions { user, new, listed };
                self.ask(end).reply.expect("no OAuth error")
            }
            Excess::Grants { user, client } => {
                let mut listed = self.list_of(&grants_of(&self.realm, *user));
                listed.truncate(EndExcessGrants::rows_to_list(&limits));
                let chosen = EndExcessGrants::choose(&listed, client, &limits, self.now);
                let chosen = chosen.expect("grants");
                let chunks = chosen.chunks(EndExcessGrants::MAX_ENDED);
                let operations = chunks.map(|grants| EndExcessGrants {
                    user: *user,
                    grants: grants.to_vec(),
                });
                operations
                    .map(|end| self.ask(end).reply.expect("no OAuth error"))
                    .sum()
            }
        }
    }

    /// As many operations as it takes; returns what each of them answered.
    pub fn disconnect(&mut self, browser: &Browser, client: &str) -> Vec<RemoveAccessReply> {
        let user = self.session_of(browser).1;
        let mut replies = Vec::new();
        loop {
            let mut grants = self.listed_grants(user, client);
            if grants.is_empty() && !replies.is_empty() {
                return replies;
            }
            grants.truncate(Disconnect::MAX_GRANTS);
            let request = browser.disconnect(client, grants);
            replies.push(self.ask(request).reply.expect("no OAuth error"));
            if replies.last() != Some(&RemoveAccessReply::Done) {
                return replies;
            }
        }
    }

    /// Cuts everything off, then ends the remaining sessions; returns how many those were.
    pub fn sign_out_everywhere(&mut self, browser: &Browser) -> Option<usize> {
        let request = browser.sign_out_everywhere();
        let SignOutEverywhereReply::SignedOut { user } =
            self.ask(request).reply.expect("no OAuth error")
        else {
            return None;
        };
        Some(self.end_cut_off(user))
    }

    pub fn end_cut_off(&mut self, user: UserId) -> usize {
        let rows = self.list_of(&sessions_of(&self.realm, user));
        EndRevokedSessions::listed(&rows)
            .chunks(EndRevokedSessions::MAX_SESSIONS)
            .map(|sessions| {
                let sessions = sessions.to_vec();
                let ended = self.ask(EndRevokedSessions { user, sessions }).reply;
                ended.expect("no OAuth error")
            })
            .sum()
    }
}
