//! The contents of sealed tokens: authenticated handles of grants and sessions. Forged or truncated tokens are refused
//! without a read.

use std::fmt;

use crate::base::sealing::{SealKind, SealingKeys, array};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, Epoch, GrantId, SessionId, UserId};
use crate::model::user_code::UserCode;

/// The contents of a device code (RFC 8628 section 3.2) or authorization code (RFC 6749 section 4.1.2). Each kind is
/// sealed with its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub grant: GrantId,
    /// Expired codes are refused without a read.
    pub expires_at: Timestamp,
    /// [`ClientId::tag`]: another client's code is refused without a read.
    pub client: [u8; 8],
}

impl Code {
    /// Whether it was issued to `client`.
    #[must_use]
    pub fn belongs_to(&self, client: &ClientId) -> bool {
        self.client == client.tag()
    }
}

/// The contents of a refresh token (RFC 6749 section 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub grant: GrantId,
    /// How often the grant's refresh token was rotated before.
    pub generation: u32,
}

/// The contents of a session cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionCookie {
    pub id: SessionId,
    /// So that one read gets both session and user.
    pub user: UserId,
    /// Rotates; the session's row has its digest.
    pub secret: [u8; 16],
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionCookie({}, …)", self.id)
    }
}

/// A session cookie as a browser sent it, opened once for a request. Whether its session is live, only its row says.
#[derive(Clone, Debug)]
pub struct PresentedCookie {
    pub(crate) holds: SessionCookie,
    /// A proof of a sign-in is bound to it.
    pub(crate) text: Secret,
}

impl PresentedCookie {
    #[must_use]
    pub fn open(sealing: &SealingKeys, text: Secret) -> Option<Self> {
        let holds = sealing.open_session_cookie(text.reveal())?;
        Some(Self { holds, text })
    }

    /// The session may not be live.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.holds.id
    }

    /// The session may not be live.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.holds.user
    }
}

/// The contents of the cookie of a browser in which a user signed in. It lets the user's password be tried there
/// whatever others try, so it has a count of its own, and ends with the password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KnownBrowser {
    /// Random: what its wrong passwords are counted by.
    pub id: [u8; 16],
    pub user: UserId,
    pub epoch: Epoch,
    pub expires_at: Timestamp,
}

impl KnownBrowser {
    #[must_use]
    pub fn id_text(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.id))
    }
}

impl fmt::Debug for KnownBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownBrowser({}, …)", self.user)
    }
}

impl SealingKeys {
    #[must_use]
    pub fn device_code(&self, code: &Code) -> String {
        self.code(SealKind::DeviceCode, code)
    }

    #[must_use]
    pub fn open_device_code(&self, text: &str) -> Option<Code> {
        self.open_code(SealKind::DeviceCode, text)
    }

    #[must_use]
    pub fn authorization_code(&self, code: &Code) -> String {
        self.code(SealKind::AuthorizationCode, code)
    }

    #[must_use]
    pub fn open_authorization_code(&self, text: &str) -> Option<Code> {
        self.open_code(SealKind::AuthorizationCode, text)
    }

