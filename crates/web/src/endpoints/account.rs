//! `/account`: shows what has access to an account, and lets its user remove it.

use std::sync::Arc;

use axum::extract::State;
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
use grantor_core::people::{Action, Binding, Visitor};
use grantor_core::records::{self, Grant};
use grantor_store::list_pages;
use http::StatusCode;

use super::browser::{self, ReturnTo};
use crate::app::{App, Unavailable};
use crate::cookies::Cookie;
use crate::lists::{ROWS_AT_ONCE, first_rows};
use crate::oauth;
use crate::pages::{
    AccountPage, Agent, AppRow, DeviceRow, List, Notice, PageError, PasswordProblem, RelativeTime,
    SessionRow,
};
use crate::request::{Caller, Form};

/// The rows that are read of each list. Lists of sessions and grants begin with the newest; a user has no more consents
/// than there are clients.
const SESSIONS_READ: usize = 50;
const GRANTS_READ: usize = 128;
const CONSENTS_READ: usize = 256;
/// How often the grants of a client are listed: it may get new ones meanwhile, if it needs no consent.
const MAX_PASSES: usize = 4;

/// The values of the query parameter `notice`. A link can show one of these texts only.
const NOTICES: [(&str, Notice); 5] = [
    ("session-ended", Notice::SessionEnded),
    ("app-removed", Notice::AppRemoved),
    ("device-removed", Notice::DeviceRemoved),
    ("password-changed", Notice::PasswordChanged),
    ("gone", Notice::Gone),
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
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = Params::parse(caller.query().unwrap_or_default().as_bytes()).ok();
    let name = query.as_ref().and_then(|query| query.opt("notice"));
    let notice = NOTICES.iter().find(|(known, _)| name == Some(known));
    let notice = notice.map(|(_, notice)| *notice);
    let older = query.as_ref().and_then(|query| query.opt(OLDER));
    let after = older.and_then(|grant| grant.parse().ok());
    show(&app, &caller, StatusCode::OK, after, notice, None).await
}

/// `GET /.well-known/change-password`
pub(crate) async fn redirect_to_password(State(app): State<Arc<App>>) -> Response {
    browser::see_other(&format!("{}/account#password", app.site.path))
}

async fn show(
    app: &Arc<App>,
    caller: &Caller,
    status: StatusCode,
    after: Option<GrantId>,
    notice: Option<Notice>,
    problem: Option<PasswordProblem>,
) -> Response {
    match view(app, caller, after).await {
        Ok(Some((view, more))) => {
            let page = page(app, caller, *view, more, notice, problem);
            browser::page(app, caller, status, &page)
        }
        Ok(None) => browser::redirect_to_login(app, &ReturnTo::Account),
        Err(error) => browser::unavailable(app, caller, &error),
    }
}

/// `POST /account/password`: replaces the password, and ends all other sessions and grants.
pub(crate) async fn change_password(State(app): State<Arc<App>>, posted: Form) -> Response {
    let params = match checked_params(&app, &posted) {
        Ok(params) => params,
        Err(response) => return *response,
    };
    let field = |name| Secret::new(params.opt(name).unwrap_or_default());
    let (caller, new) = (&posted.caller, field("new"));
    if new.reveal() != field("repeated").reveal() {
        return password_problem(&app, caller, PasswordProblem::Different).await;
    }
    let change = ChangePassword {
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        current: field("current"),
        new,
        peer: caller.peer.clone(),
    };
    let work = change_and_end(Arc::clone(&app), caller.clone(), change);
    match app.run_detached(work).await {
        Ok(ChangePasswordReply::SignIn) => browser::redirect_to_login(&app, &ReturnTo::Account),
        Ok(ChangePasswordReply::NotHere) => redirect_to_account(&app, Notice::Gone),
        Ok(ChangePasswordReply::WrongPassword) => {
            password_problem(&app, caller, PasswordProblem::Wrong).await
        }
        Ok(ChangePasswordReply::Unfit(why)) => {
            let problem = match why {
                InvalidPassword::Long => PasswordProblem::Long,
                InvalidPassword::Empty | InvalidPassword::Short => PasswordProblem::Short,
            };
            password_problem(&app, caller, problem).await
        }
        Ok(ChangePasswordReply::TooMany { retry_after }) => {
            let problem = PasswordProblem::TooManyTries {
                minutes: browser::minutes(retry_after),
            };
            let status = StatusCode::TOO_MANY_REQUESTS;
            let response = show(&app, caller, status, None, None, Some(problem)).await;
            browser::with_retry_after(response, retry_after)
        }
        Ok(ChangePasswordReply::Changed { session, .. }) => {
            let response = redirect_to_account(&app, Notice::PasswordChanged);
            let cookie = app.cookies.set(Cookie::Session, session.reveal(), None);
            browser::with_cookies(response, [cookie])
        }
        Err(error) => browser::unavailable(&app, caller, &error),
    }
}

