//! `/`: the home page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::browser;
use crate::app::App;
use crate::pages::Home;
use crate::request::Caller;

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    match browser::visitor(&app, &caller).await {
        Ok(visitor) => {
            let account = visitor.map(|visitor| browser::account(&app, &visitor));
            let site = app.site.clone();
            browser::page(&app, &caller, StatusCode::OK, &Home { site, account })
        }
        Err(error) => browser::unavailable(&app, &caller, &error),
    }
}
