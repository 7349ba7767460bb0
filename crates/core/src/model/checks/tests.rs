//! Problems by their pointers. What each message says is tested where the file is read.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::base::secret::Secret;
use crate::model::claim_mapping::Source;
use crate::model::credentials::ValidUsername;
use crate::model::exchange_rule::TokenKind;
use crate::model::grant_type::GrantType;
use crate::model::ids::{ClientId, OrganizationId};
use crate::model::organization::Availability;
use crate::model::scope::ScopeToken;
use crate::model::server_url::ServerUrl;

mod scopes_and_organizations;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What specs borrow.
struct Parts {
    id: ClientId,
    scopes: BTreeMap<String, String>,
    claims: BTreeMap<String, Source>,
    tokens: Vec<ScopeToken>,
    username: ValidUsername,
    user_claims: BTreeMap<String, serde_json::Value>,
    exchanged: BTreeMap<String, Vec<ScopeToken>>,
}

fn parts() -> Parts {
    let token = |text: &str| text.parse::<ScopeToken>().unwrap();
    Parts {
        id: "tv".parse().unwrap(),
        scopes: [("read".to_owned(), "Read orders".to_owned())].into(),
        claims: BTreeMap::new(),
        tokens: vec![token("openid"), token("orders/read")],
        username: "alice".parse().unwrap(),
        user_claims: BTreeMap::new(),
        exchanged: [("openid".to_owned(), vec![token("orders/read")])].into(),
    }
}

impl Parts {
    fn realm(&self) -> RealmSpec<'_> {
        RealmSpec {
            issuer: "https://id.example.com",
            allows_http_logout: false,
            lifetimes: LifetimesSpec {
                access: HOUR,
                id: HOUR,
                code: Duration::from_secs(60),
                refresh_idle: HOUR,
                refresh_absolute: HOUR,
                session_idle: HOUR,
                session_absolute: HOUR,
            },
            device: DeviceSpec {
                lifetime: HOUR,
                interval: Duration::from_secs(5),
            },
            resources: vec![self.resource()],
            scopes: Vec::new(),
            organizations: Vec::new(),
            clients: vec![self.client()],
            exchanges: Vec::new(),
            trusted_issuers: Vec::new(),
            users: vec![self.user()],
            managed_clients: KnownClients::default(),
        }
    }

    fn resource(&self) -> ResourceSpec<'_> {
        ResourceSpec {
            identifier: "orders",
            uri: None,
            scopes: self.scopes.keys().map(String::as_str).collect(),
            lifetime: None,
            claims: &self.claims,
        }
    }

    fn client(&self) -> ClientSpec<'_> {
        ClientSpec {
            given: Given::default(),
            id: &self.id,
            secrets: Vec::new(),
            auth: None,
            grants: &[],
            scopes: &self.tokens,
            default_scopes: None,
            resources: &[],
            redirect_uris: &[],
            post_logout_redirect_uris: &[],
            backchannel_logout_uri: None,
            access_lifetime: None,
            refresh_idle: None,
            refresh_absolute: None,
            grace: None,
            device_lifetime: None,
            device_approval_max_age: HOUR,
            rotation: true,
            pkce_required: true,
            id_claims: &self.claims,
            may_act: None,
            organization: None,
            availability: Availability::Everyone,
            has_owner: false,
        }
    }

    fn rule(&self) -> ExchangeSpec<'_> {
        ExchangeSpec {
            given: ["scopes"].into_iter().collect(),
            name: None,
            client: &self.id,
            audience: "orders",
            scopes: &self.exchanged,
            subject_tokens: &[TokenKind::AccessToken],
            subject_clients: &[],
            subject_groups: &[],
            subject_audience: &[],
            subject_issuer: None,
            gives: &[],
            require_actor_token: false,
            actor_issuer: None,
            require_may_act: false,
            impersonation: false,
            tokens: &[TokenKind::AccessToken],
            max_depth: 4,
            lifetime: None,
        }
    }

    fn user(&self) -> UserSpec<'_> {
        UserSpec {
            given: ["password"].into_iter().collect(),
            username: &self.username,
            id: None,
            password: None,
            email: None,
            claims: &self.user_claims,
            organization: None,
            links: Vec::new(),
        }
    }
}

