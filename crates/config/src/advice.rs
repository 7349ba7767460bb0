//! Advice on settings that are valid and probably a mistake.

use std::net::IpAddr;

use grantor_core::model::checks::{Given, shared_addresses};
use grantor_core::model::client::ConsentPolicy;
use grantor_core::model::credentials::NewPassword;
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::grant_type::GrantType;
use grantor_core::model::password_hash::{Cost, StoredHash};
use grantor_core::model::redirect_uri::RedirectUri;
use grantor_core::model::server_url::is_loopback_address;
use ipnet::IpNet;

use super::names::Pkce;
use super::secret::SecretFile;
use super::settings::{Client, Exchange, Settings, Test, User, UserPassword};

impl Settings {
    /// A sentence for each setting that is probably a mistake, for `check` and the start.
    pub fn advice(&self) -> Vec<String> {
        let proxy = self.hides_clients().then(|| {
            "The proxy that speaks https is not in trusted_proxies: every client seems to be 127.0.0.1, shares the limits \
             of that address, and is warned of no other network. Write trusted_proxies = [\"127.0.0.1\"] if it runs here."
                .to_owned()
        });
        let clients = self.clients.iter().flat_map(Client::advice);
        proxy
            .into_iter()
            .chain(self.exposure_advice())
            .chain(self.test.advice())
            .chain(clients)
            .chain(self.users.iter().flat_map(User::advice))
            .chain(self.address_advice())
            .chain(self.exchange_advice())
            .chain(self.claims_advice())
            .collect()
    }

    /// Settings that let strangers in: at the admin listener, or as proxies whose word counts.
    fn exposure_advice(&self) -> impl Iterator<Item = String> {
        let proxies = self.trusted_proxies.iter().filter(|net| is_wide(net));
        let proxies = proxies.map(|net| {
            format!(
                "trusted_proxies has {net}: whoever connects from there says what address they come from, and so escapes \
                 all limits. Name the addresses of your proxies."
            )
        });
        let admin = self.admin_listen.filter(|address| is_public(address.ip()));
        let admin = admin.map(|address| {
            format!(
                "admin_listen is {address}: whoever can reach it reads the metrics without a password. Better give an \
                 address that only your monitoring reaches."
            )
        });
        proxies.chain(admin)
    }

    /// A sentence for each address that several users have.
    fn address_advice(&self) -> impl Iterator<Item = String> {
        let specs: Vec<_> = self
            .users
            .iter()
            .map(|user| user.spec(Given::default()))
            .collect();
        shared_addresses(&specs).into_iter().map(|(address, users)| {
            let users: Vec<_> = users.iter().map(|user| format!("{user:?}")).collect();
            format!(
                "The address {address:?} is that of the users {}: it signs nobody in, so each signs in with the username.",
                users.join(", ")
            )
        })
    }

    /// Whether the text of the file itself holds something secret: passwords, their hashes, client secrets.
    #[must_use]
    pub fn holds_secrets(&self) -> bool {
        self.users.iter().any(|user| user.credential().is_some())
            || self.clients.iter().any(|client| client.secret.is_some())
    }

    /// Settings of token exchange that have no effect.
    fn exchange_advice(&self) -> impl Iterator<Item = String> {
        let rules = &self.exchanges;
        let idle = self.clients.iter().filter(|client| {
            let exchanges = client.grants.contains(&GrantType::TokenExchange);
            exchanges && !rules.iter().any(|rule| rule.client == client.id)
        });
        let idle = idle.map(|client| {
            format!(
                "Client {:?}: it has the grant token_exchange, and no [[exchange]] rule: it can exchange nothing.",
                client.id.as_str()
            )
        });
        let unused_issuers = self.trusted_issuers.iter().filter(|trusted| {
            let issuer = Some(trusted.issuer.as_str());
            let names = |rule: &Exchange| {
                [&rule.subject_issuer, &rule.actor_issuer].map(|name| name.as_deref() == issuer)
            };
            !rules.iter().flat_map(names).any(|is| is)
        });
        let unused_issuers = unused_issuers.map(|trusted| {
            format!(
                "Trusted issuer {:?}: no [[exchange]] rule takes its tokens.",
                trusted.issuer.as_str()
            )
        });
        let names = self.exchange_names();
        let out_of_reach = rules.iter().zip(names).flat_map(|(rule, name)| {
            let scopes = rule.scopes.keys();
            let lost = scopes.filter(|scope| self.is_out_of_reach(rule, scope));
            lost.map(move |scope| {
                format!(
                    "Exchange rule {name:?}: tokens with {scope:?} are for an API that is none of the client's \
                     resources, and not in subject_audience, so they are not taken."
                )
            })
        });
        idle.chain(unused_issuers).chain(out_of_reach)
    }