async fn password_problem(app: &Arc<App>, caller: &Caller, problem: PasswordProblem) -> Response {
    show(
        app,
        caller,
        StatusCode::BAD_REQUEST,
        None,
        None,
        Some(problem),
    )
    .await
}

/// Failures after the change are only logged: the rest is for back-channel logout.
async fn change_and_end(
    app: Arc<App>,
    caller: Caller,
    change: ChangePassword,
) -> Result<ChangePasswordReply, Unavailable> {
    let outcome = app.run_traced(change, &caller.trace).await?;
    let reply = outcome.reply.unwrap_or(ChangePasswordReply::SignIn);
    if let ChangePasswordReply::Changed { user, .. } = &reply
        && let Err(error) = end_cut_off(&app, &caller, *user).await
    {
        oauth::log_unavailable(&caller, &error);
    }
    Ok(reply)
}

/// `POST /account/session`: ends a session, possibly that of this browser.
pub(crate) async fn end_session(State(app): State<Arc<App>>, posted: Form) -> Response {
    let session = match parse_field::<SessionId>(&app, &posted, "session") {
        Ok(session) => session,
        Err(response) => return *response,
    };
    let caller = &posted.caller;
    let end = EndSession {
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        session,
        peer: caller.peer.clone(),
    };
    match app.run_traced(end, &caller.trace).await {
        Ok(ended) => match ended.reply {
            Ok(EndSessionReply::SignIn) => browser::redirect_to_login(&app, &ReturnTo::Account),
            Ok(EndSessionReply::SignedOut) => redirect_to_logout(&app),
            Ok(EndSessionReply::Ended) => redirect_to_account(&app, Notice::SessionEnded),
            Ok(EndSessionReply::Gone) | Err(_) => redirect_to_account(&app, Notice::Gone),
        },
        Err(error) => browser::unavailable(&app, caller, &error),
    }
}

/// `POST /account/grant`: removes a device's access.
pub(crate) async fn revoke_grant(State(app): State<Arc<App>>, posted: Form) -> Response {
    let grant = match parse_field::<GrantId>(&app, &posted, "grant") {
        Ok(grant) => grant,
        Err(response) => return *response,
    };
    let caller = &posted.caller;
    let revoke = RevokeGrant {
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        grant,
        peer: caller.peer.clone(),
    };
    let revoked = app.run_traced(revoke, &caller.trace).await;
    let revoked = revoked.map(|outcome| outcome.reply.unwrap_or(RemoveAccessReply::Gone));
    removal_response(&app, caller, revoked, Notice::DeviceRemoved)
}

/// `POST /account/app`: removes a client's consent and grants.
pub(crate) async fn disconnect(State(app): State<Arc<App>>, posted: Form) -> Response {
    let client = match parse_field::<ClientId>(&app, &posted, "client") {
        Ok(client) => client,
        Err(response) => return *response,
    };
    let caller = &posted.caller;
    let work = remove_app(Arc::clone(&app), caller.clone(), client);
    let disconnected = app.run_detached(work).await;
    removal_response(&app, caller, disconnected, Notice::AppRemoved)
}

