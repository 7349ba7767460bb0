//! Shared by the browser endpoints: pages with their headers, redirects, form tokens, and return addresses.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use grantor_core::base::cause::Causes;
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::model::endpoint::Endpoint;
use grantor_core::model::realm::{OPENID_SCOPES, Realm};
use grantor_core::model::scope::Scope;
use grantor_core::people::{Action, Binding, Visit, Visitor};
use http::{HeaderValue, StatusCode, header};

use super::authorize;
use crate::app::{App, Unavailable};
use crate::cookies::Cookie;
use crate::oauth;
use crate::pages::{
    Account, CONTENT_SECURITY_POLICY, ErrorPage, PageError, ScopeLine, content_security_policy,
};
use crate::render::Page;
use crate::request::{Caller, Form, FormError};

/// A page. RFC 6749 section 10.13: it must not be framed.
pub(super) fn page<P: Page>(app: &App, caller: &Caller, status: StatusCode, page: &P) -> Response {
    let mut response = page_of_request(app, caller, status, page, None);
    response.headers_mut().insert(
        header::HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// A page of a client's request, which may lead to its redirect URI if that is proven. The client may have opened it as a
/// popup and wait for it. `Cross-Origin-Opener-Policy` would cut that link for good, so it is not set.
pub(super) fn page_of_request<P: Page>(
    app: &App,
    caller: &Caller,
    status: StatusCode,
    page: &P,
    redirect_uri: Option<&str>,
) -> Response {
    let policy = content_security_policy(redirect_uri);
    page_with_policy(app, caller, status, page, &policy)
}

pub(super) fn page_with_policy<P: Page>(
    app: &App,
    caller: &Caller,
    status: StatusCode,
    page: &P,
    policy: &str,
) -> Response {
    match app.pages.render(page, caller.locale()) {
        Ok(html) => html_response(status, html, policy),
        Err(error) => {
            tracing::error!(target: "grantor::failure", trace_id = caller.trace.as_str(), reason = %Causes(&error), "template render failed");
            html_response(StatusCode::INTERNAL_SERVER_ERROR, String::new(), policy)
        }
    }
}

fn html_response(status: StatusCode, html: String, policy: &str) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address may contain a code, as `verification_uri_complete` does.
        (header::REFERRER_POLICY, "no-referrer"),
        // No text of the address moves the page, nor the focus in it.
        (
            header::HeaderName::from_static("document-policy"),
            "force-load-at-top",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page must never be sent without a policy.
    let policy = HeaderValue::try_from(policy);
    let policy = policy.unwrap_or(HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

pub(super) fn error_page(app: &App, caller: &Caller, error: PageError) -> Response {
    let page = ErrorPage::new(app.site.clone(), error, caller.trace.as_str().to_owned());
    page_of_request(app, caller, error.status(), &page, None)
}

pub(super) fn unavailable(app: &App, caller: &Caller, reason: &Unavailable) -> Response {
    oauth::log_unavailable(caller, reason);
    let temporary = reason.code() == grantor_core::base::error::ErrorCode::TemporarilyUnavailable;
    match reason {
        Unavailable::Busy => with_retry_after(error_page(app, caller, PageError::Busy), 1),
        _ if temporary => with_retry_after(error_page(app, caller, PageError::Unavailable), 1),
        _ => error_page(app, caller, PageError::Internal),
    }
}

/// The parameters of a form whose token is for this browser and action; else the response to send.
pub(super) fn checked_form<'f>(
    app: &App,
    form: &'f Form,
    binding: Option<&Binding>,
    action: impl FnOnce(&Params) -> Option<Action>,
) -> Result<&'f Params, Box<Response>> {
    let refused = |error| Box::new(error_page(app, &form.caller, error));
    let params = form.params.as_ref();
    let params = params.map_err(|error| refused((*error).into()))?;
    let token = params.opt("form_token").unwrap_or_default();
    let both = binding.zip(action(params));
    let realm = app.realm();
    let valid = both
        .is_some_and(|(binding, action)| binding.accepts(&realm.sealing, action, token, app.now()));
    valid
        .then_some(params)
        .ok_or_else(|| refused(PageError::ExpiredForm))
}

impl From<FormError> for PageError {
    fn from(error: FormError) -> Self {
        match error {
            FormError::TooLarge => Self::TooLarge,
            _ => Self::BadRequest,
        }
    }
}

/// The scopes for display: those of OpenID Connect first, then those of resources.
pub(super) fn scope_lines(realm: &Realm, scope: &Scope) -> Vec<ScopeLine> {
    let mut tokens: Vec<&str> = scope.iter().collect();
    let position = |token: &str| OPENID_SCOPES.iter().position(|known| *known == token);
    tokens.sort_by_key(|token| position(token).unwrap_or(OPENID_SCOPES.len()));
    let line = |token: &str| {
        let resource = realm.scope_owner(token);
        ScopeLine {
            scope: token.to_owned(),
            text: resource
                .and_then(|resource| resource.scope_description(token))
                .map(ToOwned::to_owned),
            resource: resource.map(|resource| resource.identifier.clone()),
        }
    };
    tokens.into_iter().map(line).collect()
}

/// The signed-in user of the browser.
pub(super) async fn visitor(
    app: &Arc<App>,
    caller: &Caller,
) -> Result<Option<Visitor>, Unavailable> {
    let cookie = app.cookies.get(&caller.headers, Cookie::Session);
    let outcome = app.run_traced(Visit { cookie }, &caller.trace).await?;
    Ok(outcome.reply.unwrap_or_default())
}

/// Form tokens of a signed-in browser are bound to the session of its cookie. The decision checks whether it is live.
pub(super) fn session_binding(app: &App, caller: &Caller) -> Option<Binding> {
    let cookie: Secret = app.cookies.get(&caller.headers, Cookie::Session)?;
    let cookie = app.realm().sealing.open_session_cookie(cookie.reveal())?;
    Some(Binding::Session(cookie.id))
}

pub(super) fn account(app: &App, visitor: &Visitor) -> Account {
    Account {
        username: visitor.username.clone(),
        sign_out_token: Binding::Session(visitor.session).token(
            &app.realm(),
            Action::SignOut,
            app.now(),
        ),
    }
}

/// A redirect to a GET (RFC 9110 section 15.4.4).
pub(super) fn see_other(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

pub(super) fn redirect_to_login(app: &App, then: &ReturnTo) -> Response {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", &then.path(app))
        .finish();
    see_other(&format!("{}/login?{query}", app.site.path))
}

/// Rounded up.
pub(super) fn minutes(seconds: u64) -> u64 {
    seconds.div_ceil(60)
}

pub(super) fn with_retry_after(mut response: Response, retry_after: u64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

pub(super) fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = Option<HeaderValue>>,
) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Where to continue after sign-in: only pages of this server, so that it is not an open redirector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReturnTo {
    /// `/`.
    Home,
    /// `/device`, with the code from the link.
    Device(Option<String>),
    /// `/oauth2/authorize`, with the query of the request.
    Authorize(String),
    /// `/account`.
    Account,
}

impl ReturnTo {
    /// Anything that is not a page of this server becomes the home page.
    pub(super) fn parse(text: Option<&str>, site_path: &str) -> Self {
        let own = text.and_then(|text| text.strip_prefix(site_path));
        if let Some(query) = own
            .and_then(|path| path.strip_prefix(Endpoint::Authorize.path()))
            .and_then(|rest| rest.strip_prefix('?'))
        {
            let request = authorize::parse(query);
            return request.map_or(Self::Home, |params| {
                Self::Authorize(authorize::to_query(&params))
            });
        }
        if own == Some("/account") {
            return Self::Account;
        }
        let Some(rest) = own.and_then(|path| path.strip_prefix("/device")) else {
            return Self::Home;
        };
        match rest
            .strip_prefix('?')
            .map(|query| Params::parse(query.as_bytes()))
        {
            None if rest.is_empty() => Self::Device(None),
            Some(Ok(params)) => Self::Device(params.opt("user_code").map(ToOwned::to_owned)),
            _ => Self::Home,
        }
    }

    /// Re-encoded from the parsed value.
    pub(super) fn path(&self, app: &App) -> String {
        let site = &app.site.path;
        match self {
            Self::Home => format!("{site}/"),
            Self::Account => format!("{site}/account"),
            Self::Authorize(query) => format!("{site}{}?{query}", Endpoint::Authorize.path()),
            Self::Device(None) => format!("{site}/device"),
            Self::Device(Some(code)) => {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("user_code", code)
                    .finish();
                format!("{site}/device?{query}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_to_leads_to_pages_of_this_server_only() {
        for elsewhere in [
            "https://evil.example/device",
            "//evil.example/device",
            "/\\evil.example",
            "/device/../..//evil.example",
            "/deviceevil",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(
                ReturnTo::parse(Some(elsewhere), ""),
                ReturnTo::Home,
                "{elsewhere}"
            );
        }
        assert_eq!(ReturnTo::parse(Some("/device"), ""), ReturnTo::Device(None));
        assert_eq!(ReturnTo::parse(Some("/account"), ""), ReturnTo::Account);
        assert_eq!(
            ReturnTo::parse(Some("/device?user_code=AB-C%0Ax"), ""),
            ReturnTo::Home,
            "control characters are refused"
        );
        assert_eq!(
            ReturnTo::parse(Some("/oauth2/authorize?client_id=a&state=x y"), ""),
            ReturnTo::Authorize("client_id=a&state=x+y".to_owned())
        );
        for elsewhere in [
            "/oauth2/authorize",
            "/oauth2/authorize.evil?client_id=a",
            "/oauth2/authorize?client_id=a&client_id=b",
            "/oauth2/authorize?a=%0d%0aLocation:x",
        ] {
            assert_eq!(ReturnTo::parse(Some(elsewhere), ""), ReturnTo::Home);
        }
        assert_eq!(
            ReturnTo::parse(Some("/p/device?user_code=AB-C&x=1"), "/p"),
            ReturnTo::Device(Some("AB-C".to_owned()))
        );
    }
}
