//! Texts that are checked when they are read.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;

use grantor_core::base::secret::Secret;
use grantor_core::model::credentials::{InvalidUsername, ValidUsername};
use grantor_core::model::ids::{ClientId, InvalidOrganizationId, OrganizationId};
use grantor_core::model::password_hash::StoredHash;
use grantor_core::model::realm::TokenSet;
use grantor_core::model::redirect_uri::{InvalidRedirectUri, RedirectUri};
use grantor_core::model::scope::{InvalidScopeToken, ScopeToken};
use grantor_core::model::server_url::{InvalidServerUrl, ServerUrl};
use grantor_core::model::user_code::{InvalidFormat, UserCodeAlphabet};
use serde_json::{Value as Json, json};
use url::Url;

use super::mistake::unknown;
use super::read::Context;
use super::table::{Value, constant};

/// Declares a checked text: its name, what messages call it, and its check, which returns what is wrong with a text.
macro_rules! checked_text {
    ($(#[doc = $about:literal])+ pub struct $Name:ident as $expected:literal, $check:expr) => {
        $(#[doc = $about])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name(String);

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Deref for $Name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Value for $Name {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(text).map(|()| Self(text.to_owned()))
            }

            fn stand_in() -> Self {
                Self(String::new())
            }
        }
    };
}

checked_text! {
    /// The URL that names this server: http(s), no query, fragment, user or trailing slash
    /// (RFC 8414 section 2); http only on a loopback host.
    pub struct Issuer as "a URL", |text| {
        check_issuer(text)?;
        if text.ends_with('/') {
            return Err("ends with a slash: leave it out, since clients compare it as text".to_owned());
        }
        Ok(())
    }
}

checked_text! {
    /// The issuer of an upstream provider. Some providers' end with a slash.
    pub struct ProviderIssuer as "a URL", check_issuer
}

fn check_issuer(text: &str) -> Result<(), String> {
    let url = text.parse::<ServerUrl>().map_err(|why| match why {
        // Also http, on this machine.
        InvalidServerUrl::Scheme => "is not an http or https URL".to_owned(),
        _ => describe(why, "https://id.example.com"),
    })?;
    if url.url().query().is_some() {
        return Err("has a query".to_owned());
    }
    if !is_as_written(url.url(), text) {
        // RFC 8414 section 3.3 compares issuers as strings, code point by code point.
        return Err(format!(
            "is not in the form that clients compare; write {:?}",
            url.url().as_str().trim_end_matches('/')
        ));
    }
    Ok(())
}

fn describe(why: InvalidServerUrl, example: &str) -> String {
    match why {
        InvalidServerUrl::NotAbsolute => format!("{why} such as {example:?}"),
        _ => why.to_string(),
    }
}

fn is_as_written(url: &Url, text: &str) -> bool {
    url.as_str() == text || url.as_str().strip_suffix('/') == Some(text)
}

impl Issuer {
    /// Whether it is reached on this machine only.
    pub fn is_loopback(&self) -> bool {
        self.parse::<ServerUrl>().is_ok_and(|url| url.is_loopback())
    }
}

/// Where a browser may be sent. What may be registered is the core's to say.
impl Value for RedirectUri {
    const EXPECTED: &'static str = "a URI";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        // The text is not repeated: it may hold a password.
        text.parse()
            .map_err(|why: InvalidRedirectUri| why.to_string())
    }

    fn json_schema() -> Json {
        json!({ "type": "string", "format": "uri" })
    }

    fn stand_in() -> Self {
        constant("https://localhost")
    }
}

/// The URL of another server, such as where a client is told of a session's end.
impl Value for ServerUrl {
    const EXPECTED: &'static str = "a URL";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|why| describe(why, "https://app.example.com/logout"))
    }

    fn json_schema() -> Json {
        json!({ "type": "string", "format": "uri" })
    }

    fn stand_in() -> Self {
        constant("https://stand-in.invalid")
    }
}

