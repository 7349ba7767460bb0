//! `/account`: what has access to an account, and how its user ends it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use futures_util::TryStreamExt as _;
use grantor_core::base::params::Params;
use grantor_core::base::row::{Index, Row};
use grantor_core::base::secret::Secret;
use grantor_core::base::time::Timestamp;
use grantor_core::model::ids::{ClientId, GrantId, SessionId, UserId};
use grantor_core::model::realm::Realm;
use grantor_core::people::account::{
    self, AccountView, AppView, DeviceView, Disconnect, EndRevokedSessions, EndSession,
    EndSessionReply, RemoveAccessReply, RevokeGrant, SessionView, SignOutEverywhere,
    SignOutEverywhereReply, ViewAccount,
};
use grantor_core::people::{Action, Binding};
use grantor_store::list_pages;
use http::StatusCode;

use super::browser::{self, ReturnTo};
use crate::app::{App, Unavailable};
use crate::cookies::Cookie;
use crate::oauth;
use crate::pages::{AccountPage, Agent, AppRow, DeviceRow, Fault, Moment, Notice, SessionRow};
use crate::request::{Caller, Form};

/// The most rows of one list that are looked at for the page; what is shown is the newest of them.
const LISTED: usize = 1000;
/// How often a client's grants are listed again: meanwhile another may have come, of one that asks nobody.
const PASSES: usize = 4;

/// What the address says was just done. It says no more, so nobody's link can.
const NOTICES: [(&str, Notice); 4] = [
    ("session-ended", Notice::SessionEnded),
    ("app-removed", Notice::AppRemoved),
    ("device-removed", Notice::DeviceRemoved),
    ("gone", Notice::Gone),
];

/// A GET changes nothing.
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = Params::parse(caller.query().unwrap_or_default().as_bytes()).ok();
    let word = query.as_ref().and_then(|query| query.opt("notice"));
    let notice = NOTICES.iter().find(|(known, _)| word == Some(known));
    match view(&app, &caller).await {
        Ok(Some(view)) => {
            let page = page(&app, *view, notice.map(|(_, notice)| *notice));
            browser::page(&app, &caller, StatusCode::OK, &page)
        }
        Ok(None) => browser::sign_in_first(&app, &ReturnTo::Account),
        Err(error) => browser::unavailable(&app, &caller, &error),
    }
}

/// `POST /account/session`: signs a browser out, perhaps this one.
pub(crate) async fn end_session(State(app): State<Arc<App>>, posted: Form) -> Response {
    let session = match named::<SessionId>(&app, &posted, "session") {
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
            Ok(EndSessionReply::SignIn) => browser::sign_in_first(&app, &ReturnTo::Account),
            Ok(EndSessionReply::SignedOut) => signed_out(&app),
            Ok(EndSessionReply::Ended) => back(&app, Notice::SessionEnded),
            Ok(EndSessionReply::Gone) | Err(_) => back(&app, Notice::Gone),
        },
        Err(error) => browser::unavailable(&app, caller, &error),
    }
}

/// `POST /account/grant`: takes a device's access back.
pub(crate) async fn revoke_grant(State(app): State<Arc<App>>, posted: Form) -> Response {
    let grant = match named::<GrantId>(&app, &posted, "grant") {
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
    taken_back(&app, caller, revoked, Notice::DeviceRemoved)
}

/// `POST /account/app`: takes everything back from a client.
pub(crate) async fn disconnect(State(app): State<Arc<App>>, posted: Form) -> Response {
    let client = match named::<ClientId>(&app, &posted, "client") {
        Ok(client) => client,
        Err(response) => return *response,
    };
    let caller = &posted.caller;
    let all = disconnect_all(Arc::clone(&app), caller.clone(), client);
    let disconnected = app.run_detached(all).await;
    taken_back(&app, caller, disconnected, Notice::AppRemoved)
}

/// `POST /account/everywhere`: ends all there is.
pub(crate) async fn everywhere(State(app): State<Arc<App>>, posted: Form) -> Response {
    if let Err(response) = checked(&app, &posted) {
        return *response;
    }
    let caller = &posted.caller;
    let all = end_all(Arc::clone(&app), caller.clone());
    match app.run_detached(all).await {
        Ok(true) => signed_out(&app),
        Ok(false) => browser::sign_in_first(&app, &ReturnTo::Account),
        Err(error) => browser::unavailable(&app, caller, &error),
    }
}

/// The form of the page, if its token is right.
fn checked<'f>(app: &App, posted: &'f Form) -> Result<&'f Params, Box<Response>> {
    let binding = browser::session_binding(app, &posted.caller);
    browser::checked_form(app, posted, binding.as_ref(), |_| Some(Action::Account))
}

