//! Whom names of the file stand for.

use super::{mistakes, settings};

const PARTNER: &str = "issuer = \"https://id.example.com\"\n\
                       [[trusted_issuer]]\nissuer = \"https://idp.example\"\n";

fn user(links: &str) -> String {
    format!("{PARTNER}[[user]]\nusername = \"alice\"\npassword = \"p\"\nlinks = {links}\n")
}

#[test]
fn a_link_is_an_issuer_and_a_subject_as_they_are_written() {
    let written = user("[{ issuer = \"https://idp.example\", sub = \" KATE|1/2 \" }]");
    let links = &settings(&written).users[0].links;
    assert_eq!(
        (links[0].issuer.as_str(), links[0].sub.as_str()),
        ("https://idp.example", " KATE|1/2 ")
    );
}

#[test]
fn a_link_that_leads_from_nowhere_is_refused() {
    let long = format!(
        "[{{ issuer = \"https://idp.example\", sub = \"{}\" }}]",
        "x".repeat(256)
    );
    for (links, why) in [
        (
            "[{ issuer = \"https://idp.exampel\", sub = \"1\" }]",
            "unknown trusted_issuer \"https://idp.exampel\"",
        ),
        ("[{ issuer = \"https://idp.example\" }]", "sub is missing"),
        ("[{ sub = \"1\" }]", "issuer is missing"),
        (
            "[{ issuer = \"https://idp.example\", sub = 1 }]",
            "expected a string as sub, found",
        ),
        (
            "[{ issuer = \"https://idp.example\", sub = \"\" }]",
            "sub is not 1 to 255 bytes",
        ),
        (&long, "sub is not 1 to 255 bytes"),
        (
            "[{ issuer = \"https://idp.example\", sub = \"1\", user = \"bob\" }]",
            "holds more than",
        ),
        ("[\"https://idp.example|1\"]", "found a string"),
    ] {
        let said = mistakes(&user(links));
        assert!(said.contains("links") && said.contains(why), "{said}");
        assert!(said.starts_with("grantor.toml:7:"), "{said}");
    }
}

#[test]
fn one_subject_is_not_linked_to_two_users() {
    let link = "links = [{ issuer = \"https://idp.example\", sub = \"1\" }]\n";
    let said = mistakes(&format!(
        "{PARTNER}[[user]]\nusername = \"alice\"\npassword = \"p\"\n{link}\
         [[user]]\nusername = \"bob\"\npassword = \"p\"\n{link}"
    ));
    assert!(said.contains("linked to a [[user]] already"), "{said}");
}

#[test]
fn a_grace_in_which_a_theft_goes_unseen_is_refused_with_the_fix() {
    let said =
        mistakes("issuer = \"https://id.example.com\"\n[[client]]\nid = \"tv\"\ngrace = \"10m\"\n");
    assert_eq!(
        said,
        "grantor.toml:4:9: grace in [[client]]: is longer than 5m, and a retry comes within seconds: write \"5m\" or less"
    );
}

#[test]
fn a_client_that_is_called_like_an_api_or_a_user_is_refused() {
    for (id, why) in [
        ("0b0e5bd5-8d4b-4f3e-9d1e-6d1b6b8f7a11", "is a UUID"),
        (
            "https://idp.example|1",
            "is a subject of the trusted issuer",
        ),
        ("orders", "is the audience of a [[resource]]"),
        ("grantor-docs", "is the client of the API's documentation"),
    ] {
        let said = mistakes(&format!(
            "{PARTNER}[[resource]]\nidentifier = \"orders\"\n[[client]]\nid = \"{id}\"\n"
        ));
        assert!(
            said.contains(why) && said.contains("choose another id"),
            "{said}"
        );
    }
}
