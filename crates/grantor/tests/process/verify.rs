//! The crate `grantor-verify`, as a service has it, against the server.

use grantor_verify::{
    AccessToken, BearerToken, ClientCredentials, Invalid, Refusal, TokenClient, TokenError,
    TokenRequest, Verifier, http_client,
};
use serde_json::Value as Json;

use crate::home::Home;
use crate::visitor::form;

const SECRET: &str = "a secret: of + awkward % characters, long enough";
const PASSWORD: &str = "correct horse battery staple";

/// `orders` has JWTs, `billing` sealed tokens; each is a client too, which may introspect its own.
fn home() -> Home {
    Home::new(&format!(
        "[[user]]\nusername = \"alice\"\npassword = \"{PASSWORD}\"\n\
         [[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
         scopes = [\"openid\", \"offline_access\", \"orders/read\"]\n\
         [[client]]\nid = \"orders\"\nsecret = \"{SECRET}\"\ngrants = [\"client_credentials\", \"token_exchange\"]\n\
         scopes = [\"orders/read\", \"billing/read\"]\ndefault_scopes = [\"orders/read\"]\nresources = [\"orders\"]\n\
         [[client]]\nid = \"billing\"\nsecret = \"{SECRET}\"\ngrants = [\"client_credentials\"]\n\
         scopes = [\"billing/read\"]\nresources = [\"billing\"]\n\
         [[resource]]\nidentifier = \"orders\"\nuri = \"https://orders.example.com\"\nscopes = {{ read = \"Read\" }}\n\
         [[resource]]\nidentifier = \"billing\"\nuri = \"https://billing.example.com\"\nscopes = {{ read = \"Read\" }}\ntoken = \"sealed\"\n\
         [[exchange]]\nclient = \"orders\"\naudience = \"billing\"\n\
         scopes = {{ \"orders/read\" = [\"billing/read\"] }}\n"
    ))
}

/// What verifies tokens for a service, with nothing known yet.
fn verifier(home: &Home, service: &str) -> Verifier {
    let issuer = format!("http://{}", home.address);
    let audience = format!("https://{service}.example.com");
    let builder = Verifier::builder(&issuer, audience.as_str()).expect("an issuer");
    let credentials = ClientCredentials::new(service, SECRET);
    builder
        .introspection(credentials)
        .build()
        .expect("a client")
}

fn machine_token(home: &Home, scope: &str) -> String {
    let request = [
        ("grant_type", "client_credentials"),
        ("client_id", "orders"),
        ("client_secret", SECRET),
        ("scope", scope),
    ];
    let (status, reply) = home.post("/oauth2/token", &request);
    assert_eq!(status, 200, "{reply}");
    text(&reply, "access_token")
}

fn text(reply: &Json, name: &str) -> String {
    reply[name].as_str().expect("a text").to_owned()
}

fn invalid(outcome: Result<AccessToken, Refusal>) -> Invalid {
    match outcome {
        Err(Refusal::InvalidToken(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_jwt_is_verified_for_its_audience_alone() {
    let home = home();
    let _server = home.serve();
    let token = machine_token(&home, "orders/read");
    let verified = verifier(&home, "orders")
        .verify(&token)
        .await
        .expect("good");
    assert_eq!(verified.subject, "orders");
    assert_eq!(verified.client_id.as_deref(), Some("orders"));
    assert_eq!(verified.audience, ["https://orders.example.com"]);
    assert!(verified.scope.has("orders/read"));
    assert!(verified.act.is_none());
    let elsewhere = verifier(&home, "billing").verify(&token).await;
    assert_eq!(invalid(elsewhere), Invalid::Audience);
}

#[tokio::test]
async fn a_sealed_token_is_introspected_until_it_is_revoked() {
    let home = home();
    let _server = home.serve();
    let token = machine_token(&home, "billing/read");
    let billing = verifier(&home, "billing")
        .verify(&token)
        .await
        .expect("good");
    assert_eq!(billing.subject, "orders");
    assert_eq!(billing.audience, ["https://billing.example.com"]);
    assert!(billing.scope.has("billing/read"));
    // The client to which it was given may ask about it too; it is for another service all the same.
    let elsewhere = verifier(&home, "orders").verify(&token).await;
    assert_eq!(invalid(elsewhere), Invalid::Audience);
    let revoked = [
        ("token", token.as_str()),
        ("client_id", "orders"),
        ("client_secret", SECRET),
    ];
    assert_eq!(
        home.request("POST", "/oauth2/revoke", &form(&revoked)).0,
        200
    );
    let after = verifier(&home, "billing").verify(&token).await;
    assert_eq!(invalid(after), Invalid::Inactive);
}

#[tokio::test]
async fn only_the_access_token_of_a_user_is_accepted_as_one() {
    let home = home();
    let _server = home.serve();
    home.ready();
    let tokens = home.device_tokens("alice", PASSWORD);
    let orders = verifier(&home, "orders");
    let access = orders
        .verify(&text(&tokens, "access_token"))
        .await
        .expect("good");
    assert_eq!(access.client_id.as_deref(), Some("tv"));
    assert!(access.claims.contains_key("auth_time"));
    let id = orders.verify(&text(&tokens, "id_token")).await;
    assert_eq!(invalid(id), Invalid::NotAnAccessToken);
    let refresh = orders.verify(&text(&tokens, "refresh_token")).await;
    assert_eq!(invalid(refresh), Invalid::Inactive);
}

#[tokio::test]
async fn an_exchanged_token_names_its_user_and_who_acts() {
    let home = home();
    let _server = home.serve();
    home.ready();
    let tokens = home.device_tokens("alice", PASSWORD);
    let presented = BearerToken::new(text(&tokens, "access_token"));
    let orders = verifier(&home, "orders");
    let alice = orders.verify(presented.reveal()).await.expect("good");

    let issuer = format!("http://{}", home.address);
    let issuer = issuer.parse().expect("an issuer");
    let credentials = ClientCredentials::new("orders", SECRET);
    let client = TokenClient::new(http_client().expect("a client"), issuer, credentials);
    let request = TokenRequest::audience("billing").scope("billing/read");
    let issued = client
        .exchange(&presented, &request)
        .await
        .expect("a token");
    assert_eq!(issued.scope, Some("billing/read".into()));
    let billing = verifier(&home, "billing");
    let exchanged = billing.verify(issued.access_token.reveal()).await;
    let exchanged = exchanged.expect("good");
    assert_eq!(exchanged.subject, alice.subject);
    assert!(exchanged.expires <= alice.expires);
    let act = exchanged.act.as_ref().expect("somebody acts");
    assert_eq!(act.current().client_id.as_deref(), Some("orders"));
    assert!(act.prior().is_empty());

    let elsewhere = TokenRequest::audience("elsewhere").scope("billing/read");
    let refused = client.exchange(&presented, &elsewhere).await;
    assert!(matches!(refused, Err(TokenError::Refused { error, .. }) if error == "invalid_target"));
}