fn pointers(problems: &[Problem]) -> Vec<String> {
    let pointers = problems.iter();
    pointers
        .map(|problem| problem.pointer.to_string())
        .collect()
}

#[test]
fn a_realm_that_fits_together_has_no_problems() {
    assert_eq!(parts().realm().problems(), []);
}

#[test]
fn a_pointer_escapes_as_rfc_6901_says() {
    let pointer = at("scopes").key("a/b~c").index(1);
    assert_eq!(pointer.to_string(), "/scopes/a~1b~0c/1");
    assert_eq!(Pointer::default().to_string(), "");
}

#[test]
fn problems_of_clients_point_at_the_member_and_its_item() {
    let mut parts = parts();
    parts.tokens.push("orders/write".parse().unwrap());
    let (plain, elsewhere): (ServerUrl, _) = (
        "http://localhost/".parse().unwrap(),
        ["shipping".to_owned()],
    );
    let secret = Secret::new("é");
    let mut realm = parts.realm();
    realm.clients.push(ClientSpec {
        given: ["secret", "secret_sha256"].into_iter().collect(),
        secrets: vec![("secret", &secret)],
        auth: Some(crate::model::client::AuthMethod::None),
        grants: &[GrantType::RefreshToken, GrantType::AuthorizationCode],
        resources: &elsewhere,
        backchannel_logout_uri: Some(&plain),
        refresh_idle: Some(2 * HOUR),
        device_lifetime: Some(Duration::from_secs(5)),
        ..parts.client()
    });
    let problems = realm.problems();
    assert_eq!(
        pointers(&problems),
        [
            "/client/1/id",
            "/client/0/scopes/2",
            "/client/1/secret_sha256",
            "/client/1/auth",
            "/client/1/secret",
            "/client/1/grants/1",
            "/client/1/scopes/2",
            "/client/1/refresh_idle",
            "/client/1/device_lifetime",
            "/client/1/backchannel_logout_uri",
            "/client/1/resources/0",
        ]
    );
    let unknown = problems[1].unknown.as_ref().unwrap();
    assert_eq!(unknown.name, "orders/write");
    assert!(unknown.known.contains(&"orders/read".to_owned()));
    assert_eq!(problems[1].message, "unknown scope \"orders/write\"");
}

#[test]
fn a_client_is_confidential_by_a_secret_that_was_refused() {
    let parts = parts();
    let mut realm = parts.realm();
    let client = |key: Option<&str>| ClientSpec {
        given: key.into_iter().collect(),
        grants: &[GrantType::ClientCredentials],
        pkce_required: false,
        rotation: false,
        ..parts.client()
    };
    realm.clients = vec![client(Some("secret_env"))];
    assert_eq!(realm.problems(), []);
    realm.clients = vec![client(None)];
    assert_eq!(
        pointers(&realm.problems()),
        ["/client/0/rotation", "/client/0/pkce", "/client/0/grants/0"]
    );
}

#[test]
fn problems_of_resources_and_lifetimes_point_at_their_members() {
    let mut parts = parts();
    parts.scopes.insert("a/b".to_owned(), String::new());
    parts.claims.insert("sub".to_owned(), Source::ClientId);
    let mut realm = parts.realm();
    realm.resources.push(ResourceSpec {
        uri: Some(realm.issuer),
        lifetime: Some(Duration::ZERO),
        ..parts.resource()
    });
    realm.lifetimes.session_idle = 2 * HOUR;
    realm.lifetimes.code = HOUR;
    realm.device.interval = HOUR;
    assert_eq!(
        pointers(&realm.problems()),
        [
            "/lifetimes/code",
            "/lifetimes/session_idle",
            "/device/interval",
            "/resource/1/uri",
            "/resource/1/identifier",
            "/resource/0/claims/sub",
            "/resource/0/scopes/a~1b",
            "/resource/1/lifetime",
            "/resource/1/claims/sub",
            "/resource/1/scopes/a~1b",
            "/client/0/id_claims/sub",
        ]
    );
}

