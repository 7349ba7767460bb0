//! One state of a realm, with all that follows from it.

use std::sync::Arc;

use bytes::Bytes;
use grantor_core::endpoints::metadata;
use grantor_core::model::realm::Realm;
use grantor_jose::{SignError, Signer, SigningInput};

use crate::cookies::Cookies;
use crate::locale;
use crate::pages::Site;
use crate::system::TrustedKeys;

/// What a snapshot is made of.
pub struct SnapshotParts {
    pub realm: Realm,
    /// Has the private halves of the realm's keys.
    pub signer: Arc<dyn Signer>,
    /// The keys of the realm's trusted issuers.
    pub trusted_keys: Arc<dyn TrustedKeys>,
}

/// A realm with its signer, its trusted issuers' keys and its rendered documents. A request uses one snapshot throughout,
/// so that header and signature, metadata and key set, client and consent are of one configuration.
pub struct Snapshot {
    pub(crate) realm: Arc<Realm>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) trusted_keys: Arc<dyn TrustedKeys>,
    pub(crate) metadata: Bytes,
    pub(crate) jwks: Bytes,
    pub(crate) cookies: Cookies,
    pub(crate) site: Site,
}

impl Snapshot {
    /// # Errors
    /// The issuer is not a URL.
    pub(crate) fn new(parts: SnapshotParts) -> Result<Self, url::ParseError> {
        let site = site(&parts.realm.issuer)?;
        let cookies = Cookies::new(&parts.realm.name, &parts.realm.issuer, &site.path);
        Ok(Self::at(parts, site, cookies))
    }

    /// The next state of the realm. Its name and its issuer stay while it is served.
    pub(crate) fn followed_by(&self, parts: SnapshotParts) -> Self {
        Self::at(parts, self.site.clone(), self.cookies.clone())
    }

    fn at(parts: SnapshotParts, site: Site, cookies: Cookies) -> Self {
        let SnapshotParts {
            realm,
            signer,
            trusted_keys,
        } = parts;
        let metadata = metadata::document(&realm, &locale::tags()).to_string();
        let jwks = serde_json::to_vec(&realm.signing.jwks()).unwrap_or_default();
        Self {
            realm: Arc::new(realm),
            signer,
            trusted_keys,
            metadata: metadata.into(),
            jwks: jwks.into(),
            cookies,
            site,
        }
    }

    #[must_use]
    pub fn realm(&self) -> &Arc<Realm> {
        &self.realm
    }

    /// Signs a token of this realm that is not part of a reply, such as a logout token.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn sign(&self, token: SigningInput) -> Result<String, SignError> {
        token.sign(&*self.signer).await
    }
}

fn site(issuer: &str) -> Result<Site, url::ParseError> {
    let issuer = url::Url::parse(issuer)?;
    let host = issuer.host_str().unwrap_or_default();
    let host = issuer
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok(Site {
        host,
        path: issuer.path().trim_end_matches('/').to_owned(),
    })
}
