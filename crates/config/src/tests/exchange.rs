//! `[[exchange]]` and `[[trusted_issuer]]`: what is right, and what is said of what is not.

use super::{mistakes, settings};
use grantor_core::model::exchange_rule::TokenKind;
use grantor_jose::Algorithm;

/// What rules name.
const BASE: &str = r#"issuer = "https://id.example.com"
[[resource]]
identifier = "orders.example.com"
uri = "https://orders.example.com"
scopes = { read = "Read orders" }
[[resource]]
identifier = "shipping"
scopes = { read = "Read shipments" }
[[client]]
id = "website"
scopes = ["openid"]
may_act = "orders"
[[client]]
id = "orders"
secret = "Xk29vTq8LzRw4mNbYc7PsJ3dQe"
grants = ["token_exchange"]
resources = ["orders.example.com"]
[[client]]
id = "portal"
secret = "Xk29vTq8LzRw4mNbYc7PsJ3dQe"
grants = ["token_exchange", "device_code", "refresh_token"]
[[trusted_issuer]]
issuer = "https://idp.partner.example"
user_claim = "email"
[[trusted_issuer]]
issuer = "http://127.0.0.1:9000/"
[[exchange]]
client = "portal"
"#;
/// The rest of the first rule.
const FIRST: &str =
    "audience = \"portal\"\ntokens = [\"id_token\"]\nscopes = { openid = [\"openid\"] }\n";

/// What is said of a second rule; its line 1 is `[[exchange]]`.
fn said(rule: &str) -> String {
    let text = format!("{BASE}{FIRST}[[exchange]]\n{rule}");
    let before = BASE.lines().count() + FIRST.lines().count();
    let mistakes = mistakes(&text);
    let numbered = mistakes.lines().map(|mistake| {
        let rest = mistake.strip_prefix("grantor.toml:").unwrap();
        let (line, rest) = rest.split_once(':').unwrap();
        let line = line.parse::<usize>().unwrap() - before;
        format!("{line}:{rest}")
    });
    numbered.collect::<Vec<_>>().join("\n")
}

