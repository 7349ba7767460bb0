//! Makes the declared links of the store those of the file: which subjects of trusted issuers are users.

use std::collections::HashSet;
use std::sync::Arc;

use grantor_core::people::{ProvisionLink, ProvisionLinkReply, WithdrawLink};
use grantor_core::records::Link;
use grantor_store::Store;
use grantor_web::App;

use crate::cause::Causes;
use crate::users::{listed, retry, run};

/// While the store is unavailable it is tried again; what cannot be changed for another reason is logged and left out.
pub async fn provision(app: &Arc<App>, store: &dyn Store, links: &[Link]) {
    let declared: HashSet<_> = links.iter().map(|it| (&*it.issuer, &*it.sub)).collect();
    let stored = retry(|| listed::<Link>(store)).await;
    let stored = stored.inspect_err(|error| {
        tracing::error!(error = %Causes(error), "links that the file no longer declares were not removed");
    });
    for Link { issuer, sub, .. } in stored
        .unwrap_or_default()
        .into_iter()
        .filter(|link| link.from_file && !declared.contains(&(&*link.issuer, &*link.sub)))
    {
        tracing::info!(issuer, sub, "the file no longer declares this link");
        let withdraw = || {
            let (issuer, sub) = (issuer.clone(), sub.clone());
            run(app, WithdrawLink { issuer, sub })
        };
        if let Err(error) = retry(withdraw).await {
            tracing::error!(issuer, sub, error = %Causes(&error), "the link could not be removed");
        }
    }
    for link in links {
        let (issuer, sub) = (&*link.issuer, &*link.sub);
        match retry(|| run(app, ProvisionLink { link: link.clone() })).await {
            Ok(ProvisionLinkReply::Taken) => tracing::error!(
                issuer,
                sub,
                "[[user]] links: the subject is linked to another account of the store; this link was left out"
            ),
            Ok(ProvisionLinkReply::Done) => {}
            Err(error) => tracing::error!(
                issuer, sub, error = %Causes(&error),
                "[[user]] links: the link could not be written and was left out"
            ),
        }
    }
}
