use std::path::PathBuf;

use futures_util::future::join;
use grantor_core::tokens::key_life::{KeyObservations, by_command, due};
use grantor_jose::Signer as _;
use grantor_store::memory::Memory;
use grantor_store::testing::{Fault, Faulty};

use super::*;
use crate::installation::key_store_of;
use crate::system::SystemClock;
use crate::written::Document;

type TestStore = Arc<Faulty<Memory>>;

fn store() -> TestStore {
    Arc::new(Faulty::new(Memory::new()))
}

/// The keys of this store under these master keys, the current one first.
fn keys(store: &TestStore, masters: &[u8], in_use: &[Algorithm]) -> KeyStore {
    let mut oldest_first = masters.iter().rev().map(|byte| MasterKey::new([*byte; 32]));
    let first = MasterKeys::from(oldest_first.next().unwrap());
    let settings = grantor_config::parse(
        "issuer = \"https://id.example.com\"",
        "grantor.toml",
        std::path::Path::new(""),
        &grantor_config::Environment::default(),
    );
    let masters = oldest_first.fold(first, MasterKeys::with_new);
    let source = Source::File(PathBuf::from("grantor.key"));
    let store = Arc::clone(store) as Arc<dyn Store>;
    KeyStore {
        in_use: in_use.to_vec(),
        ..key_store_of(
            &settings.unwrap(),
            &Document::default(),
            store,
            masters,
            source,
        )
        .unwrap()
    }
}

async fn open(
    store: &TestStore,
    masters: &[u8],
    in_use: &[Algorithm],
) -> Result<Opened, SigningKeysError> {
    keys(store, masters, in_use).open().await
}

fn kids(opened: &Opened) -> Vec<String> {
    let keys = opened.published.keys().iter();
    keys.map(|key| key.kid().to_string()).collect()
}

const ES: &[Algorithm] = &[Algorithm::Es256];

#[tokio::test]
async fn keys_are_made_once_and_opened_again() {
    let store = store();
    let in_use = [Algorithm::Es256, Algorithm::EdDsa];
    let first = open(&store, &[1], &in_use).await.unwrap();
    let second = open(&store, &[1], &in_use).await.unwrap();
    assert_eq!(kids(&first), kids(&second));
    assert_eq!(first.version, second.version, "nothing more was written");
    for alg in in_use {
        let kid = second.published.active(alg).unwrap().kid();
        assert!(second.signer.sign(kid, alg, b"input").await.is_ok());
    }
}

#[tokio::test]
async fn a_newly_used_algorithm_gets_a_key_and_the_others_stay() {
    let store = store();
    let before = open(&store, &[1], ES).await.unwrap();
    let in_use = [Algorithm::Es256, Algorithm::EdDsa];
    let after = open(&store, &[1], &in_use).await.unwrap();
    assert_eq!(kids(&after)[..1], kids(&before));
    assert_eq!(kids(&after).len(), 2);
}

#[tokio::test]
async fn each_algorithm_rotates_and_its_old_and_new_tokens_verify() {
    let store = store();
    let keys = keys(&store, &[1], &Algorithm::ALL);
    let before = keys.open().await.unwrap();
    keys.change(|record| by_command(record, &Algorithm::ALL, &KeyObservations::default()))
        .await
        .unwrap();
    let after = keys
        .change(|record| by_command(record, &Algorithm::ALL, &KeyObservations::default()))
        .await
        .unwrap();
    for alg in Algorithm::ALL {
        let (old, new) = (before.published.active(alg), after.published.active(alg));
        let (old, new) = (old.unwrap().kid(), new.unwrap().kid());
        assert_ne!(old, new);
        for (signer, kid) in [(&before.signer, old), (&after.signer, new)] {
            let signature = signer.sign(kid, alg, b"input").await.unwrap();
            let key = after.published.find(kid.as_str()).unwrap();
            key.verification_key()
                .verify(alg, b"input", &signature)
                .unwrap();
        }
        let next = after.record.find(alg, KeyState::Next).unwrap();
        assert!(after.published.find(next.kid.as_str()).is_some());
    }
}

#[tokio::test]
async fn nodes_that_start_together_end_with_the_same_keys() {
    let store = store();
    // Keys are made on threads of their own, between reading and writing: both read the empty store.
    let (one, other) = join(open(&store, &[1], ES), open(&store, &[1], ES)).await;
    assert_eq!(kids(&one.unwrap()), kids(&other.unwrap()));
}

