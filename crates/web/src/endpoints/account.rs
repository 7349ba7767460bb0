//! `/account`: shows what has access to an account, and lets its user remove it.

use std::sync::Arc;

use axum::response::Response;
use futures_util::TryStreamExt as _;
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::base::time::Timestamp;
use grantor_core::model::credentials::InvalidPassword;
use grantor_core::model::ids::{ClientId, GrantId, SessionId, UserId};
use grantor_core::model::realm::Realm;
use grantor_core::people::account::{
    self, AccountView, AppView, ChangePassword, ChangePasswordReply, DeviceView, Disconnect,
    EndRevokedSessions, EndSession, EndSessionReply, RemoveAccessReply, RevokeGrant, SessionView,
    SignOutEverywhere, SignOutEverywhereReply, ViewAccount,
};
use grantor_core::people::{Action, Visitor};
use grantor_core::records::{self, Grant};
use grantor_core::tokens::handles::PresentedCookie;
use grantor_store::list_pages;
use http::StatusCode;

use super::browser;
use super::return_to::ReturnTo;
use crate::app::Unavailable;
use crate::context::{Context, PostedForm, TypedForm};
use crate::lists::{ROWS_AT_ONCE, first_rows};
use crate::pages::{
    AccountPage, Agent, AppRow, DeviceRow, List, Notice, PageError, PasswordProblem, RelativeTime,
    SessionRow,
};
use crate::refusal;

/// The rows that are read of each list. Lists of sessions and grants begin with the newest; a user has no more consents
/// than there are clients.
const SESSIONS_READ: usize = 50;
const GRANTS_READ: usize = 128;
const CONSENTS_READ: usize = 256;
/// How often the grants of a client are listed: it may get new ones meanwhile, if it needs no consent.
const MAX_PASSES: usize = 4;

/// The values of the query parameter `notice`. A link can show one of these texts only.
const NOTICES: [(&str, Notice); 6] = [
    ("session-ended", Notice::SessionEnded),
    ("app-removed", Notice::AppRemoved),
    ("device-removed", Notice::DeviceRemoved),
    ("password-changed", Notice::PasswordChanged),
    ("gone", Notice::Gone),
    ("stale", Notice::Stale),
];

/// The query parameter with the last grant of the page before.
const OLDER: &str = "older";

/// What is not on the page.
struct More {
    sessions: bool,
    /// The last grant of the page, if there are older ones.
    grants: Option<GrantId>,
}

/// A GET changes nothing.
pub(crate) async fn get(context: Context) -> Response {
    let query = Params::parse(context.caller.query().unwrap_or_default().as_bytes()).ok();
    let name = query.as_ref().and_then(|query| query.opt("notice"));
    let notice = NOTICES.iter().find(|(known, _)| name == Some(known));
    let notice = notice.map(|(_, notice)| *notice);
    let older = query.as_ref().and_then(|query| query.opt(OLDER));
    let after = older.and_then(|grant| grant.parse().ok());
    show(&context, StatusCode::OK, after, notice, None).await
}

/// `GET /.well-known/change-password`
pub(crate) async fn redirect_to_password(context: Context) -> Response {
    browser::see_other(&format!("{}/account#password", context.site().path))
}

async fn show(
    context: &Context,
    status: StatusCode,
    after: Option<GrantId>,
    notice: Option<Notice>,
    problem: Option<PasswordProblem>,
) -> Response {
    match view(context, after).await {
        Ok(Some((view, more))) => {
            let page = page(context, *view, more, notice, problem);
            context.page(status, &page)
        }
        Ok(None) => context.go_to_login(&ReturnTo::Account).await,
        Err(error) => context.unavailable(&error),
    }
}

