//! `/login`: sign-in with a password.

use axum::response::Response;
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::authorize::{ExpectedUser, SignInContext};
use grantor_core::model::credentials::fold_login;
use grantor_core::model::endpoint::Endpoint;
use grantor_core::model::realm::CookieLife;
use grantor_core::people::{Action, Binding, KNOWN_BROWSER_LIFETIME, SignIn, SignInReply, Visitor};
use http::StatusCode;

use super::authorize;
use super::browser;
use super::return_to::ReturnTo;
use crate::app::Unavailable;
use crate::context::{Context, PostedForm, TypedForm, typed_again};
use crate::cookies::Cookie;
use crate::pages::{Login, LoginProblem};

/// Longer hints are ignored.
const MAX_LOGIN_HINT_BYTES: usize = 256;
/// The button, and the query parameter, of a form in which no name is filled in.
const ANOTHER_ACCOUNT: &str = "another-account";

pub(crate) async fn get(mut context: Context) -> Response {
    let query = Params::parse(context.caller.query().unwrap_or_default().as_bytes()).ok();
    let return_to = query.as_ref().and_then(|query| query.opt("return_to"));
    let return_to = ReturnTo::parse(return_to, &context.site().path);
    prefer_locales(&mut context, &return_to);
    let another = query.is_some_and(|query| query.opt(ANOTHER_ACCOUNT).is_some());
    let typed = another.then(Typed::default);
    form(&context, StatusCode::OK, &return_to, typed, None).await
}

/// The form without a name. Where its address would be too long, it is the answer itself.
async fn another_account(context: &Context, return_to: &ReturnTo) -> Response {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", &return_to.path(&context.site().path))
        .append_pair(ANOTHER_ACCOUNT, "1")
        .finish();
    match context.redirect_to(Endpoint::Login, &query) {
        Some(short) => short,
        None => {
            form(
                context,
                StatusCode::OK,
                return_to,
                Some(Typed::default()),
                None,
            )
            .await
        }
    }
}

/// What a form that was sent held, besides the password.
#[derive(Default)]
pub(super) struct Typed {
    username: String,
    stay: bool,
}

pub(crate) async fn post(TypedForm(posted): TypedForm) -> Response {
    let PostedForm {
        mut context,
        params,
    } = posted;
    let params = match params {
        Ok(params) => params,
        Err(error) => return context.error_page(error.into()),
    };
    let return_to = ReturnTo::parse(params.opt("return_to"), &context.site().path);
    prefer_locales(&mut context, &return_to);
    let context = &context;
    if params.opt("button") == Some(ANOTHER_ACCOUNT) {
        return another_account(context, &return_to).await;
    }
    let typed = Typed {
        username: params.opt("username").unwrap_or_default().to_owned(),
        stay: params.opt("stay").is_some(),
    };
    let binding = pre_session(context).map(Binding::PreSession);
    if !binding.is_some_and(|binding| context.accepts_for(&binding, Action::SignIn, &params)) {
        return stale(context, &return_to, typed).await;
    }
    let cookie = |cookie| context.cookies().get(&context.caller.headers, cookie);
    let sign_in = SignIn {
        username: typed.username.clone(),
        stay: typed.stay,
        password: Secret::new(params.opt("password").unwrap_or_default()),
        previous: context.cookie.clone(),
        known_browser: cookie(Cookie::KnownBrowser),
        peer: context.caller.peer.clone(),
    };
    let Ok(reply) = match context.run(sign_in).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return context.unavailable(&error),
    };
    let retry = |status, problem| form(context, status, &return_to, Some(typed), Some(problem));
    match reply {
        SignInReply::SignedIn {
            session,
            lasts,
            known_browser,
        } => {
            let response = match &return_to {
                ReturnTo::Authorize(request) => {
                    authorize::after_sign_in(context, request, &session).await
                }
                other => context.go_to(other),
            };
            let cookies = context.cookies();
            let others = [
                cookies.set(
                    Cookie::KnownBrowser,
                    known_browser.reveal(),
                    Some(KNOWN_BROWSER_LIFETIME),
                ),
                // The next sign-in form uses a new one, so a planted cookie is useless.
                cookies.remove(Cookie::PreSession),
            ];
            let session = context.set_session(&session, lasts);
            browser::with_cookies(response, session.into_iter().chain(others))
        }
        SignInReply::TooMany { retry_after } => {
            let problem = LoginProblem::TooManyTries {
                minutes: browser::minutes(retry_after),
            };
            let response = retry(StatusCode::TOO_MANY_REQUESTS, problem).await;
            browser::with_retry_after(response, retry_after)
        }
        SignInReply::Wrong => retry(StatusCode::BAD_REQUEST, LoginProblem::WrongCredentials).await,
    }
}

/// Those of the app's request are those of its sign-in form, too.
fn prefer_locales(context: &mut Context, return_to: &ReturnTo) {
    if let ReturnTo::Authorize(request) = return_to
        && let Ok(params) = authorize::parse(request)
    {
        context.caller.prefer_locales(params.opt("ui_locales"));
    }
}

