//! CORS (Fetch section 3.2): the allowed origins of clients.

impl crate::model::client::Client {
    /// `origin` is as browsers serialize it (RFC 6454 section 6.2). Never true for `null`, which stands for any file,
    /// sandbox or redirect.
    #[must_use]
    pub fn has_origin(&self, origin: &str) -> bool {
        origin != "null" && self.origins.iter().any(|own| own == origin)
    }
}
