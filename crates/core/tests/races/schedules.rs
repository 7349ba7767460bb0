//! Every order of the effects of two requests.

use std::fmt::Debug;

use grantor_store::testing::Fault;
use grantor_testkit::world::World;

use crate::{End, Racer};

/// What two requests meet in.
pub(crate) trait Scene {
    /// What may meet.
    type Act: Copy + Debug;

    fn world(&mut self) -> &mut World;

    fn begin(&mut self, act: Self::Act) -> Box<dyn Racer>;
}

/// One schedule that was run.
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
    pub(crate) ends: [End; 2],
    /// The whole of it, for messages.
    pub(crate) story: String,
}

/// One effect.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Whose it was.
    pub(crate) lane: usize,
    /// Whether it wrote a row, as far as the store told.
    pub(crate) wrote: bool,
    /// Whether it was the first commit of the schedule.
    pub(crate) first_commit: bool,
}

impl Schedule {
    /// The acts that wrote, in order.
    pub(crate) fn wrote<A: Copy>(&self, pair: [A; 2]) -> Vec<A> {
        let wrote = self.steps.iter().filter(|step| step.wrote);
        wrote.map(|step| pair[step.lane]).collect()
    }
}

/// Runs two acts in every order of their effects, the first commit with this fault, and hands each outcome to `check`. Tells
/// how many orders there were.
pub(crate) fn every_order<S: Scene>(
    new: impl Fn() -> S,
    pair: [S::Act; 2],
    fault: Option<Fault>,
    mut check: impl FnMut(S, Schedule),
) -> usize {
    let (mut schedules, mut prefix) = (0, Vec::new());
    loop {
        let mut scene = new();
        let (schedule, open) = follow(&mut scene, pair, fault, &prefix);
        let order: Vec<_> = schedule.steps.iter().map(|step| step.lane).collect();
        schedules += 1;
        check(scene, schedule);
        // Depth first: the last place at which the second request could have gone on instead of the first.
        let Some(turn) = (0..open.len()).rev().find(|&at| open[at] && order[at] == 0) else {
            return schedules;
        };
        prefix = order[..turn].to_vec();
        prefix.push(1);
    }
}

/// Follows a schedule as far as it is given, then lets the first request go on while it can. Tells also at which
/// effects both could have gone on.
fn follow<S: Scene>(
    scene: &mut S,
    pair: [S::Act; 2],
    fault: Option<Fault>,
    prefix: &[usize],
) -> (Schedule, Vec<bool>) {
    let _ = scene.world().store.take();
    fault
        .into_iter()
        .for_each(|fault| scene.world().faults().inject(fault));
    let mut lanes = pair.map(|act| Some(scene.begin(act)));
    let mut ends = [None, None];
    let (mut steps, mut open) = (Vec::<Step>::new(), Vec::new());
    while lanes.iter().any(Option::is_some) {
        let first = usize::from(lanes[0].is_none());
        let lane = prefix.get(steps.len()).copied().unwrap_or(first);
        open.push(lanes.iter().all(Option::is_some));
        let racer = lanes[lane].as_mut().expect("a lane that is not at its end");
        let before = scene.world().store.counts();
        if let Some(end) = racer.effect(scene.world()) {
            ends[lane] = Some(end);
            lanes[lane] = None;
        }
        let after = scene.world().store.counts();
        steps.push(Step {
            lane,
            wrote: after.rows_written > before.rows_written,
            first_commit: (before.commits, after.commits) == (0, 1),
        });
    }
    let order: Vec<_> = steps.iter().map(|step| step.lane).collect();
    let story = format!("{pair:?} with {fault:?}, in the order {order:?}: {ends:?}");
    let schedule = Schedule {
        steps,
        ends: ends.map(|end| end.expect("both ended")),
        story,
    };
    (schedule, open)
}
