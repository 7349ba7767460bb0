//! Settings that are one of a few names.

use std::fmt;

use grantor_core::base::peer::ForwardedHeader;
use grantor_core::model::client::{AuthMethod, ConsentPolicy, DeviceApproval, IdTokenContent};
use grantor_core::model::exchange_rule;
use grantor_core::model::grant_type::GrantType;
use grantor_core::model::organization::Availability;
use grantor_core::model::realm::CookieLife;
use grantor_core::model::requested_scope::UnknownScopes;
use grantor_core::model::resource::TokenForm;
use grantor_jose::Algorithm;
use serde_json::{Value as Json, json};

use super::mistake::unknown;
use super::read::Context;
use super::table::Value;

/// Declares an enum that only the configuration knows, and whose values are written as names. The first is the stand-in.
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

        names_of!($Name as $what, $Name::name);
    };
}

/// Reads a type of the core, or of jose, by the names that it gives its values. The first is the stand-in.
macro_rules! names_of {
    ($Type:ty as $what:literal, $name:path) => {
        impl Value for $Type {
            const EXPECTED: &'static str = concat!("the name of a ", $what);

            fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|known| $name(**known) == text);
                found.copied().ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|known| $name(*known)).collect();
                    unknown($what, text, &known)
                })
            }

            fn json_schema() -> Json {
                let known: Vec<_> = Self::ALL.iter().map(|known| $name(*known)).collect();
                json!({ "type": "string", "enum": known })
            }

            fn stand_in() -> Self {
                Self::ALL[0]
            }
        }
    };
}

names_of!(GrantType as "grant", GrantType::short);
names_of!(Algorithm as "signature algorithm", Algorithm::name);
names_of!(exchange_rule::TokenKind as "kind of token", exchange_rule::TokenKind::name);
names_of!(DeviceApproval as "device approval", DeviceApproval::name);
names_of!(ConsentPolicy as "consent policy", ConsentPolicy::name);
names_of!(IdTokenContent as "content of ID tokens", IdTokenContent::name);
names_of!(UnknownScopes as "policy for unknown scopes", UnknownScopes::name);
names_of!(Availability as "availability", Availability::name);
names_of!(AuthMethod as "client authentication method", AuthMethod::name);
names_of!(ForwardedHeader as "header", ForwardedHeader::name);
names_of!(CookieLife as "life of a cookie", CookieLife::name);

/// A JWT's algorithm is another setting, so it is the default one here: see [`Resource::token_form`](super::Resource).
impl Value for TokenForm {
    const EXPECTED: &'static str = "the name of a token format";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        match text {
            "jwt" => Ok(Self::Jwt(Algorithm::Es256)),
            "sealed" => Ok(Self::Sealed),
            _ => Err(unknown("token format", text, &["jwt", "sealed"])),
        }
    }

    fn json_schema() -> Json {
        json!({ "type": "string", "enum": ["jwt", "sealed"] })
    }

    fn stand_in() -> Self {
        Self::Sealed
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
    /// Whether a client must use PKCE (RFC 7636).
    pub enum Pkce as "PKCE policy" {
        /// It must.
        Required = "required",
        /// It may; only for clients with a secret.
        Optional = "optional",
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
    /// The oldest TLS version that is spoken.
    pub enum TlsVersion as "TLS version" {
        /// TLS 1.3.
        V1_3 = "1.3",
        /// TLS 1.2, by ECDHE with AES-GCM only.
        V1_2 = "1.2",
    }
}
