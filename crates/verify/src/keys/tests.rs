use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::testing::{Answer, Key, METADATA, Site, http, key_set};

/// An issuer, its key `one`, and a key set of its.
struct World {
    site: Site,
    clock: Clock,
    keys: RemoteKeySet,
    one: Key,
    two: Key,
}

impl World {
    async fn new() -> Self {
        Self::with(http(), Limits::default()).await
    }

    async fn with(http: Client, limits: Limits) -> Self {
        let site = Site::new().await;
        let [one, two] = ["one", "two"].map(|kid| Key::new(Algorithm::EdDsa, kid));
        site.publish(&[&one]);
        let clock = Clock::new();
        let source = KeySource::Issuer(site.url.parse().unwrap());
        let keys = RemoteKeySet::at(http, source, limits, clock.clone());
        Self {
            site,
            clock,
            keys,
            one,
            two,
        }
    }

    /// Whether the key is had.
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
        self.site.asked("/jwks")
    }

    fn answer(&self, answer: Answer) {
        self.site.set("/jwks", answer);
    }

    fn rotate(&self) {
        self.answer(Answer::Json(key_set(&[&self.one, &self.two])));
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(seconds);
    }

    /// Until a request in the background has been settled.
    async fn settled(&self) {
        while let Some(mut under_way) = self.keys.0.under_way() {
            under_way.changed().await.ok();
        }
    }
}

