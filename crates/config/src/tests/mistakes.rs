//! One mistake each, and what is said of it. Line 1 is the issuer, so tables begin at line 2.

use super::{mistakes, read};

macro_rules! mistake {
    ($($name:ident: $text:literal => $said:literal;)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(mistakes(&format!("issuer = \"https://id.example.com\"\n{}", $text)), $said);
        }
    )+};
}

mistake! {
    an_unknown_key_in_a_table:
        "[device]\nlifetme = \"10m\"" =>
        "grantor.toml:3:1: unknown key \"lifetme\" in [device]; did you mean \"lifetime\"?";
    an_unknown_key_at_the_top:
        "listn = \"127.0.0.1:80\"" =>
        "grantor.toml:2:1: unknown key \"listn\"; did you mean \"listen\"?";
    a_top_level_key_after_a_table:
        "[device]\nnodes = 2" =>
        "grantor.toml:3:1: unknown key \"nodes\" in [device]; it is a key of the top level: write it before the first table";
    a_key_of_another_table:
        "session_idle = \"10m\"" =>
        "grantor.toml:2:1: unknown key \"session_idle\"; it is a key of [lifetimes]";
    an_unknown_table:
        "[[clients]]\nid = \"tv\"" =>
        "grantor.toml:2:3: unknown key \"clients\"; did you mean \"client\"?";
    one_bracket_where_two_belong:
        "[client]\nid = \"tv\"" =>
        "grantor.toml:2:1: client: there may be several: write [[client]]";
    plain_http_for_others:
        "listen = \"0.0.0.0:8080\"" =>
        "grantor.toml:2:10: listen: others can reach this address, and plain http would show their secrets to the network: let the server speak TLS (tls = { cert = \"…\", key = \"…\" }), or name the proxy in front that does (trusted_proxies = [\"…\"])";
    a_missing_key:
        "[[client]]\nname = \"TV\"" =>
        "grantor.toml:2:1: missing key \"id\" in [[client]]";
    a_number_for_a_duration:
        "[lifetimes]\naccess = 600" =>
        "grantor.toml:3:10: access in [lifetimes]: expected a duration such as \"10m\", found a number";
    a_duration_without_unit:
        "[lifetimes]\naccess = \"600\"" =>
        "grantor.toml:3:10: access in [lifetimes]: \"600\" has no unit; did you mean \"600s\"?";
    a_duration_in_words:
        "[lifetimes]\naccess = \"10 minutes\"" =>
        "grantor.toml:3:10: access in [lifetimes]: \"10 minutes\" is not a duration; write whole seconds, minutes, hours or days: \"30s\", \"10m\", \"8h\", \"30d\"";
    a_duration_below_a_second:
        "[device]\ninterval = \"500ms\"" =>
        "grantor.toml:3:12: interval in [device]: \"500ms\" is not a duration; write whole seconds, minutes, hours or days: \"30s\", \"10m\", \"8h\", \"30d\"";
    a_duration_beyond_time:
        "[lifetimes]\naccess = \"99999999999999999999d\"" =>
        "grantor.toml:3:10: access in [lifetimes]: \"99999999999999999999d\" is not between 0s and 100 years";
    a_lifetime_of_nothing:
        "[lifetimes]\naccess = \"0s\"" =>
        "grantor.toml:3:10: access in [lifetimes]: must be more than 0s";
    an_idle_life_longer_than_the_absolute_one:
        "[lifetimes]\nrefresh_idle = \"400d\"" =>
        "grantor.toml:3:16: refresh_idle in [lifetimes]: is longer than refresh_absolute";
    an_unknown_grant:
        "[[client]]\nid = \"tv\"\ngrants = [\"device\"]" =>
        "grantor.toml:4:11: grants in [[client]]: unknown grant \"device\"; did you mean \"device_code\"?";
    a_grant_by_its_registered_name:
        "[[client]]\nid = \"tv\"\ngrants = [\"urn:ietf:params:oauth:grant-type:device_code\"]" =>
        "grantor.toml:4:11: grants in [[client]]: unknown grant \"urn:ietf:params:oauth:grant-type:device_code\"; did you mean \"device_code\"?";
    an_unknown_value_that_is_near_to_none:
        "[[resource]]\nidentifier = \"a\"\ntoken = \"opaque\"" =>
        "grantor.toml:4:9: token in [[resource]]: unknown token format \"opaque\"; it is one of jwt, sealed";
    a_scope_with_a_space:
        "[[client]]\nid = \"tv\"\nscopes = [\"openid profile\"]" =>
        "grantor.toml:4:11: scopes in [[client]]: \"openid profile\" is not one scope: it must be printable ASCII without space, quote and backslash";
    an_unknown_openid_scope:
        "[[client]]\nid = \"tv\"\nscopes = [\"openid\", \"profil\"]" =>
        "grantor.toml:4:21: scopes in [[client]]: unknown scope \"profil\"; did you mean \"profile\"?";
    an_unknown_scope_of_a_resource:
        "[[resource]]\nidentifier = \"orders\"\nscopes = { read = \"Read\" }\n[[client]]\nid = \"tv\"\nscopes = [\"orders/reed\"]" =>
        "grantor.toml:7:11: scopes in [[client]]: unknown scope \"orders/reed\"; did you mean \"orders/read\"?";
    a_scope_of_an_unknown_resource:
        "[[resource]]\nidentifier = \"orders\"\nscopes = { read = \"Read\" }\n[[client]]\nid = \"tv\"\nscopes = [\"ordres/read\"]" =>
        "grantor.toml:7:11: scopes in [[client]]: scope \"ordres/read\" is of \"ordres\", which no [[resource]] declares; did you mean \"orders/read\"?";
    a_scope_name_with_a_slash:
        "[[resource]]\nidentifier = \"orders\"\nscopes = { \"a/b\" = \"Read\" }" =>
        "grantor.toml:4:12: scopes in [[resource]]: \"a/b\" cannot name a scope: it must be printable ASCII without space, slash, quote and backslash";
    default_scopes_beyond_the_scopes:
        "[[client]]\nid = \"tv\"\nscopes = [\"openid\"]\ndefault_scopes = [\"email\"]" =>
        "grantor.toml:5:19: default_scopes in [[client]]: scope \"email\" is not among the client's scopes";
    default_scopes_of_two_resources:
        "[[resource]]\nidentifier = \"a\"\nscopes = { r = \"R\" }\n[[resource]]\nidentifier = \"b\"\nscopes = { r = \"R\" }\n\
         [[client]]\nid = \"tv\"\nscopes = [\"a/r\", \"b/r\"]" =>
        "grantor.toml:10:10: scopes in [[client]]: without default_scopes all are the default, but they are of two resources, \"a\" and \"b\", and a token is for one";
    a_username_that_is_somebody_elses_address:
        "[[user]]\nusername = \"a@example.com\"\npassword = \"correct horse\"" =>
        "grantor.toml:3:12: username in [[user]]: holds an @ and is not the user's own e-mail address: give the same address as email, or choose a username without @";
    a_username_with_a_full_width_at:
        "[[user]]\nusername = \"a\u{ff20}example.com\"\nemail = \"b@example.com\"" =>
        "grantor.toml:3:12: username in [[user]]: holds an @ and is not the user's own e-mail address: give the same address as email, or choose a username without @";
    an_address_that_is_the_name_of_another_user:
        "[[user]]\nusername = \"a@example.com\"\nemail = \"A@example.com\"\n[[user]]\nusername = \"b\"\nemail = \"a@EXAMPLE.com\"" =>
        "grantor.toml:7:9: email in [[user]]: is the username of another [[user]], \"a@example.com\"";
    a_claim_from_an_unknown_source:
        "[[resource]]\nidentifier = \"a\"\nclaims = { department = \"users.department\" }" =>
        "grantor.toml:4:12: claims in [[resource]]: unknown source \"users.department\"; did you mean \"user.department\"?";
    a_claim_from_an_unknown_part_of_a_client:
        "[[client]]\nid = \"tv\"\nid_claims = { app = \"client.nam\" }" =>
        "grantor.toml:4:15: id_claims in [[client]]: unknown source \"client.nam\"; did you mean \"client.name\"?";
    a_claim_from_a_users_groups:
        "[[resource]]\nidentifier = \"a\"\nclaims = { roles = \"user.groups\" }" =>
        "grantor.toml:4:12: claims in [[resource]]: unknown source \"user.groups\"; did you mean \"groups\"?";
    a_claim_from_one_group_too_few:
        "[[resource]]\nidentifier = \"a\"\nclaims = { roles = \"group\" }" =>
        "grantor.toml:4:12: claims in [[resource]]: unknown source \"group\"; did you mean \"groups\"?";
    a_constant_without_quotes:
        "[[resource]]\nidentifier = \"a\"\nclaims = { tier = \"gold\" }" =>
        "grantor.toml:4:12: claims in [[resource]]: unknown source \"gold\"; write \"user.gold\" for a claim of the user, or \"'gold'\" for a constant";
    a_constant_with_one_quote:
        "[[resource]]\nidentifier = \"a\"\nclaims = { tier = \"'gold\" }" =>
        "grantor.toml:4:12: claims in [[resource]]: \"'gold\" is not a constant, which is written in quotes: \"'gold'\"";
    a_claim_from_a_list:
        "[[resource]]\nidentifier = \"a\"\nclaims = { roles = [\"groups\"] }" =>
        "grantor.toml:4:12: claims in [[resource]]: expected a source, a number, or true or false, found a list";
    a_claim_that_says_who_acts:
        "[[resource]]\nidentifier = \"a\"\nclaims = { act = \"user.username\" }" =>
        "grantor.toml:4:12: claims in [[resource]]: the claim \"act\" is reserved: the server sets it, or other specifications define it";
    a_claim_that_says_who_the_user_is:
        "[[client]]\nid = \"tv\"\nid_claims = { sub = \"user.email\" }" =>
        "grantor.toml:4:15: id_claims in [[client]]: the claim \"sub\" is reserved: the server sets it, or other specifications define it";
    the_claim_groups_of_a_resource:
        "[[resource]]\nidentifier = \"a\"\nclaims = { groups = \"groups\" }" =>
        "grantor.toml:4:12: claims in [[resource]]: the claim \"groups\" is set by groups = true, false or a list of groups";
    groups_that_are_no_list:
        "[[resource]]\nidentifier = \"a\"\ngroups = \"staff\"" =>
        "grantor.toml:4:10: groups in [[resource]]: expected true, false or a list of groups, found a string";
    a_group_with_a_star_at_its_beginning:
        "[[resource]]\nidentifier = \"a\"\ngroups = [\"*-admin\"]" =>
        "grantor.toml:4:11: groups in [[resource]]: \"*-admin\" is not the name of a group, which may end in a star: \"orders-*\"";
    a_resources_lifetime_of_nothing:
        "[[resource]]\nidentifier = \"a\"\nlifetime = \"0s\"" =>
        "grantor.toml:4:12: lifetime in [[resource]]: must be more than 0s";
    an_actor_that_is_no_client:
        "[[client]]\nid = \"orders\"\n[[client]]\nid = \"site\"\nmay_act = \"order\"" =>
        "grantor.toml:6:11: may_act in [[client]]: unknown client \"order\"; did you mean \"orders\"?";
    a_users_claim_that_is_a_key:
        "[[user]]\nusername = \"a\"\npassword = \"p\"\nclaims = { username = \"b\" }" =>
        "grantor.toml:5:12: claims in [[user]]: the claim \"username\" is reserved: the server sets it, or it is a key of [[user]]";
    an_unknown_resource:
        "[[resource]]\nidentifier = \"orders\"\n[[client]]\nid = \"tv\"\nresources = [\"order\"]" =>
        "grantor.toml:6:14: resources in [[client]]: unknown resource \"order\"; did you mean \"orders\"?";
    two_resources_of_one_audience:
        "[[resource]]\nidentifier = \"a\"\nuri = \"https://a.example\"\n[[resource]]\nidentifier = \"b\"\nuri = \"https://a.example\"" =>
        "grantor.toml:7:7: uri in [[resource]]: a [[resource]] before has the audience \"https://a.example\" already";
    two_clients_of_one_id:
        "[[client]]\nid = \"tv\"\n[[client]]\nid = \"tv\"" =>
        "grantor.toml:5:6: id in [[client]]: a [[client]] before has \"tv\" already";
    a_client_id_outside_of_ascii:
        "[[client]]\nid = \"fernsehgerät\"" =>
        "grantor.toml:3:6: id in [[client]]: \"fernsehgerät\" is not 1 to 255 printable ASCII characters";
    machine_tokens_for_a_public_client:
        "[[client]]\nid = \"tv\"\ngrants = [\"client_credentials\"]" =>
        "grantor.toml:4:11: grants in [[client]]: client_credentials needs a secret";
    two_secrets:
        "[[client]]\nid = \"a\"\nsecret = \"hunter2\"\nsecret_sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"" =>
        "grantor.toml:5:17: secret_sha256 in [[client]]: the client has secret already; give one of them";
    a_redirect_uri_with_a_fragment:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"https://a.example/#x\"]" =>
        "grantor.toml:4:18: redirect_uris in [[client]]: has a fragment";
    a_relative_redirect_uri:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"/callback\"]" =>
        "grantor.toml:4:18: redirect_uris in [[client]]: is not an absolute URI";
    a_redirect_uri_that_runs:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"javascript:alert(1)\"]" =>
        "grantor.toml:4:18: redirect_uris in [[client]]: has a scheme that cannot be redirected to: write https, or one of the app's own, such as com.example.app";
    a_redirect_uri_that_opens_a_mail_program:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"mailto:a@a.example\"]" =>
        "grantor.toml:4:18: redirect_uris in [[client]]: has a scheme that cannot be redirected to: write https, or one of the app's own, such as com.example.app";
    a_redirect_uri_after_sign_out_that_calls_a_number:
        "[[client]]\nid = \"a\"\npost_logout_redirect_uris = [\"tel:+15550100\"]" =>
        "grantor.toml:4:30: post_logout_redirect_uris in [[client]]: has a scheme that cannot be redirected to: write https, or one of the app's own, such as com.example.app";
    a_redirect_uri_of_every_subdomain:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"https://*.a.example/cb\"]" =>
        "grantor.toml:4:18: redirect_uris in [[client]]: has a wildcard for the host, and addresses are compared as text: write each one";
    a_redirect_uri_of_every_port_by_a_wildcard:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"http://localhost:*/cb\"]" =>
        "grantor.toml:4:18: redirect_uris in [[client]]: has a wildcard for the port: leave it out, and a loopback address takes any port";
    a_redirect_uri_with_what_the_answer_adds:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"https://a.example/\", \"https://a.example/cb?x=1&code=2\"]" =>
        "grantor.toml:4:40: redirect_uris in [[client]]: its query has code, which the answer adds: leave it out, so that it is not there twice";
    a_redirect_uri_after_sign_out_with_what_the_answer_adds:
        "[[client]]\nid = \"a\"\npost_logout_redirect_uris = [\"https://a.example/bye?state=2\"]" =>
        "grantor.toml:4:30: post_logout_redirect_uris in [[client]]: its query has state, which the answer adds: leave it out, so that it is not there twice";
    an_origin_of_every_subdomain:
        "[[client]]\nid = \"a\"\norigins = [\"https://*.a.example\"]" =>
        "grantor.toml:4:12: origins in [[client]]: \"https://*.a.example\" has a wildcard, and origins are compared as text: write each one";
    a_redirect_uri_of_another_machine_in_the_clear:
        "[[client]]\nid = \"a\"\nredirect_uris = [\"https://a.example/\", \"http://a.example/\"]" =>
        "grantor.toml:4:40: redirect_uris in [[client]]: is http on another machine: use https";
    a_redirect_uri_after_sign_out_with_a_user:
        "[[client]]\nid = \"a\"\npost_logout_redirect_uris = [\"https://hunter2@a.example/\"]" =>
        "grantor.toml:4:30: post_logout_redirect_uris in [[client]]: has a user name in front of the host";
    a_logout_uri_that_is_no_url:
        "[[client]]\nid = \"a\"\nbackchannel_logout_uri = \"app.example/logout\"" =>
        "grantor.toml:4:26: backchannel_logout_uri in [[client]]: is not a URL such as \"https://app.example.com/logout\"";
    a_logout_uri_with_a_fragment:
        "[[client]]\nid = \"a\"\nbackchannel_logout_uri = \"https://a.example/#\"" =>
        "grantor.toml:4:26: backchannel_logout_uri in [[client]]: has a fragment";
    a_logout_uri_with_a_password:
        "[[client]]\nid = \"a\"\nbackchannel_logout_uri = \"https://:hunter2@a.example/\"" =>
        "grantor.toml:4:26: backchannel_logout_uri in [[client]]: holds a user or password";
    a_logout_uri_of_an_app_on_a_device:
        "[[client]]\nid = \"a\"\nbackchannel_logout_uri = \"com.example.app:/logout\"" =>
        "grantor.toml:4:26: backchannel_logout_uri in [[client]]: is not an https URL";
    a_logout_uri_of_another_machine_in_the_clear:
        "[[client]]\nid = \"a\"\nbackchannel_logout_uri = \"http://a.example/\"" =>
        "grantor.toml:4:26: backchannel_logout_uri in [[client]]: is http on a host that is not loopback; use https";
    a_logout_uri_of_this_machine_where_the_issuer_is_elsewhere:
        "[[client]]\nid = \"a\"\nsecret = \"s\"\nbackchannel_logout_uri = \"http://127.0.0.1/\"" =>
        "grantor.toml:5:26: backchannel_logout_uri in [[client]]: is http, and the issuer is not on this machine: use https";
    a_logout_uri_in_the_clear_of_a_public_client:
        "[[client]]\nid = \"a\"\nbackchannel_logout_uri = \"http://127.0.0.1/\"" =>
        "grantor.toml:4:26: backchannel_logout_uri in [[client]]: is http, and the client has no secret: use https";
    a_code_that_lives_too_long:
        "[lifetimes]\ncode = \"11m\"" =>
        "grantor.toml:3:8: code in [lifetimes]: is longer than 10m";
    the_grant_of_codes_without_an_address_to_send_them_to:
        "[[client]]\nid = \"a\"\ngrants = [\"authorization_code\"]" =>
        "grantor.toml:4:11: grants in [[client]]: authorization_code needs redirect_uris";
    a_public_client_without_pkce:
        "[[client]]\nid = \"a\"\npkce = \"optional\"" =>
        "grantor.toml:4:8: pkce in [[client]]: only a client with a secret may do without PKCE";
    relaxed_sign_in_where_others_can_reach_it:
        "[test]\nwrong_passwords = 1000" =>
        "grantor.toml:3:19: wrong_passwords in [test]: is for tests, and allowed only where the issuer is on this machine";
    an_origin_with_a_path:
        "[[client]]\nid = \"a\"\norigins = [\"https://a.example/app\"]" =>
        "grantor.toml:4:12: origins in [[client]]: \"https://a.example/app\" is not an origin; did you mean \"https://a.example\"?";
    two_users_of_one_name:
        "[[user]]\nusername = \"alice\"\npassword = \"a\"\n[[user]]\nusername = \"Alice\"\npassword = \"b\"" =>
        "grantor.toml:6:12: username in [[user]]: a [[user]] before has \"alice\" already";
    a_user_with_two_passwords:
        "[[user]]\nusername = \"alice\"\npassword = \"a\"\npassword_hash = \"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$NIZzwR2U5Ii0yfKmSzy1gTcrtaFsWdFF5HSD2p5QKiI\"" =>
        "grantor.toml:5:17: password_hash in [[user]]: give password or password_hash, not both";
    a_password_hash_that_costs_too_much:
        "[[user]]\nusername = \"alice\"\npassword_hash = \"$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0$NIZzwR2U5Ii0yfKmSzy1gTcrtaFsWdFF5HSD2p5QKiI\"" =>
        "grantor.toml:4:17: password_hash in [[user]]: cannot be used: the hash asks for more than 256 MiB of memory";
    a_claim_of_the_server:
        "[[user]]\nusername = \"alice\"\npassword = \"a\"\nclaims = { sub = \"bob\" }" =>
        "grantor.toml:5:12: claims in [[user]]: the claim \"sub\" is reserved: the server sets it, or it is a key of [[user]]";
    a_user_code_that_is_easy_to_guess:
        "[device]\nuser_code_length = 4" =>
        "grantor.toml:3:20: user_code_length in [device]: codes of this format could be guessed: use more characters or character classes";
    a_user_code_that_nobody_types:
        "[device]\nuser_code_length = 33" =>
        "grantor.toml:3:20: user_code_length in [device]: at most 32 characters";
    a_user_code_of_few_digits:
        "[device]\nuser_code_format = \"#\"\nuser_code_length = 6" =>
        "grantor.toml:4:20: user_code_length in [device]: codes of this format could be guessed: use more characters or character classes";
    an_unknown_class_of_letters:
        "[device]\nuser_code_format = \"#C\"" =>
        "grantor.toml:3:20: user_code_format in [device]: 'C' is not a character class: # is digits, a and A letters, b and B consonants, ! specials";
    an_unknown_token_of_the_set:
        "[device]\ntoken_set = \"ACCES+REFRESH\"" =>
        "grantor.toml:3:13: token_set in [device]: unknown token \"ACCES\"; did you mean \"ACCESS\"?";
    an_unknown_provider:
        "[device]\ntokens = \"provider\"\nprovider = \"crop\"\n[[provider]]\nname = \"corp\"\nissuer = \"https://a.example/\"\nclient_id = \"g\"" =>
        "grantor.toml:4:12: provider in [device]: unknown provider \"crop\"; did you mean \"corp\"?";
    what_may_be_a_secret_and_not_the_name_of_a_variable:
        "key_file = \"a\"\nkey_env = \"unset\"" =>
        "grantor.toml:3:11: key_env: the environment variable that it names is not set";
    a_database_without_a_master_key:
        "store = \"postgres://grantor:hunter2@db/grantor\"" =>
        "grantor.toml:2:9: store: with PostgreSQL, give key_file or key_env too";
    a_proxy_that_is_no_network:
        "trusted_proxies = [\"10.0.0.0/8\", \"localhost\"]" =>
        "grantor.toml:2:34: trusted_proxies: \"localhost\" is not a network, such as \"10.0.0.0/8\", nor an address";
}