#[test]
fn problems_of_exchange_point_at_the_rule_and_the_issuer() {
    let parts = parts();
    let mut realm = parts.realm();
    realm.clients[0].given = ["secret"].into_iter().collect();
    realm.clients[0].grants = &[GrantType::TokenExchange];
    realm.exchanges = vec![parts.rule()];
    assert_eq!(realm.problems(), []);

    realm.clients[0].grants = &[];
    realm.exchanges = vec![ExchangeSpec {
        given: ["scopes", "subject_tokens"].into_iter().collect(),
        subject_issuer: Some("https://idp.example"),
        tokens: &[TokenKind::AccessToken, TokenKind::RefreshToken],
        max_depth: 9,
        ..parts.rule()
    }];
    realm.trusted_issuers = vec![TrustedIssuerSpec {
        issuer: realm.issuer,
        algorithms: Some(&[]),
        user_claim: None,
        max_age: Some(Duration::ZERO),
    }];
    assert_eq!(
        pointers(&realm.problems()),
        [
            "/exchange/0/client",
            "/exchange/0/subject_issuer",
            "/exchange/0/subject_tokens",
            "/exchange/0/scopes",
            "/exchange/0/tokens/1",
            "/exchange/0/tokens/1",
            "/exchange/0/max_depth",
            "/trusted_issuer/0/issuer",
            "/trusted_issuer/0/algorithms",
            "/trusted_issuer/0/max_age",
        ]
    );
}

#[test]
fn problems_of_users_point_at_their_members() {
    let mut parts = parts();
    for claim in ["email", "email_verified"] {
        parts.user_claims.insert(claim.to_owned(), "true".into());
    }
    let (other_case, long) = (
        "ALICE".parse().unwrap(),
        Secret::new("é".repeat(600).as_str()),
    );
    let mut realm = parts.realm();
    realm.users.push(UserSpec {
        given: ["password", "password_hash"].into_iter().collect(),
        username: &other_case,
        password: Some(&long),
        email: Some("alice"),
        ..parts.user()
    });
    realm.users[0].given = Given::default();
    assert_eq!(
        pointers(&realm.problems()),
        [
            "/user/1/username",
            "/user/0/claims/email",
            "/user/0/claims/email_verified",
            "/user/1/password_hash",
            "/user/1/password",
            "/user/1/email",
            "/user/1/claims/email",
            "/user/1/claims/email_verified",
        ]
    );
}

#[test]
fn a_client_id_that_tokens_could_mistake_for_another_name_is_refused() {
    let mut parts = parts();
    for (id, is_refused) in [
        ("0b0e5bd5-8d4b-4f3e-9d1e-6d1b6b8f7a11", true),
        ("0B0E5BD5-8D4B-4F3E-9D1E-6D1B6B8F7A11", true),
        ("0b0e5bd58d4b4f3e9d1e6d1b6b8f7a11", true),
        ("https://idp.example|alice", true),
        ("https://id.example.com", true),
        ("orders", true),
        ("https://idp.example", false),
        ("tv", false),
    ] {
        parts.id = id.parse().unwrap();
        let mut realm = parts.realm();
        realm.trusted_issuers = vec![TrustedIssuerSpec {
            issuer: "https://idp.example",
            algorithms: None,
            user_claim: None,
            max_age: None,
        }];
        let expected: &[&str] = if is_refused { &["/client/0/id"] } else { &[] };
        assert_eq!(pointers(&realm.problems()), expected, "{id}");
    }
}

