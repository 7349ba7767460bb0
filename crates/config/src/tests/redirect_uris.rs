//! What is advised of redirect URIs that are accepted.

use super::settings;

fn advice(setting: &str) -> String {
    let text = format!(
        "issuer = \"https://id.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]\n[[client]]\nid = \"app\"\n{setting}\n"
    );
    settings(&text).advice().concat()
}

#[test]
fn rfc8252_8_4_a_scheme_without_a_domain_is_warned_of_with_what_to_write() {
    for uri in ["myapp:/cb", "myapp://oauth/cb"] {
        let said = advice(&format!("redirect_uris = [\"{uri}\"]"));
        assert!(
            said.starts_with("Client \"app\": any app can take the scheme of myapp: for its own"),
            "{said}"
        );
        assert!(said.contains("com.example.app:"), "{said}");
    }
    for uri in [
        "com.example.app:/cb",
        "https://app.example.com/cb",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
    ] {
        assert_eq!(advice(&format!("redirect_uris = [\"{uri}\"]")), "");
    }
}

#[test]
fn a_wildcard_in_a_path_is_warned_of_since_it_is_none() {
    for setting in ["redirect_uris", "post_logout_redirect_uris"] {
        let said = advice(&format!("{setting} = [\"https://app.example.com/*\"]"));
        assert_eq!(
            said,
            "Client \"app\": https://app.example.com/* is compared as text, so its * is no wildcard. Write each address."
        );
    }
}
