//! What a username, a password, an e-mail address and a client secret may be: one rule for the file, the operator's
//! commands and sign-in.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::base::secret::Secret;
use crate::model::precis::{opaque_string, username_case_mapped};

const MAX_USERNAME_CHARS: usize = 255;
/// The longest folded username that sign-in looks up: [`MAX_USERNAME_CHARS`] of four bytes each.
const MAX_USERNAME_BYTES: usize = 4 * MAX_USERNAME_CHARS;
/// The longest password that is hashed, in bytes. Longer ones cost more than they protect.
const MAX_PASSWORD_BYTES: usize = 1024;
/// NIST SP 800-63B section 3.1.1.2: passwords have a minimum of eight characters.
const MIN_NEW_PASSWORD_CHARS: usize = 8;
/// RFC 5321 section 4.5.3.1.3: a path has 256 bytes with its brackets.
const MAX_EMAIL_BYTES: usize = 254;

/// The name that a user signs in with: 1 to 255 characters, no control characters, no space at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidUsername(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not 1 to 255 characters without spaces around them")]
pub struct InvalidUsername;

impl ValidUsername {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ValidUsername {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, InvalidUsername> {
        let length = text.chars().count();
        let is_valid = (1..=MAX_USERNAME_CHARS).contains(&length)
            && !text.chars().any(char::is_control)
            && text.trim() == text;
        is_valid
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidUsername)
    }
}

impl fmt::Display for ValidUsername {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The form in which usernames were compared by earlier versions: without case and surrounding spaces. The ids of users of
/// the file derive from it, and the keys of rows: it stays for ever.
#[must_use]
pub fn fold_username(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The form in which names and addresses are compared at sign-in: by RFC 8265, or as before where it does not allow the text.
#[must_use]
pub fn fold_login(text: &str) -> String {
    let folded = fold_username(text);
    username_case_mapped(&folded).unwrap_or(folded)
}

/// Whether a user could have this folded name, so that sign-in looks for it.
#[must_use]
pub fn may_be_username(folded: &str) -> bool {
    (1..=MAX_USERNAME_BYTES).contains(&folded.len()) && !folded.chars().any(char::is_control)
}

/// The forms in which a typed password may have been hashed: that of RFC 8265, and as it was typed, as by earlier versions.
/// They are one for nearly all. Where they differ, both are compared, whoever the user is: time tells the guesser only what
/// was typed.
pub fn password_forms(typed: &Secret) -> impl Iterator<Item = Secret> {
    let prepared = opaque_string(typed.reveal());
    let prepared = prepared.filter(|prepared| **prepared != *typed.reveal());
    let prepared = prepared.map(|prepared| Secret::new(prepared.as_str()));
    prepared.into_iter().chain([typed.clone()])
}

/// The form that is hashed.
#[must_use]
pub fn password_to_hash(password: &Secret) -> Secret {
    let forms = password_forms(password).next();
    forms.unwrap_or_else(|| password.clone())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    #[error("is empty")]
    Empty,
    #[error("is longer than {MAX_PASSWORD_BYTES} bytes")]
    Long,
    #[error("has fewer than {MIN_NEW_PASSWORD_CHARS} characters")]
    Short,
}

/// Whether somebody can sign in with this password.
///
/// # Errors
/// [`InvalidPassword::Empty`], [`InvalidPassword::Long`]
pub fn check_password(password: &Secret) -> Result<(), InvalidPassword> {
    match password.reveal().len() {
        0 => Err(InvalidPassword::Empty),
        1..=MAX_PASSWORD_BYTES => Ok(()),
        _ => Err(InvalidPassword::Long),
    }
}

/// A password that a user may be given. The file's author may write shorter ones, for tests.
#[derive(Clone, Debug)]
pub struct NewPassword(Secret);

impl NewPassword {
    /// # Errors
    /// [`InvalidPassword`]
    pub fn new(password: Secret) -> Result<Self, InvalidPassword> {
        check_password(&password)?;
        match password.reveal().chars().count() {
            ..MIN_NEW_PASSWORD_CHARS => Err(InvalidPassword::Short),
            _ => Ok(Self(password)),
        }
    }

    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }
}

/// Whether a text could be an e-mail address: something on both sides of an `@`. Only a mail shows that it is one.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace();
    text.len() <= MAX_EMAIL_BYTES
        && text.chars().all(is_plain)
        && text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

pub const EMAIL_VERIFIED: &str = "email_verified";

/// A user's address, where it is known to be the user's: what the operator wrote is, unless a claim says otherwise.
#[must_use]
pub fn verified_email<'a>(
    email: Option<&'a str>,
    claims: &BTreeMap<String, Value>,
) -> Option<&'a str> {
    let said = claims.get(EMAIL_VERIFIED);
    email.filter(|_| matches!(said, None | Some(Value::Bool(true))))
}

/// RFC 6749 appendix A.2: `client-secret = *VSCHAR`.
#[must_use]
pub fn is_client_secret(secret: &Secret) -> bool {
    let secret = secret.reveal();
    !secret.is_empty() && secret.bytes().all(|b| matches!(b, 0x20..=0x7E))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_new_password_can_sign_in() {
        let check = |text: String| NewPassword::new(Secret::new(text)).map(drop);
        assert_eq!(check("é".repeat(8)), Ok(()));
        assert_eq!(check("é".repeat(7)), Err(InvalidPassword::Short));
        assert_eq!(check("é".repeat(512)), Ok(()));
        assert_eq!(check("é".repeat(513)), Err(InvalidPassword::Long));
        assert_eq!(check("é".repeat(600)), Err(InvalidPassword::Long));
        assert_eq!(check(String::new()), Err(InvalidPassword::Empty));
        assert_eq!(check_password(&Secret::new("p")), Ok(()));
    }

    #[test]
    fn an_email_has_two_parts_and_no_spaces() {
        assert!(is_email("alice@example.com"));
        for bad in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a b@example.com",
            "a@b\n",
            &format!("{}@example.com", "a".repeat(250)),
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_valid_username_is_looked_up_at_sign_in(text in "\\PC{0,300}") {
            if let Ok(name) = text.parse::<ValidUsername>() {
                prop_assert!(may_be_username(&fold_username(name.as_str())));
                prop_assert!(may_be_username(&fold_login(name.as_str())));
            }
        }
    }

    #[test]
    fn the_longest_usernames_are_looked_up_at_sign_in() {
        for longest in ["𐐀", "İ", "Ⱥ", "ẞ"] {
            let name = longest.repeat(255).parse::<ValidUsername>().unwrap();
            assert!(may_be_username(&fold_username(name.as_str())), "{longest}");
            assert!(may_be_username(&fold_login(name.as_str())), "{longest}");
        }
    }
}
