//! Settings become the realm that they describe.

use std::path::Path;

use grantor_core::base::sealing::MasterKey;
use grantor_core::model::claim_mapping::{ClaimMapping, ClaimSources};
use grantor_core::model::client::{ClientAuth, ConsentPolicy};
use grantor_core::model::exchange_rule::{
    ActorRule, ExchangeRule, RuleTarget, SubjectRule, TokenKind,
};
use grantor_core::model::grant_type::GrantType;
use grantor_core::model::resource::Resource;
use grantor_core::model::right::{self, Right};
use grantor_core::model::scope::Scope;
use grantor_core::model::trusted_issuer::TrustedIssuer;
use serde_json::json;

use super::*;
use grantor_config::Environment;
use grantor_core::base::secret::Secret;
use grantor_web::ForwardedHeader;

fn settings(tables: &str) -> Settings {
    let text = format!("issuer = \"https://id.example.com\"\n{tables}");
    let environment: Environment = [("SECRET", "from the environment")].into_iter().collect();
    config::parse(&text, "grantor.toml", Path::new(""), &environment).unwrap()
}

fn assembled(tables: &str) -> Realm {
    realm(
        &settings(tables),
        &MasterKey::new([1; 32]).into(),
        KeySet::default(),
    )
    .unwrap()
}

#[test]
fn a_secret_from_the_file_the_environment_or_a_digest_is_verified_alike() {
    use aws_lc_rs::digest::{SHA256, digest};
    let digest = hex::encode(digest(&SHA256, b"from a digest"));
    let realm = assembled(&format!(
        "[[client]]\nid = \"a\"\nsecret = \"from the file\"\n\
         [[client]]\nid = \"b\"\nsecret_env = \"SECRET\"\nauth = \"client_secret_post\"\n\
         [[client]]\nid = \"c\"\nsecret_sha256 = \"{digest}\"\n"
    ));
    for (id, right, only_post) in [
        ("a", "from the file", false),
        ("b", "from the environment", true),
        ("c", "from a digest", false),
    ] {
        let ClientAuth::Secret {
            verifiers,
            basic,
            post,
        } = &realm.client(id).unwrap().auth
        else {
            panic!("{id} is confidential");
        };
        assert!(verifiers[0].accepts(&Secret::new(right)), "{id}");
        assert!(!verifiers[0].accepts(&Secret::new("another")), "{id}");
        assert_eq!((*basic, *post), (!only_post, true), "{id}");
    }
}

#[test]
fn a_client_secret_is_replaced_without_a_gap() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(
        folder.path().join("orders"),
        "old of the file\nnew of the file\n",
    )
    .unwrap();
    let text = "issuer = \"https://id.example.com\"\n\
                [[client]]\nid = \"a\"\nsecrets_env = [\"OLD\", \"NEW\"]\n\
                [[client]]\nid = \"b\"\nsecret_file = \"orders\"\n";
    let variables = [("OLD", "old of a variable"), ("NEW", "new of a variable")];
    let environment: Environment = variables.into_iter().collect();
    let settings = config::parse(text, "grantor.toml", folder.path(), &environment).unwrap();
    let key = MasterKey::new([1; 32]).into();
    let realm = realm(&settings, &key, KeySet::default()).unwrap();
    let accepts = |id: &str, secret: &str| {
        let ClientAuth::Secret { verifiers, .. } = &realm.client(id).unwrap().auth else {
            panic!("{id} is confidential");
        };
        verifiers
            .iter()
            .any(|verifier| verifier.accepts(&Secret::new(secret)))
    };
    for secret in ["old", "new"] {
        assert!(accepts("a", &format!("{secret} of a variable")));
        assert!(accepts("b", &format!("{secret} of the file")));
        assert!(!accepts("a", &format!("{secret} of the file")));
        assert!(!accepts("b", &format!("{secret} of the file\n")));
    }
    assert!(!accepts("a", "") && !accepts("b", ""));
}

#[test]
fn refresh_grace_is_long_for_confidential_clients_and_devices() {
    let realm = assembled(
        "[[client]]\nid = \"confidential\"\nsecret = \"s\"\n\
         [[client]]\nid = \"device\"\ngrants = [\"device_code\"]\n\
         [[client]]\nid = \"browser\"\ngrants = [\"refresh_token\"]\n\
         [[client]]\nid = \"own\"\ngrace = \"3s\"\n",
    );
    let grace = |id| realm.client(id).unwrap().grace.as_secs();
    assert_eq!(
        ["confidential", "device", "browser", "own"].map(grace),
        [60, 60, 10, 3]
    );
}

