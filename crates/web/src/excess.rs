//! After a commit that added access to an account: ends what exceeds its limits.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::cause::Causes;
use grantor_core::engine::decide::Excess;
use grantor_core::people::account;
use grantor_core::people::account::end_excess::{EndExcessGrants, EndExcessSessions};

use crate::app::{App, Unavailable};
use crate::lists::first_rows;
use crate::trace::TraceId;

/// The request waits for it, so that adding access without end slows down whoever does it, and no one else. A failure is only
/// logged: the next request ends more.
pub(crate) fn end(app: Arc<App>, excess: Excess, trace: TraceId) -> BoxFuture<'static, ()> {
    async move {
        if let Err(error) = try_end(&app, excess, &trace).await {
            tracing::warn!(trace_id = trace.as_str(), error = %Causes(&error), "access beyond the limits was not ended");
        }
    }
    .boxed()
}

async fn try_end(app: &Arc<App>, excess: Excess, trace: &TraceId) -> Result<(), Unavailable> {
    let realm = app.realm();
    match excess {
        Excess::Sessions { user, new } => {
            let index = account::sessions_of(&realm, user);
            let max = EndExcessSessions::rows_to_list(&realm.access);
            let listed = first_rows(app, &index, None, max).await?.rows;
            // Not even a decision for nearly all users.
            if listed.len() > realm.access.sessions {
                let end = EndExcessSessions { user, new, listed };
                app.run_traced(end, trace).await?;
            }
        }
        Excess::Grants { user, client } => {
            let index = account::grants_of(&realm, user);
            let max = EndExcessGrants::rows_to_list(&realm.access);
            let listed = first_rows(app, &index, None, max).await?.rows;
            let chosen = EndExcessGrants::choose(&listed, &client, &realm.access, app.now())?;
            for grants in chosen.chunks(EndExcessGrants::MAX_ENDED) {
                let grants = grants.to_vec();
                app.run_traced(EndExcessGrants { user, grants }, trace)
                    .await?;
            }
        }
    }
    Ok(())
}
