use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::testing::{Answer, Key, METADATA, MockIssuer, http, key_set};

/// An issuer, its key `one`, and a remote key set.
struct Setup {
    issuer: MockIssuer,
    clock: Clock,
    keys: RemoteKeySet,
    one: Key,
    two: Key,
}

impl Setup {
    async fn new() -> Self {
        Self::with(http(), Limits::default()).await
    }

    async fn with(http: Client, limits: Limits) -> Self {
        let issuer = MockIssuer::new().await;
        let [one, two] = ["one", "two"].map(|kid| Key::new(Algorithm::EdDsa, kid));
        issuer.publish(&[&one]);
        let clock = Clock::new();
        let source = KeySource::Issuer(issuer.url.parse().unwrap());
        let keys = RemoteKeySet::with_clock(http, source, limits, clock.clone());
        Self {
            issuer,
            clock,
            keys,
            one,
            two,
        }
    }

    /// Whether the key set has the key.
    async fn has(&self, kid: &str) -> Result<bool, KeysUnavailable> {
        let (kid, alg) = (Kid::from(kid), Algorithm::EdDsa);
        let keys = self.keys.keys_for(Some(&kid), alg).await?;
        Ok(keys.has(Some(&kid), alg))
    }

    async fn has_one(&self) -> bool {
        self.has("one").await.unwrap()
    }

    async fn reason(&self) -> FetchError {
        self.has("one").await.unwrap_err().reason().clone()
    }

    fn asked(&self) -> usize {
        self.issuer.asked("/jwks")
    }

    fn answer(&self, answer: Answer) {
        self.issuer.set("/jwks", answer);
    }

    fn rotate(&self) {
        self.answer(Answer::Json(key_set(&[&self.one, &self.two])));
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(seconds);
    }

    /// Waits for a request in the background.
    async fn settled(&self) {
        while let Some(mut in_flight) = self.keys.0.in_flight() {
            in_flight.changed().await.ok();
        }
    }
}

#[tokio::test]
async fn concurrent_callers_share_one_fetch() {
    let setup = Setup::new().await;
    let asked = join_all((0..200).map(|_| setup.has("one"))).await;
    assert!(asked.into_iter().all(|has| has.unwrap()));
    assert!(setup.has_one().await);
    assert_eq!((setup.asked(), setup.issuer.asked(METADATA)), (1, 1));
}