#[tokio::test]
async fn nodes_that_rotate_together_on_a_schedule_rotate_once() {
    let store = store();
    let keys = keys(&store, &[1], ES);
    let first = keys.open().await.unwrap();
    let without_next = |record: &SigningKeys| {
        let watched = KeyObservations::default();
        let now = SystemClock.now();
        due(
            record,
            ES,
            &keys.policy(),
            now,
            &watched,
            std::time::Duration::ZERO,
        )
    };
    let (one, other) = join(keys.change(without_next), keys.change(without_next)).await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(kids(&one), kids(&other));
    assert_eq!(kids(&one).len(), kids(&first).len() + 1);
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_is_not_done_again() {
    let store = store();
    let keys = keys(&store, &[1], ES);
    let before = keys.open().await.unwrap();
    for fault in [Fault::UnknownWritten, Fault::UnknownLost] {
        store.inject(fault);
        let after = keys
            .change(|record| by_command(record, ES, &KeyObservations::default()))
            .await
            .unwrap();
        let retiring = |opened: &Opened| {
            let keys = opened.record.keys.iter();
            keys.filter(|key| key.state == KeyState::Retiring).count()
        };
        let rotations = if fault == Fault::UnknownWritten { 1 } else { 2 };
        assert_eq!(retiring(&after), retiring(&before) + rotations, "{fault:?}");
    }
}

#[tokio::test]
async fn a_wrong_master_key_is_reported_with_its_source() {
    let store = store();
    open(&store, &[1], ES).await.unwrap();
    let error = open(&store, &[2], ES).await.err().unwrap().to_string();
    assert!(
        error.starts_with("key_file grantor.key cannot open the store's signing keys"),
        "{error}"
    );
    assert!(error.contains("another master key"), "{error}");
}

#[tokio::test]
async fn the_store_holds_no_private_key() {
    let store = store();
    let opened = open(&store, &[1], ES).await.unwrap();
    let private = &opened.record.keys[0].private;
    let encrypted = URL_SAFE_NO_PAD.decode(private).unwrap();
    assert!(SigningKey::from_pkcs8(Algorithm::Es256, &encrypted).is_err());
}

#[tokio::test]
async fn under_a_new_master_key_the_keys_are_the_same_and_the_old_one_opens_them_no_more() {
    let store = store();
    let before = open(&store, &[1], ES).await.unwrap();
    // Between the file and the row: the file has the new key already, and the next start finds both.
    let after = open(&store, &[2, 1], ES).await.unwrap();
    assert_eq!(kids(&before), kids(&after));
    let again = open(&store, &[2, 1], ES).await.unwrap();
    assert_eq!(
        again.version, after.version,
        "nothing is left to be encrypted again"
    );
    assert!(open(&store, &[1], ES).await.is_err());
    assert_eq!(kids(&open(&store, &[2], ES).await.unwrap()), kids(&before));
}

#[tokio::test]
async fn a_row_ahead_of_a_restored_key_file_is_refused_and_left_as_it_is() {
    let store = store();
    open(&store, &[1], ES).await.unwrap();
    let ahead = open(&store, &[2, 1], ES).await.unwrap();
    // The file of before is restored from a copy: there is no start, and no harm.
    let refused = open(&store, &[1], ES).await.err().unwrap();
    assert!(
        matches!(refused, SigningKeysError::WrongMasterKey(_)),
        "{refused}"
    );
    assert_eq!(
        open(&store, &[2, 1], ES).await.unwrap().version,
        ahead.version
    );
}

#[tokio::test]
async fn the_listing_says_when_an_older_master_key_may_be_removed() {
    let store = store();
    open(&store, &[1], ES).await.unwrap();
    let keys = keys(&store, &[3, 1, 2], ES);
    let opened = keys.open().await.unwrap();
    let until = opened.record.superseded[0].until;
    let listed: Vec<_> = keys
        .listed_masters(&opened.record)
        .into_iter()
        .map(|master| (master.current, master.until))
        .collect();
    assert_eq!(listed, [(true, None), (false, Some(until)), (false, None)]);
    assert_eq!(until, opened.record.superseded[0].at + keys.lives.sealed);
}
