//! `/users`: the accounts, a file for each command.

mod add;
mod delete;
mod given;
mod refusals;
mod rename;
mod set;
mod set_enabled;
mod set_password;
mod show;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;

pub use refusals::{CHANGE_PASSWORD_THERE, declared_message};

use super::Admin;
use super::api::{
    AddAdministrator, AddUser, AdminRequest as _, DeleteUser, DisableUser, EnableUser, RenameUser,
    SetPassword, SetUser, ShowUser,
};

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route(AddUser::PATH, post(add::add))
        .route(AddAdministrator::PATH, post(add::add_administrator))
        .route(DisableUser::PATH, post(set_enabled::disable))
        .route(EnableUser::PATH, post(set_enabled::enable))
        .route(SetPassword::PATH, post(set_password::set_password))
        .route(SetUser::PATH, post(set::set))
        .route(ShowUser::PATH, post(show::show))
        .route(RenameUser::PATH, post(rename::rename))
        .route(DeleteUser::PATH, post(delete::delete))
}