/// One mistake each, in a rule of two to five lines.
#[test]
fn mistakes_in_exchange_rules_are_reported_at_their_position() {
    const SHIPPING: &str =
        "audience = \"shipping\"\nscopes = { \"orders.example.com/read\" = [\"shipping/read\"] }";
    let orders = format!("client = \"orders\"\n{SHIPPING}");
    let foreign = "client = \"orders\"\naudience = \"shipping\"\nsubject_issuer = \"https://idp.partner.example\"";
    for (rule, expected) in [
        (
            format!("client = \"order\"\n{SHIPPING}"),
            "2:10: client in [[exchange]]: unknown client \"order\"; did you mean \"orders\"?",
        ),
        (
            format!("client = \"website\"\n{SHIPPING}"),
            "2:10: client in [[exchange]]: the client \"website\" needs the grant token_exchange",
        ),
        (
            "client = \"orders\"\naudience = \"https://order.example.com\"\nscopes = { openid = [\"openid\"] }".to_owned(),
            "3:12: audience in [[exchange]]: unknown audience \"https://order.example.com\"; did you mean \"https://orders.example.com\"?",
        ),
        (
            "client = \"orders\"\naudience = \"orders\"\nscopes = { openid = [\"openid\"] }".to_owned(),
            "3:12: audience in [[exchange]]: is the client itself, for which there are only ID tokens: name an API, or write tokens = [\"id_token\"]",
        ),
        (
            "client = \"orders\"\naudience = \"shipping\"".to_owned(),
            "1:1: scopes in [[exchange]]: missing: without any, the rule allows nothing",
        ),
        (
            "client = \"orders\"\naudience = \"shipping\"\nscopes = { \"orders.example.com/reed\" = [\"shipping/read\"] }".to_owned(),
            "4:12: scopes in [[exchange]]: unknown scope \"orders.example.com/reed\"; did you mean \"orders.example.com/read\"?",
        ),
        (
            "client = \"orders\"\naudience = \"shipping\"\nscopes = { \"orders.example.com/read\" = [\"shipping/write\"] }".to_owned(),
            "4:41: scopes in [[exchange]]: unknown scope \"shipping/write\"; did you mean \"shipping/read\"?",
        ),
        (
            "client = \"orders\"\naudience = \"shipping\"\nscopes = { \"orders.example.com/read\" = [\"orders.example.com/read\"] }".to_owned(),
            "4:41: scopes in [[exchange]]: scope \"orders.example.com/read\" is not of \"shipping\", the audience",
        ),
        (
            "client = \"orders\"\naudience = \"shipping\"\nscopes = { openid = [\"openid\"] }".to_owned(),
            "4:22: scopes in [[exchange]]: scope \"openid\" is not of \"shipping\", the audience",
        ),
        (
            "client = \"orders\"\naudience = \"shipping\"\nscopes = { \"orders.example.com/read\" = [] }".to_owned(),
            "4:12: scopes in [[exchange]]: becomes nothing: leave it out, or write what it becomes",
        ),
        (
            format!("{orders}\ngives = [\"shipping/read\"]"),
            "5:9: gives in [[exchange]]: is for the subjects of a subject_issuer; a token of this server has scopes: write scopes = { \"…\" = [\"…\"] }",
        ),
        (
            format!("{orders}\nsubject_clients = [\"webseite\"]"),
            "5:20: subject_clients in [[exchange]]: unknown client \"webseite\"; did you mean \"website\"?",
        ),
        (
            format!("{orders}\nsubject_audience = [\"shiping\"]"),
            "5:21: subject_audience in [[exchange]]: unknown audience \"shiping\"; did you mean \"shipping\"?",
        ),
        (
            format!("{orders}\nsubject_tokens = [\"acces_token\"]"),
            "5:19: subject_tokens in [[exchange]]: unknown kind of token \"acces_token\"; did you mean \"access_token\"?",
        ),
        (
            format!("{orders}\nsubject_tokens = []"),
            "5:18: subject_tokens in [[exchange]]: is empty, and so the rule allows nothing",
        ),
        (
            format!("{orders}\nsubject_tokens = [\"refresh_token\"]"),
            "5:19: subject_tokens in [[exchange]]: the client \"orders\" has none: it needs the grant refresh_token",
        ),
        (
            format!("{orders}\nsubject_tokens = [\"access_token\", \"id_token\"]"),
            "5:35: subject_tokens in [[exchange]]: the client \"orders\" has none: it needs the grant authorization_code or device_code",
        ),
        (
            format!("client = \"portal\"\n{SHIPPING}\nsubject_tokens = [\"id_token\"]\nsubject_clients = [\"website\"]"),
            "5:19: subject_tokens in [[exchange]]: only \"portal\" may exchange its own, and subject_clients leave it out",
        ),
        (
            format!("{orders}\ntokens = [\"access_token\", \"access_token\"]"),
            "5:27: tokens in [[exchange]]: access_token stands there twice",
        ),
        (
            format!("{orders}\ntokens = [\"access_token\", \"id_token\"]"),
            "5:10: tokens in [[exchange]]: an ID token is for the client itself, and the others are for an API: write a rule for each",
        ),
        (
            format!("{orders}\ntokens = [\"refresh_token\"]"),
            "5:11: tokens in [[exchange]]: the client \"orders\" needs the grant refresh_token",
        ),
        (
            format!("{orders}\ntokens = [\"id_token\"]"),
            "3:12: audience in [[exchange]]: an ID token is for the client that asks for it: write \"orders\"",
        ),
        (
            "client = \"orders\"\naudience = \"orders\"\ntokens = [\"id_token\"]\nscopes = { openid = [\"email\"] }".to_owned(),
            "5:10: scopes in [[exchange]]: an ID token needs openid among what may be granted",
        ),
        (
            "client = \"orders\"\naudience = \"orders\"\ntokens = [\"id_token\"]\nscopes = { openid = [\"openid\", \"shipping/read\"] }".to_owned(),
            "5:32: scopes in [[exchange]]: scope \"shipping/read\" is of an API, and an ID token is for none",
        ),
        (
            format!("{orders}\nactor_issuer = \"https://idp.patner.example\""),
            "5:16: actor_issuer in [[exchange]]: unknown trusted issuer \"https://idp.patner.example\"; did you mean \"https://idp.partner.example\"?",
        ),
        (
            format!("{orders}\nactor_issuer = \"https://id.example.com\""),
            "5:16: actor_issuer in [[exchange]]: is this server: leave it out, since tokens are its own without it",
        ),
        (
            format!("{orders}\nsubject_tokens = [\"id_token\"]\nrequire_may_act = true"),
            "5:19: subject_tokens in [[exchange]]: names no actor, and the rule has require_may_act",
        ),
        (
            format!("{orders}\nrequire_actor_token = true\nimpersonation = true"),
            "6:17: impersonation in [[exchange]]: has no effect: whom the actor token names, is never hidden",
        ),
        (
            format!("{foreign}\ngives = [\"shipping/read\"]\ntokens = [\"access_token\", \"refresh_token\"]"),
            "6:27: tokens in [[exchange]]: comes only of what a user granted here, and the rule has a subject_issuer",
        ),
        (
            format!("{orders}\nmax_depth = 9"),
            "5:13: max_depth in [[exchange]]: is more than 8",
        ),
        (
            format!("{orders}\nmax_depth = 0"),
            "5:13: max_depth in [[exchange]]: expected a whole number from 1 to 4294967295, found 0",
        ),
        (
            format!("{orders}\nlifetime = \"0s\""),
            "5:12: lifetime in [[exchange]]: must be more than 0s",
        ),
        (
            foreign.to_owned(),
            "1:1: gives in [[exchange]]: missing: without it the subjects of subject_issuer get nothing",
        ),
        (
            format!("{foreign}\nscopes = {{ openid = [\"shipping/read\"] }}"),
            "5:10: scopes in [[exchange]]: a trusted issuer's scopes mean nothing here: write what its subjects get, gives = [\"…\"]",
        ),
        (
            format!("{foreign}\ngives = [\"orders.example.com/read\"]"),
            "5:10: gives in [[exchange]]: scope \"orders.example.com/read\" is not of \"shipping\", the audience",
        ),
        (
            format!("{foreign}\ngives = [\"shipping/read\"]\nsubject_tokens = [\"access_token\"]"),
            "6:18: subject_tokens in [[exchange]]: is of this server's tokens, and the rule has a subject_issuer",
        ),
        (
            foreign.replace("https://idp.partner.example", "http://127.0.0.1:9000/")
                + "\ngives = [\"shipping/read\"]\nsubject_groups = [\"staff\"]",
            "6:18: subject_groups in [[exchange]]: subject_issuer names no users of this server: its [[trusted_issuer]] needs user_claim",
        ),
        (
            foreign.replace("idp.partner", "idp.partners") + "\ngives = [\"shipping/read\"]",
            "4:18: subject_issuer in [[exchange]]: unknown trusted issuer \"https://idp.partners.example\"; did you mean \"https://idp.partner.example\"?",
        ),
    ] {
        assert_eq!(said(&rule), expected, "{rule}");
    }
}

