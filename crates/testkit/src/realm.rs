//! Realms: the standard one, changed by what a test is about.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use grantor_core::model::claim_mapping::ClaimMapping;
use grantor_core::model::client::Client;
use grantor_core::model::declared_scope::DeclaredScope;
use grantor_core::model::dialects::Dialects;
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::managed::Managed;
use grantor_core::model::realm::{
    AccessLimits, CookieLife, DeviceSettings, Lifetimes, Realm, SignInLimits, TokenSet,
};
use grantor_core::model::requested_scope::UnknownScopes;
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::resource_uri::NormalUri;
use grantor_core::model::right::ApiSettings;
use grantor_core::model::user_code::UserCodeFormat;
use grantor_jose::Algorithm;

use crate::{Spans as _, clients, key_set, sealing};

pub const ISSUER: &str = "https://id.example.com";

/// Builds a realm.
#[derive(Debug)]
pub struct RealmBuilder(Realm);

impl RealmBuilder {
    /// A realm with keys and lifetimes, without clients and resources.
    pub fn empty() -> Self {
        Self(Realm {
            name: "default".to_owned(),
            issuer: ISSUER.to_owned(),
            sealing: sealing(),
            signing: key_set().clone().into(),
            clients: HashMap::new(),
            managed: Managed::none(),
            resources: Vec::new(),
            plain_scopes: BTreeMap::new(),
            organizations: HashMap::new(),
            exchange: Vec::new(),
            trusted_issuers: Vec::new(),
            unknown_scopes: UnknownScopes::Ignore,
            dialects: Dialects::default(),
            access_token_alg: Algorithm::Es256,
            lifetimes: Lifetimes {
                id: 10.mins(),
                session_idle: 8.h(),
                session_absolute: 7.days(),
                session_cookie: CookieLife::Browser,
            },
            device: DeviceSettings {
                interval: 5.s(),
                user_code: UserCodeFormat::new("B", 8).expect("the default format"),
                max_pending: 100_000,
                longest_lifetime: 10.mins(),
                max_pending_per_address: 1000,
                tokens: TokenSet {
                    access: true,
                    id: true,
                    refresh: true,
                },
            },
            sign_in: SignInLimits::default(),
            access: AccessLimits::default(),
            api: ApiSettings::default(),
            declared_users: Arc::default(),
            nodes: 1,
        })
    }

    /// The realm that tests share: the clients of [`clients`], `orders.example.com` with JWTs and `files.example.com`
    /// with sealed tokens.
    pub fn standard() -> Self {
        let orders = resource(
            "orders.example.com",
            Some("https://orders.example.com"),
            &[("read", "Read orders"), ("write", "Change orders")],
            TokenForm::Jwt(Algorithm::Es256),
        );
        let files = resource(
            "files.example.com",
            None,
            &[("read", "Read files")],
            TokenForm::Sealed,
        );
        let realm = Self::empty().resource(orders).resource(files);
        clients::standard().into_iter().fold(realm, Self::client)
    }

    /// With this client; it takes the place of one of the same id.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.0.clients.insert(client.id.clone(), Arc::new(client));
        self
    }

    #[must_use]
    pub fn resource(mut self, resource: Resource) -> Self {
        self.0.resources.push(resource);
        self
    }

    /// With any other change.
    #[must_use]
    pub fn change(mut self, change: impl FnOnce(&mut Realm)) -> Self {
        change(&mut self.0);
        self
    }

    pub fn build(self) -> Realm {
        self.0
    }
}

pub fn resource(
    identifier: &str,
    uri: Option<&str>,
    scopes: &[(&str, &str)],
    token: TokenForm,
) -> Resource {
    let scopes = scopes.iter();
    let scopes = scopes.map(|(name, text)| ((*name).to_owned(), declared(text)));
    Resource {
        identifier: identifier.to_owned(),
        uri: uri.map(ToOwned::to_owned),
        normal: NormalUri::parse(uri.unwrap_or(identifier)),
        scopes: scopes.collect(),
        token,
        lifetime: None,
        groups: GroupFilter::All,
        claims: ClaimMapping::default(),
    }
}

/// A scope with these words.
pub fn declared(text: &str) -> DeclaredScope {
    DeclaredScope {
        text: text.to_owned(),
        ..DeclaredScope::default()
    }
}

/// Limits a scope of a resource of the realm to users in these groups.
pub fn limit(realm: &mut Realm, token: &str, groups: &[&str]) {
    let (identifier, name) = token.rsplit_once('/').expect("a scope of a resource");
    let mut resources = realm.resources.iter_mut();
    let resource = resources.find(|it| it.identifier == identifier);
    let scopes = &mut resource.expect("a resource of the realm").scopes;
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    scopes.get_mut(name).expect("a scope").groups = Some(groups);
}

/// A client of the realm, to be changed.
pub fn client<'p>(realm: &'p mut Realm, id: &str) -> &'p mut Client {
    let id = id.parse().expect("a client id");
    Arc::make_mut(realm.clients.get_mut(&id).expect("a client of the realm"))
}
