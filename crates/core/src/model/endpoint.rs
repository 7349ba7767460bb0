//! The table of endpoints: paths, methods, metadata members, metrics labels and CORS.
//!
//! The router, the metadata document, the metrics and a table of `ARCHITECTURE.md` are made from it.

/// What an endpoint serves. Decides how a wrong method is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    /// JSON for clients.
    Protocol,
    Document,
    Page,
    /// For load balancers and supervisors.
    Probe,
}

/// Whose cross-origin scripts may read responses (Fetch section 3.2, CORS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossOrigin {
    Never,
    /// Those of the requesting client.
    OwnClient,
    Everyone,
}

/// Which clients authenticate at an endpoint (RFC 6749 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    None,
    /// Confidential clients by secret, public ones by id.
    All,
    Confidential,
}

macro_rules! endpoints {
    ($(
        $(#[$doc:meta])*
        $name:ident: $path:literal, [$($method:literal),+], $kind:ident, label $label:literal,
            cross_origin $cross_origin:ident, clients $clients:ident $(, metadata $metadata:literal)?;
    )+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Endpoint {
            $($(#[$doc])* $name),+
        }

        impl Endpoint {
            /// In declaration order.
            pub const ALL: [Self; [$($path),+].len()] = [$(Self::$name),+];

            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path),+ }
            }

            #[must_use]
            pub fn from_path(path: &str) -> Option<Self> {
                match path {
                    $($path => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// Without OPTIONS (CORS); GET includes HEAD.
            #[must_use]
            pub const fn methods(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($method),+]),+ }
            }

            #[must_use]
            pub const fn kind(self) -> EndpointKind {
                match self { $(Self::$name => EndpointKind::$kind),+ }
            }

            /// The name in metrics, which endpoints may share. Public, so it never changes.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),+ }
            }

            #[must_use]
            pub const fn cross_origin(self) -> CrossOrigin {
                match self { $(Self::$name => CrossOrigin::$cross_origin),+ }
            }

            #[must_use]
            pub const fn clients(self) -> Clients {
                match self { $(Self::$name => Clients::$clients),+ }
            }

            /// The member of the metadata document with the URL.
            #[must_use]
            pub fn metadata(self) -> Option<&'static str> {
                match self { $(Self::$name => [$($metadata)?].first().copied()),+ }
            }
        }
    };
}

endpoints! {
    /// The authorization endpoint (RFC 6749 section 3.1).
    Authorize: "/oauth2/authorize", ["GET", "POST"], Page, label "authorize",
        cross_origin Never, clients None, metadata "authorization_endpoint";
    /// The token endpoint (RFC 6749 section 3.2).
    Token: "/oauth2/token", ["POST"], Protocol, label "token",
        cross_origin OwnClient, clients All, metadata "token_endpoint";
    /// Device authorization (RFC 8628 section 3.1).
    DeviceAuthorization: "/oauth2/device_authorization", ["POST"], Protocol, label "device_authorization",
        cross_origin OwnClient, clients All, metadata "device_authorization_endpoint";
    /// Introspection (RFC 7662). Its callers are confidential clients, so never scripts.
    Introspect: "/oauth2/introspect", ["POST"], Protocol, label "introspect",
        cross_origin Never, clients Confidential, metadata "introspection_endpoint";
    /// Revocation (RFC 7009).
    Revoke: "/oauth2/revoke", ["POST"], Protocol, label "revoke",
        cross_origin OwnClient, clients All, metadata "revocation_endpoint";
    /// Userinfo (OpenID Connect Core section 5.3).
    Userinfo: "/oauth2/userinfo", ["GET", "POST"], Protocol, label "userinfo",
        cross_origin OwnClient, clients None, metadata "userinfo_endpoint";
    /// Userinfo, as Amazon Cognito spells it.
    UserInfo: "/oauth2/userInfo", ["GET", "POST"], Protocol, label "userinfo",
        cross_origin OwnClient, clients None;
    /// Metadata by OpenID Connect Discovery section 4.
    OpenidConfiguration: "/.well-known/openid-configuration", ["GET"], Document, label "metadata",
        cross_origin Everyone, clients None;
    /// Metadata by RFC 8414 section 3.
    OauthAuthorizationServer: "/.well-known/oauth-authorization-server", ["GET"], Document, label "metadata",
        cross_origin Everyone, clients None;
    /// The key set (RFC 7517 section 5).
    Jwks: "/.well-known/jwks.json", ["GET"], Document, label "jwks",
        cross_origin Everyone, clients None, metadata "jwks_uri";
    /// Where users enter a device's code (RFC 8628 section 3.3): short enough to type.
    Device: "/device", ["GET", "POST"], Page, label "device", cross_origin Never, clients None;
    DeviceDecision: "/device/decision", ["GET", "POST"], Page, label "device_decision", cross_origin Never, clients None;
    Consent: "/consent", ["POST"], Page, label "consent", cross_origin Never, clients None;
    Login: "/login", ["GET", "POST"], Page, label "login", cross_origin Never, clients None;
    /// Sign-out at a client's request (OpenID Connect RP-Initiated Logout section 2).
    EndSession: "/oauth2/logout", ["GET", "POST"], Page, label "end_session",
        cross_origin Never, clients None, metadata "end_session_endpoint";
    Logout: "/logout", ["GET", "POST"], Page, label "logout", cross_origin Never, clients None;
    Account: "/account", ["GET"], Page, label "account", cross_origin Never, clients None;
    /// Ends one of a user's sessions.
    AccountSession: "/account/session", ["POST"], Page, label "account", cross_origin Never, clients None;
    AccountApp: "/account/app", ["POST"], Page, label "account", cross_origin Never, clients None;
    /// Removes a device's access.
    AccountGrant: "/account/grant", ["POST"], Page, label "account", cross_origin Never, clients None;
    AccountPassword: "/account/password", ["POST"], Page, label "account", cross_origin Never, clients None;
    AccountEverywhere: "/account/everywhere", ["POST"], Page, label "account", cross_origin Never, clients None;
    /// Where password managers send users to change a password (W3C, A Well-Known URL for Changing Passwords).
    ChangePassword: "/.well-known/change-password", ["GET"], Page, label "account", cross_origin Never, clients None;
    /// Where the first administrator is made, by a code in a file.
    AdminFirst: "/admin/first", ["GET", "POST"], Page, label "admin_first", cross_origin Never, clients None;
    /// Whether the process runs.
    Healthz: "/healthz", ["GET"], Probe, label "health", cross_origin Never, clients None;
    /// Whether the server can answer.
    Readyz: "/readyz", ["GET"], Probe, label "health", cross_origin Never, clients None;
    Home: "/", ["GET"], Page, label "other", cross_origin Never, clients None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_endpoint_is_found_by_its_path() {
        for (position, endpoint) in Endpoint::ALL.into_iter().enumerate() {
            assert_eq!(Endpoint::from_path(endpoint.path()), Some(endpoint));
            assert_eq!(endpoint as usize, position);
        }
        for unknown in ["", "/oauth2", "/oauth2/token/", "/OAUTH2/token"] {
            assert_eq!(Endpoint::from_path(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn architecture_md_has_the_table_of_endpoints() {
        let page = include_str!("../../../../ARCHITECTURE.md");
        for endpoint in Endpoint::ALL {
            let row = format!(
                "| `{}` | {} | {:?} | {:?} | {:?} |",
                endpoint.path(),
                endpoint.methods().join(", "),
                endpoint.kind(),
                endpoint.cross_origin(),
                endpoint.clients(),
            );
            assert!(page.contains(&row), "ARCHITECTURE.md lacks\n{row}");
        }
    }
}
