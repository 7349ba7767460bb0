//! The settings as the core checks them.

use std::collections::BTreeMap;

use grantor_core::base::secret::Secret;
use grantor_core::model::checks::{
    ClientSpec, DeviceSpec, ExchangeSpec, Given, KnownClients, LifetimesSpec, OrganizationSpec,
    PlainScopeSpec, Problem, RealmSpec, ResourceSpec, TrustedIssuerSpec, UserSpec,
};

use super::link::UserLink;
use super::names::Pkce;
use super::place::Place;
use super::read::Reader;
use super::secret::SecretFile;
use super::settings::{Client, Exchange, PlainScope, Resource, Settings, TrustedIssuer, User};

impl Settings {
    /// What is checked together, with the members that `reader` found.
    pub(super) fn realm_spec(&self, reader: &Reader<'_>) -> RealmSpec<'_> {
        self.spec(|table, row| reader.keys(&Place::root().key(table).row(row)))
    }

    /// What is wrong with settings that were read one by one, and then put together.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Problem> {
        self.spec(|table, row| self.given_alone(table, row))
            .problems()
    }

    /// Of what was read already, and is only compared with others.
    fn given_alone(&self, table: &str, row: usize) -> Given {
        let secrets = |client: &Client| match client.is_public() {
            true => Given::default(),
            false => Given::from_iter(["secret"]),
        };
        let ids = |user: &User| user.id.map(|_| "id").into_iter().collect();
        match table {
            "client" => self.clients.get(row).map(secrets).unwrap_or_default(),
            "user" => self.users.get(row).map(ids).unwrap_or_default(),
            _ => Given::default(),
        }
    }

    /// The same with managed rows of tables, of which `given` says what was written.
    pub(super) fn problems_among(
        &self,
        rows: &BTreeMap<(&'static str, usize), Given>,
        is_managed_client: &dyn Fn(&str) -> bool,
    ) -> Vec<Problem> {
        let spec = self.spec(|table, row| {
            let managed = rows
                .iter()
                .find(|((of, index), _)| *of == table && *index == row);
            let managed = managed.map(|(_, given)| given.clone());
            managed.unwrap_or_else(|| self.given_alone(table, row))
        });
        let spec = RealmSpec {
            managed_clients: KnownClients(Some(is_managed_client)),
            ..spec
        };
        spec.problems()
    }

    /// What is wrong with a client beside those of the file.
    pub(super) fn problems_of_client(
        &self,
        client: &Client,
        given: Given,
        is_managed_client: &dyn Fn(&str) -> bool,
    ) -> Vec<Problem> {
        let spec = RealmSpec {
            managed_clients: KnownClients(Some(is_managed_client)),
            ..self.spec(|table, row| self.given_alone(table, row))
        };
        // Which have an owner, the file does not know: without one, the client is there for no one.
        let has_owner = true;
        spec.problems_of_client(&ClientSpec {
            has_owner,
            // Whether it is there, the store knows.
            organization: None,
            ..client.spec(given)
        })
    }

    fn spec(&self, given: impl Fn(&str, usize) -> Given) -> RealmSpec<'_> {
        let lifetimes = &self.lifetimes;
        RealmSpec {
            issuer: &self.issuer,
            allows_http_logout: self.issuer.is_loopback() || self.test.loopback,
            lifetimes: LifetimesSpec {
                access: lifetimes.access,
                id: lifetimes.id,
                code: lifetimes.code,
                refresh_idle: lifetimes.refresh_idle,
                refresh_absolute: lifetimes.refresh_absolute,
                session_idle: lifetimes.session_idle,
                session_absolute: lifetimes.session_absolute,
            },
            device: DeviceSpec {
                lifetime: self.device.lifetime,
                interval: self.device.interval,
            },
            resources: self.resources.iter().map(Resource::spec).collect(),
            scopes: self.scopes.iter().map(PlainScope::spec).collect(),
            organizations: self
                .organizations
                .iter()
                .map(|it| OrganizationSpec { id: &it.id })
                .collect(),
            clients: numbered(&self.clients, |row, it| it.spec(given("client", row))),
            exchanges: numbered(&self.exchanges, |row, it| it.spec(given("exchange", row))),
            trusted_issuers: self
                .trusted_issuers
                .iter()
                .map(TrustedIssuer::spec)
                .collect(),
            managed_clients: KnownClients::default(),
            users: numbered(&self.users, |row, it| it.spec(given("user", row))),
        }
    }
}

