//! CORS (Fetch section 3.2): the client of a request, and its allowed origins.

use crate::base::params::Params;
use crate::client_auth::Credentials;
use crate::endpoints::userinfo::Userinfo;
use crate::model::ids::ClientId;
use crate::model::realm::Realm;

/// The client that the request names, not authenticated.
#[must_use]
pub fn client_of_form(authorization: Option<&[u8]>, params: &Params) -> Option<ClientId> {
    let credentials = Credentials::parse(authorization, params).ok()?;
    credentials.client_id().parse().ok()
}

/// The client of an access token of ours. An expired token counts too, so that the client's script can read the error.
#[must_use]
pub fn client_of_token(
    realm: &Realm,
    authorization: Option<&[u8]>,
    params: &Params,
) -> Option<ClientId> {
    Userinfo::parse(authorization, params).ok()?.client(realm)
}

impl Realm {
    /// Whether any client has this origin: a preflight does not identify the client.
    #[must_use]
    pub fn has_origin(&self, origin: &str) -> bool {
        self.clients
            .values()
            .any(|client| client.has_origin(origin))
    }
}

impl crate::model::client::Client {
    /// `origin` is as browsers serialize it (RFC 6454 section 6.2). Never true for `null`, which stands for any file,
    /// sandbox or redirect.
    #[must_use]
    pub fn has_origin(&self, origin: &str) -> bool {
        origin != "null" && self.origins.iter().any(|own| own == origin)
    }
}