#[test]
fn the_issuer_is_a_url_that_clients_can_compare() {
    for (issuer, said) in [
        (
            "https://id.example.com/",
            "ends with a slash: leave it out, since clients compare it as text",
        ),
        (
            "http://id.example.com",
            "is http on a host that is not loopback; use https",
        ),
        ("https://id.example.com?a=b", "has a query"),
        ("https://id.example.com/#a", "has a fragment"),
        (
            "https://me:hunter2@id.example.com",
            "holds a user or password",
        ),
        (
            "https://ID.example.com:443",
            "is not in the form that clients compare; write \"https://id.example.com\"",
        ),
        (
            "id.example.com",
            "is not a URL such as \"https://id.example.com\"",
        ),
        ("mailto:id@example.com", "is not an http or https URL"),
    ] {
        let mistakes = mistakes(&format!("issuer = {issuer:?}"));
        assert_eq!(
            mistakes,
            format!("grantor.toml:1:10: issuer: {said}"),
            "{issuer}"
        );
    }
    for issuer in [
        "http://localhost:8080",
        "http://[::1]:8080",
        "https://id.example.com/realms/a",
    ] {
        assert!(
            read(&format!("issuer = {issuer:?}"), &[]).is_ok(),
            "{issuer}"
        );
    }
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_file_without_their_consequences() {
    let text = "listen = \"nowhere\"\nnodes = 0\n[device]\nlifetme = \"1m\"\ntokens = \"mine\"\n\
                [lifetimes]\nrefresh_absolute = \"long\"\n[[client]]\ngrants = [\"device\", 5]\nscopes = [7, \"emial\"]\n";
    assert_eq!(
        mistakes(text),
        "grantor.toml:1:1: missing key \"issuer\"\n\
         grantor.toml:1:10: listen: \"nowhere\" is not an IP address and port, such as \"127.0.0.1:8080\" or \"[::]:8080\"\n\
         grantor.toml:2:9: nodes: expected a whole number from 1 to 4294967295, found 0\n\
         grantor.toml:4:1: unknown key \"lifetme\" in [device]; did you mean \"lifetime\"?\n\
         grantor.toml:5:10: tokens in [device]: unknown source of tokens \"mine\"; it is one of own, provider\n\
         grantor.toml:7:20: refresh_absolute in [lifetimes]: \"long\" is not a duration; write whole seconds, minutes, hours or days: \"30s\", \"10m\", \"8h\", \"30d\"\n\
         grantor.toml:8:1: missing key \"id\" in [[client]]\n\
         grantor.toml:9:11: grants in [[client]]: unknown grant \"device\"; did you mean \"device_code\"?\n\
         grantor.toml:9:21: grants in [[client]]: expected the name of a grant, found a number\n\
         grantor.toml:10:11: scopes in [[client]]: expected a scope, found a number\n\
         grantor.toml:10:14: scopes in [[client]]: unknown scope \"emial\"; did you mean \"email\"?"
    );
}

#[test]
fn broken_toml_is_reported_where_it_breaks_and_without_the_text() {
    let said = mistakes("issuer = \"https://id.example.com\"\n[[client]]\nsecret = \"hunter2\n");
    assert!(said.starts_with("grantor.toml:3:"), "{said}");
    assert!(
        said.contains("not valid TOML") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn no_mistake_shows_a_secret() {
    let text = "issuer = \"https://u:hunter2@id.example.com\"\nstore = \"postgres:hunter2\"\nkey_env = \"hunter2\"\n\
                [[client]]\nid = \"a\"\nsecret = [\"hunter2\"]\nsecret_sha256 = \"hunter2\"\nsecret_env = \"hunter2\"\n\
                [[user]]\nusername = \"a\"\npassword_hash = \"hunter2\"\n\
                [[user]]\nusername = \"b\"\npassword = { a = \"hunter2\" }\n\
                [[client]]\nid = \"b\"\nsecret = \"hunter2\\u00e9\"\n";
    let said = mistakes(text);
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(said.lines().count(), 9, "{said}");
}

#[test]
fn a_list_or_file_of_secrets_that_gives_none_makes_no_public_client() {
    let said = |secret: &str| {
        mistakes(&format!(
            "issuer = \"https://id.example.com\"\n[[client]]\nid = \"a\"\ngrants = [\"client_credentials\"]\n{secret}"
        ))
    };
    for (secret, why) in [
        (
            "secrets_env = []",
            "5:15: secrets_env in [[client]]: names no variable",
        ),
        (
            "secrets_env = [\"ORDERS_SECRET\"]",
            "5:16: secrets_env in [[client]]: the environment variable ORDERS_SECRET is not set",
        ),
        (
            "secret_file = \"/nonexistent/hunter2\"",
            "5:15: secret_file in [[client]]: the file that it names cannot be read: No such file or directory (os error 2)",
        ),
        (
            "secret_file = \"/dev/zero\"",
            "5:15: secret_file in [[client]]: the file that it names cannot be read: it is not a file",
        ),
        (
            "secrets_env = [\"hunter2\"]\nsecret = \"a\"",
            "5:16: secrets_env in [[client]]: the environment variable that it names is not set\n\
             grantor.toml:5:15: secrets_env in [[client]]: the client has secret already; give one of them",
        ),
    ] {
        let said = said(secret);
        assert!(!said.contains("hunter2"), "{said}");
        let lines = |text: &str| {
            text.lines()
                .map(ToOwned::to_owned)
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(lines(&said), lines(&format!("grantor.toml:{why}")));
    }
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let said = mistakes(
        "issuer = \"https://id.example.com\"\n[[client]]\nid = \"a\"\nsecret_env = \"ORDERS_SECRET\"",
    );
    assert_eq!(
        said,
        "grantor.toml:4:14: secret_env in [[client]]: the environment variable ORDERS_SECRET is not set"
    );
}

#[test]
fn plain_http_is_for_this_machine_and_for_proxies() {
    let right = |rest: &str| {
        let read = read(&format!("issuer = \"https://id.example.com\"\n{rest}"), &[]);
        assert!(read.is_ok(), "{rest}: {read:?}");
    };
    right("listen = \"[::1]:8080\"");
    right("listen = \"0.0.0.0:8080\"\ntrusted_proxies = [\"10.0.0.1\"]");
    right("listen = \"0.0.0.0:8443\"\ntls = { cert = \"a\", key = \"b\" }");
    assert_eq!(
        mistakes("issuer = \"http://127.0.0.1:8080\"\ntls = { cert = \"a\", key = \"b\" }"),
        "grantor.toml:1:10: issuer: is http, and with tls the server speaks https: write https://…"
    );
    // What is wrong with tls itself is said alone.
    assert_eq!(
        mistakes("issuer = \"https://id.example.com\"\nlisten = \"0.0.0.0:8443\"\ntls = \"yes\""),
        "grantor.toml:3:7: tls: expected a table, found a string"
    );
}

#[test]
fn a_logout_uri_in_the_clear_is_for_this_machine() {
    let right = |before: &str, after: &str| {
        let read = read(
            &format!(
                "issuer = \"{before}\"\n[[client]]\nid = \"a\"\nsecret = \"s\"\n\
                 backchannel_logout_uri = \"HTTP://localhost:3000/logout?x=1\"\n{after}"
            ),
            &[],
        );
        assert!(read.is_ok(), "{before}: {read:?}");
    };
    right("http://127.0.0.1:8080", "");
    right("https://localhost:8080", "");
    right("https://id.example.com", "[test]\nloopback = true");
}

#[test]
fn of_a_text_that_is_no_toml_the_first_mistakes_are_told() {
    let text = format!("scopes = [\n{}", "a = 1\n".repeat(1000));
    let said = mistakes(&text);
    assert_eq!(said.lines().count(), 20, "{said}");
    assert!(
        said.starts_with("grantor.toml:2:3: not valid TOML: "),
        "{said}"
    );
}
