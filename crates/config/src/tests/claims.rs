use super::settings;

/// The advice on claims that are mapped from these sources.
fn advice(claims: &str) -> Vec<String> {
    settings(&format!(
        "issuer = \"http://127.0.0.1:8080\"\n\
         [[resource]]\nidentifier = \"orders\"\nclaims = {claims}\n\
         [[client]]\nid = \"tv\"\nscopes = [\"openid\", \"profile\"]\nid_claims = {claims}\n\
         [[user]]\nusername = \"alice\"\npassword = \"correct horse\"\nclaims = {{ department = \"sales\" }}\n"
    ))
    .advice()
}

#[test]
fn advice_names_claims_that_are_likely_misspelt() {
    assert_eq!(
        advice("{ dep = \"user.departmnt\", mail = \"user.emial\" }"),
        [
            "Resource \"orders\": claims: no user of the file has the claim \"departmnt\"; did you mean \"department\"?",
            "Resource \"orders\": claims: no user of the file has the claim \"emial\"; did you mean \"email\"?",
            "Client \"tv\": id_claims: no user of the file has the claim \"departmnt\"; did you mean \"department\"?",
            "Client \"tv\": id_claims: no user of the file has the claim \"emial\"; did you mean \"email\"?",
        ]
    );
}

#[test]
fn advice_names_addresses_that_two_users_have() {
    let file = |verified: bool| {
        let text = format!(
            "issuer = \"https://id.example.com\"\n[[user]]\nusername = \"alice\"\nemail = \"team@example.com\"\n\
             [[user]]\nusername = \"bob\"\nemail = \"Team@Example.com\"\nclaims = {{ email_verified = {verified} }}\n"
        );
        settings(&text).advice().join("\n")
    };
    let said = "The address \"team@example.com\" is that of the users \"alice\", \"bob\": it signs nobody in";
    assert!(file(true).contains(said), "{}", file(true));
    assert!(!file(false).contains("signs nobody in"), "{}", file(false));
}

#[test]
fn advice_accepts_standard_claims_that_no_user_has() {
    let claims = "{ a = \"user.department\", b = \"user.zoneinfo\", c = \"user.custom:tier\", d = \"user.username\" }";
    assert!(advice(claims).is_empty());
}
