//! Clients.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use uuid::Uuid;

use super::organization;
use super::problem::{Pointer, Problem, Problems, at};
use super::resource::check_claims;
use super::scopes::Scopes;
use super::{Given, RealmSpec};
use crate::base::secret::Secret;
use crate::model::claim_mapping::{Carrier, Source};
use crate::model::client::AuthMethod;
use crate::model::credentials::is_client_secret;
use crate::model::grant_type::GrantType;
use crate::model::ids::{ClientId, OrganizationId};
use crate::model::organization::Availability;
use crate::model::redirect_uri::{RESPONSE_PARAMETERS, RedirectUri};
use crate::model::right::DOCS_CLIENT;
use crate::model::scope::ScopeToken;
use crate::model::server_url::ServerUrl;

/// A retry follows its request within seconds. In a longer grace, a stolen refresh token could be used unnoticed.
const MAX_GRACE: Duration = Duration::from_secs(5 * 60);

/// The members that give a client a secret.
const SECRETS: [&str; 5] = [
    "secret",
    "secret_env",
    "secrets_env",
    "secret_file",
    "secret_sha256",
];

#[derive(Clone, Debug)]
pub struct ClientSpec<'a> {
    pub given: Given,
    pub id: &'a ClientId,
    /// Its secrets in plain text, each with the member that gives it.
    pub secrets: Vec<(&'static str, &'a Secret)>,
    pub auth: Option<AuthMethod>,
    pub grants: &'a [GrantType],
    pub scopes: &'a [ScopeToken],
    pub default_scopes: Option<&'a [ScopeToken]>,
    pub resources: &'a [String],
    pub redirect_uris: &'a [RedirectUri],
    pub post_logout_redirect_uris: &'a [RedirectUri],
    pub backchannel_logout_uri: Option<&'a ServerUrl>,
    pub access_lifetime: Option<Duration>,
    pub refresh_idle: Option<Duration>,
    pub refresh_absolute: Option<Duration>,
    pub grace: Option<Duration>,
    pub device_lifetime: Option<Duration>,
    pub device_approval_max_age: Duration,
    pub rotation: bool,
    pub pkce_required: bool,
    pub id_claims: &'a BTreeMap<String, Source>,
    pub may_act: Option<&'a ClientId>,
    pub organization: Option<&'a OrganizationId>,
    pub availability: Availability,
    /// Whether a user made it. Those that the file declares have no owner.
    pub has_owner: bool,
}

