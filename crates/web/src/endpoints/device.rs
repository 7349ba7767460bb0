//! `/device`: a user enters the code of a device, reviews the request, and decides (RFC 8628 section 3.3).

use std::time::Duration;

use axum::response::Response;
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::model::ids::GrantId;
use grantor_core::people::{
    self, Action, Binding, DecidedDevice, DeviceDecision, DeviceDecisionReply, LookupUserCode,
    LookupUserCodeReply, PendingDevice, ViewDecision, ViewDecisionReply, Visitor, WithheldDevice,
};
use http::{HeaderValue, StatusCode};

use super::browser;
use super::return_to::ReturnTo;
use crate::app::Unavailable;
use crate::context::{Context, PostedForm, TypedForm, typed_again};
use crate::cookies::Cookie;
use crate::pages::{
    Agent, CodeCheck, DeviceCode, DeviceCodeProblem, DeviceConfirm, DeviceDone, Network, Outcome,
    PageError, RelativeTime, Withheld,
};

/// Delays responses while codes are being guessed on a large scale; nobody is locked out.
const GUESSING_DELAY: Duration = Duration::from_secs(1);
/// Of the field for the code.
const MAX_CODE_CHARS: usize = 64;

/// A GET changes nothing: a code from the link is only filled in.
pub(crate) async fn get(context: Context) -> Response {
    let query = Params::parse(context.caller.query().unwrap_or_default().as_bytes()).ok();
    let code = query.as_ref().and_then(|query| query.opt("user_code"));
    let code = code.map(ToOwned::to_owned);
    match context.visitor().await {
        Ok(Some(visitor)) => {
            // It is not looked up: a link must not use up anyone's attempts.
            let prefilled = code.and_then(|code| formatted(&context, &code));
            code_form(
                &context,
                StatusCode::OK,
                &visitor,
                Code::of_link(prefilled),
                None,
            )
        }
        Ok(None) => context.go_to_login(&ReturnTo::Device(code)).await,
        Err(error) => context.unavailable(&error),
    }
}

/// Looks up the entered code.
pub(crate) async fn post(TypedForm(posted): TypedForm) -> Response {
    let PostedForm { context, params } = posted;
    let params = match params {
        Ok(params) => params,
        Err(error) => return context.error_page(error.into()),
    };
    let typed = params.opt("user_code").unwrap_or_default().to_owned();
    let again = ReturnTo::Device(formatted(&context, &typed));
    if !context.accepts(Action::UserCode, &params) {
        return context.go_to(&again);
    }
    // The same form, sent again: the code is used up once its device was decided, and would count as a wrong one.
    if let Some(grant) = found_before(&context, &typed) {
        match view_decision(&context, grant).await {
            Ok(ViewDecisionReply::Decided(device)) => {
                return context.go_to_decision(device.grant, None);
            }
            Ok(ViewDecisionReply::SignIn | ViewDecisionReply::Gone) => {}
            Err(error) => return context.unavailable(&error),
        }
    }
    let lookup_user_code = LookupUserCode {
        cookie: context.cookie.clone(),
        typed: Secret::new(typed.clone()),
        peer: context.caller.peer.clone(),
    };
    let Ok(reply) = match context.run(lookup_user_code).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return context.unavailable(&error),
    };
    match reply {
        LookupUserCodeReply::Pending(pending) => {
            let page = confirm(&context, StatusCode::OK, &pending, "");
            browser::with_cookies(page, [found(&context, &pending, &typed)])
        }
        LookupUserCodeReply::SignIn => context.go_to_login(&again).await,
        LookupUserCodeReply::NotValid { visitor, delay } => {
            if delay {
                tokio::time::sleep(GUESSING_DELAY).await;
            }
            not_valid(&context, &visitor, Code::Typed(typed))
        }
        LookupUserCodeReply::Withheld(device) => withheld(&context, &device),
        LookupUserCodeReply::TooMany {
            visitor,
            retry_after,
        } => too_many(&context, &visitor, Code::Typed(typed), retry_after),
    }
}

