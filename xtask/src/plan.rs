//! Runs steps: those of a lane one after the other, the lanes at the same time.

use std::io::{IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::run::{Workspace, timed};
use crate::steps::{Lane, STEPS, Step};

/// Runs the steps named in `wanted` and those that they need; `true` when all succeeded.
pub(crate) fn run(workspace: &Workspace, wanted: &[&str]) -> Result<bool, String> {
    let steps = selected(STEPS, wanted);
    let (finished, took) = timed(|| run_lanes(workspace, &steps));
    print!("{}", table(&steps, &finished));
    println!("{:<14} {:<8} {:>8.1}", "all", "", took.as_secs_f64());
    let succeeded = |step: &&Step| {
        let finished = finished.iter().find(|(name, _)| *name == step.name);
        finished.is_some_and(|(_, outcome)| outcome.is_ok())
    };
    Ok(steps.iter().all(succeeded))
}

fn run_lanes(workspace: &Workspace, steps: &[&Step]) -> Vec<(&'static str, Outcome)> {
    let progress = Progress {
        steps,
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        for lane in Lane::ALL {
            let progress = &progress;
            scope.spawn(move || run_lane(workspace, lane, progress));
        }
    });
    let state = progress.state.into_inner();
    state.unwrap_or_else(PoisonError::into_inner).finished
}

/// The steps that are named, and those that they need.
fn selected<'s>(steps: &'s [Step], wanted: &[&str]) -> Vec<&'s Step> {
    let mut names = wanted.to_vec();
    // A step needs only earlier ones, so one pass from the end finds all of them.
    for step in steps.iter().rev() {
        if names.contains(&step.name) {
            names.extend(step.needs);
        }
    }
    let steps = steps.iter();
    steps.filter(|step| names.contains(&step.name)).collect()
}

enum Outcome {
    Ok(Duration, Option<String>),
    Failed(Duration, String),
    /// A step that it needs did not succeed.
    NotRun(&'static str),
}

impl Outcome {
    const fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(..))
    }
}

#[derive(Default)]
struct State {
    running: Vec<&'static str>,
    finished: Vec<(&'static str, Outcome)>,
}

struct Progress<'s> {
    steps: &'s [&'s Step],
    state: Mutex<State>,
    changed: Condvar,
}

impl Progress<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a step can start; the name of a step that it needs, if that did not succeed.
    fn wait_for_turn(&self, step: &Step) -> Option<&'static str> {
        let awaited = step.needs.iter().chain(step.after);
        let awaited: Vec<&str> = awaited
            .copied()
            .filter(|name| self.steps.iter().any(|step| step.name == *name))
            .collect();
        let mut state = self.state();
        let is_finished = |state: &State, name: &str| {
            let mut finished = state.finished.iter();
            finished.any(|(finished, _)| *finished == name)
        };
        while !awaited.iter().all(|name| is_finished(&state, name)) {
            let woken = self.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        let failed = state
            .finished
            .iter()
            .find(|(name, outcome)| step.needs.contains(name) && !outcome.is_ok());
        failed.map(|(name, _)| *name)
    }

    fn start(&self, step: &Step) {
        let mut state = self.state();
        state.running.push(step.name);
        print_running(&state.running);
    }

    fn finish(&self, step: &Step, outcome: Outcome, log: &str) {
        let mut state = self.state();
        state.running.retain(|name| *name != step.name);
        if std::io::stdout().is_terminal() {
            print!("\r\x1b[K");
        }
        println!("{}{log}", row(step.name, &outcome));
        state.finished.push((step.name, outcome));
        print_running(&state.running);
        self.changed.notify_all();
    }
}

fn run_lane(workspace: &Workspace, lane: Lane, progress: &Progress<'_>) {
    for step in progress.steps.iter().filter(|step| step.lane == lane) {
        if let Some(needed) = progress.wait_for_turn(step) {
            progress.finish(step, Outcome::NotRun(needed), "");
            continue;
        }
        progress.start(step);
        let (outcome, log) = run_step(workspace, step);
        progress.finish(step, outcome, &log);
    }
}

/// What became of a step, and its log if it failed.
fn run_step(workspace: &Workspace, step: &Step) -> (Outcome, String) {
    let mut log = match workspace.log(step.name) {
        Ok(log) => log,
        Err(error) => return (Outcome::Failed(Duration::ZERO, error), String::new()),
    };
    // A panic must not leave the other lane waiting for this step.
    let caught = || panic::catch_unwind(AssertUnwindSafe(|| (step.run)(workspace, &mut log)));
    let (result, took) = timed(caught);
    let result = result.unwrap_or_else(|_| Err("xtask itself panicked".to_owned()));
    match (result, took) {
        (Ok(note), took) => (Outcome::Ok(took, note), String::new()),
        (Err(error), took) => (
            Outcome::Failed(took, error),
            format!("\n\n{}\n", log.text()),
        ),
    }
}

