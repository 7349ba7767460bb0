//! `/device`: a user enters the code of a device, reviews the request, and decides (RFC 8628 section 3.3).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::model::ids::GrantId;
use grantor_core::people::{
    self, Action, Binding, DeviceDecision, DeviceDecisionReply, LookupUserCode,
    LookupUserCodeReply, PendingDevice, Visitor,
};
use http::StatusCode;

use super::browser::{self, ReturnTo};
use crate::app::App;
use crate::cookies::Cookie;
use crate::pages::{
    Agent, CodeCheck, DeviceCode, DeviceCodeProblem, DeviceConfirm, DeviceDone, Network, Outcome,
    PageError, RelativeTime,
};
use crate::request::{Caller, Form};

/// Delays responses while codes are being guessed on a large scale; nobody is locked out.
const GUESSING_DELAY: Duration = Duration::from_secs(1);

/// A GET changes nothing: a code from the link is only filled in.
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = Params::parse(caller.query().unwrap_or_default().as_bytes()).ok();
    let code = query.as_ref().and_then(|query| query.opt("user_code"));
    let code = code.map(ToOwned::to_owned);
    match browser::visitor(&app, &caller).await {
        Ok(Some(visitor)) => {
            // Only a well-formed code is filled in. It is not looked up: a link must not use up anyone's attempts.
            let code = code.and_then(|code| app.realm().device.user_code.read(&code));
            let prefilled = code.map(|code| code.formatted());
            code_form(&app, &caller, StatusCode::OK, &visitor, prefilled, None)
        }
        Ok(None) => browser::redirect_to_login(&app, &ReturnTo::Device(code)),
        Err(error) => browser::unavailable(&app, &caller, &error),
    }
}

/// Looks up the entered code.
pub(crate) async fn post(State(app): State<Arc<App>>, posted: Form) -> Response {
    let caller = &posted.caller;
    let binding = browser::session_binding(&app, caller);
    let params =
        match browser::checked_form(&app, &posted, binding.as_ref(), |_| Some(Action::UserCode)) {
            Ok(params) => params,
            Err(response) => return *response,
        };
    let typed = params.opt("user_code").unwrap_or_default().to_owned();
    let lookup_user_code = LookupUserCode {
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        typed: Secret::new(typed),
        peer: caller.peer.clone(),
    };
    let reply = match app.run_traced(lookup_user_code, &caller.trace).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return browser::unavailable(&app, caller, &error),
    };
    match reply {
        Ok(LookupUserCodeReply::Pending(pending)) => {
            confirm(&app, caller, StatusCode::OK, &pending)
        }
        Ok(LookupUserCodeReply::SignIn) => {
            browser::redirect_to_login(&app, &ReturnTo::Device(None))
        }
        Ok(LookupUserCodeReply::NotValid { visitor, delay }) => {
            if delay {
                tokio::time::sleep(GUESSING_DELAY).await;
            }
            not_valid(&app, caller, &visitor)
        }
        Ok(LookupUserCodeReply::TooMany {
            visitor,
            retry_after,
        }) => too_many(&app, caller, &visitor, retry_after),
        Err(_) => browser::error_page(&app, caller, PageError::BadRequest),
    }
}