#[test]
fn two_rules_cannot_have_one_name() {
    let rule = "name = \"a\"\nclient = \"portal\"\naudience = \"portal\"\ntokens = [\"id_token\"]\nscopes = { openid = [\"openid\"] }\n";
    assert_eq!(
        said(&format!("{rule}[[exchange]]\n{rule}")),
        "8:8: name in [[exchange]]: a [[exchange]] before has \"a\" already"
    );
}

#[test]
fn where_may_act_is_required_some_client_must_have_it() {
    let without_may_act = BASE.replace("may_act = \"orders\"\n", "");
    let line = 9 + without_may_act.lines().count() + FIRST.lines().count();
    assert_eq!(
        mistakes(&format!("{without_may_act}{FIRST}{RULES}")),
        format!(
            "grantor.toml:{line}:19: require_may_act in [[exchange]]: some [[client]] needs may_act = \"…\": \
             without it no token names an actor"
        )
    );
}

#[test]
fn only_clients_with_a_secret_exchange() {
    assert_eq!(
        mistakes(
            "issuer = \"https://id.example.com\"\n[[client]]\nid = \"tv\"\ngrants = [\"token_exchange\"]"
        ),
        "grantor.toml:4:11: grants in [[client]]: token_exchange needs a secret"
    );
}

#[test]
fn a_trusted_issuer_is_another_and_named_once() {
    const URL: &str =
        "is not an https URL, or an http one on this machine, without user, password and fragment";
    let two = "https://idp.example\"\n[[trusted_issuer]]\nissuer = \"https://idp.example";
    let here = "a [[trusted_issuer]] before has \"https://idp.example\" already";
    for (issuer, expected) in [
        (
            "https://id.example.com",
            "3:10: issuer: is this server, which trusts itself",
        ),
        (two, &format!("5:10: issuer: {here}")),
        ("http://idp.example", &format!("3:10: issuer: {URL}")),
        (
            "https://u:hunter2@idp.example",
            &format!("3:10: issuer: {URL}"),
        ),
        ("https://idp.example?a=b", "3:10: issuer: has a query"),
        (
            "https://idp.example/a|b",
            "3:10: issuer: holds a |, which no issuer does",
        ),
        (
            "https://idp.example\"\njwks_uri = \"http://idp.example/jwks",
            &format!("4:12: jwks_uri: {URL}"),
        ),
        (
            "https://idp.example\"\nalgorithms = []\nuser_claim = \"email",
            "4:14: algorithms: is empty, and so no token could be right",
        ),
        (
            "https://idp.example\"\nalgorithms = [\"HS256\"]\nuser_claim = \"email",
            "4:15: algorithms: unknown signature algorithm \"HS256\"; did you mean \"ES256\"?",
        ),
        (
            "https://idp.example\"\nmax_age = \"0s",
            "4:11: max_age: must be more than 0s",
        ),
    ] {
        let said = mistakes(&format!(
            "issuer = \"https://id.example.com\"\n[[trusted_issuer]]\nissuer = \"{issuer}\"\n"
        ));
        let said = said.replace(" in [[trusted_issuer]]", "");
        assert_eq!(said, format!("grantor.toml:{expected}"), "{issuer}");
    }
}