/// `POST /account/password`: replaces the password, and ends all other sessions and grants.
pub(crate) async fn change_password(TypedForm(posted): TypedForm) -> Response {
    let (context, params) = match checked(posted) {
        Ok(checked) => checked,
        Err(response) => return *response,
    };
    let field = |name| Secret::new(params.opt(name).unwrap_or_default());
    let new = field("new");
    if new.reveal() != field("repeated").reveal() {
        return password_problem(&context, PasswordProblem::Different).await;
    }
    let change = ChangePassword {
        cookie: context.cookie.clone(),
        current: field("current"),
        new,
        peer: context.caller.peer.clone(),
    };
    let context = Arc::new(context);
    let work = change_and_end(Arc::clone(&context), change);
    let reply = match context.app.run_detached(work).await {
        Ok(reply) => reply,
        Err(error) => return context.unavailable(&error),
    };
    match reply {
        ChangePasswordReply::SignIn => context.go_to_login(&ReturnTo::Account).await,
        ChangePasswordReply::NotHere => redirect_to_account(&context, Notice::Gone),
        ChangePasswordReply::WrongPassword => {
            password_problem(&context, PasswordProblem::Wrong).await
        }
        ChangePasswordReply::Unfit(why) => {
            let problem = match why {
                InvalidPassword::Long => PasswordProblem::Long,
                InvalidPassword::Empty | InvalidPassword::Short => PasswordProblem::Short,
            };
            password_problem(&context, problem).await
        }
        ChangePasswordReply::TooMany { retry_after } => {
            let problem = PasswordProblem::TooManyTries {
                minutes: browser::minutes(retry_after),
            };
            let status = StatusCode::TOO_MANY_REQUESTS;
            let response = show(&context, status, None, None, Some(problem)).await;
            browser::with_retry_after(response, retry_after)
        }
        ChangePasswordReply::Changed { session, lasts, .. } => {
            let response = redirect_to_account(&context, Notice::PasswordChanged);
            browser::with_cookies(response, context.set_session(&session, lasts))
        }
    }
}

async fn password_problem(context: &Context, problem: PasswordProblem) -> Response {
    show(context, StatusCode::BAD_REQUEST, None, None, Some(problem)).await
}

/// Failures after the change are only logged: the rest is for back-channel logout.
async fn change_and_end(
    context: Arc<Context>,
    change: ChangePassword,
) -> Result<ChangePasswordReply, Unavailable> {
    let Ok(reply) = context.run(change).await?.reply;
    if let ChangePasswordReply::Changed { user, .. } = &reply
        && let Err(error) = end_cut_off(&context, *user).await
    {
        refusal::log_unavailable(&context.app, &context.caller, &error);
    }
    Ok(reply)
}

/// `POST /account/session`: ends a session, possibly that of this browser.
pub(crate) async fn end_session(posted: PostedForm) -> Response {
    let (context, session) = match parse_field::<SessionId>(posted, "session") {
        Ok(parsed) => parsed,
        Err(response) => return *response,
    };
    let end = EndSession {
        cookie: context.cookie.clone(),
        session,
        peer: context.caller.peer.clone(),
    };
    let Ok(reply) = match context.run(end).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return context.unavailable(&error),
    };
    match reply {
        EndSessionReply::SignIn => context.go_to_login(&ReturnTo::Account).await,
        EndSessionReply::SignedOut => redirect_to_logout(&context),
        EndSessionReply::Ended => redirect_to_account(&context, Notice::SessionEnded),
        EndSessionReply::Gone => redirect_to_account(&context, Notice::Gone),
    }
}

/// `POST /account/grant`: removes a device's access.
pub(crate) async fn revoke_grant(posted: PostedForm) -> Response {
    let (context, grant) = match parse_field::<GrantId>(posted, "grant") {
        Ok(parsed) => parsed,
        Err(response) => return *response,
    };
    let revoke = RevokeGrant {
        cookie: context.cookie.clone(),
        grant,
        peer: context.caller.peer.clone(),
    };
    match context.run(revoke).await {
        Ok(outcome) => {
            let Ok(reply) = outcome.reply;
            removal_response(&context, reply, Notice::DeviceRemoved).await
        }
        Err(error) => context.unavailable(&error),
    }
}

/// `POST /account/app`: removes a client's consent and grants.
pub(crate) async fn disconnect(posted: PostedForm) -> Response {
    let (context, client) = match parse_field::<ClientId>(posted, "client") {
        Ok(parsed) => parsed,
        Err(response) => return *response,
    };
    let context = Arc::new(context);
    let work = remove_app(Arc::clone(&context), client);
    match context.app.run_detached(work).await {
        Ok(reply) => removal_response(&context, reply, Notice::AppRemoved).await,
        Err(error) => context.unavailable(&error),
    }
}

/// `POST /account/everywhere`: ends all sessions and grants.
pub(crate) async fn sign_out_everywhere(posted: PostedForm) -> Response {
    let context = match checked(posted) {
        Ok((context, _)) => Arc::new(context),
        Err(response) => return *response,
    };
    let work = end_all_sessions(Arc::clone(&context));
    match context.app.run_detached(work).await {
        Ok(SignOutEverywhereReply::SignedOut { .. }) => redirect_to_logout(&context),
        Ok(SignOutEverywhereReply::SignIn) => context.go_to_login(&ReturnTo::Account).await,
        Err(error) => context.unavailable(&error),
    }
}

