//! Further claims of tokens, as the operator declares them: each with its name and its source.
//!
//! The claims by which tokens are judged are not for sale: [`ClaimMapping::new`] refuses their names, so no mapping can
//! say for whom a token is, how long it lives, or who acts.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::model::claims_request::{self, UserFacts};
use crate::model::group_filter::{GroupFilter, GroupPattern};
use crate::model::ids::{ClientId, SessionId};

/// Names with a meaning of their own in tokens and in answers about them.
#[rustfmt::skip]
const RESERVED: [&str; 32] = [
    // RFC 7519 section 4.1, RFC 9068 section 2.2
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "auth_time", "acr", "amr",
    // OpenID Connect Core sections 2, 3.3.2.11 and 5.6.2, Front- and Back-Channel Logout
    "azp", "nonce", "at_hash", "c_hash", "s_hash", "_claim_names", "_claim_sources", "sid", "events",
    // RFC 8693 section 4: who acts, and who may
    "act", "may_act",
    // RFC 7800 section 3.1, RFC 9449 section 4.2: whose key it is bound to
    "cnf", "htm", "htu", "ath", "sub_jwk",
    // RFC 9396 section 9, RFC 9493 section 4.1
    "authorization_details", "sub_id",
    // RFC 7662 section 2.2
    "active", "token_type",
];

/// The most that names and constants of one mapping are long together, in bytes.
const LONGEST: usize = 2048;

/// Whether a claim has a meaning of its own, so that no mapping and no user may set it.
#[must_use]
pub fn is_reserved(claim: &str) -> bool {
    RESERVED.contains(&claim)
}

/// What a mapping is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The access tokens of a resource, where `groups` is a claim of its own (RFC 9068 section 2.2.3.1).
    AccessToken,
    /// The ID tokens of a client.
    IdToken,
}

/// Further claims, each with its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimMapping(Vec<(String, Source)>);

/// Why claims make no mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMapping {
    /// The name is none.
    #[error("{0:?} cannot name a claim")]
    Name(String),
    /// The name has a meaning of its own.
    #[error("the claim {0:?} is not free: the server sets it, or other specifications define it")]
    Reserved(String),
    /// RFC 9068 section 2.2.3.1.
    #[error("the claim \"groups\" is set by groups = true, false or a list of groups")]
    Groups,
    /// Tokens travel with each request.
    #[error("is too long: names and constants may have {LONGEST} bytes together")]
    TooLong,
}

impl ClaimMapping {
    /// A mapping of these claims.
    ///
    /// # Errors
    /// [`InvalidMapping`]
    pub fn new(
        carrier: Carrier,
        claims: impl IntoIterator<Item = (String, Source)>,
    ) -> Result<Self, InvalidMapping> {
        let mut length = 0;
        let checked = claims.into_iter().map(|(name, source)| {
            Self::check(carrier, &name)?;
            length += name.len() + source.length();
            Ok((name, source))
        });
        let mapping = checked.collect::<Result<_, _>>().map(Self)?;
        match length <= LONGEST {
            true => Ok(mapping),
            false => Err(InvalidMapping::TooLong),
        }
    }

    /// Whether a claim may have this name.
    ///
    /// # Errors
    /// [`InvalidMapping`]
    pub fn check(carrier: Carrier, name: &str) -> Result<(), InvalidMapping> {
        if name.is_empty() || name.chars().any(char::is_control) {
            Err(InvalidMapping::Name(name.to_owned()))
        } else if is_reserved(name) {
            Err(InvalidMapping::Reserved(name.to_owned()))
        } else if name == "groups" && carrier == Carrier::AccessToken {
            Err(InvalidMapping::Groups)
        } else {
            Ok(())
        }
    }

    /// The claims of one token. One without a value is left out.
    #[must_use]
    pub fn mapped(&self, from: &ClaimSources<'_>) -> Map<String, Value> {
        let claims = self.0.iter();
        claims
            .filter_map(|(name, source)| Some((name.clone(), source.value(from)?)))
            .collect()
    }
}

