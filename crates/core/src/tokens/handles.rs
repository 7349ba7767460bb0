//! What sealed tokens hold: a handle of a grant or session under a MAC, instead of a row. A forged or truncated one is
//! refused without a read.

use std::fmt;

use aws_lc_rs::digest;

use crate::base::sealing::{SealKind, SealingKeys, array};
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, GrantId, SessionId, UserId};
use crate::model::user_code::UserCode;

/// What a device code (RFC 8628 section 3.2) and an authorization code (RFC 6749 section 4.1.2) hold. Each kind is sealed
/// by a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The grant that it is for.
    pub grant: GrantId,
    /// When it ends: an expired one is told so without a read.
    pub expires_at: Timestamp,
    /// [`ClientId::tag`] of its client: another's is refused without a read.
    pub client: [u8; 8],
}

impl Code {
    /// Whether it was given to `client`.
    #[must_use]
    pub fn is_of(&self, client: &ClientId) -> bool {
        self.client == client.tag()
    }
}

/// A refresh token (RFC 6749 section 1.5): the grant, and how often its token was rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The grant.
    pub grant: GrantId,
    /// Zero for the first token, one more for each successor.
    pub generation: u32,
}

/// What a session cookie holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionCookie {
    /// The session.
    pub id: SessionId,
    /// Its user: so that one read brings session and user.
    pub user: UserId,
    /// The secret that rotates; the session's row keeps its digest.
    pub secret: [u8; 16],
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionCookie({}, …)", self.id)
    }
}

impl SealingKeys {
    /// The text of a device code.
    #[must_use]
    pub fn device_code(&self, code: &Code) -> String {
        self.code(SealKind::DeviceCode, code)
    }

    /// The device code of this text, if we sealed it.
    #[must_use]
    pub fn open_device_code(&self, text: &str) -> Option<Code> {
        self.open_code(SealKind::DeviceCode, text)
    }

    /// The text of an authorization code.
    #[must_use]
    pub fn authorization_code(&self, code: &Code) -> String {
        self.code(SealKind::AuthorizationCode, code)
    }

    /// The authorization code of this text, if we sealed it.
    #[must_use]
    pub fn open_authorization_code(&self, text: &str) -> Option<Code> {
        self.open_code(SealKind::AuthorizationCode, text)
    }

    fn code(&self, kind: SealKind, code: &Code) -> String {
        let mut payload = Vec::with_capacity(32);
        payload.extend_from_slice(code.grant.as_bytes());
        payload.extend_from_slice(&code.expires_at.as_millis().to_be_bytes());
        payload.extend_from_slice(&code.client);
        self.seal(kind, &payload)
    }

    fn open_code(&self, kind: SealKind, text: &str) -> Option<Code> {
        let payload: [u8; 32] = self.open(kind, text)?;
        Some(Code {
            grant: GrantId::from_bytes(array(&payload[..16])),
            expires_at: Timestamp::from_millis(u64::from_be_bytes(array(&payload[16..24]))),
            client: array(&payload[24..]),
        })
    }

    /// The text of a refresh token. The same token gives the same text: a successor is derived, never stored.
    #[must_use]
    pub fn refresh_token(&self, token: &RefreshToken) -> String {
        let mut payload = Vec::with_capacity(20);
        payload.extend_from_slice(token.grant.as_bytes());
        payload.extend_from_slice(&token.generation.to_be_bytes());
        self.seal(SealKind::RefreshToken, &payload)
    }

    /// The refresh token of this text, if we sealed it.
    #[must_use]
    pub fn open_refresh_token(&self, text: &str) -> Option<RefreshToken> {
        let payload: [u8; 20] = self.open(SealKind::RefreshToken, text)?;
        Some(RefreshToken {
            grant: GrantId::from_bytes(array(&payload[..16])),
            generation: u32::from_be_bytes(array(&payload[16..])),
        })
    }

    /// The text of a session cookie.
    #[must_use]
    pub fn session_cookie(&self, cookie: &SessionCookie) -> String {
        let payload = [
            &cookie.id.as_bytes()[..],
            cookie.user.as_bytes(),
            &cookie.secret,
        ]
        .concat();
        self.seal(SealKind::SessionCookie, &payload)
    }

    /// The session cookie of this text, if we sealed it.
    #[must_use]
    pub fn open_session_cookie(&self, text: &str) -> Option<SessionCookie> {
        let payload: [u8; 48] = self.open(SealKind::SessionCookie, text)?;
        Some(SessionCookie {
            id: SessionId::from_bytes(array(&payload[..16])),
            user: UserId::from_bytes(array(&payload[16..32])),
            secret: array(&payload[32..]),
        })
    }

    /// The text of the cookie by which a browser shows that it signed in with this username before.
    #[must_use]
    pub fn known_browser(&self, username: &str) -> String {
        self.seal(SealKind::KnownBrowser, &browser_of(username))
    }

    /// Whether the cookie is that of a browser which signed in with this username before.
    #[must_use]
    pub fn is_known_browser(&self, text: &str, username: &str) -> bool {
        self.open(SealKind::KnownBrowser, text) == Some(browser_of(username))
    }

