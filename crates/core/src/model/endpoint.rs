//! The protocol's endpoints.

/// The paths of the protocol's endpoints, from the issuer on.
pub mod path {
    /// The authorization endpoint (RFC 6749 section 3.1).
    pub const AUTHORIZE: &str = "/oauth2/authorize";
    /// The logout endpoint (OpenID Connect RP-Initiated Logout section 2).
    pub const LOGOUT: &str = "/oauth2/logout";
    /// Device authorization (RFC 8628 section 3.1).
    pub const DEVICE_AUTHORIZATION: &str = "/oauth2/device_authorization";
    /// Introspection (RFC 7662).
    pub const INTROSPECT: &str = "/oauth2/introspect";
    /// Revocation (RFC 7009).
    pub const REVOKE: &str = "/oauth2/revoke";
    /// The token endpoint (RFC 6749 section 3.2).
    pub const TOKEN: &str = "/oauth2/token";
    /// Userinfo (OpenID Connect Core section 5.3).
    pub const USERINFO: &str = "/oauth2/userinfo";
    /// The key set (RFC 7517 section 5).
    pub const JWKS: &str = "/.well-known/jwks.json";
    /// Metadata by OpenID Connect Discovery section 4.
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    /// Metadata by RFC 8414 section 3.
    pub const OAUTH_AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
    /// The page at which a user types the code (RFC 8628 section 3.3): short enough to type.
    pub const DEVICE: &str = "/device";
}