/// What such a form names.
fn named<T: std::str::FromStr>(app: &App, posted: &Form, field: &str) -> Result<T, Box<Response>> {
    let name = checked(app, posted)?.opt(field);
    let name = name.and_then(|name| name.parse().ok());
    name.ok_or_else(|| Box::new(browser::fault(app, &posted.caller, Fault::BadRequest)))
}

fn taken_back(
    app: &App,
    caller: &Caller,
    taken: Result<RemoveAccessReply, Unavailable>,
    done: Notice,
) -> Response {
    match taken {
        Ok(RemoveAccessReply::SignIn) => browser::sign_in_first(app, &ReturnTo::Account),
        Ok(RemoveAccessReply::Done) => back(app, done),
        Ok(RemoveAccessReply::Gone) => back(app, Notice::Gone),
        Err(error) => browser::unavailable(app, caller, &error),
    }
}

/// To the page again, by a GET: to load it anew ends nothing more.
fn back(app: &App, notice: Notice) -> Response {
    let word = NOTICES.iter().find(|(_, of)| *of == notice);
    let word = word.map_or("gone", |(word, _)| word);
    browser::see_other(&format!("{}/account?notice={word}", app.site.path))
}

/// To the page that says so to who is not signed in.
fn signed_out(app: &App) -> Response {
    let response = browser::see_other(&format!("{}/logout", app.site.path));
    browser::with_cookies(response, [app.cookies.remove(Cookie::Session)])
}

/// The user whom the browser's cookie names, signed in or not.
fn user_of(app: &App, cookie: Option<&Secret>) -> Option<UserId> {
    let realm = app.realm();
    let cookie = realm.sealing.open_session_cookie(cookie?.reveal())?;
    Some(cookie.user)
}

async fn view(app: &Arc<App>, caller: &Caller) -> Result<Option<Box<AccountView>>, Unavailable> {
    let cookie = app.cookies.get(&caller.headers, Cookie::Session);
    // A cookie of an ended session lists nothing.
    let Some(user) = browser::visitor(app, caller)
        .await?
        .map(|visitor| visitor.user)
    else {
        return Ok(None);
    };
    let realm = app.realm();
    let view = ViewAccount {
        cookie,
        sessions: list(app, &account::sessions_of(&realm, user)).await?,
        grants: list(app, &account::grants_of(&realm, user)).await?,
        consents: list(app, &account::consents_of(&realm, user)).await?,
    };
    let outcome = app.run_traced(view, &caller.trace).await?;
    Ok(outcome.reply.unwrap_or_default())
}

async fn list(app: &App, index: &Index) -> Result<Vec<Row>, Unavailable> {
    Ok(app.store().list(index, None, LISTED).await?)
}

/// Consent first, then the grants as the list has them, until it has none.
async fn disconnect_all(
    app: Arc<App>,
    caller: Caller,
    client: ClientId,
) -> Result<RemoveAccessReply, Unavailable> {
    let cookie = app.cookies.get(&caller.headers, Cookie::Session);
    let Some(user) = user_of(&app, cookie.as_ref()) else {
        return Ok(RemoveAccessReply::SignIn);
    };
    let mut taken = RemoveAccessReply::Gone;
    for pass in 0..PASSES {
        let grants = grants_of(&app, user, &client).await?;
        let mut parts: Vec<_> = grants.chunks(Disconnect::MAX_GRANTS).collect();
        if parts.is_empty() && pass == 0 {
            parts.push(&[]);
        }
        if parts.is_empty() {
            break;
        }
        for part in parts {
            let disconnect = Disconnect {
                cookie: cookie.clone(),
                client: client.clone(),
                grants: part.to_vec(),
                peer: caller.peer.clone(),
            };
            let outcome = app.run_traced(disconnect, &caller.trace).await?;
            match outcome.reply.unwrap_or(RemoveAccessReply::Gone) {
                RemoveAccessReply::SignIn => return Ok(RemoveAccessReply::SignIn),
                RemoveAccessReply::Done => taken = RemoveAccessReply::Done,
                RemoveAccessReply::Gone => {}
            }
        }
    }
    Ok(taken)
}

