//! What the handler of a page knows of its request.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts};
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::authorize::{ConsentPrompt, ShownConsent};
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::Outcome;
use grantor_core::model::ids::SessionId;
use grantor_core::model::realm::Realm;
use grantor_core::people::{Action, Binding};
use grantor_core::tokens::handles::PresentedCookie;
use http::request::Parts;
use http::{HeaderValue, Request};

use crate::app::{App, Unavailable};
use crate::cookies::{Cookie, Cookies};
use crate::pages::Site;
use crate::request::{Caller, Form, FormError};
use crate::snapshot::Snapshot;

/// One snapshot of the application, who asks, and the session cookie, opened once.
pub(crate) struct Context {
    pub(crate) app: Arc<App>,
    snapshot: Arc<Snapshot>,
    pub(crate) caller: Caller,
    /// The session may not be live.
    pub(crate) cookie: Option<PresentedCookie>,
}

/// A form of a page that was posted, or what is wrong with it.
pub(crate) struct PostedForm {
    pub(crate) context: Context,
    pub(crate) params: Result<Params, FormError>,
}

/// The same of a page with fields that people fill in, which may hold anything.
pub(crate) struct TypedForm(pub(crate) PostedForm);

impl Context {
    pub(crate) fn new(app: &Arc<App>, caller: Caller) -> Self {
        let snapshot = app.snapshot();
        let cookie = snapshot.cookies.get(&caller.headers, Cookie::Session);
        Self {
            cookie: cookie.and_then(|text| PresentedCookie::open(&snapshot.realm.sealing, text)),
            app: Arc::clone(app),
            snapshot,
            caller,
        }
    }

    pub(crate) fn realm(&self) -> &Realm {
        &self.snapshot.realm
    }

    pub(crate) fn site(&self) -> &Site {
        &self.snapshot.site
    }

    pub(crate) fn cookies(&self) -> &Cookies {
        &self.snapshot.cookies
    }

    /// Sets the session cookie. Without `lasts` it ends with the browser.
    pub(crate) fn set_session(
        &self,
        session: &Secret,
        lasts: Option<Duration>,
    ) -> [Option<HeaderValue>; 2] {
        let cookies = self.cookies();
        let set = cookies.set(Cookie::Session, session.reveal(), lasts);
        [set, self.remove_earlier_session()]
    }

    pub(crate) fn remove_session(&self) -> [Option<HeaderValue>; 2] {
        let removed = self.cookies().remove(Cookie::Session);
        [removed, self.remove_earlier_session()]
    }

    /// A cookie of the earlier name goes where it is ours: another issuer of this host may have set it.
    fn remove_earlier_session(&self) -> Option<HeaderValue> {
        let cookies = self.cookies();
        let earlier = cookies.get_earlier(&self.caller.headers, Cookie::Session)?;
        PresentedCookie::open(&self.realm().sealing, earlier)?;
        cookies.remove_earlier(Cookie::Session)
    }

    /// Runs a decision for this request.
    pub(crate) async fn run<O>(
        &self,
        operation: O,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send + 'static,
    {
        let snapshot = Arc::clone(&self.snapshot);
        self.app
            .run_with(snapshot, operation, &self.caller.trace)
            .await
    }

    /// The token of a form of this session.
    pub(crate) fn form_token(&self, session: SessionId, action: Action) -> String {
        self.token(&Binding::Session(session), action)
    }

    /// The token of the consent page's form. It begins with what that page shows.
    pub(crate) fn consent_token(&self, ask: &ConsentPrompt, request: &str) -> String {
        let shown = ask.shown.to_hex();
        let action = Action::consent(request, &shown);
        let token = self.form_token(ask.visitor.session, action);
        format!("{shown}.{token}")
    }

    /// What the consent page showed whose form was sent, if its token is for this session and request.
    pub(crate) fn shown_consent(&self, form: &Params, request: &str) -> Option<ShownConsent> {
        let (shown, token) = form.opt("form_token")?.split_once('.')?;
        let binding = Binding::Session(self.cookie.as_ref()?.session());
        let action = Action::consent(request, shown);
        let accepted = self.accepts_token(&binding, action, token);
        ShownConsent::from_hex(shown).filter(|_| accepted)
    }

    pub(crate) fn token(&self, binding: &Binding, action: Action) -> String {
        binding.token(self.realm(), action, self.app.now())
    }

    /// Whether a form was made for this action, and for the session of the cookie. The decision checks whether that is live.
    pub(crate) fn accepts(&self, action: Action, params: &Params) -> bool {
        let session = self.cookie.as_ref().map(PresentedCookie::session);
        session.is_some_and(|id| self.accepts_for(&Binding::Session(id), action, params))
    }

    pub(crate) fn accepts_for(&self, binding: &Binding, action: Action, params: &Params) -> bool {
        let token = params.opt("form_token").unwrap_or_default();
        self.accepts_token(binding, action, token)
    }

    pub(crate) fn accepts_token(&self, binding: &Binding, action: Action, token: &str) -> bool {
        binding.accepts(&self.realm().sealing, action, token, self.app.now())
    }

    /// Whether the request began at another site, so that the browser withheld its `SameSite` cookies.
    pub(crate) fn is_cross_site(&self) -> bool {
        self.fetch_site() == Some(b"cross-site")
    }

    /// Fetch Metadata section 2.3. `None` of browsers that do not know it, and of programs.
    pub(crate) fn fetch_site(&self) -> Option<&[u8]> {
        let site = self.caller.headers.get("sec-fetch-site")?;
        Some(site.as_bytes())
    }
}

impl FromRequestParts<Arc<App>> for Context {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Self::new(app, caller))
    }
}

impl FromRequest<Arc<App>> for PostedForm {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Infallible> {
        let form = Form::from_request(request, app).await?;
        Ok(Self::new(app, form))
    }
}

impl PostedForm {
    fn new(app: &Arc<App>, Form { caller, params }: Form) -> Self {
        let context = Context::new(app, caller);
        Self { context, params }
    }
}

impl FromRequest<Arc<App>> for TypedForm {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Infallible> {
        let form = Form::read(request, app, Params::parse_typed).await;
        Ok(Self(PostedForm::new(app, form)))
    }
}

/// A field's text as the page shows it again: what can be seen of its first characters.
pub(crate) fn typed_again(text: &str, max_chars: usize) -> String {
    let visible = text.chars().filter(|c| !c.is_control());
    visible.take(max_chars).collect()
}
