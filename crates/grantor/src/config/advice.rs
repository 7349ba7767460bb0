//! What works, and would better be otherwise.

use grantor_core::secret::SecretVerifier;

use super::settings::{Client, ClientSecret, Settings};

impl Settings {
    /// A sentence for each thing that an operator hardly means, for `check` and the start.
    pub fn advice(&self) -> Vec<String> {
        let proxy = self.hides_everybody().then(|| {
            "The proxy that speaks https is not in trusted_proxies: everybody seems to be 127.0.0.1, shares the limits \
             of that address, and is warned of no other network. Write trusted_proxies = [\"127.0.0.1\"] if it runs here."
                .to_owned()
        });
        let secrets = self.clients.iter().filter_map(Client::advice);
        proxy.into_iter().chain(secrets).collect()
    }

    /// Whether a proxy brings all requests, and what it says of their senders does not count.
    fn hides_everybody(&self) -> bool {
        self.issuer.starts_with("https:")
            && self.tls.is_none()
            && self.listen.ip().is_loopback()
            && self.trusted_proxies.is_empty()
    }
}

impl Client {
    fn advice(&self) -> Option<String> {
        let Some(ClientSecret::Plain(secret)) = self.credential() else {
            return None;
        };
        let least = SecretVerifier::UNGUESSABLE;
        (secret.reveal().chars().count() < least).then(|| {
            format!(
                "Client {:?}: a secret of fewer than {least} characters can be guessed. Tries are bounded, but better \
                 make one: openssl rand -hex 32",
                &*self.id
            )
        })
    }
}