/// The form, if its token is valid; else the page, which says that it was out of date.
fn checked(posted: PostedForm) -> Result<(Context, Params), Box<Response>> {
    let PostedForm { context, params } = posted;
    match params {
        Ok(params) if context.accepts(Action::Account, &params) => Ok((context, params)),
        Ok(_) => Err(Box::new(redirect_to_account(&context, Notice::Stale))),
        Err(error) => Err(Box::new(context.error_page(error.into()))),
    }
}

fn parse_field<T: std::str::FromStr>(
    posted: PostedForm,
    field: &str,
) -> Result<(Context, T), Box<Response>> {
    let (context, params) = checked(posted)?;
    let value = params.opt(field).and_then(|value| value.parse().ok());
    match value {
        Some(value) => Ok((context, value)),
        None => Err(Box::new(context.error_page(PageError::BadRequest))),
    }
}

async fn removal_response(context: &Context, reply: RemoveAccessReply, done: Notice) -> Response {
    match reply {
        RemoveAccessReply::SignIn => context.go_to_login(&ReturnTo::Account).await,
        RemoveAccessReply::Done => redirect_to_account(context, done),
        RemoveAccessReply::Gone => redirect_to_account(context, Notice::Gone),
    }
}

/// A redirect, so that reloading the page does not post the form again.
fn redirect_to_account(context: &Context, notice: Notice) -> Response {
    let name = NOTICES.iter().find(|(_, known)| *known == notice);
    let name = name.map_or("gone", |(name, _)| name);
    browser::see_other(&format!("{}/account?notice={name}", context.site().path))
}

/// Without a session, that page shows that the user is signed out.
fn redirect_to_logout(context: &Context) -> Response {
    let response = browser::see_other(&format!("{}/logout", context.site().path));
    browser::with_cookies(response, context.remove_session())
}

/// `after` is the last grant of the page before.
async fn view(
    context: &Context,
    after: Option<GrantId>,
) -> Result<Option<(Box<AccountView>, More)>, Unavailable> {
    // The lists are read for a live session only.
    let Some(Visitor { user, .. }) = context.visitor().await? else {
        return Ok(None);
    };
    let (app, realm) = (&context.app, context.realm());
    let after = after.map(|grant| records::key::<Grant>(&realm.name, &grant.to_string()));
    let sessions = account::sessions_of(realm, user);
    let sessions = first_rows(app, &sessions, None, SESSIONS_READ).await?;
    let grants = account::grants_of(realm, user);
    let grants = first_rows(app, &grants, after, GRANTS_READ).await?;
    let consents = account::consents_of(realm, user);
    let consents = first_rows(app, &consents, None, CONSENTS_READ).await?.rows;
    let last = grants.rows.last().filter(|_| grants.more);
    let more = More {
        sessions: sessions.more,
        grants: last.and_then(|row| row.key.as_str().rsplit('/').next()?.parse().ok()),
    };
    let view = ViewAccount {
        cookie: context.cookie.clone(),
        sessions,
        grants,
        consents,
    };
    let Ok(view) = context.run(view).await?.reply;
    Ok(view.map(|view| (view, more)))
}

/// Removes the consent first, then the listed grants until none is left.
async fn remove_app(
    context: Arc<Context>,
    client: ClientId,
) -> Result<RemoveAccessReply, Unavailable> {
    // The session may have ended.
    let Some(user) = context.cookie.as_ref().map(PresentedCookie::user) else {
        return Ok(RemoveAccessReply::SignIn);
    };
    let mut reply = RemoveAccessReply::Gone;
    for pass in 0..MAX_PASSES {
        let grants = grants_of(&context, user, &client).await?;
        let mut chunks: Vec<_> = grants.chunks(Disconnect::MAX_GRANTS).collect();
        if chunks.is_empty() && pass == 0 {
            chunks.push(&[]);
        }
        if chunks.is_empty() {
            break;
        }
        for chunk in chunks {
            let disconnect = Disconnect {
                cookie: context.cookie.clone(),
                client: client.clone(),
                grants: chunk.to_vec(),
                peer: context.caller.peer.clone(),
            };
            let Ok(removed) = context.run(disconnect).await?.reply;
            match removed {
                RemoveAccessReply::SignIn => return Ok(RemoveAccessReply::SignIn),
                RemoveAccessReply::Done => reply = RemoveAccessReply::Done,
                RemoveAccessReply::Gone => {}
            }
        }
    }
    Ok(reply)
}

