//! The grant types, by their names in the configuration and on the wire.

/// A grant type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantType {
    /// RFC 6749 section 4.1.
    AuthorizationCode,
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 8628.
    DeviceCode,
    /// RFC 6749 section 6.
    RefreshToken,
    /// RFC 8693.
    TokenExchange,
}

const NAMES: [(GrantType, &str, &str); 5] = [
    (
        GrantType::AuthorizationCode,
        "authorization_code",
        "authorization_code",
    ),
    (
        GrantType::ClientCredentials,
        "client_credentials",
        "client_credentials",
    ),
    (
        GrantType::DeviceCode,
        "device_code",
        "urn:ietf:params:oauth:grant-type:device_code",
    ),
    (GrantType::RefreshToken, "refresh_token", "refresh_token"),
    (
        GrantType::TokenExchange,
        "token_exchange",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ),
];

impl GrantType {
    /// Every grant type.
    pub const ALL: [Self; 5] = [
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::RefreshToken,
        Self::TokenExchange,
    ];

    /// Its short name in the configuration.
    #[must_use]
    pub const fn short(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// The registered name.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// The grant with this short name in the configuration.
    #[must_use]
    pub fn from_short(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, short, _)| *short == name)
            .map(|(grant, ..)| *grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_stand_in_the_order_of_the_grants() {
        for (at, (grant, short, _)) in NAMES.iter().enumerate() {
            assert_eq!(*grant as usize, at);
            assert_eq!(GrantType::from_short(short), Some(*grant));
            assert_eq!((GrantType::ALL[at], grant.short()), (*grant, *short));
        }
    }
}