#[tokio::test]
async fn keys_are_fetched_once_for_all_who_ask() {
    let world = World::new().await;
    let asked = join_all((0..200).map(|_| world.has("one"))).await;
    assert!(asked.into_iter().all(|has| has.unwrap()));
    assert!(world.has_one().await);
    assert_eq!((world.asked(), world.site.asked(METADATA)), (1, 1));
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_nobodys_keys_along() {
    let world = World::new().await;
    {
        let mut first = Box::pin(world.has("one"));
        assert!(futures_util::poll!(&mut first).is_pending());
    }
    assert!(world.has_one().await);
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_a_flood_of_unknown_ones_asks_once_in_30_seconds() {
    let world = World::new().await;
    assert!(world.has_one().await);
    let flood = async || {
        let kids = (0..500).map(|n| format!("made-up-{n}"));
        join_all(kids.map(async |kid| world.has(&kid).await.unwrap()))
            .await
            .contains(&true)
    };
    assert!(!flood().await);
    assert_eq!(world.asked(), 1, "it was asked just now");
    for round in 0..3 {
        world.pass(30);
        assert!(!flood().await);
        assert!(!flood().await);
        assert_eq!(world.asked(), 2 + round);
    }
    world.rotate();
    world.pass(29);
    assert!(!world.has("two").await.unwrap());
    world.pass(1);
    assert!(world.has("two").await.unwrap());
    assert!(world.has_one().await);
    assert_eq!((world.asked(), world.site.asked(METADATA)), (5, 1));
}

#[tokio::test]
async fn keys_are_fetched_anew_in_the_background_before_they_are_stale() {
    let world = World::new().await;
    assert!(world.has_one().await);
    world.pass(2699);
    assert!(world.has_one().await);
    assert_eq!(world.asked(), 1);
    world.pass(1);
    // Whoever waited for this answer would wait for ever.
    world.answer(Answer::Nothing);
    assert!(world.has_one().await);
    assert!(world.has_one().await);
    world.keys.0.under_way().unwrap();
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_not_believed_after_a_long_silence() {
    let world = World::new().await;
    assert!(world.has_one().await);
    world.answer(Answer::Json(key_set(&[&world.two])));
    world.pass(3600);
    assert!(!world.has_one().await);
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
        let world = World::new().await;
        world.answer(Answer::Cached(key_set(&[&world.one]), control));
        assert!(world.has_one().await);
        world.pass(kept / 4 * 3 - 1);
        assert!(world.has_one().await);
        assert!(world.keys.0.under_way().is_none(), "{control}");
        world.pass(1);
        assert!(world.has_one().await);
        assert!(world.keys.0.under_way().is_some(), "{control}");
    }
}

#[tokio::test]
async fn while_an_issuer_fails_its_last_keys_serve_for_four_hours_and_it_is_asked_ever_less_often()
{
    let world = World::new().await;
    assert!(world.has_one().await);
    world.answer(Answer::Status(500));
    world.pass(2700);
    let mut failures = 0;
    // One caller a second until the keys are too old: 900 seconds until they are stale, and four hours.
    for _ in 0..900 + 4 * 3600 {
        assert!(world.has_one().await);
        world.settled().await;
        world.pass(1);
        failures = world.asked() - 1;
    }
    // 1 + 2 + 4 + … + 32 seconds, then each minute.
    assert!((250..265).contains(&failures), "{failures}");
    assert!(matches!(
        world.reason().await,
        FetchError::Status { status: 500, .. }
    ));
    world.answer(Answer::Json(key_set(&[&world.one])));
    world.pass(60);
    assert!(world.has_one().await);
}

#[tokio::test]
async fn a_token_of_an_unknown_key_waits_for_better_times_while_the_issuer_fails() {
    let world = World::new().await;
    assert!(world.has_one().await);
    world.answer(Answer::Status(503));
    world.pass(30);
    assert!(world.has("two").await.is_err());
    assert!(world.has_one().await);
    // Not asked again so soon, and not called a wrong token.
    assert!(world.has("two").await.is_err());
    assert_eq!(world.asked(), 2);
    world.rotate();
    world.pass(30);
    assert!(world.has("two").await.unwrap());
}

#[tokio::test]
async fn an_issuer_that_is_not_there_yet_is_asked_again_after_a_second() {
    let world = World::new().await;
    world.site.set(METADATA, Answer::Status(404));
    for _ in 0..20 {
        assert!(world.has("one").await.is_err());
    }
    assert_eq!(world.site.asked(METADATA), 1);
    world.site.publish(&[&world.one]);
    world.pass(1);
    assert!(world.has_one().await);
}

#[tokio::test]
async fn an_issuer_that_hangs_or_sends_without_end_is_given_up() {
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let world = World::with(http(), limits).await;
    world.answer(Answer::Nothing);
    assert!(matches!(
        world.reason().await,
        FetchError::NoAnswer(error) if error.is_timeout()
    ));

    let world = World::new().await;
    world.answer(Answer::Endless);
    assert!(matches!(
        world.reason().await,
        FetchError::TooLarge { size: 262_144, .. }
    ));
}

#[tokio::test]
async fn redirects_are_not_followed_and_what_a_client_followed_is_not_believed() {
    let follows = Client::builder().no_proxy().build().unwrap();
    for http in [http(), follows] {
        let world = World::with(http, Limits::default()).await;
        world
            .site
            .set("/elsewhere", Answer::Json(key_set(&[&world.one])));
        let elsewhere = format!("{}/elsewhere", world.site.url);
        world.answer(Answer::Redirect(elsewhere));
        assert!(matches!(world.reason().await, FetchError::Redirect(_)));
    }
}

#[tokio::test]
async fn rfc8414_3_3_metadata_of_another_issuer_are_not_used() {
    for other in ["https://other.example", "/", "HTTP://127.0.0.1"] {
        let world = World::new().await;
        let issuer = format!("{}{other}", world.site.url);
        let jwks_uri = format!("{}/jwks", world.site.url);
        let metadata = json!({ "issuer": issuer, "jwks_uri": jwks_uri });
        world.site.set(METADATA, Answer::Json(metadata));
        let reason = world.reason().await;
        assert!(matches!(reason, FetchError::OtherIssuer { .. }), "{reason}");
        assert_eq!(world.asked(), 0);
    }
}

#[tokio::test]
async fn keys_are_fetched_from_https_alone() {
    let world = World::new().await;
    let url = &world.site.url;
    let metadata = json!({ "issuer": url, "jwks_uri": "http://keys.example.com/jwks" });
    world.site.set(METADATA, Answer::Json(metadata));
    let reason = world.reason().await;
    assert!(matches!(reason, FetchError::NoEndpoint("jwks_uri")));
}

#[tokio::test]
async fn what_is_no_key_set_is_none() {
    let private = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] });
    for wrong in [json!({}), json!([]), json!({ "keys": {} }), private] {
        let world = World::new().await;
        world.answer(Answer::Json(wrong.clone()));
        let reason = world.reason().await;
        assert!(matches!(reason, FetchError::Json { .. }), "{wrong}");
    }
}

#[tokio::test]
async fn keys_can_be_had_from_an_address_without_metadata() {
    let world = World::new().await;
    let source = KeySource::At {
        issuer: "https://without.example".parse().unwrap(),
        jwks_uri: format!("{}/jwks", world.site.url).parse().unwrap(),
    };
    let keys = RemoteKeySet::new(http(), source);
    let keys = keys.keys_for(None, Algorithm::EdDsa).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(world.site.asked(METADATA), 0);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_is_named() {
    let source = KeySource::Issuer("http://127.0.0.1:1".parse().unwrap());
    let keys = RemoteKeySet::new(http(), source);
    let error = keys.keys_for(None, Algorithm::EdDsa).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with("the keys of http://127.0.0.1:1 cannot be had: no answer"),
        "{said}"
    );
}