/// `POST /device/decision`
pub(crate) async fn decide(TypedForm(posted): TypedForm) -> Response {
    let PostedForm { context, params } = posted;
    let params = match params {
        Ok(params) => params,
        Err(error) => return context.error_page(error.into()),
    };
    let Some(grant) = grant_of(&params) else {
        return context.error_page(PageError::BadRequest);
    };
    // Typed, where the client demands that: the form itself does not hold the code.
    let code = params.opt("user_code");
    let code = code.and_then(|code| formatted(&context, code));
    if !context.accepts(Action::Decide(grant), &params) {
        return context.go_to_decision(grant, code.as_deref());
    }
    let Some(decision @ ("approve" | "deny")) = params.opt("decision") else {
        return context.error_page(PageError::BadRequest);
    };
    let decision = DeviceDecision {
        cookie: context.cookie.clone(),
        grant,
        approve: decision == "approve",
        typed: params.opt("user_code").map(Secret::new),
        shown: params.opt("scope").map(|it| it.parse().unwrap_or_default()),
        peer: context.caller.peer.clone(),
    };
    let Ok(reply) = match context.run(decision).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return context.unavailable(&error),
    };
    match reply {
        DeviceDecisionReply::Decided(device) | DeviceDecisionReply::DecidedBefore(device) => {
            context.go_to_decision(device.grant, None)
        }
        DeviceDecisionReply::Again(pending) => {
            let typed = params.opt("user_code").unwrap_or_default();
            confirm(&context, StatusCode::BAD_REQUEST, &pending, typed)
        }
        DeviceDecisionReply::Gone { visitor } => not_valid(&context, &visitor, Code::None),
        DeviceDecisionReply::TooMany {
            visitor,
            retry_after,
        } => too_many(&context, &visitor, Code::None, retry_after),
        DeviceDecisionReply::Withheld(device) => withheld(&context, &device),
        DeviceDecisionReply::SignIn => context.go_to_login(&ReturnTo::Device(code)).await,
    }
}

/// `GET /device/decision`: what the user decided. Where there is nothing to show, the code is asked for.
pub(crate) async fn decided(context: Context) -> Response {
    let query = Params::parse(context.caller.query().unwrap_or_default().as_bytes()).ok();
    let code = query.as_ref().and_then(|query| query.opt("user_code"));
    let again = ReturnTo::Device(code.and_then(|code| formatted(&context, code)));
    let Some(grant) = query.as_ref().and_then(grant_of) else {
        return context.go_to(&again);
    };
    match view_decision(&context, grant).await {
        Ok(ViewDecisionReply::Decided(device)) => done(&context, device),
        Ok(ViewDecisionReply::Gone) => context.go_to(&again),
        Ok(ViewDecisionReply::SignIn) => context.go_to_login(&again).await,
        Err(error) => context.unavailable(&error),
    }
}

async fn view_decision(
    context: &Context,
    grant: GrantId,
) -> Result<ViewDecisionReply, Unavailable> {
    let cookie = context.cookie.clone();
    let Ok(reply) = context.run(ViewDecision { cookie, grant }).await?.reply;
    Ok(reply)
}

/// The cookie by which this browser shows that it looked up this code and found this device.
fn found(context: &Context, pending: &PendingDevice, typed: &str) -> Option<HeaderValue> {
    let code = context.realm().device.user_code.read(typed)?;
    let action = Action::found(pending.grant, &code);
    let token = context.form_token(pending.visitor.session, action);
    let cookies = context.cookies();
    cookies.set(
        Cookie::FoundDevice,
        &format!("{}.{token}", pending.grant),
        None,
    )
}

/// The device of this code, if it is the one that this browser looked up last, in this session.
fn found_before(context: &Context, typed: &str) -> Option<GrantId> {
    let cookies = context.cookies();
    let cookie = cookies.get(&context.caller.headers, Cookie::FoundDevice)?;
    let (grant, token) = cookie.reveal().split_once('.')?;
    let grant = grant.parse().ok()?;
    let code = context.realm().device.user_code.read(typed)?;
    let binding = Binding::Session(context.cookie.as_ref()?.session());
    let accepted = context.accepts_token(&binding, Action::found(grant, &code), token);
    accepted.then_some(grant)
}

fn grant_of(params: &Params) -> Option<GrantId> {
    params.opt("grant")?.parse().ok()
}