    /// Whether the rule can never get a token with this scope: its API is neither the client's nor named, and the client
    /// gets no such token itself.
    fn is_out_of_reach(&self, rule: &Exchange, scope: &str) -> bool {
        let mut plain = self.scopes.iter();
        let identifier = match plain.find(|it| *it.name == *scope) {
            Some(plain) => plain.resource.as_deref().unwrap_or_default(),
            None => scope.rsplit_once('/').unwrap_or_default().0,
        };
        let (Some(client), Some(resource)) =
            (self.client(rule.client.as_str()), self.resource(identifier))
        else {
            return false;
        };
        let is = |name: &str| name == resource.audience() || *name == *resource.identifier;
        let mut others = self.exchanges.iter();
        let gets_itself = client.scopes.iter().any(|own| **own == *scope)
            || others.any(|other| other.client == rule.client && is(&other.audience));
        let is_taken = client.resources.iter().any(|name| is(name))
            || rule.subject_audience.iter().any(|name| is(name));
        rule.effective_subject_tokens() == [TokenKind::AccessToken] && !gets_itself && !is_taken
    }

    /// Whether all requests come through a proxy that is not trusted.
    fn hides_clients(&self) -> bool {
        self.issuer.starts_with("https:")
            && self.tls.is_none()
            && is_loopback_address(self.listen.ip())
            && self.trusted_proxies.is_empty()
    }
}

/// Whether a network is larger than any that one operator runs: 10.0.0.0/8 and fc00::/7 are the largest private ones.
fn is_wide(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.prefix_len() < 8,
        IpNet::V6(net) => net.prefix_len() < 16 && !net.addr().is_unique_local(),
    }
}

/// Whether an address is that of all interfaces, or one of the internet.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

impl Test {
    /// A sentence for each setting that is not at its default.
    fn advice(&self) -> impl Iterator<Item = String> {
        let extra_ca = self.extra_ca.as_ref().map(|file| {
            format!(
                "For tests only: test.extra_ca is set, so certificates that {} signed are trusted.",
                file.display()
            )
        });
        let loopback = self.loopback.then(|| {
            "For tests only: test.loopback is set, so this server asks others on its own machine, by plain http too."
                .to_owned()
        });
        let passwords = self.wrong_passwords.map(|limit| {
            format!(
                "For tests only: test.wrong_passwords lets {limit} wrong passwords an hour through."
            )
        });
        extra_ca.into_iter().chain(loopback).chain(passwords)
    }
}

impl Client {
    fn advice(&self) -> impl Iterator<Item = String> {
        let others = [self.consent_advice(), self.pkce_advice()];
        self.secret_advice()
            .chain(others.into_iter().flatten())
            .chain(self.redirect_advice())
            .map(|sentence| format!("Client {:?}: {sentence}", self.id.as_str()))
    }