#[test]
fn the_proxies_write_the_header_that_the_operator_names() {
    let named = "trusted_proxies = [\"10.0.0.1\"]\nforwarded_header = \"forwarded\"\n";
    let (default, named) = (proxies(&settings("")), proxies(&settings(named)));
    assert_eq!(default.header, ForwardedHeader::XForwardedFor);
    assert_eq!(named.header, ForwardedHeader::Forwarded);
    assert_eq!(named.trusted, ["10.0.0.1/32".parse().unwrap()]);
}

#[test]
fn a_client_has_its_own_lifetimes_or_the_defaults() {
    let realm = assembled(
        "[lifetimes]\naccess = \"5m\"\n[device]\nlifetime = \"20m\"\n\
         [[client]]\nid = \"all\"\n\
         [[client]]\nid = \"own\"\naccess_lifetime = \"1m\"\ndevice_lifetime = \"2m\"\nrefresh_idle = \"3d\"\n",
    );
    let lives = |id| {
        let client = realm.client(id).unwrap();
        [
            client.access_lifetime,
            client.device.lifetime,
            client.refresh_idle,
        ]
        .map(|life| life.as_secs())
    };
    assert_eq!(lives("all"), [300, 1200, 30 * 86400]);
    assert_eq!(lives("own"), [60, 120, 3 * 86400]);
}

#[test]
fn claims_come_from_their_sources_and_constants_are_what_toml_says() {
    let realm = assembled(
        "[[resource]]\nidentifier = \"api\"\nlifetime = \"5m\"\ngroups = [\"orders-*\"]\n\
         claims = { tier = \"'gold'\", level = 3, beta = true, app = \"client.name\" }\n\
         [[resource]]\nidentifier = \"none\"\ngroups = false\n\
         [[resource]]\nidentifier = \"all\"\n\
         [[client]]\nid = \"tv\"\nname = \"The TV\"\nscopes = [\"openid\", \"groups\"]\nmay_act = \"orders\"\nid_claims = { groups = \"groups\" }\n\
         [[client]]\nid = \"orders\"\n",
    );
    let [api, none, all] = realm.resources.as_slice() else {
        panic!("three resources");
    };
    let client = realm.client("tv").unwrap();
    let from = ClaimSources {
        user: None,
        client_id: &client.id,
        client_name: &client.name,
        grant: None,
    };
    let mapped = serde_json::Value::Object(api.claims.mapped_claims(&from));
    let expected = json!({ "tier": "gold", "level": 3, "beta": true, "app": "The TV" });
    assert_eq!(mapped, expected);
    assert_eq!(api.lifetime, Some(Duration::from_secs(300)));
    let groups = ["staff", "orders-clerk"].map(ToOwned::to_owned);
    let groups_of = |resource: &Resource| resource.groups.apply(&groups);
    assert_eq!(groups_of(api), ["orders-clerk"]);
    assert!(groups_of(none).is_empty());
    assert_eq!(groups_of(all), groups);
    let actor = client.may_act().unwrap();
    assert_eq!(
        (actor.sub.as_str(), actor.client_id.as_deref()),
        ("orders", Some("orders"))
    );
    assert_ne!(client.id_claims, ClaimMapping::default());
}

#[test]
fn the_lifetimes_that_the_conformance_suite_needs_can_be_set() {
    let realm = assembled(
        "[lifetimes]\ncode = \"60s\"\n\
         [[client]]\nid = \"suite\"\nsecret = \"s\"\ngrace = \"60s\"\npkce = \"optional\"\nconsent = \"skip\"\n\
         backchannel_logout_uri = \"https://app.example.com/logout\"\n",
    );
    let client = realm.client("suite").unwrap();
    assert_eq!(client.code.lifetime, Duration::from_secs(60));
    assert_eq!(client.grace, Duration::from_secs(60));
    assert!(!client.code.pkce_required);
    assert_eq!(client.code.consent, ConsentPolicy::Skip);
    let uri = client.logout.backchannel_uri.as_deref();
    assert_eq!(uri, Some("https://app.example.com/logout"));
}

