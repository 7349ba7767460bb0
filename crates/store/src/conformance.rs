//! The conformance suite: the contract as properties, each tested on an empty store.
//!
//! No property can be skipped: single use of codes and tokens depends on all of them.

#![expect(
    clippy::expect_used,
    reason = "a property that does not hold ends its test"
)]

mod commits;
mod kit;
mod lists;
mod races;
mod reopening;
mod rows;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::contract::Store;

pub use reopening::survives_reopening;

/// One property of the contract.
struct Property {
    name: &'static str,
    hold: fn(Arc<dyn Store>) -> BoxFuture<'static, ()>,
}

macro_rules! properties {
    ($($module:ident: $($name:ident)+;)+) => {
        &[$($(Property { name: stringify!($name), hold: |store| $module::$name(store).boxed() }),+),+]
    };
}

// A property that is missing here is dead code, which the lints report.
const PROPERTIES: &[Property] = properties! {
    rows:
        rows_are_read_as_they_were_written
        rows_come_in_the_order_of_the_keys
        a_get_takes_16_keys_and_no_more
        keys_may_hold_any_character
        a_key_takes_2048_bytes_and_no_more
        values_may_hold_any_bytes
        expired_rows_are_rows_until_swept
        a_new_store_is_healthy;
    commits:
        an_insert_needs_a_free_key
        an_insert_replaces_an_expired_row
        an_update_needs_the_version_it_expects
        a_delete_needs_the_version_it_expects
        a_check_needs_the_version_it_expects_and_writes_nothing
        one_mismatch_at_any_position_rolls_back_everything
        a_conflict_names_a_conflicting_key
        a_commit_takes_25_writes_and_no_more
        a_commit_that_changes_nothing_is_refused
        two_writes_of_one_key_are_refused;
    lists:
        a_kind_lists_its_rows_and_no_others
        an_index_lists_its_rows_and_no_others
        a_list_is_read_in_pages
        indexes_follow_every_write
        a_conflict_leaves_the_indexes_alone
        a_sweep_deletes_rows_that_expired_five_minutes_ago
        a_sweep_keeps_to_its_limit
        a_sweep_removes_rows_from_their_indexes;
    races:
        of_64_inserts_one_wins
        of_64_updates_one_wins
        counters_lose_no_increment
        checks_prevent_write_skew
        opposite_orders_do_not_deadlock
        an_answered_commit_is_seen_by_every_reader
        a_row_never_mixes_two_commits
        commits_and_sweeps_do_not_disturb_each_other;
};

/// Tests every property, each with an empty store from `fresh` that nothing else uses.
///
/// Needs a Tokio runtime with several threads, for the races.
///
/// # Panics
/// At the first property that does not hold; its name is the last one printed.
#[expect(clippy::print_stdout, reason = "a part of tests")]
pub async fn run<S, Fresh, Made>(mut fresh: Fresh)
where
    S: Store + 'static,
    Fresh: FnMut() -> Made,
    Made: Future<Output = S>,
{
    for property in PROPERTIES {
        println!("conformance: {}", property.name);
        (property.hold)(Arc::new(fresh().await)).await;
    }
}
