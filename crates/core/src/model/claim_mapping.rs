//! Additional token claims that the operator configures, each with a name and a source.
//!
//! [`ClaimMapping::new`] refuses the names of claims that decide about tokens, so no mapping can change a token's
//! audience, lifetime or actor.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::model::claims_request::{self, UserFacts};
use crate::model::group_filter::{GroupFilter, GroupPattern};
use crate::model::ids::{ClientId, SessionId};
use crate::model::scope::Scope;

/// Claims that specifications define for tokens and introspection responses.
#[rustfmt::skip]
const RESERVED: [&str; 32] = [
    // RFC 7519 section 4.1, RFC 9068 section 2.2
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "auth_time", "acr", "amr",
    // OpenID Connect Core sections 2, 3.3.2.11 and 5.6.2, Front- and Back-Channel Logout
    "azp", "nonce", "at_hash", "c_hash", "s_hash", "_claim_names", "_claim_sources", "sid", "events",
    // RFC 8693 section 4: delegation
    "act", "may_act",
    // RFC 7800 section 3.1, RFC 9449 section 4.2: key binding
    "cnf", "htm", "htu", "ath", "sub_jwk",
    // RFC 9396 section 9, RFC 9493 section 4.1
    "authorization_details", "sub_id",
    // RFC 7662 section 2.2
    "active", "token_type",
];

/// The maximum total length of the names and constants of one mapping.
const MAX_MAPPING_BYTES: usize = 2048;

/// Whether neither mappings nor users may set this claim.
#[must_use]
pub fn is_reserved(claim: &str) -> bool {
    RESERVED.contains(&claim)
}

/// The kind of token that a mapping is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The access tokens of a resource, which have their own setting for `groups` (RFC 9068 section 2.2.3.1).
    AccessToken,
    IdToken,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimMapping(Vec<(String, Source)>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMapping {
    /// Not usable as a claim name.
    #[error("{0:?} is not a valid claim name")]
    Name(String),
    /// Defined by the server or another specification.
    #[error("the claim {0:?} is reserved: the server sets it, or other specifications define it")]
    Reserved(String),
    #[error("the claim \"groups\" is set by groups = true, false or a list of groups")]
    Groups,
    /// Tokens are sent with every request, so their size is limited.
    #[error("is too long: names and constants may have at most {MAX_MAPPING_BYTES} bytes in total")]
    TooLong,
}

impl ClaimMapping {
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
        match length <= MAX_MAPPING_BYTES {
            true => Ok(mapping),
            false => Err(InvalidMapping::TooLong),
        }
    }

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

    /// The claims of an ID token: without those whose scope is not in `scope`, and, of those that no scope stands for,
    /// without what is not `disclosed`.
    #[must_use]
    pub fn claims_within(
        &self,
        scope: &Scope,
        disclosed: Option<&[String]>,
        from: &ClaimSources<'_>,
    ) -> Map<String, Value> {
        let claims = self.0.iter();
        let allowed = claims.filter(|(name, source)| {
            let agreed = |what: &str| disclosed.is_none_or(|all| all.iter().any(|one| one == what));
            match source.needed_scope(name) {
                Some(needed) => scope.contains(needed),
                None => source.of_user().is_none_or(agreed),
            }
        });
        allowed
            .filter_map(|(name, source)| Some((name.clone(), source.value(from)?)))
            .collect()
    }

    /// What the claims disclose of a user that no scope stands for, by the names of their sources.
    #[must_use]
    pub fn disclosed_without_scope(&self) -> Vec<&str> {
        let claims = self.0.iter();
        let open = claims.filter(|(name, source)| source.needed_scope(name).is_none());
        let mut names: Vec<&str> = open.filter_map(|(_, source)| source.of_user()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The names of the claims.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(claim, _)| claim == name)
    }

    /// Whether a claim of this name says something about the user.
    #[must_use]
    pub fn is_of_user(&self, name: &str) -> bool {
        let mut claims = self.0.iter();
        claims.any(|(claim, source)| claim == name && source.of_user().is_some())
    }

    /// The claims of one token. Claims without a value are omitted.
    #[must_use]
    pub fn mapped_claims(&self, from: &ClaimSources<'_>) -> Map<String, Value> {
        let claims = self.0.iter();
        claims
            .filter_map(|(name, source)| Some((name.clone(), source.value(from)?)))
            .collect()
    }
}

/// The input of a claim mapping for one token.
#[derive(Clone, Copy, Debug)]
pub struct ClaimSources<'a> {
    /// The user, for a token of one of our users.
    pub user: Option<UserFacts<'a>>,
    /// The client that the token is issued to.
    pub client_id: &'a ClientId,
    pub client_name: &'a str,
    pub grant: Option<GrantFacts<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub struct GrantFacts<'a> {
    /// `device_code`, `authorization_code` or `token_exchange`.
    pub kind: &'static str,
    /// `None` until a user decided, and after revocation.
    pub sign_in: Option<SignInFacts<'a>>,
}