/// Says on a terminal what is running.
fn print_running(running: &[&str]) {
    let mut stdout = std::io::stdout();
    if stdout.is_terminal() && !running.is_empty() {
        print!("\r\x1b[K… {}", running.join(", "));
        // What is shown while steps run does not matter to their outcome.
        stdout.flush().ok();
    }
}

fn row(name: &str, outcome: &Outcome) -> String {
    let row = match outcome {
        Outcome::Ok(took, note) => format!(
            "{name:<14} {:<8} {:>8.1}  {}",
            "ok",
            took.as_secs_f64(),
            note.as_deref().unwrap_or_default()
        ),
        Outcome::Failed(took, error) => format!(
            "{name:<14} {:<8} {:>8.1}  {error}",
            "FAILED",
            took.as_secs_f64()
        ),
        Outcome::NotRun(needed) => {
            format!("{name:<14} {:<8} {:>8}  it needs {needed}", "NOT RUN", "")
        }
    };
    row.trim_end().to_owned()
}

/// All steps, in the order of `STEPS`.
fn table(steps: &[&Step], finished: &[(&'static str, Outcome)]) -> String {
    let mut text = format!("\n{:<14} {:<8} {:>8}\n", "step", "", "seconds");
    for step in steps {
        let finished = finished.iter().find(|(name, _)| *name == step.name);
        text += &match finished {
            Some((name, outcome)) => row(name, outcome),
            None => format!("{:<14} no result", step.name),
        };
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Outcome, row, run_lanes, selected, table};
    use crate::run::Workspace;
    use crate::steps::{Lane, Step};

    const fn step(name: &'static str, needs: &'static [&'static str]) -> Step {
        Step {
            name,
            lane: Lane::Cargo,
            needs,
            after: if matches!(name.as_bytes(), b"a") {
                &[]
            } else {
                &["a"]
            },
            run: |_, _| Ok(None),
        }
    }

    #[test]
    fn a_step_brings_what_it_needs_and_not_what_it_only_comes_after() {
        let steps = [
            step("a", &[]),
            step("b", &[]),
            step("c", &["b"]),
            step("d", &["c"]),
        ];
        let names = |wanted: &[&str]| -> Vec<&str> {
            let steps = selected(&steps, wanted).into_iter();
            steps.map(|step| step.name).collect()
        };
        assert_eq!(names(&["d"]), ["b", "c", "d"]);
        assert_eq!(names(&["a"]), ["a"]);
    }

    #[test]
    fn a_step_waits_for_the_other_lane_and_is_not_run_without_what_it_needs() {
        let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = Workspace::new(package).unwrap();
        let in_lane = |lane, step: Step| Step { lane, ..step };
        let failing = Step {
            run: |_, _| Err("why".to_owned()),
            ..step("a", &[])
        };
        let steps = [
            in_lane(Lane::BlackBox, failing),
            step("b", &["a"]),
            step("c", &[]),
            Step {
                run: |_, _| panic!("as a test expects"),
                ..step("d", &[])
            },
            in_lane(Lane::BlackBox, step("e", &["c", "d"])),
        ];
        let steps: Vec<&Step> = steps.iter().collect();
        let finished = run_lanes(&workspace, &steps);
        let position = |name| finished.iter().position(|(other, _)| *other == name);
        let outcome = |name| &finished[position(name).unwrap()].1;
        assert!(matches!(outcome("a"), Outcome::Failed(_, error) if error == "why"));
        assert!(matches!(outcome("b"), Outcome::NotRun("a")));
        assert!(outcome("c").is_ok() && position("c") > position("a"));
        assert!(matches!(outcome("d"), Outcome::Failed(..)));
        assert!(matches!(outcome("e"), Outcome::NotRun("d")));
    }

    #[test]
    fn the_table_has_each_step_in_order_with_its_outcome() {
        let steps = [step("a", &[]), step("b", &[]), step("c", &["b"])];
        let finished = [
            ("c", Outcome::NotRun("b")),
            (
                "b",
                Outcome::Failed(Duration::from_secs(2), "why".to_owned()),
            ),
            (
                "a",
                Outcome::Ok(Duration::from_secs(1), Some("note".to_owned())),
            ),
        ];
        let steps: Vec<&Step> = steps.iter().collect();
        let table = table(&steps, &finished);
        let rows: Vec<Vec<&str>> = table
            .lines()
            .skip(2)
            .map(|row| row.split_whitespace().collect())
            .collect();
        assert_eq!(rows[0], ["a", "ok", "1.0", "note"]);
        assert_eq!(rows[1], ["b", "FAILED", "2.0", "why"]);
        assert_eq!(rows[2], ["c", "NOT", "RUN", "it", "needs", "b"]);
        assert_eq!(
            row("x", &Outcome::Ok(Duration::ZERO, None)),
            "x              ok            0.0"
        );
    }
}
