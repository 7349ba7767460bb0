use super::settings;

/// The advice on claims that are mapped from these sources.
fn advice(claims: &str) -> Vec<String> {
    settings(&format!(
        "issuer = \"http://127.0.0.1:8080\"\n\
         [[resource]]\nidentifier = \"orders\"\nclaims = {claims}\n\
         [[client]]\nid = \"tv\"\nid_claims = {claims}\n\
         [[user]]\nusername = \"alice\"\npassword = \"p\"\nclaims = {{ department = \"sales\" }}\n"
    ))
    .advice()
}

#[test]
fn a_users_claim_that_is_likely_misspelt_is_said() {
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
fn a_claim_that_other_users_may_have_is_not() {
    let claims = "{ a = \"user.department\", b = \"user.zoneinfo\", c = \"user.custom:tier\", d = \"user.username\" }";
    assert!(advice(claims).is_empty());
}
