//! `POST /consent`: the user's decision about a client's request.

use axum::response::Response;
use grantor_core::endpoints::authorize::{ConsentAnswer, ConsentDecision};

use super::authorize;
use crate::context::PostedForm;
use crate::pages::PageError;

pub(crate) async fn post(posted: PostedForm) -> Response {
    let PostedForm { context, params } = posted;
    let form = match params {
        Ok(form) => form,
        Err(error) => return context.error_page(error.into()),
    };
    let text = form.opt("request").unwrap_or_default();
    let request = match authorize::parse(text) {
        Ok(request) => request,
        Err(error) => return context.error_page(error),
    };
    let Some(shown) = context.shown_consent(&form, text) else {
        // Asks again, if there is still something to ask.
        return authorize::go_to(&context, &request).await;
    };
    let decision = match form.opt("decision") {
        Some("approve") => ConsentDecision::Approve,
        Some("deny") => ConsentDecision::Deny,
        _ => return context.error_page(PageError::BadRequest),
    };
    let answer = ConsentAnswer { decision, shown };
    authorize::handle(context, &request, Some(answer)).await
}
