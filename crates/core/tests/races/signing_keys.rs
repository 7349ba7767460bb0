//! Two nodes change the signing keys at the same time.

use grantor_core::base::time::Timestamp;
use grantor_core::records::{SigningKeys, SupersededMaster};
use grantor_core::tokens::replace_signing_keys::{ReplaceSigningKeys, Replaced};
use grantor_store::testing::Fault;
use grantor_testkit::world::{Run, World};

fn keys(node: &str) -> SigningKeys {
    let at = Timestamp::from_secs(1_800_000_000);
    SigningKeys {
        keys: Vec::new(),
        superseded: vec![SupersededMaster {
            id: node.to_owned(),
            at,
            until: at,
        }],
    }
}

fn stored(world: &World) -> SigningKeys {
    let [row] = &world.list("signingkeys")[..] else {
        panic!("one row of keys");
    };
    serde_json::from_slice(&row.value).expect("keys")
}

/// In `order`, each bit names the node whose effect comes next.
fn replaced_by_two(started: bool, fault: Option<Fault>, order: u32) {
    let mut world = World::new();
    if started {
        let (planned_for, keys) = (None, keys("start"));
        let first = world.ask(ReplaceSigningKeys { planned_for, keys });
        assert_eq!(first.reply.ok(), Some(Replaced::Written));
    }
    let version = world.list("signingkeys").first().map(|row| row.version);
    fault
        .into_iter()
        .for_each(|fault| world.faults().inject(fault));
    let nodes = ["one", "other"];
    let mut runs = nodes.map(|node| {
        let (planned_for, keys) = (version, keys(node));
        Some(Run::new(
            &mut world,
            ReplaceSigningKeys { planned_for, keys },
        ))
    });
    let mut ends = [None, None];
    for turn in 0.. {
        let node = match (&runs[0], &runs[1]) {
            (None, None) => break,
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
            (Some(_), Some(_)) => (order >> turn & 1) as usize,
        };
        let run = runs[node].as_mut().expect("a run under way");
        if let Some(end) = run.effect(&mut world) {
            ends[node] = end.expect("an answer").reply.ok();
            runs[node] = None;
        }
    }
    let written: Vec<_> = (0..2)
        .filter(|&node| ends[node] == Some(Replaced::Written))
        .collect();
    assert!(written.len() <= 1, "{order:b} {fault:?}: one of two writes");
    match written[..] {
        [node] => assert_eq!(stored(&world), keys(nodes[node]), "{order:b} {fault:?}"),
        // Only where the first node did not learn that its keys were written.
        _ => assert_eq!(fault, Some(Fault::UnknownWritten), "{order:b}"),
    }
}

#[test]
fn of_two_nodes_that_change_the_signing_keys_one_writes_and_the_other_plans_again() {
    for started in [false, true] {
        for fault in [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)] {
            for order in 0..1 << 8 {
                replaced_by_two(started, fault, order);
            }
        }
    }
}