    /// The names under which the row of a user code may stand, the current one first.
    pub fn user_code_names<'a>(&'a self, code: &'a UserCode) -> impl Iterator<Item = String> + 'a {
        self.row_names(SealKind::UserCode, code.normalized().as_bytes())
    }
}

fn browser_of(username: &str) -> [u8; 16] {
    array(digest::digest(&digest::SHA256, username.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::sealing::MasterKey;

    fn keys(realm: &str, master: u8) -> SealingKeys {
        SealingKeys::new(realm, &MasterKey::new([master; 32]), &[])
    }

    fn code() -> Code {
        Code {
            grant: GrantId::from_bytes([3; 16]),
            expires_at: Timestamp::from_secs(9),
            client: [1; 8],
        }
    }

    #[test]
    fn what_was_sealed_opens_and_says_what_it_is() {
        let keys = keys("default", 1);
        let text = keys.device_code(&code());
        assert!(text.starts_with("grantor_dc_"));
        assert_eq!(keys.open_device_code(&text), Some(code()));
        let token = RefreshToken {
            grant: GrantId::from_bytes([3; 16]),
            generation: 7,
        };
        let text = keys.refresh_token(&token);
        assert!(text.starts_with("grantor_rt_"));
        assert_eq!(keys.open_refresh_token(&text), Some(token));
        assert_eq!(keys.refresh_token(&token), text, "a successor is derived");
    }

    #[test]
    fn another_pool_or_master_key_opens_nothing() {
        let text = keys("default", 1).device_code(&code());
        assert_eq!(keys("other", 1).open_device_code(&text), None);
        assert_eq!(keys("default", 2).open_device_code(&text), None);
    }

    #[test]
    fn an_older_master_key_still_opens_and_the_new_one_seals() {
        let old = keys("default", 1).device_code(&code());
        let both = SealingKeys::new(
            "default",
            &MasterKey::new([2; 32]),
            &[MasterKey::new([1; 32])],
        );
        assert_eq!(both.open_device_code(&old), Some(code()));
        assert_eq!(
            keys("default", 2).open_device_code(&both.device_code(&code())),
            Some(code())
        );
        assert_eq!(both.user_code_names(&code_of("WDJBMJHT")).count(), 2);
    }

    fn code_of(typed: &str) -> UserCode {
        crate::model::user_code::UserCodeFormat::new("B", 8)
            .unwrap()
            .read(typed)
            .unwrap()
    }

    #[test]
    fn one_kind_never_passes_for_another() {
        let keys = keys("default", 1);
        // The two codes hold the same, and only their seals tell them apart.
        let (device, authorization) = (keys.device_code(&code()), keys.authorization_code(&code()));
        assert_eq!(keys.open_authorization_code(&device), None);
        assert_eq!(keys.open_device_code(&authorization), None);
        let renamed = authorization.replace("grantor_ac_", "grantor_dc_");
        assert_eq!(keys.open_device_code(&renamed), None);
        assert_eq!(keys.open_authorization_code(&authorization), Some(code()));
    }

    #[test]
    fn a_form_token_is_bound_to_what_it_was_made_for() {
        let keys = keys("default", 1);
        let token = keys.form_token(b"session-1 approve");
        assert!(keys.accepts_form_token(b"session-1 approve", &token));
        assert!(!keys.accepts_form_token(b"session-2 approve", &token));
        assert!(!keys.accepts_form_token(b"session-1 approve", ""));
        assert!(!keys.accepts_form_token(b"session-1 approve", "!"));
    }

    #[test]
    fn an_opaque_access_token_hides_and_returns_its_claims() {
        let keys = keys("default", 1);
        let text = keys
            .access_token(b"{\"sub\":\"x\"}".to_vec(), [5; 12])
            .unwrap();
        assert!(text.starts_with("grantor_at_"));
        assert_eq!(
            keys.open_access_token(&text).as_deref(),
            Some(&b"{\"sub\":\"x\"}"[..])
        );
        assert_eq!(self::keys("other", 1).open_access_token(&text), None);
        assert_eq!(keys.open_access_token("grantor_at_"), None);
    }

    proptest! {
        #[test]
        fn any_change_of_any_character_is_refused(at in 0_usize..91, with in "[A-Za-z0-9_-]") {
            let keys = keys("default", 1);
            let text = keys.device_code(&code());
            let at = at % text.len();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &with);
            prop_assume!(changed != text);
            // Equal bytes by another spelling do not exist either: the decoder refuses loose trailing bits.
            prop_assert_eq!(keys.open_device_code(&changed), None);
        }

        #[test]
        fn any_truncation_is_refused(keep in 0_usize..101) {
            let keys = keys("default", 1);
            let text = keys.device_code(&code());
            prop_assume!(keep < text.len());
            prop_assert_eq!(keys.open_device_code(&text[..keep]), None);
        }

        #[test]
        fn opening_never_panics(text in ".{0,200}") {
            let keys = keys("default", 1);
            for text in [text.clone(), format!("grantor_at_{text}"), format!("grantor_rt_{text}")] {
                prop_assert_eq!(keys.open_refresh_token(&text), None);
                prop_assert_eq!(keys.open_access_token(&text), None);
            }
        }
    }
}
