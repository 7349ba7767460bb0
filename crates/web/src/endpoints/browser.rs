//! Shared by the browser endpoints: pages with their headers, redirects, and pages that redirect by a form.

use axum::body::Body;
use axum::response::Response;
use grantor_core::base::cause::Causes;
use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::model::endpoint::Endpoint;
use grantor_core::model::ids::GrantId;
use grantor_core::model::realm::{OPENID_SCOPES, Realm};
use grantor_core::model::scope::Scope;
use grantor_core::people::{Action, Visit, Visitor};
use http::{HeaderValue, StatusCode, header};

use super::login;
use super::return_to::ReturnTo;
use crate::app::Unavailable;
use crate::context::Context;
use crate::pages::{
    Account, CONTENT_SECURITY_POLICY, ErrorPage, Field, FormPost, PageError, ScopeLine,
    content_security_policy,
};
use crate::refusal::{self, AskingClient};
use crate::render::Page;
use crate::request::FormError;

/// Redirects within our pages have no more in `Location`: proxies have 4 KiB for the head of a response, and browsers as
/// little as 8 KiB for an address. Longer ones are a form that sends itself.
const MAX_LOCATION_BYTES: usize = 2 * 1024;
/// The query of a form that sent itself: it is not sent back once more, also of a browser without `Sec-Fetch-Site`.
const SENT_ITSELF: &str = "sent-itself";

const INCOMPLETE: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The form or address is not complete, or is malformed.",
);
const TOO_LARGE: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The form or address is too large.",
);