#[test]
fn the_origins_of_a_client_are_those_of_its_redirect_uris_unless_it_names_them() {
    let uris = "redirect_uris = [\"https://app.example.com/a\", \"https://app.example.com/b\", \
                \"https://app.example.com:8443/a\", \"com.example.app:/cb\", \"http://127.0.0.1:3000/cb\"]\n";
    let realm = assembled(&format!(
        "[[client]]\nid = \"all\"\n{uris}\
         [[client]]\nid = \"own\"\n{uris}origins = [\"https://other.example.com\"]\n\
         [[client]]\nid = \"none\"\n{uris}origins = []\n"
    ));
    let origins = |id| &*realm.client(id).unwrap().origins;
    assert_eq!(
        origins("all"),
        [
            "http://127.0.0.1:3000",
            "https://app.example.com",
            "https://app.example.com:8443"
        ]
    );
    assert_eq!(origins("own"), ["https://other.example.com"]);
    assert!(origins("none").is_empty());
}

#[test]
fn tests_may_let_more_wrong_passwords_through_and_never_fewer() {
    let limits = |tables: &str| {
        let text = format!("issuer = \"http://127.0.0.1:8080\"\n{tables}");
        let environment = Environment::default();
        let settings = config::parse(&text, "grantor.toml", Path::new(""), &environment);
        let limits = sign_in_limits(&settings.unwrap());
        (limits.per_account_and_address, limits.in_all)
    };
    assert_eq!(limits(""), (10, 100));
    assert_eq!(limits("[test]\nwrong_passwords = 5000"), (5000, 5000));
    assert_eq!(limits("[test]\nwrong_passwords = 50"), (50, 100));
    assert_eq!(limits("[test]\nwrong_passwords = 1"), (10, 100));
}

#[test]
fn scopes_default_to_all_that_a_client_may_ask_for() {
    let realm = assembled(
        "[[client]]\nid = \"all\"\nscopes = [\"openid\", \"email\"]\n\
         [[client]]\nid = \"some\"\nscopes = [\"openid\", \"email\"]\ndefault_scopes = [\"openid\"]\n",
    );
    let defaults = |id| realm.client(id).unwrap().default_scopes.to_string();
    assert_eq!(
        [defaults("all"), defaults("some")],
        ["email openid", "openid"]
    );
}

#[test]
fn each_algorithm_in_use_needs_a_key_and_two_always_do() {
    assert_eq!(
        algorithms(&settings(""), &ConfigDocument::default()),
        [Algorithm::Es256, Algorithm::Rs256]
    );
    let more = settings(
        "[[resource]]\nidentifier = \"api\"\nalg = \"EdDSA\"\n\
         [[resource]]\nidentifier = \"other\"\nalg = \"PS256\"\ntoken = \"sealed\"\n",
    );
    assert_eq!(
        algorithms(&more, &ConfigDocument::default()),
        [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa]
    );
}

#[test]
fn a_user_is_the_same_person_in_another_case() {
    let id = |name: &str| {
        let user = format!("[[user]]\nusername = \"{name}\"\npassword = \"p\"\n");
        provision(&settings(&user).users[0]).id
    };
    assert_eq!(id("alice"), id("Alice"));
    assert_ne!(id("alice"), id("bob"));
}