fn numbered<'a, T, S>(items: &'a [T], spec: impl Fn(usize, &'a T) -> S) -> Vec<S> {
    let items = items.iter().enumerate();
    items.map(|(index, item)| spec(index, item)).collect()
}

impl Resource {
    fn spec(&self) -> ResourceSpec<'_> {
        ResourceSpec {
            identifier: &self.identifier,
            uri: self.uri.as_deref(),
            scopes: self.scopes.keys().map(String::as_str).collect(),
            lifetime: self.lifetime,
            claims: &self.claims,
        }
    }
}

impl PlainScope {
    fn spec(&self) -> PlainScopeSpec<'_> {
        PlainScopeSpec {
            name: &self.name,
            resource: self.resource.as_deref(),
            claims: &self.claims,
            gives: &self.gives,
        }
    }
}

impl Client {
    /// Each with the member that gives it.
    fn plain_secrets(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let one = self.secret_env.as_slice();
        let several = self.secrets_env.as_deref().unwrap_or_default();
        let [one, several] = [("secret_env", one), ("secrets_env", several)]
            .map(|(key, variables)| variables.iter().map(move |it| (key, it.secret())));
        let file = self.secret_file.iter().flat_map(SecretFile::secrets);
        let secret = self.secret.iter().map(|secret| ("secret", secret));
        let file = file.map(|secret| ("secret_file", secret));
        secret.chain(one).chain(several).chain(file)
    }

    fn spec(&self, given: Given) -> ClientSpec<'_> {
        ClientSpec {
            given,
            id: &self.id,
            secrets: self.plain_secrets().collect(),
            auth: self.auth,
            grants: &self.grants,
            scopes: &self.scopes,
            default_scopes: self.default_scopes.as_deref(),
            resources: &self.resources,
            redirect_uris: &self.redirect_uris,
            post_logout_redirect_uris: &self.post_logout_redirect_uris,
            backchannel_logout_uri: self.backchannel_logout_uri.as_ref(),
            access_lifetime: self.access_lifetime,
            refresh_idle: self.refresh_idle,
            refresh_absolute: self.refresh_absolute,
            grace: self.grace,
            device_lifetime: self.device_lifetime,
            device_approval_max_age: self.device_approval_max_age,
            rotation: self.rotation,
            pkce_required: self.pkce == Pkce::Required,
            id_claims: &self.id_claims,
            may_act: self.may_act.as_ref(),
            organization: self.organization.as_ref(),
            availability: self.availability,
            has_owner: false,
        }
    }
}

impl Exchange {
    fn spec(&self, given: Given) -> ExchangeSpec<'_> {
        ExchangeSpec {
            given,
            name: self.name.as_deref(),
            client: &self.client,
            audience: &self.audience,
            scopes: &self.scopes,
            subject_tokens: self.effective_subject_tokens(),
            subject_clients: &self.subject_clients,
            subject_groups: &self.subject_groups,
            subject_audience: &self.subject_audience,
            subject_issuer: self.subject_issuer.as_deref(),
            gives: &self.gives,
            require_actor_token: self.require_actor_token,
            actor_issuer: self.actor_issuer.as_deref(),
            require_may_act: self.require_may_act,
            impersonation: self.impersonation,
            tokens: self.effective_tokens(),
            max_depth: self.max_depth.get(),
            lifetime: self.lifetime,
        }
    }
}

impl TrustedIssuer {
    fn spec(&self) -> TrustedIssuerSpec<'_> {
        TrustedIssuerSpec {
            issuer: self.issuer.as_str(),
            algorithms: self.algorithms.as_deref(),
            user_claim: self.user_claim.as_deref(),
            max_age: self.max_age,
        }
    }
}

impl User {
    pub(super) fn spec(&self, given: Given) -> UserSpec<'_> {
        UserSpec {
            given,
            username: &self.username,
            id: self.id,
            password: self.password.as_ref(),
            email: self.email.as_deref(),
            claims: &self.claims,
            organization: self.organization.as_ref(),
            links: self.links.iter().map(UserLink::spec).collect(),
        }
    }
}