/// Rules of every kind that are right.
const RULES: &str = r#"
[[exchange]]
client = "orders"
audience = "shipping"
scopes = { "orders.example.com/read" = ["shipping/read"] }
subject_clients = ["website"]
subject_groups = ["staff"]
subject_audience = ["https://id.example.com", "orders.example.com"]
require_may_act = true
max_depth = 8
[[exchange]]
client = "portal"
audience = "shipping"
scopes = { openid = ["shipping/read"] }
subject_tokens = ["access_token", "id_token", "refresh_token"]
tokens = ["access_token", "refresh_token"]
actor_issuer = "http://127.0.0.1:9000/"
require_actor_token = true
[[exchange]]
name = "partners"
client = "orders"
audience = "shipping"
subject_issuer = "https://idp.partner.example"
subject_groups = ["partners"]
gives = ["shipping/read"]
[[exchange]]
client = "orders"
audience = "shipping"
scopes = { "orders.example.com/read" = ["shipping/read"] }
impersonation = true
lifetime = "1m"
"#;

#[test]
fn rules_of_every_kind_are_read_and_each_has_a_name_of_its_own() {
    let settings = settings(&format!("{BASE}{FIRST}{RULES}"));
    assert_eq!(
        settings.exchange_names(),
        [
            "portal → portal",
            "orders → shipping",
            "portal → shipping",
            "partners",
            "orders → shipping (2)",
        ]
    );
    let rule = &settings.exchanges[1];
    assert_eq!(rule.effective_subject_tokens(), [TokenKind::AccessToken]);
    assert_eq!(rule.effective_tokens(), [TokenKind::AccessToken]);
    let algorithms = settings.trusted_issuers[0].effective_algorithms();
    assert_eq!(algorithms, Algorithm::ALL);
    let said = [settings.not_built(), settings.advice()].concat();
    let about_exchange = |said: &&String| said.contains("xchange") || said.contains("issuer");
    assert_eq!(said.iter().find(about_exchange), None);
}

#[test]
fn advice_names_exchange_rules_without_effect() {
    let advice = |text: &str| {
        let advice = settings(text).advice().into_iter();
        advice
            .filter(|said| !said.contains("trusted_proxies"))
            .collect::<Vec<_>>()
    };
    let lost = BASE.replace("resources = [\"orders.example.com\"]\n", "");
    let lost = format!("{lost}{FIRST}{RULES}")
        .replace("\"https://id.example.com\", \"orders.example.com\"", "");
    let not_taken = |rule: &str| {
        format!(
            "Exchange rule {rule:?}: tokens with \"orders.example.com/read\" are for an API that is none of the \
             client's resources, and not in subject_audience, so they are not taken."
        )
    };
    assert_eq!(
        advice(&lost),
        ["orders → shipping", "orders → shipping (2)"].map(not_taken)
    );
    // Tokens that the client gets itself are its own.
    let own = "secret = \"Xk29vTq8LzRw4mNbYc7PsJ3dQe\"\nscopes = [\"orders.example.com/read\"]\ngrants = [\"token_exchange\"]";
    let own = lost.replace(
        "secret = \"Xk29vTq8LzRw4mNbYc7PsJ3dQe\"\ngrants = [\"token_exchange\"]",
        own,
    );
    assert_ne!(own, lost);
    assert!(advice(&own).is_empty());

    assert_eq!(
        advice(&format!("{BASE}{FIRST}")),
        [
            "Client \"orders\": it has the grant token_exchange, and no [[exchange]] rule: it can exchange nothing.",
            "Trusted issuer \"https://idp.partner.example\": no [[exchange]] rule takes its tokens.",
            "Trusted issuer \"http://127.0.0.1:9000/\": no [[exchange]] rule takes its tokens.",
        ]
    );
}
