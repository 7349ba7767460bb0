//! How long keys are needed, from the lives in the settings.

use std::time::Duration;

use grantor_core::tokens::key_life::KeyPolicy;

use grantor_config::{Client, Settings};

/// For this long another node may still sign with a key that this one retired: it reads the keys every second.
const NODE_LAG: Duration = Duration::from_secs(5);

/// How long keys are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    pub policy: KeyPolicy,
    /// The longest life of anything that a master key seals, and so how long it is needed after it was superseded.
    pub sealed: Duration,
}

impl Lives {
    /// As long as these or the others need them: what was made by those may live on. The period of rotation is of these.
    #[must_use]
    pub fn or_longer(self, other: Self) -> Self {
        Self {
            policy: KeyPolicy {
                kept: self.policy.kept.max(other.policy.kept),
                ..self.policy
            },
            sealed: self.sealed.max(other.sealed),
        }
    }
}

/// How long keys are needed by these settings.
#[must_use]
pub fn lives(settings: &Settings) -> Lives {
    let lifetimes = &settings.lifetimes;
    let longest = |of_client: fn(&Client) -> Option<Duration>, of_all: Duration| {
        let of_clients = settings.clients.iter().filter_map(of_client);
        of_clients.fold(of_all, Duration::max)
    };
    let signed = longest(|client| client.access_lifetime, lifetimes.access).max(lifetimes.id);
    // Each use of a refresh token seals a new one under the current key; without rotation it stays the same.
    let refresh = settings.clients.iter().map(|client| {
        let absolute = client
            .refresh_absolute
            .unwrap_or(lifetimes.refresh_absolute);
        let idle = client.refresh_idle.unwrap_or(lifetimes.refresh_idle);
        if client.rotation {
            idle.min(absolute)
        } else {
            absolute
        }
    });
    let sealed = [
        signed,
        refresh.fold(Duration::ZERO, Duration::max),
        longest(|client| client.device_lifetime, settings.device.lifetime),
        lifetimes.session_absolute,
    ];
    let margin = lifetimes.skew + NODE_LAG;
    Lives {
        policy: KeyPolicy {
            rotation: settings.key_rotation.period(),
            kept: signed + margin,
        },
        sealed: sealed.into_iter().fold(Duration::ZERO, Duration::max) + margin,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use grantor_config::{Environment, parse};

    fn of(tables: &str) -> Lives {
        let text = format!("issuer = \"https://id.example.com\"\n{tables}");
        lives(
            &parse(
                &text,
                "grantor.toml",
                Path::new(""),
                &Environment::default(),
            )
            .unwrap(),
        )
    }

    const DAY: u64 = 24 * 60 * 60;

    #[test]
    fn a_signing_key_is_kept_for_the_longest_token_and_what_clocks_may_be_off() {
        assert_eq!(of("").policy.kept.as_secs(), 600 + 65);
        assert_eq!(
            of("[lifetimes]\nid = \"1h\"\nskew = \"0s\"\n")
                .policy
                .kept
                .as_secs(),
            3600 + 5
        );
        let of_client = of("[[client]]\nid = \"a\"\naccess_lifetime = \"2h\"\n");
        assert_eq!(of_client.policy.kept.as_secs(), 7200 + 65);
    }

    #[test]
    fn a_master_key_opens_until_the_last_session_or_refresh_token_has_ended() {
        assert_eq!(of("").sealed.as_secs(), 7 * DAY + 65);
        let rotating = "[[client]]\nid = \"a\"\ngrants = [\"refresh_token\"]\nsecret = \"0123456789abcdefghijkl\"\n";
        assert_eq!(of(rotating).sealed.as_secs(), 30 * DAY + 65);
        let steady = format!("{rotating}rotation = false\n");
        assert_eq!(of(&steady).sealed.as_secs(), 365 * DAY + 65);
    }

    #[test]
    fn keys_rotate_each_ninety_days_or_as_it_is_set_or_never() {
        let rotation = |line: &str| of(line).policy.rotation.map(|time| time.as_secs());
        assert_eq!(rotation(""), Some(90 * DAY));
        assert_eq!(rotation("key_rotation = \"7d\"\n"), Some(7 * DAY));
        assert_eq!(rotation("key_rotation = \"0s\"\n"), None);
        assert_eq!(rotation("key_rotation = \"off\"\n"), None);
    }
}