/// How and when the user of a grant signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignInFacts<'a> {
    /// Seconds since the epoch.
    pub auth_time: u64,
    /// RFC 8176.
    pub amr: &'a [String],
    pub session: Option<SessionId>,
}

impl ClaimSources<'_> {
    fn sign_in(&self) -> Option<SignInFacts<'_>> {
        self.grant?.sign_in
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The name that the user signs in with.
    Username,
    /// One of the user's claims, including `email`.
    UserClaim(String),
    Groups(GroupFilter),
    ClientId,
    ClientName,
    /// `device_code`, `authorization_code` or `token_exchange`.
    GrantKind,
    /// When the user signed in, in seconds since the epoch.
    AuthTime,
    /// How the user signed in (RFC 8176).
    Amr,
    Session,
    /// The same value in every token.
    Constant(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    #[error("is not a source")]
    Unknown,
    /// An opening quote without a closing one, or control characters.
    #[error("is not a constant, which is written in quotes: \"'gold'\"")]
    Constant,
}

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
    /// The fixed names, without those of user claims and groups.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        NAMED.iter().map(|(name, _)| *name).chain(["user.email"])
    }

    /// The scope without which an ID token may not have it under this name. Groups under another name have none: a client
    /// that wants them so cannot ask for `groups`.
    #[must_use]
    pub fn needed_scope(&self, name: &str) -> Option<&'static str> {
        match self {
            Self::Username => claims_request::scope_of_claim("preferred_username"),
            Self::UserClaim(claim) => claims_request::scope_of_claim(claim),
            Self::Groups(_) => (name == "groups").then_some("groups"),
            _ => None,
        }
    }

    /// What it tells of the user.
    fn of_user(&self) -> Option<&str> {
        match self {
            Self::Username => Some("username"),
            Self::UserClaim(claim) => Some(claim),
            Self::Groups(_) => Some("groups"),
            _ => None,
        }
    }

    /// The length of a constant in bytes.
    fn length(&self) -> usize {
        match self {
            Self::Constant(value) => value.to_string().len(),
            _ => 0,
        }
    }

    fn value(&self, from: &ClaimSources<'_>) -> Option<Value> {
        match self {
            Self::Username => Some(from.user?.username.into()),
            Self::UserClaim(name) => claims_request::claim(from.user?, name),
            Self::Groups(filter) => non_empty(filter.apply(from.user?.groups)),
            Self::ClientId => Some(from.client_id.to_string().into()),
            Self::ClientName => Some(from.client_name.into()),
            Self::GrantKind => Some(from.grant?.kind.into()),
            Self::AuthTime => Some(from.sign_in()?.auth_time.into()),
            Self::Amr => non_empty(from.sign_in()?.amr.to_vec()),
            Self::Session => Some(from.sign_in()?.session?.to_string().into()),
            Self::Constant(value) => Some(value.clone()),
        }
        .filter(|value| !value.is_null())
    }
}

fn non_empty(values: Vec<String>) -> Option<Value> {
    (!values.is_empty()).then(|| values.into())
}

/// `user.NAME`, `groups`, `groups.NAME`, `groups.PREFIX*`, one of [`Source::names`], or a quoted constant.
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
            // Groups have their own source.
            Some(("user", "groups")) => Err(InvalidSource::Unknown),
            Some(("user", claim)) if is_name(claim) => Ok(Self::UserClaim(claim.to_owned())),
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
    fn sources_are_parsed() {
        let source = |text: &str| text.parse::<Source>();
        let some = |pattern: &str| {
            let pattern = pattern.parse().unwrap();
            Ok(Source::Groups(GroupFilter::Only(vec![pattern])))
        };
        assert_eq!(source("user.username"), Ok(Source::Username));
        assert_eq!(source("user.email"), Ok(Source::UserClaim("email".into())));
        let dotted = "https://example.com/tier";
        let of_user = Ok(Source::UserClaim(dotted.to_owned()));
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
    fn reserved_and_malformed_claim_names_are_refused() {
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
    fn the_length_of_a_mapping_is_limited() {
        let mapping = |length: usize| {
            let claim = ("a".to_owned(), Source::Constant("x".repeat(length).into()));
            ClaimMapping::new(Carrier::AccessToken, [claim])
        };
        // Three bytes: the name and the quotes around the constant.
        assert!(mapping(MAX_MAPPING_BYTES - 3).is_ok());
        assert_eq!(mapping(MAX_MAPPING_BYTES - 2), Err(InvalidMapping::TooLong));
    }
}