/// What one token's claims are taken from.
#[derive(Clone, Copy, Debug)]
pub struct ClaimSources<'a> {
    /// The user, where the token is a user's and the user is ours.
    pub user: Option<UserFacts<'a>>,
    /// The client to which the token is given.
    pub client_id: &'a ClientId,
    /// That client's name.
    pub client_name: &'a str,
    /// The grant, where the token has one.
    pub grant: Option<GrantFacts<'a>>,
}

/// What is known of the grant of a token.
#[derive(Clone, Copy, Debug)]
pub struct GrantFacts<'a> {
    /// How it came about: `device_code`, `authorization_code` or `token_exchange`.
    pub kind: &'static str,
    /// How and when its user signed in; none before a user decided, or after it was revoked.
    pub sign_in: Option<SignInFacts<'a>>,
}

/// How the user of a grant signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignInFacts<'a> {
    /// When, in seconds since the epoch.
    pub auth_time: u64,
    /// How (RFC 8176).
    pub amr: &'a [String],
    /// The session in which it was granted.
    pub session: Option<SessionId>,
}

impl ClaimSources<'_> {
    fn sign_in(&self) -> Option<SignInFacts<'_>> {
        self.grant?.sign_in
    }
}

/// Where a claim's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The name with which the user signs in.
    Username,
    /// One of the user's claims, `email` among them.
    OfUser(String),
    /// The user's groups, or some of them.
    Groups(GroupFilter),
    /// The client's id.
    ClientId,
    /// The client's name.
    ClientName,
    /// How the grant came about: `device_code`, `authorization_code` or `token_exchange`.
    GrantKind,
    /// When the user signed in, in seconds since the epoch.
    AuthTime,
    /// How the user signed in (RFC 8176).
    Amr,
    /// The session in which the user granted it.
    Session,
    /// The same in each token.
    Constant(Value),
}

/// Why a text names no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    /// No source has this name.
    #[error("is not a source")]
    Unknown,
    /// It begins with a quote and does not end with one, or holds control characters.
    #[error("is not a constant, which is written in quotes: \"'gold'\"")]
    Constant,
}

/// The sources with names of their own, as they are written.
const NAMED: [(&str, Source); 8] = [
    ("user.username", Source::Username),
    ("groups", Source::Groups(GroupFilter::All)),
    ("client.id", Source::ClientId),
    ("client.name", Source::ClientName),
    ("grant.kind", Source::GrantKind),
    ("grant.auth_time", Source::AuthTime),
    ("grant.amr", Source::Amr),
    ("grant.session", Source::Session),
];

impl Source {
    /// What a source may be called, beside the names of users' claims and of groups.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        NAMED.iter().map(|(name, _)| *name).chain(["user.email"])
    }

    /// How long a constant is, in bytes.
    fn length(&self) -> usize {
        match self {
            Self::Constant(value) => value.to_string().len(),
            _ => 0,
        }
    }

    fn value(&self, from: &ClaimSources<'_>) -> Option<Value> {
        match self {
            Self::Username => Some(from.user?.username.into()),
            Self::OfUser(name) => claims_request::claim(from.user?, name),
            Self::Groups(filter) => list(filter.of(from.user?.groups)),
            Self::ClientId => Some(from.client_id.to_string().into()),
            Self::ClientName => Some(from.client_name.into()),
            Self::GrantKind => Some(from.grant?.kind.into()),
            Self::AuthTime => Some(from.sign_in()?.auth_time.into()),
            Self::Amr => list(from.sign_in()?.amr.to_vec()),
            Self::Session => Some(from.sign_in()?.session?.to_string().into()),
            Self::Constant(value) => Some(value.clone()),
        }
        .filter(|value| !value.is_null())
    }
}

fn list(values: Vec<String>) -> Option<Value> {
    (!values.is_empty()).then(|| values.into())
}