#[test]
fn an_exchange_rule_of_the_file_becomes_the_realms() {
    let realm = assembled(
        "[lifetimes]\nskew = \"30s\"\n\
         [[resource]]\nidentifier = \"orders\"\nuri = \"https://orders.example.com\"\nscopes = { read = \"R\", write = \"W\" }\n\
         [[client]]\nid = \"website\"\nmay_act = \"cart\"\n\
         [[client]]\nid = \"cart\"\nsecret = \"s\"\ngrants = [\"token_exchange\", \"refresh_token\"]\n\
         [[trusted_issuer]]\nissuer = \"https://idp.example/\"\nalgorithms = [\"RS256\"]\nuser_claim = \"email\"\n\
         audiences = [\"api://grantor\"]\nmax_age = \"5m\"\n\
         [[exchange]]\nclient = \"cart\"\naudience = \"https://orders.example.com\"\n\
         scopes = { openid = [\"orders/read\"], email = [\"orders/write\", \"orders/read\"] }\n\
         subject_clients = [\"website\"]\nsubject_groups = [\"staff\"]\nsubject_audience = [\"orders\", \"https://id.example.com\"]\n\
         require_may_act = true\nimpersonation = true\ntokens = [\"access_token\", \"refresh_token\"]\nlifetime = \"2m\"\n\
         [[exchange]]\nclient = \"cart\"\naudience = \"orders\"\nsubject_issuer = \"https://idp.example/\"\n\
         gives = [\"orders/read\"]\nrequire_actor_token = true\nactor_issuer = \"https://idp.example/\"\nmax_depth = 1\n\
         [[exchange]]\nclient = \"cart\"\naudience = \"cart\"\ntokens = [\"id_token\"]\n\
         subject_tokens = [\"access_token\", \"refresh_token\"]\nscopes = { openid = [\"openid\"] }\n",
    );
    let scope = |text: &str| text.parse::<Scope>().unwrap();
    let [ours, theirs, id] = &realm.exchange[..] else {
        panic!("three rules")
    };
    let cart = "cart".parse().unwrap();
    assert_eq!(
        *ours,
        ExchangeRule {
            name: "cart → https://orders.example.com".to_owned(),
            client: cart,
            subject: SubjectRule {
                issuer: None,
                kinds: vec![TokenKind::AccessToken],
                clients: vec!["website".parse().unwrap()],
                groups: vec!["staff".to_owned()],
                audiences: vec![
                    "https://orders.example.com".to_owned(),
                    "https://id.example.com".to_owned()
                ],
            },
            actor: ActorRule {
                token_required: false,
                issuer: None,
                may_act_required: true,
            },
            target: RuleTarget::Resource("orders".to_owned()),
            scopes: [
                ("openid".to_owned(), scope("orders/read")),
                ("email".to_owned(), scope("orders/read orders/write")),
            ]
            .into(),
            gives: Scope::default(),
            issues: vec![TokenKind::AccessToken, TokenKind::RefreshToken],
            impersonation: true,
            max_depth: 4,
            lifetime: Some(Duration::from_secs(120)),
        }
    );
    let issuer = Some("https://idp.example/".to_owned());
    assert_eq!(
        (&theirs.subject.issuer, &theirs.actor.issuer),
        (&issuer, &issuer)
    );
    assert_eq!(theirs.gives, scope("orders/read"));
    assert_eq!((theirs.max_depth, theirs.actor.token_required), (1, true));
    assert_eq!(
        (&id.target, &id.issues[..]),
        (&RuleTarget::Client, &[TokenKind::IdToken][..])
    );
    assert_eq!(
        id.subject.kinds,
        [TokenKind::AccessToken, TokenKind::RefreshToken]
    );
    assert_eq!(
        realm.trusted_issuers,
        [TrustedIssuer {
            issuer: "https://idp.example/".to_owned(),
            algorithms: vec![Algorithm::Rs256],
            audiences: vec!["api://grantor".to_owned()],
            has_links: false,
            user_claim: Some("email".to_owned()),
            max_age: Some(Duration::from_secs(300)),
            skew: Duration::from_secs(30),
        }]
    );
}

#[test]
fn the_documentation_page_is_a_client_while_the_api_is_enabled() {
    let id = right::DOCS_CLIENT;
    assert!(assembled("").client(id).is_none());
    let realm = assembled("[api]\nenabled = true\n");
    let client = realm.client(id).unwrap();
    let redirect_uris = client.code.redirect_uris.iter().map(|it| it.as_str());
    let redirect_uris: Vec<_> = redirect_uris.collect();
    let only = "https://id.example.com/api/docs/oauth2-redirect.html";
    assert_eq!(redirect_uris, [only]);
    assert!(matches!(client.auth, ClientAuth::Public) && client.code.pkce_required);
    assert_eq!(client.code.consent, ConsentPolicy::Ask);
    // No refresh token, and no rights by the codes of devices, by which people are tricked.
    assert_eq!(client.grants, [GrantType::AuthorizationCode]);
    let rights: Vec<_> = Right::ALL.iter().map(|right| right.token()).collect();
    let rights: Scope = rights.iter().map(String::as_str).collect();
    assert_eq!(client.scopes, rights);
}