pub(crate) async fn decide(State(app): State<Arc<App>>, posted: Form) -> Response {
    let caller = &posted.caller;
    let binding = browser::session_binding(&app, caller);
    let action = |params: &Params| {
        let grant = params.opt("grant")?.parse::<GrantId>().ok();
        grant.map(Action::Decide)
    };
    let params = match browser::checked_form(&app, &posted, binding.as_ref(), action) {
        Ok(params) => params,
        Err(response) => return *response,
    };
    let (Some(Action::Decide(grant)), Some(decision @ ("approve" | "deny"))) =
        (action(params), params.opt("decision"))
    else {
        return browser::error_page(&app, caller, PageError::BadRequest);
    };
    let decision = DeviceDecision {
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        grant,
        approve: decision == "approve",
        typed: params.opt("user_code").map(Secret::new),
        peer: caller.peer.clone(),
    };
    let reply = match app.run_traced(decision, &caller.trace).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return browser::unavailable(&app, caller, &error),
    };
    match reply {
        Ok(DeviceDecisionReply::Decided {
            visitor,
            client,
            approved,
        }) => {
            let done = DeviceDone {
                site: app.site.clone(),
                account: browser::account(&app, &visitor),
                client_name: client,
                outcome: match approved {
                    true => Outcome::Approved,
                    false => Outcome::Denied,
                },
            };
            browser::page(&app, caller, StatusCode::OK, &done)
        }
        Ok(DeviceDecisionReply::Again(pending)) => {
            confirm(&app, caller, StatusCode::BAD_REQUEST, &pending)
        }
        Ok(DeviceDecisionReply::Gone { visitor }) => not_valid(&app, caller, &visitor),
        Ok(DeviceDecisionReply::TooMany {
            visitor,
            retry_after,
        }) => too_many(&app, caller, &visitor, retry_after),
        Ok(DeviceDecisionReply::SignIn) => {
            browser::redirect_to_login(&app, &ReturnTo::Device(None))
        }
        Err(_) => browser::error_page(&app, caller, PageError::BadRequest),
    }
}

fn not_valid(app: &App, caller: &Caller, visitor: &Visitor) -> Response {
    let (status, problem) = (StatusCode::BAD_REQUEST, DeviceCodeProblem::NotValid);
    code_form(app, caller, status, visitor, None, Some(problem))
}

fn too_many(app: &App, caller: &Caller, visitor: &Visitor, retry_after: u64) -> Response {
    let problem = DeviceCodeProblem::TooManyTries {
        minutes: browser::minutes(retry_after),
    };
    let status = StatusCode::TOO_MANY_REQUESTS;
    let response = code_form(app, caller, status, visitor, None, Some(problem));
    browser::with_retry_after(response, retry_after)
}

fn code_form(
    app: &App,
    caller: &Caller,
    status: StatusCode,
    visitor: &Visitor,
    prefilled: Option<String>,
    problem: Option<DeviceCodeProblem>,
) -> Response {
    let form = DeviceCode {
        site: app.site.clone(),
        account: browser::account(app, visitor),
        form_token: Binding::Session(visitor.session).token(
            &app.realm(),
            Action::UserCode,
            app.now(),
        ),
        prefilled: prefilled.is_some(),
        user_code: prefilled.unwrap_or_default(),
        numeric: app.realm().device.user_code.is_numeric(),
        problem,
        trace_id: caller.trace.as_str().to_owned(),
    };
    browser::page(app, caller, status, &form)
}

/// The form token is bound to the session and the grant, never to the code.
fn confirm(app: &App, caller: &Caller, status: StatusCode, pending: &PendingDevice) -> Response {
    let realm = app.realm();
    let network = match (pending.same_network, pending.same_network_required) {
        (true, _) => Network::Same,
        (false, false) => Network::Different,
        (false, true) => Network::Refused,
    };
    let page = DeviceConfirm {
        site: app.site.clone(),
        account: browser::account(app, &pending.visitor),
        form_token: Binding::Session(pending.visitor.session).token(
            &realm,
            Action::Decide(pending.grant),
            app.now(),
        ),
        grant: pending.grant.to_string(),
        client_name: pending.client_name.clone(),
        client_id: pending.client.to_string(),
        code: match &pending.code {
            people::CodeCheck::Compare(code) => CodeCheck::Compare { code: code.clone() },
            people::CodeCheck::Hidden => CodeCheck::Hidden,
            people::CodeCheck::Retype { wrong } => CodeCheck::Retype { wrong: *wrong },
        },
        scopes: browser::scope_lines(&realm, &pending.scope),
        device_address: pending.started.by.address.to_string(),
        browser_address: caller.peer.address.to_string(),
        network,
        agent: Agent::parse(&pending.started.by.agent),
        started: RelativeTime::new(pending.started.at.as_secs(), app.now().as_secs()),
        trace_id: (status != StatusCode::OK).then(|| caller.trace.as_str().to_owned()),
    };
    browser::page(app, caller, status, &page)
}