/// A form whose token is not of this browser's cookie, such as one of another tab in which someone signed in meanwhile. Its
/// password is not looked at, so this signs no one in.
async fn stale(context: &Context, return_to: &ReturnTo, typed: Typed) -> Response {
    let cookies = [Cookie::Session, Cookie::PreSession, Cookie::KnownBrowser];
    let came = |cookie| context.cookies().get(&context.caller.headers, cookie);
    if cookies.into_iter().all(|cookie| came(cookie).is_none()) {
        // Another site's form: its answer comes with the cookies that this one lacks.
        if context.is_cross_site() {
            return context.go_to_login(return_to).await;
        }
        let problem = Some(LoginProblem::NoCookies);
        return form(
            context,
            StatusCode::FORBIDDEN,
            return_to,
            Some(typed),
            problem,
        )
        .await;
    }
    match needs_no_sign_in(context, return_to, &typed.username).await {
        Ok(true) => match return_to {
            ReturnTo::Authorize(request) => match authorize::parse(request) {
                Ok(request) => authorize::go_to(context, &request).await,
                Err(error) => context.error_page(error),
            },
            other => context.go_to(other),
        },
        Ok(false) => {
            let problem = Some(LoginProblem::Stale);
            form(
                context,
                StatusCode::FORBIDDEN,
                return_to,
                Some(typed),
                problem,
            )
            .await
        }
        Err(error) => context.unavailable(&error),
    }
}

/// Whether the session of the browser serves for what waits, and is of whoever filled in the form: somebody else must not go
/// on with it unawares.
async fn needs_no_sign_in(
    context: &Context,
    return_to: &ReturnTo,
    username: &str,
) -> Result<bool, Unavailable> {
    let Some(visitor) = context.visitor().await? else {
        return Ok(false);
    };
    if !username.is_empty() && fold_login(username) != fold_login(&visitor.username) {
        return Ok(false);
    }
    let ReturnTo::Authorize(request) = return_to else {
        return Ok(true);
    };
    let Ok(params) = authorize::parse(request) else {
        return Ok(false);
    };
    let known = authorize::describe(context, &params, context.cookie.clone()).await?;
    Ok(known.is_some_and(|known| known.goes_on))
}

/// What the sign-in form shows of what follows.
#[derive(Default)]
struct LoginContext {
    /// OpenID Connect Core section 3.1.2.1: "Hint to the Authorization Server about the login identifier".
    login_hint: Option<String>,
    /// Of an authorization request that can be answered.
    known: Option<SignInContext>,
    /// The user of the browser's session.
    signed_in: Option<Visitor>,
}

impl LoginContext {
    async fn new(context: &Context, return_to: &ReturnTo) -> Result<Self, Unavailable> {
        let params = match return_to {
            ReturnTo::Authorize(request) => authorize::parse(request).ok(),
            _ => None,
        };
        let Some(params) = params else {
            return Ok(Self {
                signed_in: context.visitor().await?,
                ..Self::default()
            });
        };
        let hint = params.opt("login_hint");
        let hint = hint.filter(|hint| hint.len() <= MAX_LOGIN_HINT_BYTES);
        let known = authorize::describe(context, &params, context.cookie.clone()).await?;
        Ok(Self {
            login_hint: hint.map(ToOwned::to_owned),
            signed_in: known.as_ref().and_then(|known| known.signed_in.clone()),
            known,
        })
    }

    /// The name to fill in: whom the request expects, the client's hint, or who is signed in.
    fn username(&self) -> Option<String> {
        let known = self.known.as_ref();
        match known.map(|known| &known.expected) {
            Some(ExpectedUser::Named(name)) => Some(name.clone()),
            Some(ExpectedUser::Unnamed) => self.login_hint.clone(),
            Some(ExpectedUser::Any) => {
                let signed_in = || self.signed_in.as_ref().map(|user| user.username.clone());
                self.login_hint.clone().or_else(signed_in)
            }
            None => None,
        }
    }
}

/// The form token is bound to a cookie of this browser, which prevents login CSRF.
pub(super) async fn form(
    context: &Context,
    status: StatusCode,
    return_to: &ReturnTo,
    typed: Option<Typed>,
    problem: Option<LoginProblem>,
) -> Response {
    let waits = match LoginContext::new(context, return_to).await {
        Ok(waits) => waits,
        Err(error) => return context.unavailable(&error),
    };
    let existing = pre_session(context);
    let new = u128::from_be_bytes(context.app.seed().bytes("pre-session"));
    let cookie = existing.clone().unwrap_or_else(|| format!("{new:032x}"));
    let binding = Binding::PreSession(cookie.clone());
    let known = waits.known.as_ref();
    let is_hinted = known.is_some_and(|known| matches!(known.expected, ExpectedUser::Named(_)));
    let (typed, stays) = typed.map_or((None, false), |it| {
        let username = typed_again(&it.username, MAX_LOGIN_HINT_BYTES);
        (Some(username), it.stay)
    });
    let username = typed.or_else(|| waits.username()).unwrap_or_default();
    let signed_in = waits.signed_in.as_ref();
    let login = Login {
        site: context.site().clone(),
        form_token: context.token(&binding, Action::SignIn),
        return_to: return_to.path(&context.site().path),
        stay: context.realm().lifetimes.session_cookie == CookieLife::Persistent,
        stays,
        client_name: known.map(|known| known.client_name.clone()),
        again: signed_in.is_some_and(|user| user.signs_in_by(&username)),
        another: !username.is_empty() && (signed_in.is_some() || is_hinted),
        signed_in: signed_in.map(|user| user.username.clone()),
        username,
        for_device: matches!(return_to, ReturnTo::Device(_)),
        problem,
        trace_id: context.caller.trace.as_str().to_owned(),
    };
    let redirect_uri = known.map(|known| known.redirect.uri());
    let response = context.page_of_request(status, &login, redirect_uri);
    let set = existing
        .is_none()
        .then(|| context.cookies().set(Cookie::PreSession, &cookie, None))
        .flatten();
    browser::with_cookies(response, [set])
}

/// The browser's pre-session cookie, if it is well-formed: 32 hexadecimal digits.
fn pre_session(context: &Context) -> Option<String> {
    let cookies = context.cookies();
    let cookie = cookies.get(&context.caller.headers, Cookie::PreSession)?;
    let text = cookie.reveal();
    (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_owned())
}
