//! CORS (Fetch section 3.2): the allowed origins of clients.

use crate::model::realm::Realm;

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
