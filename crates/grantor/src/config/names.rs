//! Settings that are one of a few names.

use std::fmt;

use super::mistake::unknown;
use super::read::Context;
use super::table::Value;

/// Declares an enum whose values are written as names. The first is the stand-in.
macro_rules! names {
    (
        $(#[doc = $about:literal])+
        pub enum $Name:ident as $what:literal {
            $( $(#[doc = $doc:literal])+ $variant:ident = $name:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $Name {
            /// All of them, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in the file.
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Value for $Name {
            const EXPECTED: &'static str = concat!("the name of a ", $what);

            fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|known| known.name() == text);
                found.ok_or_else(|| unknown($what, text, &[$($name),+]))
            }

            fn stand_in() -> Self {
                Self::ALL[0]
            }
        }
    };
}

names! {
    /// A grant, by its short name; on the wire it has its registered name.
    pub enum Grant as "grant" {
        /// RFC 6749 section 4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 8628.
        DeviceCode = "device_code",
        /// RFC 6749 section 4.4.
        ClientCredentials = "client_credentials",
        /// RFC 6749 section 6.
        RefreshToken = "refresh_token",
        /// RFC 8693.
        TokenExchange = "token_exchange",
    }
}

names! {
    /// How a client authenticates, by its registered name (RFC 7591 section 2).
    pub enum AuthMethod as "client authentication method" {
        /// Not at all: a public client.
        None = "none",
        /// The secret by HTTP Basic.
        SecretBasic = "client_secret_basic",
        /// The secret in the body.
        SecretPost = "client_secret_post",
    }
}

names! {
    /// A signature algorithm (RFC 7518 section 3.1, RFC 8037).
    pub enum Algorithm as "signature algorithm" {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// ECDSA with P-256 and SHA-256.
        Es256 = "ES256",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

names! {
    /// A kind of token that is exchanged (RFC 8693 section 3).
    pub enum TokenKind as "kind of token" {
        /// Access tokens, in either form.
        AccessToken = "access_token",
        /// ID tokens.
        IdToken = "id_token",
        /// Refresh tokens.
        RefreshToken = "refresh_token",
    }
}

names! {
    /// What an API's access tokens are.
    pub enum TokenFormat as "token format" {
        /// A JWT by RFC 9068.
        Jwt = "jwt",
        /// Opaque: the same claims, sealed.
        Sealed = "sealed",
    }
}

names! {
    /// Whose tokens a device gets.
    pub enum DeviceTokens as "source of tokens" {
        /// Grantor's own.
        Own = "own",
        /// The upstream provider's.
        Provider = "provider",
    }
}

names! {
    /// How a user approves a device.
    pub enum DeviceApproval as "device approval" {
        /// With a warning where device and browser are on different networks.
        Warn = "warn",
        /// Only from the device's network.
        SameNetwork = "same_network",
        /// By typing the code from the device.
        Retype = "retype",
    }
}

names! {
    /// Whether a client must use PKCE (RFC 7636).
    pub enum Pkce as "PKCE policy" {
        /// It must.
        Required = "required",
        /// It may; only for clients with a secret.
        Optional = "optional",
    }
}

names! {
    /// Whether users are asked before a client gets their tokens.
    pub enum Consent as "consent policy" {
        /// They are asked.
        Ask = "ask",
        /// They are not: the client is the operator's own.
        Skip = "skip",
    }
}

names! {
    /// A translation for the clients of another system.
    pub enum Dialect as "dialect" {
        /// The aws sample's device grant.
        CognitoDevice = "cognito_device",
        /// IROH's paths.
        Iroh = "iroh",
    }
}

names! {
    /// The header in which the trusted proxies write addresses.
    pub enum ForwardedHeader as "header" {
        /// What most proxies append to.
        XForwardedFor = "x-forwarded-for",
        /// RFC 7239.
        Forwarded = "forwarded",
    }
}

names! {
    /// The oldest TLS version that is spoken.
    pub enum TlsVersion as "TLS version" {
        /// TLS 1.3.
        V1_3 = "1.3",
        /// TLS 1.2, by ECDHE with AES-GCM only.
        V1_2 = "1.2",
    }
}
