//! Checks of `[[user]]`.

use grantor_core::model::claim_mapping::is_reserved;
use grantor_core::records::Username;

use super::unique;
use crate::place::Place;
use crate::read::Reader;
use crate::settings::User;

/// Claims that have a setting of their own.
const OWN_KEYS: [&str; 3] = ["username", "email", "groups"];

pub(super) fn check(users: &[User], reader: &mut Reader<'_>) {
    // Names that differ by case only are the same name.
    unique(
        reader,
        "user",
        "username",
        users.iter().map(|user| Username::fold(&user.username)),
    );
    let ids = users
        .iter()
        .map(|user| user.id.map(|id| id.to_string()).unwrap_or_default());
    unique(reader, "user", "id", ids);

    for (index, user) in users.iter().enumerate() {
        let place = Place::root().key("user").row(index);
        let given = |reader: &Reader<'_>, key| reader.given(&place.key(key));
        match (given(reader, "password"), given(reader, "password_hash")) {
            (true, true) => {
                reader.refuse(
                    &place.key("password_hash"),
                    "give password or password_hash, not both",
                );
            }
            (false, false) => {
                reader.refuse(
                    &place.key("password"),
                    "missing: give password or password_hash",
                );
            }
            _ => {}
        }
        if user
            .email
            .as_ref()
            .is_some_and(|email| !looks_like_email(email))
        {
            reader.refuse(&place.key("email"), "is not an e-mail address");
        }
        for claim in user
            .claims
            .keys()
            .filter(|claim| is_reserved(claim) || OWN_KEYS.contains(&claim.as_str()))
        {
            let why = format!(
                "the claim {claim:?} is reserved: the server sets it, or it is a key of [[user]]"
            );
            reader.refuse(&place.key("claims").key(claim), why);
        }
    }
}

fn looks_like_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(local, host)| {
        !local.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)
    })
}