/// `POST /account/everywhere`: ends all sessions and grants.
pub(crate) async fn sign_out_everywhere(State(app): State<Arc<App>>, posted: Form) -> Response {
    if let Err(response) = checked_params(&app, &posted) {
        return *response;
    }
    let caller = &posted.caller;
    let work = end_all_sessions(Arc::clone(&app), caller.clone());
    match app.run_detached(work).await {
        Ok(true) => redirect_to_logout(&app),
        Ok(false) => browser::redirect_to_login(&app, &ReturnTo::Account),
        Err(error) => browser::unavailable(&app, caller, &error),
    }
}

/// The parameters of the form, if its token is valid.
fn checked_params<'f>(app: &App, posted: &'f Form) -> Result<&'f Params, Box<Response>> {
    let binding = browser::session_binding(app, &posted.caller);
    browser::checked_form(app, posted, binding.as_ref(), |_| Some(Action::Account))
}

fn parse_field<T: std::str::FromStr>(
    app: &App,
    posted: &Form,
    field: &str,
) -> Result<T, Box<Response>> {
    let value = checked_params(app, posted)?.opt(field);
    let value = value.and_then(|value| value.parse().ok());
    let refused = || browser::error_page(app, &posted.caller, PageError::BadRequest);
    value.ok_or_else(|| Box::new(refused()))
}

fn removal_response(
    app: &App,
    caller: &Caller,
    result: Result<RemoveAccessReply, Unavailable>,
    done: Notice,
) -> Response {
    match result {
        Ok(RemoveAccessReply::SignIn) => browser::redirect_to_login(app, &ReturnTo::Account),
        Ok(RemoveAccessReply::Done) => redirect_to_account(app, done),
        Ok(RemoveAccessReply::Gone) => redirect_to_account(app, Notice::Gone),
        Err(error) => browser::unavailable(app, caller, &error),
    }
}

/// A redirect, so that reloading the page does not post the form again.
fn redirect_to_account(app: &App, notice: Notice) -> Response {
    let name = NOTICES.iter().find(|(_, known)| *known == notice);
    let name = name.map_or("gone", |(name, _)| name);
    browser::see_other(&format!("{}/account?notice={name}", app.site.path))
}

/// Without a session, that page shows that the user is signed out.
fn redirect_to_logout(app: &App) -> Response {
    let response = browser::see_other(&format!("{}/logout", app.site.path));
    browser::with_cookies(response, [app.cookies.remove(Cookie::Session)])
}

/// The user of the session cookie, even if the session has ended.
fn cookie_user(app: &App, cookie: Option<&Secret>) -> Option<UserId> {
    let realm = app.realm();
    let cookie = realm.sealing.open_session_cookie(cookie?.reveal())?;
    Some(cookie.user)
}

/// `after` is the last grant of the page before.
async fn view(
    app: &Arc<App>,
    caller: &Caller,
    after: Option<GrantId>,
) -> Result<Option<(Box<AccountView>, More)>, Unavailable> {
    let cookie = app.cookies.get(&caller.headers, Cookie::Session);
    // The lists are read for a live session only.
    let Some(Visitor { user, .. }) = browser::visitor(app, caller).await? else {
        return Ok(None);
    };
    let realm = app.realm();
    let after = after.map(|grant| records::key::<Grant>(&realm.name, &grant.to_string()));
    let sessions = account::sessions_of(&realm, user);
    let sessions = first_rows(app, &sessions, None, SESSIONS_READ).await?;
    let grants = account::grants_of(&realm, user);
    let grants = first_rows(app, &grants, after, GRANTS_READ).await?;
    let consents = account::consents_of(&realm, user);
    let consents = first_rows(app, &consents, None, CONSENTS_READ).await?.rows;
    let last = grants.rows.last().filter(|_| grants.more);
    let more = More {
        sessions: sessions.more,
        grants: last.and_then(|row| row.key.as_str().rsplit('/').next()?.parse().ok()),
    };
    let view = ViewAccount {
        cookie,
        sessions,
        grants,
        consents,
    };
    let outcome = app.run_traced(view, &caller.trace).await?;
    Ok(outcome.reply.unwrap_or_default().map(|view| (view, more)))
}