/// All that a user's list has of a client.
async fn grants_of(
    app: &App,
    user: UserId,
    client: &ClientId,
) -> Result<Vec<GrantId>, Unavailable> {
    let index = account::grants_of(&app.realm(), user);
    let mut pages = list_pages(app.store(), &index, LISTED);
    let mut grants = Vec::new();
    while let Some(rows) = pages.try_next().await? {
        grants.extend(Disconnect::listed(&rows, user, client, app.now())?);
    }
    Ok(grants)
}

/// Cuts the user off; whether there was one. What follows is for clients that want to be told, so nothing of it makes
/// the answer another.
async fn end_all(app: Arc<App>, caller: Caller) -> Result<bool, Unavailable> {
    let everywhere = SignOutEverywhere {
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        peer: caller.peer.clone(),
    };
    let outcome = app.run_traced(everywhere, &caller.trace).await?;
    let Ok(SignOutEverywhereReply::SignedOut { user }) = outcome.reply else {
        return Ok(false);
    };
    if let Err(error) = end_cut_off(&app, &caller, user).await {
        oauth::log_unavailable(&caller, &error);
    }
    Ok(true)
}

/// Ends the rows of sessions that count no more.
async fn end_cut_off(app: &Arc<App>, caller: &Caller, user: UserId) -> Result<(), Unavailable> {
    let index = account::sessions_of(&app.realm(), user);
    let mut pages = list_pages(app.store(), &index, LISTED);
    while let Some(rows) = pages.try_next().await? {
        for sessions in EndRevokedSessions::listed(&rows).chunks(EndRevokedSessions::MAX_SESSIONS) {
            let sessions = sessions.to_vec();
            let end = EndRevokedSessions { user, sessions };
            app.run_traced(end, &caller.trace).await?;
        }
    }
    Ok(())
}

fn page(app: &App, view: AccountView, notice: Option<Notice>) -> AccountPage {
    let (realm, now) = (app.realm(), app.now());
    let here = view.visitor.session;
    let sessions = view.sessions.into_iter();
    let sessions = sessions.map(|session| session_row(session, here, now));
    let apps = view.apps.into_iter().map(|app| app_row(&realm, app, now));
    let devices = view.devices.into_iter();
    let devices = devices.map(|device| device_row(&realm, device, now));
    AccountPage {
        site: app.site.clone(),
        account: browser::account(app, &view.visitor),
        form_token: Binding::Session(here).token(&realm, Action::Account),
        sessions: sessions.collect::<Vec<_>>().into(),
        apps: apps.collect::<Vec<_>>().into(),
        devices: devices.collect::<Vec<_>>().into(),
        notice,
    }
}

fn session_row(session: SessionView, here: SessionId, now: Timestamp) -> SessionRow {
    let by = session.started.as_ref().map(|started| &started.by);
    let began = session.started.as_ref();
    let began = began.map_or(session.signed_in, |started| started.at);
    SessionRow {
        id: session.id.to_string(),
        here: session.id == here,
        agent: by.and_then(|by| Agent::parse(&by.agent)),
        address: by.map(|by| by.address.to_string()).unwrap_or_default(),
        began: moment(began, now),
        last_seen: moment(session.used, now),
    }
}

fn app_row(realm: &Realm, app: AppView, now: Timestamp) -> AppRow {
    AppRow {
        client_name: app.name,
        client_id: app.client.to_string(),
        scopes: browser::scope_lines(realm, &app.scope),
        since: moment(app.since, now),
    }
}

fn device_row(realm: &Realm, device: DeviceView, now: Timestamp) -> DeviceRow {
    DeviceRow {
        grant: device.grant.to_string(),
        client_name: device.name,
        scopes: browser::scope_lines(realm, &device.scope),
        agent: Agent::parse(&device.started.by.agent),
        address: device.started.by.address.to_string(),
        approved: moment(device.approved, now),
    }
}

fn moment(then: Timestamp, now: Timestamp) -> Moment {
    Moment::new(then.as_secs(), now.as_secs())
}
