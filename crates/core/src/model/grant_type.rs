//! The grant types, by their names in the configuration and on the wire.

macro_rules! grant_types {
    ($($Grant:ident => $short:literal, $wire:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum GrantType {
            $($Grant),+
        }

        impl GrantType {
            pub const ALL: [Self; [$($short),+].len()] = [$(Self::$Grant),+];

            /// The short name in the configuration.
            #[must_use]
            pub const fn short(self) -> &'static str {
                match self { $(Self::$Grant => $short),+ }
            }

            #[must_use]
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$Grant => $wire),+ }
            }

            #[must_use]
            pub fn from_wire(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|grant| grant.wire() == name)
            }
        }
    };
}

grant_types! {
    // RFC 6749 section 4.1.
    AuthorizationCode => "authorization_code", "authorization_code";
    // RFC 6749 section 4.4.
    ClientCredentials => "client_credentials", "client_credentials";
    // RFC 8628.
    DeviceCode => "device_code", "urn:ietf:params:oauth:grant-type:device_code";
    // RFC 6749 section 6.
    RefreshToken => "refresh_token", "refresh_token";
    // RFC 8693.
    TokenExchange => "token_exchange", "urn:ietf:params:oauth:grant-type:token-exchange";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_grant_type_is_found_by_its_registered_name() {
        for grant in GrantType::ALL {
            assert_eq!(GrantType::from_wire(grant.wire()), Some(grant));
        }
        assert_eq!(GrantType::from_wire("password"), None);
    }
}