impl Context {
    /// A page. RFC 6749 section 10.13: it must not be framed.
    pub(super) fn page<P: Page>(&self, status: StatusCode, page: &P) -> Response {
        let mut response = self.page_of_request(status, page, None);
        response.headers_mut().insert(
            header::HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
        response
    }

    /// A page of a client's request, which may lead to its redirect URI if that is proven. The client may have opened it as
    /// a popup and wait for it. `Cross-Origin-Opener-Policy` would cut that link for good, so it is not set.
    pub(super) fn page_of_request<P: Page>(
        &self,
        status: StatusCode,
        page: &P,
        redirect_uri: Option<&str>,
    ) -> Response {
        self.page_with_policy(status, page, &content_security_policy(redirect_uri))
    }

    fn page_with_policy<P: Page>(&self, status: StatusCode, page: &P, policy: &str) -> Response {
        match self.app.pages.render(page, self.caller.locale()) {
            Ok(html) => html_response(status, html, policy),
            Err(error) => {
                let trace_id = self.caller.trace.as_str();
                tracing::error!(target: "grantor::failure", trace_id, reason = %Causes(&error), "template render failed");
                html_response(StatusCode::INTERNAL_SERVER_ERROR, String::new(), policy)
            }
        }
    }

    /// A page whose form sends itself, by a script of ours or else by its button. `redirect_uri` is where the answer to the
    /// form may redirect.
    pub(super) fn form_post(&self, page: &FormPost, redirect_uri: Option<&str>) -> Response {
        let policy = page.content_security_policy(redirect_uri);
        self.page_with_policy(StatusCode::OK, page, &policy)
    }

    /// Sends a request on to an endpoint of ours: by a redirect, or where it is too long for that by a form that sends itself.
    /// `redirect_uri` is where the answer may redirect.
    pub(super) fn send_on(
        &self,
        endpoint: Endpoint,
        query: &str,
        redirect_uri: Option<&str>,
    ) -> Response {
        self.redirect_to(endpoint, query)
            .unwrap_or_else(|| self.send_again(endpoint, query, redirect_uri))
    }

    /// `None` where the address would be too long.
    pub(super) fn redirect_to(&self, endpoint: Endpoint, query: &str) -> Option<Response> {
        let location = format!("{}{}?{query}", self.site().path, endpoint.path());
        (location.len() <= MAX_LOCATION_BYTES).then(|| see_other(&location))
    }

    /// A form with a request to us that sends itself from our own page, so that the browser adds its `SameSite` cookies.
    pub(super) fn send_again(
        &self,
        endpoint: Endpoint,
        query: &str,
        redirect_uri: Option<&str>,
    ) -> Response {
        let fields = url::form_urlencoded::parse(query.as_bytes());
        let fields = fields.map(|(name, value)| Field {
            name: name.into_owned(),
            value: value.into_owned(),
        });
        let action = format!("{}{}?{SENT_ITSELF}", self.site().path, endpoint.path());
        let page = FormPost::to_ourselves(self.site().clone(), action, fields.collect());
        self.form_post(&page, redirect_uri)
    }

    /// Whether a POST of a client's request must come again from our own page. Browsers send `SameSite` cookies with no POST
    /// of another site.
    pub(super) fn must_come_again(&self) -> bool {
        let sent_itself = self.caller.query() == Some(SENT_ITSELF);
        let unknown = self.fetch_site().is_none() && self.cookie.is_none();
        !sent_itself && (self.is_cross_site() || unknown)
    }

    pub(super) fn error_page(&self, error: PageError) -> Response {
        let refusal = match error {
            PageError::BadRequest => Some(INCOMPLETE),
            PageError::TooLarge => Some(TOO_LARGE),
            // Not of an endpoint, or recorded where it was decided.
            _ => None,
        };
        if let Some(refusal) = refusal {
            refusal::record(&self.app, &self.caller, AskingClient::default(), &refusal);
        }
        self.page_of_request(error.status(), &self.error(error), None)
    }

    /// With what the client's developers are told.
    pub(super) fn refusal_page(&self, error: PageError, refusal: &Refusal) -> Response {
        let mut page = self.error(error);
        page.description = Some(refusal.description());
        self.page_of_request(error.status(), &page, None)
    }

    fn error(&self, error: PageError) -> ErrorPage {
        let trace = self.caller.trace.as_str().to_owned();
        ErrorPage::new(self.site().clone(), error, trace)
    }

    pub(super) fn unavailable(&self, reason: &Unavailable) -> Response {
        refusal::log_unavailable(&self.app, &self.caller, reason);
        let temporary = reason.code() == ErrorCode::TemporarilyUnavailable;
        match reason {
            Unavailable::Busy => with_retry_after(self.error_page(PageError::Busy), 1),
            _ if temporary => with_retry_after(self.error_page(PageError::Unavailable), 1),
            _ => self.error_page(PageError::Internal),
        }
    }

    /// The signed-in user of the browser.
    pub(super) async fn visitor(&self) -> Result<Option<Visitor>, Unavailable> {
        let cookie = self.cookie.clone();
        let Ok(visitor) = self.run(Visit { cookie }).await?.reply;
        Ok(visitor)
    }

    pub(super) fn account(&self, visitor: &Visitor) -> Account {
        Account {
            username: visitor.username.clone(),
            sign_out_token: self.form_token(visitor.session, Action::SignOut),
        }
    }

    /// To a page of ours whose address is short.
    pub(super) fn go_to(&self, then: &ReturnTo) -> Response {
        see_other(&then.path(&self.site().path))
    }

    /// To the page about a device that was decided.
    pub(super) fn go_to_decision(&self, grant: GrantId, code: Option<&str>) -> Response {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("grant", &grant.to_string());
        query.extend_pairs(code.map(|code| ("user_code", code)));
        self.send_on(Endpoint::DeviceDecision, &query.finish(), None)
    }

    /// The sign-in form. Where its address would be too long, it is the answer itself.
    pub(super) async fn go_to_login(&self, then: &ReturnTo) -> Response {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", &then.path(&self.site().path))
            .finish();
        match self.redirect_to(Endpoint::Login, &query) {
            Some(short) => short,
            None => login::form(self, StatusCode::OK, then, None, None).await,
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
            text: realm.declared_scope(token).map(|it| it.text.clone()),
            resource: resource.map(|resource| resource.identifier.clone()),
        }
    };
    tokens.into_iter().map(line).collect()
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
