//! Makes the declared links of the store those of the file: which subjects of trusted issuers are users.

use std::collections::HashSet;
use std::sync::Arc;

use grantor_core::people::{ProvisionLink, ProvisionLinkReply, WithdrawLink};
use grantor_core::records::Link;
use grantor_store::Store;
use grantor_web::{App, Unavailable};

use crate::cause::Causes;
use crate::users::{OnOutage, is_temporary, listed, retry, run};

/// What cannot be changed for a reason of its own is logged, left out, and returned as a sentence.
///
/// # Errors
/// The store is unavailable.
pub async fn provision(
    app: &Arc<App>,
    store: &dyn Store,
    links: &[Link],
    on_outage: OnOutage,
) -> Result<Vec<String>, Unavailable> {
    let mut left_out = Vec::new();
    let declared: HashSet<_> = links.iter().map(|it| (&*it.issuer, &*it.sub)).collect();
    let stored = match retry(on_outage, || listed::<Link>(store)).await {
        Ok(stored) => stored,
        Err(error) if is_temporary(&error) => return Err(error),
        Err(error) => {
            tracing::error!(error = %Causes(&error), "links that the file no longer declares were not removed");
            left_out.push(
                "Links that the file no longer declares were not removed: see the log.".to_owned(),
            );
            Vec::new()
        }
    };
    for Link { issuer, sub, .. } in stored
        .into_iter()
        .filter(|link| link.from_file && !declared.contains(&(&*link.issuer, &*link.sub)))
    {
        tracing::info!(issuer, sub, "the file no longer declares this link");
        let withdraw = || {
            let (issuer, sub) = (issuer.clone(), sub.clone());
            run(app, WithdrawLink { issuer, sub })
        };
        match retry(on_outage, withdraw).await {
            Ok(()) => {}
            Err(error) if is_temporary(&error) => return Err(error),
            Err(error) => {
                tracing::error!(issuer, sub, error = %Causes(&error), "the link could not be removed");
                left_out.push(format!(
                    "The link of {sub:?} of {issuer} could not be removed: see the log."
                ));
            }
        }
    }
    for link in links {
        let (issuer, sub) = (&*link.issuer, &*link.sub);
        match retry(on_outage, || run(app, ProvisionLink { link: link.clone() })).await {
            Ok(ProvisionLinkReply::Done) => {}
            Ok(ProvisionLinkReply::Taken) => {
                tracing::error!(
                    issuer,
                    sub,
                    "[[user]] links: the subject is linked to another account of the store; this link was left out"
                );
                left_out.push(format!(
                    "The link of {sub:?} of {issuer}: the subject is linked to another account of the store; this link \
                     was left out."
                ));
            }
            Err(error) if is_temporary(&error) => return Err(error),
            Err(error) => {
                tracing::error!(
                    issuer, sub, error = %Causes(&error),
                    "[[user]] links: the link could not be written and was left out"
                );
                left_out.push(format!(
                    "The link of {sub:?} of {issuer} could not be written and was left out: see the log."
                ));
            }
        }
    }
    Ok(left_out)
}
