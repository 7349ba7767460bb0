//! Plain scopes, limits of scopes, and organizations. Line 1 is the issuer, so tables begin at line 2.

use super::{mistakes, settings};

macro_rules! mistake {
    ($($name:ident: $text:literal => $said:literal;)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(mistakes(&format!("issuer = \"https://id.example.com\"\n{}", $text)), $said);
        }
    )+};
}

mistake! {
    a_scope_of_openid_connect:
        "[[scope]]\nname = \"email\"\ntext = \"Mail\"" =>
        "grantor.toml:3:8: name in [[scope]]: \"email\" is built in: choose another name";
    a_scope_with_a_reserved_name:
        "[[scope]]\nname = \"grantor/keys:read\"\ntext = \"Keys\"" =>
        "grantor.toml:3:8: name in [[scope]]: \"grantor/keys:read\" is reserved for this server's own API: choose another name";
    a_scope_that_reads_as_that_of_an_api:
        "[[resource]]\nidentifier = \"orders\"\n[[scope]]\nname = \"orders/see\"\ntext = \"See\"" =>
        "grantor.toml:5:8: name in [[scope]]: \"orders/see\" reads as a scope of the [[resource]] \"orders\": write it among its scopes, or choose another name";
    a_scope_without_words:
        "[[scope]]\nname = \"inspect\"" =>
        "grantor.toml:2:1: missing key \"text\" in [[scope]]";
    a_scope_of_an_unknown_api:
        "[[resource]]\nidentifier = \"orders\"\n[[scope]]\nname = \"inspect\"\ntext = \"See\"\nresource = \"order\"" =>
        "grantor.toml:7:12: resource in [[scope]]: unknown resource \"order\"; did you mean \"orders\"?";
    a_scope_that_gives_an_unknown_right:
        "[[scope]]\nname = \"inspect\"\ntext = \"See\"\ngives = [\"grantor/clients:owm\"]" =>
        "grantor.toml:5:10: gives in [[scope]]: \"grantor/clients:owm\" is not a scope of this server's own API; did you mean \"grantor/clients:own\"?";
    a_scope_that_is_there_twice:
        "[[scope]]\nname = \"inspect\"\ntext = \"See\"\n[[scope]]\nname = \"inspect\"\ntext = \"See\"" =>
        "grantor.toml:6:8: name in [[scope]]: a [[scope]] before has \"inspect\" already";
    an_api_with_a_reserved_name:
        "[[resource]]\nidentifier = \"grantor\"" =>
        "grantor.toml:3:14: identifier in [[resource]]: is this server's own API, which is there without a declaration: choose another identifier";
    an_api_with_the_uri_of_this_servers_own:
        "[[resource]]\nidentifier = \"mine\"\nuri = \"https://ID.example.com/api/v1\"" =>
        "grantor.toml:4:7: uri in [[resource]]: is this server's own API: choose another uri";
    a_scope_of_an_api_as_a_table_without_words:
        "[[resource]]\nidentifier = \"orders\"\nscopes = { write = { groups = [\"staff\"] } }" =>
        "grantor.toml:4:12: missing key \"text\" in scopes.write of [[resource]]";
    a_scope_of_an_api_with_an_unknown_key:
        "[[resource]]\nidentifier = \"orders\"\nscopes = { write = { text = \"Write\", group = [\"staff\"] } }" =>
        "grantor.toml:4:38: unknown key \"group\" in scopes.write of [[resource]]; did you mean \"groups\"?";
    a_scope_of_an_api_as_a_list:
        "[[resource]]\nidentifier = \"orders\"\nscopes = { write = [\"Write\"] }" =>
        "grantor.toml:4:12: scopes in [[resource]]: expected a string, or { text = \"…\", groups = […] }, found a list";
    a_client_that_may_not_ask_for_a_misspelt_plain_scope:
        "[[scope]]\nname = \"inspect\"\ntext = \"See\"\n[[client]]\nid = \"tv\"\nscopes = [\"inspct\"]" =>
        "grantor.toml:7:11: scopes in [[client]]: unknown scope \"inspct\"; did you mean \"inspect\"?";
    a_client_of_an_unknown_organization:
        "[[organization]]\nid = \"acme\"\nname = \"Acme\"\n[[client]]\nid = \"tv\"\norganization = \"acne\"" =>
        "grantor.toml:7:16: organization in [[client]]: unknown organization \"acne\"; did you mean \"acme\"?";
    a_user_of_an_unknown_organization:
        "[[user]]\nusername = \"alice\"\norganization = \"acme\"" =>
        "grantor.toml:4:16: organization in [[user]]: unknown organization \"acme\"";
    a_client_for_the_users_of_no_organization:
        "[[client]]\nid = \"tv\"\navailability = \"organization\"" =>
        "grantor.toml:4:16: availability in [[client]]: needs the client's organization: write organization = \"…\"";
    a_client_of_the_file_for_its_owner:
        "[[client]]\nid = \"tv\"\navailability = \"owner\"" =>
        "grantor.toml:4:16: availability in [[client]]: is for clients that a user made; one of the file has no owner: write \"everyone\" or \"organization\"";
    an_organization_with_an_id_that_stands_in_no_path:
        "[[organization]]\nid = \"a/b\"\nname = \"A\"" =>
        "grantor.toml:3:6: id in [[organization]]: \"a/b\" is not 1 to 64 letters, digits, dots, underscores and hyphens, of which the first is a letter or digit";
}

#[test]
fn scopes_are_read_in_both_forms() {
    let settings = settings(
        "issuer = \"https://id.example.com\"\n\
         [[resource]]\nidentifier = \"orders\"\n\
         scopes = { read = \"Read\", write = { text = \"Write\", groups = [\"staff\"], machines = true } }\n\
         [[scope]]\nname = \"inspect\"\ntext = \"Look\"\nresource = \"orders\"\ngroups = []\n\
         [[client]]\nid = \"tv\"\nscopes = [\"inspect\", \"orders/write\"]\n",
    );
    let scopes = &settings.resources[0].scopes;
    let (read, write) = (scopes["read"].declared(), scopes["write"].declared());
    assert_eq!(
        (&*read.text, read.groups, read.machines),
        ("Read", None, false)
    );
    assert_eq!((&*write.text, write.machines), ("Write", true));
    assert_eq!(write.groups, Some(vec!["staff".to_owned()]));
    let inspect = settings.scopes[0].declared();
    assert_eq!(inspect.groups, Some(Vec::new()), "no one");
}
