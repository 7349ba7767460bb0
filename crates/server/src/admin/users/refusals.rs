//! Why a command changes nothing, and what to do instead.

use std::path::Path;

use grantor_core::people::{ChangeUserReply, FindUser, LoginRefused};
use http::StatusCode;

use crate::admin::{Admin, Rejection};

/// The `sub`, where it was done.
pub(super) async fn done(
    admin: &Admin,
    username: &str,
    reply: ChangeUserReply,
) -> Result<String, Rejection> {
    Err(match reply {
        ChangeUserReply::Done { id, .. } => return Ok(id.to_string()),
        ChangeUserReply::Declared(member) => {
            declared(admin, username, |sub| todo_about(&member, sub)).await?
        }
        ChangeUserReply::Refused(why) => login_refused(admin, why, username, ""),
        ChangeUserReply::Unknown => unknown(admin, username),
        ChangeUserReply::UnknownOrganization => Rejection::new(
            StatusCode::NOT_FOUND,
            "unknown_organization",
            "There is no such organization.",
        ),
    })
}

/// What to do in the file to change a member, as [`ChangeUserReply::Declared`] names it.
fn todo_about(member: &str, sub: &str) -> String {
    let key = match member.split_once('/') {
        // A new name makes a new user, unless the entry keeps the sub.
        None if member == "username" => {
            return format!(
                "change username and write id = {sub:?} there, which keeps the sub, and run `grantor reload`"
            );
        }
        None if member == "password" => return CHANGE_PASSWORD_THERE.to_owned(),
        None => member.to_owned(),
        Some((_, claim)) => format!("the claim {claim:?}"),
    };
    format!("change {key} there, and run `grantor reload`")
}

/// What to do where the file declares a password.
pub const CHANGE_PASSWORD_THERE: &str =
    "change password (or password_hash) there, and run `grantor reload`";

/// Why a user whom the file declares, or declared before, is not changed.
#[must_use]
pub fn declared_message(file: &Path, is_declared: bool, username: &str, todo: &str) -> String {
    let file = file.display();
    if is_declared {
        return format!(
            "{file} declares this user, in the [[user]] with username = {username:?}: {todo}."
        );
    }
    format!(
        "{file} declared {username:?} and does not any more: declare it again, or delete it once a restart or `grantor reload --prune` has disabled it."
    )
}

/// The entry of the file that declares the user, and what to do about it.
pub(super) async fn declared(
    admin: &Admin,
    username: &str,
    todo: impl FnOnce(&str) -> String,
) -> Result<Rejection, Rejection> {
    let find = FindUser {
        username: username.to_owned(),
    };
    // The command may have named the user by its sub.
    let user = admin.run(find).await?;
    let (name, sub) = user.map_or_else(
        || (username.to_owned(), username.to_owned()),
        |user| (user.username, user.id.to_string()),
    );
    let message = if admin.keeps(&name) {
        format!(
            "{} does not declare {name:?} any more, and the user is kept until `grantor reload --prune`, or a restart, \
             disables it.",
            admin.file.display()
        )
    } else {
        declared_message(&admin.file, admin.declares(&name), &name, &todo(&sub))
    };
    Ok(Rejection::new(
        StatusCode::CONFLICT,
        "declared_in_file",
        message,
    ))
}

pub(super) fn unknown(admin: &Admin, username: &str) -> Rejection {
    let (status, code) = (StatusCode::NOT_FOUND, "unknown_user");
    if admin.declares(username) {
        let file = admin.file.display();
        let message = format!(
            "{file} declares {username:?}, and the store does not hold that user yet: start the server first. One with enabled = false is named by its sub."
        );
        return Rejection::new(status, code, message);
    }
    Rejection::new(status, code, format!("There is no user {username:?}."))
}

/// Why a user cannot have this name, or this address to sign in with.
pub(super) fn login_refused(
    admin: &Admin,
    why: LoginRefused,
    username: &str,
    address: &str,
) -> Rejection {
    match why {
        LoginRefused::NameTaken => name_taken(admin, username, false),
        LoginRefused::AddressTaken => {
            let what = match address {
                "" => "The address".to_owned(),
                address => format!("The address {address:?}"),
            };
            let message = format!(
                "{what} is taken: another user signs in with it. `grantor user list` shows whose it is."
            );
            Rejection::new(StatusCode::CONFLICT, "address_taken", message)
        }
        LoginRefused::ForeignAddress => Rejection::invalid(format!(
            "The username {username:?} holds an @ and is not the user's own e-mail address: give that address as --email \
             first, or choose a name without @."
        )),
    }
}

pub(super) fn name_taken(admin: &Admin, username: &str, by_file: bool) -> Rejection {
    let by = match by_file {
        true if admin.keeps(username) => {
            " by a user who is kept until `grantor reload --prune`".to_owned()
        }
        true => format!(": {} declares it", admin.file.display()),
        false => String::new(),
    };
    let message = format!("The name {username:?} is taken{by}.");
    Rejection::new(StatusCode::CONFLICT, "name_taken", message)
}