#[tokio::test]
async fn a_dropped_caller_does_not_cancel_the_fetch_of_others() {
    let setup = Setup::new().await;
    {
        let mut first = Box::pin(setup.has("one"));
        assert!(futures_util::poll!(&mut first).is_pending());
    }
    assert!(setup.has_one().await);
    assert_eq!(setup.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_unknown_ones_cause_one_request_in_30_seconds() {
    let setup = Setup::new().await;
    assert!(setup.has_one().await);
    let flood = async || {
        let kids = (0..500).map(|n| format!("made-up-{n}"));
        join_all(kids.map(async |kid| setup.has(&kid).await.unwrap()))
            .await
            .contains(&true)
    };
    assert!(!flood().await);
    assert_eq!(setup.asked(), 1, "it was asked just now");
    for round in 0..3 {
        setup.pass(30);
        assert!(!flood().await);
        assert!(!flood().await);
        assert_eq!(setup.asked(), 2 + round);
    }
    setup.rotate();
    setup.pass(29);
    assert!(!setup.has("two").await.unwrap());
    setup.pass(1);
    assert!(setup.has("two").await.unwrap());
    assert!(setup.has_one().await);
    assert_eq!((setup.asked(), setup.issuer.asked(METADATA)), (5, 1));
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background_before_they_are_stale() {
    let setup = Setup::new().await;
    assert!(setup.has_one().await);
    setup.pass(2699);
    assert!(setup.has_one().await);
    assert_eq!(setup.asked(), 1);
    setup.pass(1);
    // A caller that waited for this response would wait for ever.
    setup.answer(Answer::Nothing);
    assert!(setup.has_one().await);
    assert!(setup.has_one().await);
    setup.keys.0.in_flight().unwrap();
}

#[tokio::test]
async fn a_withdrawn_key_is_not_accepted_after_a_long_idle_time() {
    let setup = Setup::new().await;
    assert!(setup.has_one().await);
    setup.answer(Answer::Json(key_set(&[&setup.two])));
    setup.pass(3600);
    assert!(!setup.has_one().await);
}

#[tokio::test]
async fn rfc9111_5_2_2_1_max_age_is_followed_within_bounds() {
    for (control, kept) in [
        ("max-age=600", 600),
        ("public, MAX-AGE=\"7200\"", 7200),
        ("max-age=0", 300),
        ("no-store", 300),
        ("max-age=86400, no-cache", 300),
        ("max-age=99999999", 86400),
        ("max-age=much", 3600),
    ] {
        let setup = Setup::new().await;
        setup.answer(Answer::Cached(key_set(&[&setup.one]), control));
        assert!(setup.has_one().await);
        setup.pass(kept / 4 * 3 - 1);
        assert!(setup.has_one().await);
        assert!(setup.keys.0.in_flight().is_none(), "{control}");
        setup.pass(1);
        assert!(setup.has_one().await);
        assert!(setup.keys.0.in_flight().is_some(), "{control}");
    }
}

#[tokio::test]
async fn while_an_issuer_fails_its_last_keys_are_used_for_four_hours_with_backoff() {
    let setup = Setup::new().await;
    assert!(setup.has_one().await);
    setup.answer(Answer::Status(500));
    setup.pass(2700);
    let mut failures = 0;
    // One caller a second until the keys are unusable: after 900 seconds they are stale, and four hours later too old.
    for _ in 0..900 + 4 * 3600 {
        assert!(setup.has_one().await);
        setup.settled().await;
        setup.pass(1);
        failures = setup.asked() - 1;
    }
    // 1 + 2 + 4 + … + 32 seconds, then each minute.
    assert!((250..265).contains(&failures), "{failures}");
    assert!(matches!(
        setup.reason().await,
        FetchError::Status { status: 500, .. }
    ));
    setup.answer(Answer::Json(key_set(&[&setup.one])));
    setup.pass(60);
    assert!(setup.has_one().await);
}

#[tokio::test]
async fn an_unknown_key_is_unavailable_while_the_issuer_fails() {
    let setup = Setup::new().await;
    assert!(setup.has_one().await);
    setup.answer(Answer::Status(503));
    setup.pass(30);
    assert!(setup.has("two").await.is_err());
    assert!(setup.has_one().await);
    // No new request so soon, and the token is not called invalid.
    assert!(setup.has("two").await.is_err());
    assert_eq!(setup.asked(), 2);
    setup.rotate();
    setup.pass(30);
    assert!(setup.has("two").await.unwrap());
}

#[tokio::test]
async fn an_issuer_that_is_not_up_yet_is_retried_after_a_second() {
    let setup = Setup::new().await;
    setup.issuer.set(METADATA, Answer::Status(404));
    for _ in 0..20 {
        assert!(setup.has("one").await.is_err());
    }
    assert_eq!(setup.issuer.asked(METADATA), 1);
    setup.issuer.publish(&[&setup.one]);
    setup.pass(1);
    assert!(setup.has_one().await);
}

#[tokio::test]
async fn a_hanging_or_endless_response_fails_within_limits() {
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let setup = Setup::with(http(), limits).await;
    setup.answer(Answer::Nothing);
    assert!(matches!(
        setup.reason().await,
        FetchError::RequestFailed(error) if error.is_timeout()
    ));

    let setup = Setup::new().await;
    setup.answer(Answer::Endless);
    assert!(matches!(
        setup.reason().await,
        FetchError::TooLarge { size: 262_144, .. }
    ));
}

#[tokio::test]
async fn redirects_are_not_followed_and_a_followed_one_is_refused() {
    let follows = crate::http_client_builder(Duration::from_secs(5));
    let follows = follows.redirect(reqwest::redirect::Policy::default());
    let follows = follows.build().unwrap();
    for http in [http(), follows] {
        let setup = Setup::with(http, Limits::default()).await;
        setup
            .issuer
            .set("/elsewhere", Answer::Json(key_set(&[&setup.one])));
        let elsewhere = format!("{}/elsewhere", setup.issuer.url);
        setup.answer(Answer::Redirect(elsewhere));
        assert!(matches!(setup.reason().await, FetchError::Redirect(_)));
    }
}

#[tokio::test]
async fn rfc8414_3_3_metadata_of_another_issuer_are_not_used() {
    for other in ["https://other.example", "/", "HTTP://127.0.0.1"] {
        let setup = Setup::new().await;
        let issuer = format!("{}{other}", setup.issuer.url);
        let jwks_uri = format!("{}/jwks", setup.issuer.url);
        let metadata = json!({ "issuer": issuer, "jwks_uri": jwks_uri });
        setup.issuer.set(METADATA, Answer::Json(metadata));
        let reason = setup.reason().await;
        assert!(
            matches!(reason, FetchError::IssuerMismatch { .. }),
            "{reason}"
        );
        assert_eq!(setup.asked(), 0);
    }
}

#[tokio::test]
async fn keys_are_fetched_over_https_only() {
    let setup = Setup::new().await;
    let url = &setup.issuer.url;
    let metadata = json!({ "issuer": url, "jwks_uri": "http://keys.example.com/jwks" });
    setup.issuer.set(METADATA, Answer::Json(metadata));
    let reason = setup.reason().await;
    assert!(matches!(reason, FetchError::MissingEndpoint("jwks_uri")));
}

#[tokio::test]
async fn a_response_that_is_not_a_key_set_is_refused() {
    let private = json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPjHURo", "d": "AA"
    }] });
    for wrong in [json!({}), json!([]), json!({ "keys": {} }), private] {
        let setup = Setup::new().await;
        setup.answer(Answer::Json(wrong.clone()));
        let reason = setup.reason().await;
        assert!(matches!(reason, FetchError::Json { .. }), "{wrong}");
    }
}

#[tokio::test]
async fn keys_can_be_fetched_without_metadata() {
    let setup = Setup::new().await;
    let source = KeySource::JwksUri {
        issuer: "https://without.example".parse().unwrap(),
        jwks_uri: format!("{}/jwks", setup.issuer.url).parse().unwrap(),
    };
    let keys = RemoteKeySet::new(http(), source);
    let keys = keys.keys_for(None, Algorithm::EdDsa).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(setup.issuer.asked(METADATA), 0);
}

#[tokio::test]
async fn an_unreachable_issuer_is_named_in_the_error() {
    let source = KeySource::Issuer("http://127.0.0.1:1".parse().unwrap());
    let keys = RemoteKeySet::new(http(), source);
    let error = keys.keys_for(None, Algorithm::EdDsa).await.unwrap_err();
    let message = error.to_string();
    assert_eq!(message, "the keys of http://127.0.0.1:1 are unavailable");
    let with_causes = Report(&error).to_string();
    let expected = "the keys of http://127.0.0.1:1 are unavailable: the request failed: ";
    assert!(with_causes.starts_with(expected), "{with_causes}");
}
