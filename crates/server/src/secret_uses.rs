//! Writes when secrets were last used, apart from the requests that used them.

use std::sync::Arc;
use std::time::Duration;

use grantor_web::App;
use tokio::time::{MissedTickBehavior, interval};

use crate::cause::Causes;
use crate::users::run;

const INTERVAL: Duration = Duration::from_secs(60);

/// Writes what is due each minute, until it is dropped.
pub(crate) async fn watch(app: Arc<App>) {
    let mut times = interval(INTERVAL);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        write(&app).await;
    }
}

/// What is due.
pub(crate) async fn write(app: &Arc<App>) {
    for uses in app.take_secret_uses() {
        let client = uses.client.clone();
        if let Err(error) = run(app, uses).await {
            tracing::warn!(%client, error = %Causes(&error), "when a secret was last used was not written");
        }
    }
}