/// A well-formed code, as devices show it.
fn formatted(context: &Context, code: &str) -> Option<String> {
    let code = context.realm().device.user_code.read(code)?;
    Some(code.formatted())
}

/// What the field for the code holds at first.
enum Code {
    None,
    /// A well-formed code.
    OfLink(String),
    /// What the user typed, and may correct.
    Typed(String),
}

impl Code {
    fn of_link(code: Option<String>) -> Self {
        code.map_or(Self::None, Self::OfLink)
    }
}

fn not_valid(context: &Context, visitor: &Visitor, code: Code) -> Response {
    let (status, problem) = (StatusCode::BAD_REQUEST, DeviceCodeProblem::NotValid);
    code_form(context, status, visitor, code, Some(problem))
}

fn too_many(context: &Context, visitor: &Visitor, code: Code, retry_after: u64) -> Response {
    let problem = DeviceCodeProblem::TooManyTries {
        minutes: browser::minutes(retry_after),
    };
    let status = StatusCode::TOO_MANY_REQUESTS;
    let response = code_form(context, status, visitor, code, Some(problem));
    browser::with_retry_after(response, retry_after)
}

fn code_form(
    context: &Context,
    status: StatusCode,
    visitor: &Visitor,
    code: Code,
    problem: Option<DeviceCodeProblem>,
) -> Response {
    let form = DeviceCode {
        site: context.site().clone(),
        account: context.account(visitor),
        form_token: context.form_token(visitor.session, Action::UserCode),
        prefilled: matches!(code, Code::OfLink(_)),
        user_code: match code {
            Code::None => String::new(),
            Code::OfLink(code) => code,
            Code::Typed(typed) => typed_again(&typed, MAX_CODE_CHARS),
        },
        numeric: context.realm().device.user_code.is_numeric(),
        problem,
        trace_id: context.caller.trace.as_str().to_owned(),
    };
    context.page(status, &form)
}

/// The form token is bound to the session and the grant, never to the code.
fn confirm(
    context: &Context,
    status: StatusCode,
    pending: &PendingDevice,
    typed: &str,
) -> Response {
    let network = match (pending.same_network, pending.same_network_required) {
        (true, _) => Network::Same,
        (false, false) => Network::Different,
        (false, true) => Network::Refused,
    };
    let now = context.app.now().as_secs();
    let page = DeviceConfirm {
        site: context.site().clone(),
        account: context.account(&pending.visitor),
        form_token: context.form_token(pending.visitor.session, Action::Decide(pending.grant)),
        grant: pending.grant.to_string(),
        client_name: pending.client_name.clone(),
        client_id: pending.client.to_string(),
        code: match &pending.code {
            people::CodeCheck::Compare(code) => CodeCheck::Compare { code: code.clone() },
            people::CodeCheck::Hidden => CodeCheck::Hidden,
            people::CodeCheck::Retype { wrong } => CodeCheck::Retype {
                wrong: *wrong,
                typed: typed_again(typed, MAX_CODE_CHARS),
            },
        },
        scope: pending.scope.to_string(),
        scopes: browser::scope_lines(context.realm(), &pending.scope),
        claims: pending.claims.clone(),
        device_address: pending.started.by.address.to_string(),
        browser_address: context.caller.peer.address.to_string(),
        network,
        agent: Agent::parse(&pending.started.by.agent),
        started: RelativeTime::new(pending.started.at.as_secs(), now),
        trace_id: (status != StatusCode::OK).then(|| context.caller.trace.as_str().to_owned()),
    };
    context.page(status, &page)
}

fn withheld(context: &Context, device: &WithheldDevice) -> Response {
    let page = Withheld {
        site: context.site().clone(),
        account: context.account(&device.visitor),
        client_name: device.client_name.clone(),
        why: device.why.into(),
        back: None,
    };
    context.page(StatusCode::FORBIDDEN, &page)
}

fn done(context: &Context, device: DecidedDevice) -> Response {
    let page = DeviceDone {
        site: context.site().clone(),
        account: context.account(&device.visitor),
        client_name: device.client_name,
        outcome: match device.approved {
            true => Outcome::Approved,
            false => Outcome::Denied,
        },
    };
    context.page(StatusCode::OK, &page)
}