#[test]
fn a_link_is_from_a_trusted_issuer_and_to_one_user() {
    let parts = parts();
    let link = |issuer, sub| LinkSpec { issuer, sub };
    let idp = "https://idp.example";
    let mut realm = parts.realm();
    realm.trusted_issuers = vec![TrustedIssuerSpec {
        issuer: idp,
        algorithms: None,
        user_claim: None,
        max_age: None,
    }];
    realm.users[0].links = vec![
        link(idp, "4711"),
        link(idp, "KATE"),
        link(idp, "kate"),
        link("https://other.example", "4711"),
        link(idp, "4711"),
    ];
    let found = pointers(&realm.problems());
    assert_eq!(found, ["/user/0/links/3", "/user/0/links/4"]);
    let bar = "https://idp.example|a";
    realm.users[0].links.clear();
    realm.trusted_issuers[0].issuer = bar;
    assert_eq!(pointers(&realm.problems()), ["/trusted_issuer/0/issuer"]);
}

#[test]
fn a_user_without_an_id_has_none_that_another_user_was_given() {
    let (parts, mut renamed) = (parts(), parts());
    renamed.username = "alicia".parse().unwrap();
    let mut realm = parts.realm();
    realm.users.push(renamed.user());
    realm.users[1].id = Some("2a9438ea-f136-83e9-8957-b2c334e75e01".parse().unwrap());
    realm.users[1].given = ["password", "id"].into_iter().collect();
    assert_eq!(pointers(&realm.problems()), ["/user/1/id"]);
    realm.users[0].id = Some("0b0e5bd5-8d4b-4f3e-9d1e-6d1b6b8f7a11".parse().unwrap());
    realm.users[0].given = ["password", "id"].into_iter().collect();
    assert_eq!(realm.problems(), []);
}

#[test]
fn a_grace_of_more_than_five_minutes_is_refused() {
    let parts = parts();
    let mut realm = parts.realm();
    realm.clients[0].grace = Some(Duration::from_secs(300));
    assert_eq!(realm.problems(), []);
    realm.clients[0].grace = Some(Duration::from_secs(301));
    let problems = realm.problems();
    assert_eq!(pointers(&problems), ["/client/0/grace"]);
    assert!(problems[0].message.contains("\"5m\" or less"), "the fix");
}

#[test]
fn an_id_claim_needs_the_scope_that_stands_for_it() {
    let mut parts = parts();
    for (name, source) in [
        ("groups", "groups"),
        ("mail", "user.email"),
        ("name", "user.username"),
        ("cognito:groups", "groups"),
        ("team", "user.department"),
        ("app", "client.id"),
    ] {
        parts
            .claims
            .insert(name.to_owned(), source.parse().unwrap());
    }
    let mut realm = parts.realm();
    realm.resources.clear();
    realm.clients[0].id_claims = &parts.claims;
    let found = pointers(&realm.problems());
    for name in ["groups", "mail", "name"] {
        let pointer = format!("/client/0/id_claims/{name}");
        assert!(found.contains(&pointer), "{pointer} in {found:?}");
    }
    let of_claims = found.iter().filter(|it| it.contains("id_claims"));
    assert_eq!(of_claims.count(), 3, "{found:?}");
}

#[test]
fn two_resources_are_not_one_uri_in_two_spellings() {
    let parts = parts();
    let mut realm = parts.realm();
    let other = |uri| ResourceSpec {
        identifier: uri,
        uri: Some(uri),
        ..parts.resource()
    };
    realm.resources.push(other("https://a.example"));
    realm.resources.push(other("https://A.example:443/"));
    realm.resources.push(other("https://id.example.com/"));
    let problems = pointers(&realm.problems());
    assert!(
        problems.contains(&"/resource/2/uri".to_owned()),
        "{problems:?}"
    );
    assert!(
        problems.contains(&"/resource/3/uri".to_owned()),
        "the issuer: {problems:?}"
    );
}