/// The grants of one client in the user's list.
async fn grants_of(
    context: &Context,
    user: UserId,
    client: &ClientId,
) -> Result<Vec<GrantId>, Unavailable> {
    let index = account::grants_of(context.realm(), user);
    let mut pages = list_pages(context.app.store(), &index, ROWS_AT_ONCE);
    let mut grants = Vec::new();
    while let Some(rows) = pages.try_next().await? {
        grants.extend(Disconnect::listed(&rows, user, client, context.app.now())?);
        tokio::task::yield_now().await;
    }
    Ok(grants)
}

/// Failures after the sign-out are only logged: the rest is for back-channel logout.
async fn end_all_sessions(context: Arc<Context>) -> Result<SignOutEverywhereReply, Unavailable> {
    let sign_out = SignOutEverywhere {
        cookie: context.cookie.clone(),
        peer: context.caller.peer.clone(),
    };
    let Ok(reply) = context.run(sign_out).await?.reply;
    if let SignOutEverywhereReply::SignedOut { user } = reply
        && let Err(error) = end_cut_off(&context, user).await
    {
        refusal::log_unavailable(&context.app, &context.caller, &error);
    }
    Ok(reply)
}

/// Ends the sessions that a sign-out everywhere cut off, so that their clients get logout tokens.
async fn end_cut_off(context: &Context, user: UserId) -> Result<(), Unavailable> {
    let index = account::sessions_of(context.realm(), user);
    let mut pages = list_pages(context.app.store(), &index, ROWS_AT_ONCE);
    while let Some(rows) = pages.try_next().await? {
        for sessions in EndRevokedSessions::listed(&rows).chunks(EndRevokedSessions::MAX_SESSIONS) {
            let sessions = sessions.to_vec();
            let end = EndRevokedSessions { user, sessions };
            context.run(end).await?;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn page(
    context: &Context,
    view: AccountView,
    more: More,
    notice: Option<Notice>,
    password_problem: Option<PasswordProblem>,
) -> AccountPage {
    let (realm, now) = (context.realm(), context.app.now());
    let current = view.visitor.session;
    let sessions = view.sessions.into_iter();
    let sessions = sessions.map(|session| session_row(session, current, now));
    let apps = view.apps.into_iter().map(|app| app_row(realm, app, now));
    let devices = view.devices.into_iter();
    let devices = devices.map(|device| device_row(realm, device, now));
    AccountPage {
        site: context.site().clone(),
        account: context.account(&view.visitor),
        form_token: context.form_token(current, Action::Account),
        sessions: List::new(sessions.collect(), more.sessions),
        apps: apps.collect::<Vec<_>>().into(),
        devices: devices.collect::<Vec<_>>().into(),
        older: more.grants.map(|grant| grant.to_string()),
        notice,
        may_change_password: view.may_change_password,
        password_problem,
        trace_id: context.caller.trace.as_str().to_owned(),
    }
}

fn session_row(session: SessionView, current: SessionId, now: Timestamp) -> SessionRow {
    let started = session.started.as_ref();
    let peer = started.map(|started| &started.by);
    let began = started.map_or(session.signed_in, |started| started.at);
    SessionRow {
        id: session.id.to_string(),
        here: session.id == current,
        agent: peer.and_then(|peer| Agent::parse(&peer.agent)),
        address: peer
            .map(|peer| peer.address.to_string())
            .unwrap_or_default(),
        began: relative_time(began, now),
        last_seen: relative_time(session.used, now),
    }
}

fn app_row(realm: &Realm, app: AppView, now: Timestamp) -> AppRow {
    AppRow {
        client_name: app.name,
        client_id: app.client.to_string(),
        scopes: browser::scope_lines(realm, &app.scope),
        since: relative_time(app.since, now),
    }
}

fn device_row(realm: &Realm, device: DeviceView, now: Timestamp) -> DeviceRow {
    DeviceRow {
        grant: device.grant.to_string(),
        client_name: device.name,
        scopes: browser::scope_lines(realm, &device.scope),
        agent: Agent::parse(&device.started.by.agent),
        address: device.started.by.address.to_string(),
        approved: relative_time(device.approved, now),
    }
}

fn relative_time(then: Timestamp, now: Timestamp) -> RelativeTime {
    RelativeTime::new(then.as_secs(), now.as_secs())
}