    fn code(&self, kind: SealKind, code: &Code) -> String {
        let ends = code.expires_at.as_millis().to_be_bytes();
        let payload = [&code.grant.as_bytes()[..], &ends, &code.client].concat();
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

    /// Deterministic: a successor is derived, never stored.
    #[must_use]
    pub fn refresh_token(&self, token: &RefreshToken) -> String {
        let generation = token.generation.to_be_bytes();
        let payload = [&token.grant.as_bytes()[..], &generation].concat();
        self.seal(SealKind::RefreshToken, &payload)
    }

    #[must_use]
    pub fn open_refresh_token(&self, text: &str) -> Option<RefreshToken> {
        let payload: [u8; 20] = self.open(SealKind::RefreshToken, text)?;
        Some(RefreshToken {
            grant: GrantId::from_bytes(array(&payload[..16])),
            generation: u32::from_be_bytes(array(&payload[16..])),
        })
    }

    #[must_use]
    pub fn session_cookie(&self, cookie: &SessionCookie) -> String {
        let (id, user) = (cookie.id.as_bytes(), cookie.user.as_bytes());
        let payload = [&id[..], user, &cookie.secret].concat();
        self.seal(SealKind::SessionCookie, &payload)
    }

    #[must_use]
    pub fn open_session_cookie(&self, text: &str) -> Option<SessionCookie> {
        let payload: [u8; 48] = self.open(SealKind::SessionCookie, text)?;
        Some(SessionCookie {
            id: SessionId::from_bytes(array(&payload[..16])),
            user: UserId::from_bytes(array(&payload[16..32])),
            secret: array(&payload[32..]),
        })
    }

    #[must_use]
    pub fn known_browser(&self, known: &KnownBrowser) -> String {
        let payload = [
            &known.id[..],
            known.user.as_bytes(),
            &known.epoch.as_u64().to_be_bytes(),
            &known.expires_at.as_millis().to_be_bytes(),
        ]
        .concat();
        self.seal(SealKind::KnownBrowser, &payload)
    }

    /// A cookie of a version that bound it to the username alone, for ever, is none.
    #[must_use]
    pub fn open_known_browser(&self, text: &str) -> Option<KnownBrowser> {
        let payload: [u8; 48] = self.open(SealKind::KnownBrowser, text)?;
        Some(KnownBrowser {
            id: array(&payload[..16]),
            user: UserId::from_bytes(array(&payload[16..32])),
            epoch: Epoch::from_bytes(array(&payload[32..40])),
            expires_at: Timestamp::from_millis(u64::from_be_bytes(array(&payload[40..]))),
        })
    }

    /// The code by which the first administrator is made, once, until then.
    #[must_use]
    pub fn first_administrator_code(&self, expires_at: Timestamp, random: [u8; 16]) -> String {
        let ends = expires_at.as_millis().to_be_bytes();
        self.seal(SealKind::FirstAdministrator, &[&ends[..], &random].concat())
    }

    /// Until when a code of ours counts.
    #[must_use]
    pub fn open_first_administrator_code(&self, text: &str) -> Option<Timestamp> {
        let payload: [u8; 24] = self.open(SealKind::FirstAdministrator, text)?;
        Some(Timestamp::from_millis(u64::from_be_bytes(array(
            &payload[..8],
        ))))
    }

    /// The possible row names of a user code, the current one first.
    pub fn user_code_names<'a>(&'a self, code: &'a UserCode) -> impl Iterator<Item = String> + 'a {
        self.row_names(SealKind::UserCode, code.normalized().as_bytes())
    }
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
    fn sealed_codes_and_tokens_open() {
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
    fn another_realm_or_master_key_opens_nothing() {
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
        // Both codes have the same contents; only their seals differ.
        let (device, authorization) = (keys.device_code(&code()), keys.authorization_code(&code()));
        assert_eq!(keys.open_authorization_code(&device), None);
        assert_eq!(keys.open_device_code(&authorization), None);
        let renamed = authorization.replace("grantor_ac_", "grantor_dc_");
        assert_eq!(keys.open_device_code(&renamed), None);
        assert_eq!(keys.open_authorization_code(&authorization), Some(code()));
    }

    #[test]
    fn a_form_token_is_bound_to_its_session_and_action() {
        let keys = keys("default", 1);
        let token = keys.form_token(b"session-1 approve");
        assert!(keys.accepts_form_token(b"session-1 approve", &token));
        assert!(!keys.accepts_form_token(b"session-2 approve", &token));
        assert!(!keys.accepts_form_token(b"session-1 approve", ""));
        assert!(!keys.accepts_form_token(b"session-1 approve", "!"));
    }

    #[test]
    fn an_opaque_access_token_encrypts_its_claims() {
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
        fn a_changed_character_is_refused(at in 0_usize..91, with in "[A-Za-z0-9_-]") {
            let keys = keys("default", 1);
            let text = keys.device_code(&code());
            let at = at % text.len();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &with);
            prop_assume!(changed != text);
            // The encoding is canonical too: the decoder refuses non-zero trailing bits.
            prop_assert_eq!(keys.open_device_code(&changed), None);
        }

        #[test]
        fn a_truncated_token_is_refused(keep in 0_usize..101) {
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