checked_text! {
    /// The resource indicator of an API: an absolute URI without a fragment (RFC 8707 section 2).
    pub struct ResourceUri as "a URI", |text| {
        let url = Url::parse(text).map_err(|_| format!("{text:?} is not an absolute URI"))?;
        if url.fragment().is_some() {
            return Err(format!("{text:?} has a fragment"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(format!("{text:?} holds a space or a control character"));
        }
        Ok(())
    }
}

checked_text! {
    /// An origin as browsers send it: scheme, host and port (RFC 6454 section 6.2).
    pub struct Origin as "an origin", |text| {
        if text.contains('*') {
            return Err(format!("{text:?} has a wildcard, and origins are compared as text: write each one"));
        }
        let origin = Url::parse(text).ok().map(|url| url.origin().ascii_serialization());
        match origin.filter(|origin| origin != "null") {
            Some(origin) if origin == text => Ok(()),
            Some(origin) => Err(format!("{text:?} is not an origin; did you mean {origin:?}?")),
            None => Err(format!("{text:?} is not an origin such as \"https://app.example.com\"")),
        }
    }
}

impl Value for ClientId {
    const EXPECTED: &'static str = "a string";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("{text:?} is not 1 to 255 printable ASCII characters"))
    }

    fn json_schema() -> Json {
        json!({ "type": "string", "pattern": "^[ -~]{1,255}$" })
    }

    fn stand_in() -> Self {
        // Blank, so that it is suggested for no other name.
        constant(" ")
    }
}

impl Value for OrganizationId {
    const EXPECTED: &'static str = "a string";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|why: InvalidOrganizationId| format!("{text:?} {why}"))
    }

    fn json_schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$" })
    }

    fn stand_in() -> Self {
        constant("0")
    }
}

impl Value for ScopeToken {
    const EXPECTED: &'static str = "a scope";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|why: InvalidScopeToken| format!("{text:?} {why}"))
    }

    /// RFC 6749 section 3.3.
    fn json_schema() -> Json {
        json!({ "type": "string", "pattern": "^[!#-\\[\\]-~]+$" })
    }

    fn stand_in() -> Self {
        // A mark, so that it is suggested for no other name.
        constant("!")
    }
}

impl Value for ValidUsername {
    const EXPECTED: &'static str = "a string";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|why: InvalidUsername| format!("{text:?} {why}"))
    }

    fn stand_in() -> Self {
        constant("\u{FFFD}")
    }
}

/// An Argon2id hash in PHC form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash(Secret);

impl PasswordHash {
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl Value for PasswordHash {
    const EXPECTED: &'static str = "an Argon2id hash";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        if !text.starts_with("$argon2id$") {
            return Err(
                "is not an Argon2id hash such as \"$argon2id$v=19$m=19456,t=2,p=1$…$…\"".to_owned(),
            );
        }
        // A hash that could verify no password is refused here.
        StoredHash::parse(text).map_err(|error| format!("cannot be used: {error}"))?;
        Ok(Self(Secret::new(text)))
    }

    fn stand_in() -> Self {
        Self(Secret::new(""))
    }
}

/// Where grants, users and sessions live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// In memory: gone with the process.
    Memory,
    /// In an SQLite file.
    Sqlite(PathBuf),
    /// In PostgreSQL, or an engine that speaks its protocol; the URL may hold a password.
    Postgres(Secret),
}

/// Without the password of a URL.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres:"),
        }
    }
}

impl Value for Store {
    const EXPECTED: &'static str = "a store";

    fn parse(text: &str, context: &Context<'_>) -> Result<Self, String> {
        // The text is not repeated: it may hold a password.
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(Self::Sqlite(context.folder.join(path)))
            }
            Some(("postgres" | "postgresql", _)) => match Url::parse(text) {
                Ok(url) if url.has_host() => Ok(Self::Postgres(Secret::new(text))),
                _ => Err("is not a URL such as \"postgres://user@host/database\"".to_owned()),
            },
            _ => Err(
                "is not a store; write \"memory:\", \"sqlite:FILE\" or \"postgres://…\"".to_owned(),
            ),
        }
    }

    fn stand_in() -> Self {
        Self::Memory
    }
}

/// Written `ID+ACCESS+REFRESH`.
impl Value for TokenSet {
    const EXPECTED: &'static str = "a set of tokens";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        let mut set = Self::default();
        for name in text.split('+') {
            let member = match name {
                "ID" => &mut set.id,
                "ACCESS" => &mut set.access,
                "REFRESH" => &mut set.refresh,
                _ => return Err(unknown("token", name, &["ID", "ACCESS", "REFRESH"])),
            };
            if std::mem::replace(member, true) {
                return Err(format!("{name} stands in {text:?} twice"));
            }
        }
        Ok(set)
    }

    fn stand_in() -> Self {
        Self::ALL
    }
}

impl Value for UserCodeAlphabet {
    const EXPECTED: &'static str = "classes of letters";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|error: InvalidFormat| error.to_string())
    }

    fn stand_in() -> Self {
        constant("B")
    }
}