    /// A sentence for each weak secret.
    fn secret_advice(&self) -> impl Iterator<Item = String> {
        let several = self.secrets_env.iter().flatten();
        let variables = self.secret_env.iter().chain(several);
        let variables =
            variables.map(|it| (it.secret(), format!(" in the variable {}", it.variable())));
        let file = self.secret_file.iter().flat_map(SecretFile::secrets);
        let file = file.zip(1_usize..);
        let file =
            file.map(|(secret, number)| (secret, format!(" number {number} in secret_file")));
        let plain = self.secret.iter().map(|secret| (secret, String::new()));
        let weak = plain.chain(variables).chain(file);
        let weak = weak.filter(|(secret, _)| secret.is_weak());
        weak.map(|(_, which)| {
            format!(
                "the secret{which} can be guessed: it is short, repeats itself or follows a pattern. Tries are bounded, \
                 but better make one: openssl rand -hex 32"
            )
        })
    }

    /// RFC 8252 section 8.6: "the authorization server SHOULD NOT process authorization requests automatically without user
    /// consent or interaction, except when the identity of the client can be assured."
    fn consent_advice(&self) -> Option<String> {
        let anybodys = |uri: &&RedirectUri| !uri.as_str().starts_with("https:");
        let uri = self.redirect_uris.iter().find(anybodys)?;
        (self.consent == ConsentPolicy::Skip && self.is_public()).then(|| {
            format!(
                "consent = \"skip\" without a secret, and any program can receive what goes to {uri}: it would get \
                 tokens of any user who is signed in, without asking. Better let it ask."
            )
        })
    }

    /// RFC 8252 section 8.4: "any private-use URI scheme that doesn't contain at least one period character (".") SHOULD be
    /// rejected". Apps that people use have such schemes, so the operator decides.
    fn redirect_advice(&self) -> impl Iterator<Item = String> {
        let undotted = self
            .redirect_uris
            .iter()
            .filter_map(RedirectUri::undotted_scheme);
        let undotted = undotted.map(|scheme| {
            format!(
                "any app can take the scheme of {scheme}: for its own, as no domain is in it. Better have the app use \
                 https, http://127.0.0.1, or a domain of its maker backwards, such as com.example.app:"
            )
        });
        let after_sign_out = self.post_logout_redirect_uris.iter();
        let patterns = self.redirect_uris.iter().chain(after_sign_out);
        let patterns = patterns.filter(|uri| uri.as_str().contains('*'));
        let patterns = patterns.map(|uri| {
            format!("{uri} is compared as text, so its * is no wildcard. Write each address.")
        });
        undotted.chain(patterns)
    }

    /// RFC 9700 section 2.1.1: for confidential clients "the use of PKCE … is RECOMMENDED".
    fn pkce_advice(&self) -> Option<String> {
        (self.pkce == Pkce::Optional).then(|| {
            "pkce = \"optional\" leaves it to the client to notice a code that is not its own. Better have it use PKCE."
                .to_owned()
        })
    }
}

impl User {
    fn advice(&self) -> Option<String> {
        let sentence = match self.credential()? {
            // Hashed only by those who may be given it: the file's author may write a shorter one, for tests.
            UserPassword::Plain(password) => NewPassword::new(password.clone()).err().map(|why| {
                format!("the password {why}, so it is easily guessed. Better give a longer one.")
            }),
            UserPassword::Hash(hash) => {
                let hash = StoredHash::parse(hash.secret().reveal()).ok()?;
                cost_advice(hash.cost())
            }
        };
        sentence.map(|sentence| format!("User {:?}: {sentence}", self.username.as_str()))
    }
}

fn cost_advice(cost: Cost) -> Option<String> {
    let Cost { memory_kib, passes } = cost;
    if cost.is_below_minimum() {
        let Cost {
            memory_kib: memory,
            passes: least,
        } = Cost::NEW;
        return Some(format!(
            "password_hash has m={memory_kib},t={passes}, below OWASP's minimum for Argon2id (m={memory},t={least}). The \
             store gets a better one at the next sign-in; better write one of `grantor hash-password` here, too."
        ));
    }
    let times = cost.blocks() / Cost::NEW.blocks();
    (times >= 8).then(|| {
        format!(
            "password_hash has m={memory_kib},t={passes}, and costs {times} times what others do. So that time tells \
             nothing, every sign-in of anyone takes as long."
        )
    })
}
