//! `/`: the home page.

use axum::response::Response;
use http::StatusCode;

use crate::context::Context;
use crate::pages::Home;

pub(crate) async fn get(context: Context) -> Response {
    match context.visitor().await {
        Ok(visitor) => {
            let account = visitor.map(|visitor| context.account(&visitor));
            let site = context.site().clone();
            context.page(StatusCode::OK, &Home { site, account })
        }
        Err(error) => context.unavailable(&error),
    }
}
