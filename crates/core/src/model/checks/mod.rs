//! Checks of what an operator declares: values that are valid alone, but not together.
//!
//! They are pure and yield a [`Problem`] with a JSON pointer. The reader of the file adds file and line. An API that takes
//! the same objects as JSON can answer the problems as they are. The members are called as in the file.

mod client;
mod device;
mod exchange;
mod organization;
mod plain_scope;
mod problem;
mod resource;
mod scopes;
mod trusted_issuer;
mod user;

use std::collections::BTreeSet;
use std::fmt;

pub use client::ClientSpec;
pub use device::{DeviceSpec, LifetimesSpec};
pub use exchange::ExchangeSpec;
pub use organization::OrganizationSpec;
pub use plain_scope::PlainScopeSpec;
pub use problem::{Pointer, PointerStep, Problem, UnknownName};
pub use resource::ResourceSpec;
pub use trusted_issuer::TrustedIssuerSpec;
pub use user::{LinkSpec, UserSpec, is_user_claim, shared_addresses};

use problem::{Problems, at};
use scopes::Scopes;

/// All that is declared together, and so checked together.
#[derive(Clone, Debug)]
pub struct RealmSpec<'a> {
    pub issuer: &'a str,
    /// Whether sessions' ends may be reported by plain http to an app on this machine.
    pub allows_http_logout: bool,
    pub lifetimes: LifetimesSpec,
    pub device: DeviceSpec,
    pub resources: Vec<ResourceSpec<'a>>,
    pub scopes: Vec<PlainScopeSpec<'a>>,
    pub organizations: Vec<OrganizationSpec<'a>>,
    pub clients: Vec<ClientSpec<'a>>,
    pub exchanges: Vec<ExchangeSpec<'a>>,
    pub trusted_issuers: Vec<TrustedIssuerSpec<'a>>,
    pub users: Vec<UserSpec<'a>>,
    pub managed_clients: KnownClients<'a>,
}

/// The clients that are kept in the store, by their ids.
#[derive(Clone, Copy, Default)]
pub struct KnownClients<'a>(pub Option<&'a dyn Fn(&str) -> bool>);

impl KnownClients<'_> {
    fn has(self, id: &str) -> bool {
        self.0.is_some_and(|has| has(id))
    }
}

impl fmt::Debug for KnownClients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownClients")
    }
}

/// The members of an object that were written, also where their value was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(BTreeSet<String>);

impl Given {
    fn has(&self, key: &str) -> bool {
        self.0.contains(key)
    }
}

impl<S: Into<String>> FromIterator<S> for Given {
    fn from_iter<I: IntoIterator<Item = S>>(keys: I) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }
}

impl RealmSpec<'_> {
    /// All problems. Of several at one pointer, the others may be consequences of the first.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.nest(at("lifetimes"), self.lifetimes.problems());
        problems.nest(at("device"), self.device.problems());

        resource::check_audiences(self, &mut problems);
        let identifiers = self.resources.iter().map(|resource| resource.identifier);
        problems.unique("resource", "identifier", identifiers);
        for (index, resource) in self.resources.iter().enumerate() {
            problems.nest(at("resource").index(index), resource.problems());
        }

        let names = self.scopes.iter().map(|scope| scope.name);
        problems.unique("scope", "name", names);
        for (index, scope) in self.scopes.iter().enumerate() {
            problems.nest(at("scope").index(index), scope.problems(self));
        }

        let ids = self.organizations.iter().map(|it| it.id.as_str());
        problems.unique("organization", "id", ids);

        let scopes = Scopes::new(&self.resources, &self.scopes);
        let ids = self.clients.iter().map(|client| client.id.as_str());
        problems.unique("client", "id", ids);
        for (index, client) in self.clients.iter().enumerate() {
            let found = client.problems(self, &scopes);
            problems.nest(at("client").index(index), found);
        }

        let names = self.exchanges.iter().map(|rule| rule.name.unwrap_or(""));
        problems.unique("exchange", "name", names);
        for (index, rule) in self.exchanges.iter().enumerate() {
            let found = rule.problems(self, &scopes);
            problems.nest(at("exchange").index(index), found);
        }

        let issuers = self.trusted_issuers.iter().map(|trusted| trusted.issuer);
        problems.unique("trusted_issuer", "issuer", issuers);
        for (index, trusted) in self.trusted_issuers.iter().enumerate() {
            let found = trusted.problems(self.issuer);
            problems.nest(at("trusted_issuer").index(index), found);
        }

        user::check_unique(&self.users, &mut problems);
        user::check_links(self, &mut problems);
        for (index, user) in self.users.iter().enumerate() {
            problems.nest(at("user").index(index), user.problems());
            let found = organization::problems(self, user.organization);
            problems.nest(at("user").index(index), found);
        }
        problems.into_vec()
    }

    /// What is wrong with a client that is not among those declared.
    #[must_use]
    pub fn problems_of_client(&self, client: &ClientSpec<'_>) -> Vec<Problem> {
        client.problems(self, &Scopes::new(&self.resources, &self.scopes))
    }

    fn client(&self, id: &str) -> Option<&ClientSpec<'_>> {
        self.clients.iter().find(|client| client.id.as_str() == id)
    }

    /// The resource of this uri or identifier.
    fn resource(&self, name: &str) -> Option<&ResourceSpec<'_>> {
        let mut resources = self.resources.iter();
        resources.find(|resource| resource.audience() == name || resource.identifier == name)
    }

    fn client_ids(&self) -> impl Iterator<Item = &str> {
        self.clients.iter().map(|client| client.id.as_str())
    }
}

#[cfg(test)]
mod tests;
