//! Mix-up (RFC 9700 section 4.4): a client that knows several servers is told by each answer which of them speaks
//! (RFC 9207).

use crate::apps::{Ask, PORTAL, SHOP, SPA};
use crate::authorize::{FAULTS, given};
use crate::browser::Browser;
use crate::house::{House, ISSUER};

#[tokio::test]
async fn rfc9207_2_every_answer_names_the_issuer_success_or_error_by_redirect_or_post() {
    let house = House::new().await;
    for (app, mode) in [(&SPA, "query"), (&SHOP, "form_post")] {
        let ask = Ask::of(app).with("response_mode", mode);
        let mut alice = Browser::new(&house);
        let denied = alice.authorize_as(&ask, "alice", "deny").await;
        let agreed = alice.authorize(&ask).await;
        for trip in [&denied, &agreed] {
            assert_eq!(given(trip, app)["iss"], ISSUER);
        }
        assert!(given(&agreed, app).contains_key("code"));
        for (name, value, _) in FAULTS {
            let trip = Browser::new(&house)
                .authorize(&ask.clone().with(name, value))
                .await;
            // A fault of the mode itself is told by the default one.
            assert_eq!(given(&trip, app)["iss"], ISSUER, "{name}={value}");
        }
    }
}

/// RFC 9207 section 2.4: by simple string comparison, so it is the very text of the metadata and of the ID token.
#[tokio::test]
async fn rfc9207_2_4_the_issuer_is_one_text_everywhere() {
    for issuer in ["https://id.example.com", "https://id.example.com/realms/a"] {
        let house = House::with(|realm| realm.issuer = issuer.to_owned()).await;
        let below = issuer.trim_start_matches("https://id.example.com");
        let metadata = house
            .get(&format!("{below}/.well-known/openid-configuration"))
            .await;
        assert!(
            metadata.body.contains(&format!("\"issuer\":\"{issuer}\"")),
            "{metadata:?}"
        );
        let mut anybody = Browser::new(&house);
        let ask = Ask::of(&PORTAL).with("prompt", "none");
        let answer = anybody.get(&format!("{below}{}", ask.path())).await;
        assert_eq!(crate::apps::arrived(&answer).1["iss"], issuer);
    }
}
