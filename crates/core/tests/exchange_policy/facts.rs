//! What the test knows about tokens and what they depend on, independently of the server.

use std::collections::{BTreeMap, BTreeSet};

use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::realm::Realm;

use grantor_testkit::{CORP, IDP, user_id};

pub(crate) const USERS: [&str; 2] = ["alice", "bob"];
pub(crate) type Scopes = BTreeSet<String>;
/// Who acts: `sub` and `client_id`.
pub(crate) type Acts = (String, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Jwt,
    Sealed,
    Handle,
}

/// The party that `may_act` names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) sub: String,
    pub(crate) client: Option<String>,
    pub(crate) iss: Option<String>,
}

/// What a token depends on besides itself and its clients.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stands {
    /// On a grant, by its place.
    Grant(usize),
    /// A user for whom another issuer vouched, with the number of times the user had been cut off by then.
    User(&'static str, u32),
    /// On its subject.
    Subject,
}

/// A token and its holder.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) text: String,
    pub(crate) kind: TokenKind,
    pub(crate) form: Form,
    /// Another issuer, if it is not ours.
    pub(crate) issuer: Option<&'static str>,
    pub(crate) sub: String,
    /// What that issuer calls it.
    pub(crate) there: Option<&'static str>,
    pub(crate) user: Option<&'static str>,
    pub(crate) client: Option<String>,
    pub(crate) aud: Option<String>,
    /// The most that can come of it: an ID or refresh token's grant's.
    pub(crate) scope: Scopes,
    pub(crate) exp: u64,
    /// The current actor first.
    pub(crate) act: Vec<Acts>,
    pub(crate) may_act: Option<Named>,
    pub(crate) stands: Stands,
    pub(crate) bound: bool,
    pub(crate) acted_elsewhere: bool,
    /// It came of an exchange.
    pub(crate) exchanged: bool,
    pub(crate) revoked: bool,
    /// When a refresh gave a successor.
    pub(crate) used_at: Option<u64>,
}

/// What a user granted, or what was exchanged of it.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) client: String,
    pub(crate) user: &'static str,
    pub(crate) cut: u32,
    pub(crate) session: Option<usize>,
    pub(crate) parent: Option<usize>,
    pub(crate) act: Vec<Acts>,
    pub(crate) scope: Scopes,
    pub(crate) resource: String,
    pub(crate) ends: u64,
    pub(crate) revoked: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) tokens: Vec<Held>,
    pub(crate) grants: Vec<Granted>,
    /// How often a user was cut off.
    pub(crate) cuts: BTreeMap<&'static str, u32>,
    pub(crate) disabled: BTreeSet<&'static str>,
    pub(crate) ended_sessions: BTreeSet<usize>,
}

impl Facts {
    pub(crate) fn cut(&self, user: &str) -> u32 {
        self.cuts.get(user).copied().unwrap_or_default()
    }

    /// Whether a token is good now: "A revoked or disabled user, session, grant or client ends it at once."
    pub(crate) fn is_good(&self, realm: &Realm, token: &Held, now: u64) -> bool {
        let of_client = token.client.as_ref().is_none_or(|id| enabled(realm, id));
        let issuer = token.issuer.is_none_or(|issuer| trusted(realm, issuer));
        let stands = match token.stands {
            Stands::Grant(grant) => self.stands(realm, grant),
            Stands::User(user, cut) => !self.disabled.contains(user) && self.cut(user) == cut,
            Stands::Subject => token.issuer.is_some() || known(realm, &token.sub),
        };
        !token.revoked
            && token.exp > now
            && of_client
            && issuer
            && stands
            && self.all_act(realm, &token.act)
    }

    fn stands(&self, realm: &Realm, grant: usize) -> bool {
        let of = &self.grants[grant];
        let session = of
            .session
            .is_none_or(|session| !self.ended_sessions.contains(&session));
        let user = !self.disabled.contains(of.user) && self.cut(of.user) == of.cut;
        let parent = of.parent.is_none_or(|parent| self.stands(realm, parent));
        !of.revoked
            && enabled(realm, &of.client)
            && session
            && user
            && parent
            && self.all_act(realm, &of.act)
    }

    fn all_act(&self, realm: &Realm, act: &[Acts]) -> bool {
        act.iter().all(|(sub, client)| {
            let user = USERS.iter().find(|user| user_id(user).to_string() == *sub);
            let stands = match user {
                Some(user) => !self.disabled.contains(user),
                None => known(realm, sub),
            };
            enabled(realm, client) && stands
        })
    }

    /// The grant of a token, and whether that came of an exchange.
    pub(crate) fn grant_of(&self, token: &Held) -> Option<(usize, bool)> {
        match token.stands {
            Stands::Grant(grant) => Some((grant, self.grants[grant].parent.is_some())),
            Stands::User(..) | Stands::Subject => None,
        }
    }
}

pub(crate) fn enabled(realm: &Realm, id: &str) -> bool {
    realm.client(id).is_some_and(|client| client.enabled)
}

pub(crate) fn trusted(realm: &Realm, issuer: &str) -> bool {
    realm
        .trusted_issuers
        .iter()
        .any(|trusted| trusted.issuer == issuer)
}

/// A client, or another issuer's subject.
fn known(realm: &Realm, sub: &str) -> bool {
    let of = |issuer: &str| sub.starts_with(&format!("{issuer}|")) && trusted(realm, issuer);
    enabled(realm, sub) || of(IDP) || of(CORP)
}