/// `user.NAME`, `groups`, `groups.NAME`, `groups.BEGINNING*`, one of [`Source::names`], or a constant in quotes.
impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        if let Some(rest) = text.strip_prefix('\'') {
            let constant = rest.strip_suffix('\'');
            let constant = constant.filter(|constant| !constant.chars().any(char::is_control));
            return constant
                .map(|constant| Self::Constant(constant.into()))
                .ok_or(InvalidSource::Constant);
        }
        if let Some((_, source)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(source.clone());
        }
        match text.split_once('.') {
            // The groups are a source of their own.
            Some(("user", "groups")) => Err(InvalidSource::Unknown),
            Some(("user", claim)) if is_name(claim) => Ok(Self::OfUser(claim.to_owned())),
            Some(("groups", pattern)) => {
                let pattern: GroupPattern = pattern.parse().map_err(|_| InvalidSource::Unknown)?;
                Ok(Self::Groups(GroupFilter::Only(vec![pattern])))
            }
            _ => Err(InvalidSource::Unknown),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_as_it_is_written() {
        let source = |text: &str| text.parse::<Source>();
        let some = |pattern: &str| {
            let pattern = pattern.parse().unwrap();
            Ok(Source::Groups(GroupFilter::Only(vec![pattern])))
        };
        assert_eq!(source("user.username"), Ok(Source::Username));
        assert_eq!(source("user.email"), Ok(Source::OfUser("email".into())));
        let dotted = "https://example.com/tier";
        let of_user = Ok(Source::OfUser(dotted.to_owned()));
        assert_eq!(source(&format!("user.{dotted}")), of_user);
        assert_eq!(source("groups"), Ok(Source::Groups(GroupFilter::All)));
        assert_eq!(source("groups.staff"), some("staff"));
        assert_eq!(source("groups.orders-*"), some("orders-*"));
        let constant = |text: &str| Ok(Source::Constant(text.into()));
        assert_eq!(source("'gold'"), constant("gold"));
        assert_eq!(source("'it's'"), constant("it's"));
        assert_eq!(source("''"), constant(""));
        for name in Source::names() {
            assert!(source(name).is_ok(), "{name}");
        }
        let unknown = [
            "",
            "gold",
            "user",
            "user.",
            "user.groups",
            "groups.",
            "groups.*x",
            "client.secret",
            "grant.id",
            "Groups",
        ];
        for text in unknown {
            assert_eq!(source(text), Err(InvalidSource::Unknown), "{text}");
        }
        for text in ["'", "'gold", "'a\n'"] {
            assert_eq!(source(text), Err(InvalidSource::Constant), "{text}");
        }
    }

    #[test]
    fn a_claim_has_a_name_of_its_own() {
        let check = |carrier, name| ClaimMapping::check(carrier, name);
        for carrier in [Carrier::AccessToken, Carrier::IdToken] {
            for name in RESERVED {
                let refused = Err(InvalidMapping::Reserved(name.to_owned()));
                assert_eq!(check(carrier, name), refused);
            }
            for name in ["", "a\n"] {
                let refused = Err(InvalidMapping::Name(name.to_owned()));
                assert_eq!(check(carrier, name), refused);
            }
            for name in ["roles", "cognito:groups", "https://example.com/tier"] {
                assert_eq!(check(carrier, name), Ok(()));
            }
        }
        assert_eq!(
            check(Carrier::AccessToken, "groups"),
            Err(InvalidMapping::Groups)
        );
        assert_eq!(check(Carrier::IdToken, "groups"), Ok(()));
    }

    #[test]
    fn a_mapping_has_a_longest_length() {
        let mapping = |length: usize| {
            let claim = ("a".to_owned(), Source::Constant("x".repeat(length).into()));
            ClaimMapping::new(Carrier::AccessToken, [claim])
        };
        // The name and the quotes of the constant.
        assert!(mapping(LONGEST - 3).is_ok());
        assert_eq!(mapping(LONGEST - 2), Err(InvalidMapping::TooLong));
    }
}