impl ClientSpec<'_> {
    /// What is wrong with it in this realm.
    pub(super) fn problems(&self, realm: &RealmSpec<'_>, scopes: &Scopes<'_>) -> Vec<Problem> {
        let mut problems = Problems::default();
        self.check_id(realm, &mut problems);
        self.check_secret(&mut problems);
        self.check_grants(&mut problems);
        self.check_redirect_uris(&mut problems);
        self.check_scopes(scopes, &mut problems);
        self.check_lifetimes(realm, &mut problems);
        self.check_backchannel(realm, &mut problems);
        let carrier = Carrier::IdToken;
        check_claims(&mut problems, "id_claims", carrier, self.id_claims);
        self.check_scopes_of_claims(&mut problems);
        if let Some(actor) = self.may_act
            && !realm.managed_clients.has(actor.as_str())
        {
            let known = || realm.client_ids();
            problems.known_name(at("may_act"), "client", actor.as_str(), known);
        }
        problems.nest(
            Pointer::default(),
            organization::problems(realm, self.organization),
        );
        self.check_availability(&mut problems);
        for (index, resource) in self.resources.iter().enumerate() {
            let known = || realm.resources.iter().map(|resource| resource.identifier);
            let pointer = at("resources").index(index);
            problems.known_name(pointer, "resource", resource, known);
        }
        problems.into_vec()
    }

    /// Tokens name clients, users, subjects of other issuers and audiences, so that no name may be of two of them.
    fn check_id(&self, realm: &RealmSpec<'_>, problems: &mut Problems) {
        let id = self.id.as_str();
        let mut trusted = realm.trusted_issuers.iter();
        let mut resources = realm.resources.iter();
        let why = if Uuid::try_parse(id).is_ok() {
            "is a UUID, as a user's id is: choose another id".to_owned()
        } else if id == DOCS_CLIENT {
            "is the client of the API's documentation: choose another id".to_owned()
        } else if let Some(trusted) = trusted.find(|trusted| trusted.is_subject(id)) {
            let issuer = trusted.issuer;
            format!("is a subject of the trusted issuer {issuer:?}: choose another id")
        } else if id == realm.issuer {
            "is the issuer, which is the audience of tokens: choose another id".to_owned()
        } else if resources.any(|resource| resource.audience() == id) {
            "is the audience of a [[resource]], whose tokens would pass for this client's: choose another id, or give \
             the resource a uri"
                .to_owned()
        } else {
            return;
        };
        problems.add(at("id"), why);
    }

    /// Whether it has a secret. By what was written, so that a secret that was refused does not make its client public.
    fn is_confidential(&self) -> bool {
        SECRETS.iter().any(|key| self.given.has(key))
    }

    fn check_secret(&self, problems: &mut Problems) {
        let mut given = SECRETS.iter().filter(|key| self.given.has(key));
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            problems.add(
                at(second),
                format!("the client has {first} already; give one of them"),
            );
        }
        match (self.auth, self.is_confidential()) {
            (Some(AuthMethod::None), true) => {
                problems.add(at("auth"), "is \"none\", but the client has a secret");
            }
            (Some(AuthMethod::SecretBasic | AuthMethod::SecretPost), false) => {
                problems.add(at("auth"), "needs a secret");
            }
            _ => {}
        }
        let lists_none = !self.secrets.iter().any(|(key, _)| *key == "secrets_env");
        if self.given.has("secrets_env") && lists_none {
            problems.add(at("secrets_env"), "names no variable");
        }
        for (key, secret) in &self.secrets {
            // Empty stands in for one that was refused.
            if !secret.is_empty() && !is_client_secret(secret) {
                problems.add(at(key), "a secret must be printable ASCII");
            }
        }
        if self.is_confidential() {
            return;
        }
        // RFC 9700 section 4.14.2: refresh tokens of public clients are rotated or bound.
        if !self.rotation {
            let why = "only a client with a secret may do without rotation";
            problems.add(at("rotation"), why);
        }
        // RFC 9700 section 2.1.1: public clients MUST use PKCE.
        if !self.pkce_required {
            let why = "only a client with a secret may do without PKCE";
            problems.add(at("pkce"), why);
        }
    }

    fn check_grants(&self, problems: &mut Problems) {
        let mut seen = HashSet::new();
        for (index, grant) in self.grants.iter().enumerate() {
            let pointer = at("grants").index(index);
            if !seen.insert(grant) {
                problems.add(pointer, format!("{} stands there twice", grant.short()));
                continue;
            }
            match grant {
                // RFC 6749 section 4.4: "The client credentials grant type MUST only be used by confidential clients."
                GrantType::ClientCredentials if !self.is_confidential() => {
                    problems.add(pointer, "client_credentials needs a secret");
                }
                // RFC 8693 section 2.1: "omitting client authentication allows for a compromised token to be
                // leveraged via an STS into other tokens by anyone possessing the compromised token."
                GrantType::TokenExchange if !self.is_confidential() => {
                    problems.add(pointer, "token_exchange needs a secret");
                }
                GrantType::AuthorizationCode if self.redirect_uris.is_empty() => {
                    problems.add(pointer, "authorization_code needs redirect_uris");
                }
                _ => {}
            }
        }
    }

    /// RFC 6749 section 3.1: "Request and response parameters MUST NOT be included more than once."
    fn check_redirect_uris(&self, problems: &mut Problems) {
        let after_sign_out = self.post_logout_redirect_uris;
        for (key, uris, added) in [
            (
                "redirect_uris",
                self.redirect_uris,
                &RESPONSE_PARAMETERS[..],
            ),
            ("post_logout_redirect_uris", after_sign_out, &["state"]),
        ] {
            for (index, uri) in uris.iter().enumerate() {
                if let Some(name) = uri.has_parameter(added) {
                    let why = format!(
                        "its query has {name}, which the answer adds: leave it out, so that it is not there twice"
                    );
                    problems.add(at(key).index(index), why);
                }
            }
        }
    }

    fn check_scopes(&self, scopes: &Scopes<'_>, problems: &mut Problems) {
        for (index, scope) in self.scopes.iter().enumerate() {
            scopes.check(problems, at("scopes").index(index), scope);
        }
        let allowed = || self.scopes.iter().map(|scope| &**scope);
        for (index, scope) in self.default_scopes.into_iter().flatten().enumerate() {
            if !self.scopes.contains(scope) {
                let pointer = at("default_scopes").index(index);
                let why = format!("scope {:?} is not among the client's scopes", &**scope);
                problems.add_unknown(pointer, why, scope, allowed());
            }
        }
        self.check_resource_of_defaults(scopes, problems);
    }

    /// Claims that a scope stands for are given with that scope only.
    fn check_scopes_of_claims(&self, problems: &mut Problems) {
        for (name, source) in self.id_claims {
            let needed = source.needed_scope(name);
            let needed = needed.filter(|it| self.scopes.iter().all(|scope| &**scope != *it));
            if let Some(needed) = needed {
                let why = format!("needs the scope {needed:?}, which the client may not ask for");
                problems.add(at("id_claims").key(name), why);
            }
        }
    }

    /// A token is for one API. Defaults of two could never be answered when the client asks for nothing, as it then names
    /// no `resource` either.
    fn check_resource_of_defaults(&self, scopes: &Scopes<'_>, problems: &mut Problems) {
        let defaults = self.default_scopes.unwrap_or(self.scopes).iter();
        let resources: BTreeSet<_> = defaults
            .filter_map(|scope| scopes.resource(scope))
            .collect();
        let mut resources = resources.into_iter();
        if let (Some(first), Some(second)) = (resources.next(), resources.next()) {
            let of_two =
                format!("are of two resources, {first:?} and {second:?}, and a token is for one");
            if self.default_scopes.is_some() {
                problems.add(at("default_scopes"), of_two);
            } else {
                let why = format!("without default_scopes all are the default, but they {of_two}");
                problems.add(at("scopes"), why);
            }
        }
    }

    fn check_availability(&self, problems: &mut Problems) {
        let why = match self.availability {
            Availability::Organization
                if self.organization.is_none() && !self.given.has("organization") =>
            {
                "needs the client's organization: write organization = \"…\""
            }
            Availability::Owner if !self.has_owner => {
                "is for clients that a user made; one of the file has no owner: write \"everyone\" or \"organization\""
            }
            _ => return,
        };
        problems.add(at("availability"), why);
    }

    /// OpenID Connect Back-Channel Logout section 2.2: "it MAY use the http scheme, provided that the Client Type is
    /// confidential … and provided the OP allows the use of http RP URIs."
    fn check_backchannel(&self, realm: &RealmSpec<'_>, problems: &mut Problems) {
        let uri = self.backchannel_logout_uri;
        if !uri.is_some_and(ServerUrl::is_plain_http) {
            return;
        }
        let pointer = at("backchannel_logout_uri");
        if !self.is_confidential() {
            problems.add(pointer, "is http, and the client has no secret: use https");
        } else if !realm.allows_http_logout {
            let why = "is http, and the issuer is not on this machine: use https";
            problems.add(pointer, why);
        }
    }

    fn check_lifetimes(&self, realm: &RealmSpec<'_>, problems: &mut Problems) {
        let approval = Some(self.device_approval_max_age);
        problems.positive("access_lifetime", self.access_lifetime);
        problems.positive("refresh_idle", self.refresh_idle);
        problems.positive("refresh_absolute", self.refresh_absolute);
        problems.positive("device_lifetime", self.device_lifetime);
        problems.positive("device_approval_max_age", approval);
        if self.grace.is_some_and(|grace| grace > MAX_GRACE) {
            let why = "is longer than 5m, and a retry comes within seconds: write \"5m\" or less";
            problems.add(at("grace"), why);
        }
        let absolute = self
            .refresh_absolute
            .unwrap_or(realm.lifetimes.refresh_absolute);
        if self.refresh_idle.is_some_and(|idle| idle > absolute) {
            problems.add(at("refresh_idle"), "is longer than refresh_absolute");
        }
        let interval = realm.device.interval;
        if self.device_lifetime.is_some_and(|life| life <= interval) {
            let why = "is not longer than the interval of [device]";
            problems.add(at("device_lifetime"), why);
        }
    }
}
