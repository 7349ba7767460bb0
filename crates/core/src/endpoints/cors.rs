//! Which scripts of other origins may read what is answered to a client (Fetch section 3.2, CORS).

use crate::base::params::Params;
use crate::client_auth::Credentials;
use crate::endpoints::userinfo::Userinfo;
use crate::model::ids::ClientId;
use crate::model::realm::Realm;

/// Whose request it is, as far as it says: of a client that names itself.
#[must_use]
pub fn client_of_form(authorization: Option<&[u8]>, params: &Params) -> Option<ClientId> {
    let credentials = Credentials::parse(authorization, params).ok()?;
    credentials.client_id().parse().ok()
}

/// Whose request it is: of the client that an access token was made for. The token must be ours; one that has ended is
/// still its client's, whose script learns so from the answer.
#[must_use]
pub fn client_of_token(
    realm: &Realm,
    authorization: Option<&[u8]>,
    params: &Params,
) -> Option<ClientId> {
    Userinfo::parse(authorization, params).ok()?.client(realm)
}

impl Realm {
    /// Whether some client has this origin. A preflight says no more of who asks.
    #[must_use]
    pub fn has_origin(&self, origin: &str) -> bool {
        self.clients
            .values()
            .any(|client| client.has_origin(origin))
    }
}

impl crate::model::client::Client {
    /// Whether scripts of this origin, as a browser writes it (RFC 6454 section 6.2), are the client's. What a browser
    /// calls `null` is no origin, but any page of a file, a sandbox or a redirect.
    #[must_use]
    pub fn has_origin(&self, origin: &str) -> bool {
        origin != "null" && self.origins.iter().any(|own| own == origin)
    }
}