/// Removes the consent first, then the listed grants until none is left.
async fn remove_app(
    app: Arc<App>,
    caller: Caller,
    client: ClientId,
) -> Result<RemoveAccessReply, Unavailable> {
    let cookie = app.cookies.get(&caller.headers, Cookie::Session);
    let Some(user) = cookie_user(&app, cookie.as_ref()) else {
        return Ok(RemoveAccessReply::SignIn);
    };
    let mut reply = RemoveAccessReply::Gone;
    for pass in 0..MAX_PASSES {
        let grants = grants_of(&app, user, &client).await?;
        let mut chunks: Vec<_> = grants.chunks(Disconnect::MAX_GRANTS).collect();
        if chunks.is_empty() && pass == 0 {
            chunks.push(&[]);
        }
        if chunks.is_empty() {
            break;
        }
        for chunk in chunks {
            let disconnect = Disconnect {
                cookie: cookie.clone(),
                client: client.clone(),
                grants: chunk.to_vec(),
                peer: caller.peer.clone(),
            };
            let outcome = app.run_traced(disconnect, &caller.trace).await?;
            match outcome.reply.unwrap_or(RemoveAccessReply::Gone) {
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
    app: &App,
    user: UserId,
    client: &ClientId,
) -> Result<Vec<GrantId>, Unavailable> {
    let index = account::grants_of(&app.realm(), user);
    let mut pages = list_pages(app.store(), &index, ROWS_AT_ONCE);
    let mut grants = Vec::new();
    while let Some(rows) = pages.try_next().await? {
        grants.extend(Disconnect::listed(&rows, user, client, app.now())?);
        tokio::task::yield_now().await;
    }
    Ok(grants)
}

/// Whether the user was signed in. Failures after the sign-out are only logged: the rest is for back-channel logout.
async fn end_all_sessions(app: Arc<App>, caller: Caller) -> Result<bool, Unavailable> {
    let sign_out = SignOutEverywhere {
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        peer: caller.peer.clone(),
    };
    let outcome = app.run_traced(sign_out, &caller.trace).await?;
    let Ok(SignOutEverywhereReply::SignedOut { user }) = outcome.reply else {
        return Ok(false);
    };
    if let Err(error) = end_cut_off(&app, &caller, user).await {
        oauth::log_unavailable(&caller, &error);
    }
    Ok(true)
}

/// Ends the sessions that a sign-out everywhere cut off, so that their clients get logout tokens.
async fn end_cut_off(app: &Arc<App>, caller: &Caller, user: UserId) -> Result<(), Unavailable> {
    let index = account::sessions_of(&app.realm(), user);
    let mut pages = list_pages(app.store(), &index, ROWS_AT_ONCE);
    while let Some(rows) = pages.try_next().await? {
        for sessions in EndRevokedSessions::listed(&rows).chunks(EndRevokedSessions::MAX_SESSIONS) {
            let sessions = sessions.to_vec();
            let end = EndRevokedSessions { user, sessions };
            app.run_traced(end, &caller.trace).await?;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn page(
    app: &App,
    caller: &Caller,
    view: AccountView,
    more: More,
    notice: Option<Notice>,
    password_problem: Option<PasswordProblem>,
) -> AccountPage {
    let (realm, now) = (app.realm(), app.now());
    let current = view.visitor.session;
    let sessions = view.sessions.into_iter();
    let sessions = sessions.map(|session| session_row(session, current, now));
    let apps = view.apps.into_iter().map(|app| app_row(&realm, app, now));
    let devices = view.devices.into_iter();
    let devices = devices.map(|device| device_row(&realm, device, now));
    AccountPage {
        site: app.site.clone(),
        account: browser::account(app, &view.visitor),
        form_token: Binding::Session(current).token(&realm, Action::Account, app.now()),
        sessions: List::new(sessions.collect(), more.sessions),
        apps: apps.collect::<Vec<_>>().into(),
        devices: devices.collect::<Vec<_>>().into(),
        older: more.grants.map(|grant| grant.to_string()),
        notice,
        may_change_password: view.may_change_password,
        password_problem,
        trace_id: caller.trace.as_str().to_owned(),
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
