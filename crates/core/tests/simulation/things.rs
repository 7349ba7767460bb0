//! What devices, browsers and thieves hold: they keep it, whatever happens to the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::base::secret::Secret;
use grantor_core::base::time::Timestamp;
use grantor_core::model::claims::AccessTokenClaims;
use grantor_core::model::ids::{GrantId, SessionId};
use grantor_core::model::realm::Realm;
use grantor_core::model::requested_scope::UnknownScopes;
use grantor_core::model::scope::Scope;

use crate::model::{Name, client_of};
use grantor_testkit::Codes;
use grantor_testkit::world::Tokens;

/// The clients that are devices; the last one is confidential.
pub(crate) const CLIENTS: [Name; 3] = ["tv", "tv2", "console"];
/// The clients that get codes by redirects; the first one is public.
pub(crate) const APPS: [Name; 3] = ["spa", "site", "wiki"];
/// Three on one network, one elsewhere.
pub(crate) const ADDRESSES: [Name; 4] = ["192.0.2.10", "192.0.2.77", "192.0.2.78", "2001:db8:7::9"];
/// What devices and apps ask for. Access tokens for files are sealed, the others signed, which is slower.
pub(crate) const SCOPES: [Name; 7] = [
    "openid files.example.com/read",
    "openid profile email files.example.com/read",
    "files.example.com/read",
    "openid",
    "openid profile orders.example.com/read orders.example.com/write",
    "openid payroll.example.com/read",
    OFFLINE,
];
/// What survives the session in which an app gets it.
const OFFLINE: Name = "openid files.example.com/read offline_access";

pub(crate) fn scope(place: usize) -> Scope {
    SCOPES[place].parse().expect("a scope")
}

/// The scope that a request for this one is given; `None` where it is refused.
pub(crate) fn granted(realm: &Realm, client: Name, asked: usize) -> Option<usize> {
    let all = scope(asked);
    let left = all.intersection(&client_of(realm, client).scopes);
    let is_refused = realm.unknown_scopes == UnknownScopes::Refuse && left != all;
    if left.is_empty() || is_refused {
        return None;
    }
    let place = (0..SCOPES.len()).find(|place| scope(*place) == left);
    Some(place.expect("what is left is another scope of the list"))
}

pub(crate) fn is_offline(place: usize) -> bool {
    SCOPES[place] == OFFLINE
}

#[derive(Default)]
pub(crate) struct Things {
    /// What holds a grant: devices, and apps in a browser.
    pub(crate) devices: Vec<Device>,
    pub(crate) seats: Vec<Seat>,
    /// Every session cookie that was ever set.
    pub(crate) cookies: Vec<Cookie>,
}

/// A session cookie and its user; empty where the answer that sets it is under way, or lost.
pub(crate) struct Cookie {
    pub(crate) user: Name,
    pub(crate) text: Secret,
    /// The session that it opens.
    pub(crate) session: Option<SessionId>,
}

/// A device or an app, and what it was given.
pub(crate) struct Device {
    pub(crate) client: Name,
    /// Whether it is an app, whose code is an authorization code: empty where the answer with it is under way, or lost.
    pub(crate) by_redirect: bool,
    pub(crate) address: Name,
    /// What it asked for.
    pub(crate) scope: usize,
    pub(crate) codes: Codes,
    pub(crate) grant: GrantId,
    /// When its code ends.
    pub(crate) ends: Timestamp,
    /// Its refresh tokens and their generations.
    pub(crate) refresh: Vec<(u32, String)>,
    pub(crate) access: Vec<Access>,
}

/// An access token.
pub(crate) struct Access {
    pub(crate) text: String,
    pub(crate) claims: AccessTokenClaims,
    /// It was revoked, has ended, and is gone from the store: it is not used any more, since a clock that
    /// went back so far would find it good.
    pub(crate) forgotten: bool,
}

/// A user at a browser.
pub(crate) struct Seat {
    pub(crate) address: Name,
    pub(crate) cookie: Option<usize>,
    pub(crate) known: Option<Secret>,
}

impl Device {
    pub(crate) fn refresh_token(&self, generation: u32) -> &str {
        let mut held = self.refresh.iter();
        let token = held.find(|(held, _)| *held == generation);
        &token.expect("a token that was given").1
    }

    /// Takes tokens; returns the generation of the refresh token.
    pub(crate) fn take(&mut self, realm: &Realm, tokens: &Tokens) -> Option<u32> {
        self.access.push(Access {
            text: tokens.access.clone(),
            claims: claims(realm, &tokens.access),
            forgotten: false,
        });
        let text = tokens.refresh.as_ref()?;
        let opened = realm.sealing.open_refresh_token(text);
        let opened = opened.expect("a refresh token of ours");
        assert_eq!(opened.grant, self.grant, "it gets its own tokens");
        let known = |(held, _): &(u32, String)| *held == opened.generation;
        if !self.refresh.iter().any(known) {
            self.refresh.push((opened.generation, text.clone()));
        }
        Some(opened.generation)
    }
}

/// What an access token says; who signed it is verified where it is shown.
fn claims(realm: &Realm, token: &str) -> AccessTokenClaims {
    let json = realm.sealing.open_access_token(token).or_else(|| {
        let payload = token.split('.').nth(1)?;
        URL_SAFE_NO_PAD.decode(payload).ok()
    });
    serde_json::from_slice(&json.expect("an access token")).expect("claims")
}
