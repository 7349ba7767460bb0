//! The figures of a comparison, and the verdict on each case.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cases::Case;

/// A request may cost so many times what it did.
const TOLERATED: f64 = 1.03;

/// The servers that are loaded in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Server {
    New,
    Reference,
    ReferenceAgain,
}

pub(crate) const SERVERS: [Server; 3] = [Server::New, Server::Reference, Server::ReferenceAgain];

/// What each request cost in each round, in µs.
#[derive(Default)]
pub(crate) struct Comparison(BTreeMap<(&'static str, Server), Vec<f64>>);

/// One case: the best of the rounds.
#[derive(Debug)]
struct Row {
    reference_us: f64,
    new_us: f64,
    /// The dearer instance of the reference, relative to the cheaper.
    noise: f64,
    /// Whether the new server cost more than what is tolerated in most of the rounds, not only in the best.
    is_dearer_in_most_rounds: bool,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.new_us / self.reference_us
    }

    fn is_dearer(&self) -> bool {
        self.is_dearer_in_most_rounds && self.ratio() > self.noise.max(TOLERATED)
    }
}

impl Comparison {
    pub(crate) fn add(&mut self, case: Case, server: Server, cpu_us: f64) {
        let figures = self.0.entry((case.name(), server)).or_default();
        figures.push(cpu_us);
    }

    /// Whether a case costs more than what is tolerated, and more than the noise.
    pub(crate) fn has_dearer(&self) -> bool {
        let mut rows = Case::ALL.into_iter().filter_map(|case| self.row(case));
        rows.any(|row| row.is_dearer())
    }

    /// The newest figures of a case.
    pub(crate) fn progress(&self, case: Case) -> String {
        let mut line = format!("{:<36}", case.name());
        for server in SERVERS {
            let newest = self
                .0
                .get(&(case.name(), server))
                .and_then(|all| all.last());
            line += &newest.map_or_else(String::new, |cpu_us| format!("{cpu_us:>10.1}"));
        }
        line
    }

    pub(crate) fn table(&self, reference: &str) -> String {
        let mut text = format!(
            "\n{:<36} {:>12} {:>9} {:>7} {:>7}  verdict\n",
            "µs of CPU per request", reference, "now", "ratio", "noise"
        );
        let mut dearer = 0;
        for case in Case::ALL {
            let Some(row) = self.row(case) else {
                continue;
            };
            let verdict = if row.is_dearer() {
                dearer += 1;
                "DEARER"
            } else if row.ratio() > TOLERATED {
                "within the noise"
            } else {
                "ok"
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<36} {:>12.1} {:>9.1} {:>7.3} {:>7.3}  {verdict}",
                case.name(),
                row.reference_us,
                row.new_us,
                row.ratio(),
                row.noise,
            );
        }
        let rounds = self.0.values().map(Vec::len).max().unwrap_or_default();
        let _ = writeln!(
            text,
            "\nbest of {rounds} rounds; tolerated: {TOLERATED} or the noise, whichever is larger; {dearer} dearer"
        );
        text
    }

    fn row(&self, case: Case) -> Option<Row> {
        let rounds = |server| self.0.get(&(case.name(), server));
        let (new, first, again) = (
            rounds(Server::New)?,
            rounds(Server::Reference)?,
            rounds(Server::ReferenceAgain)?,
        );
        let best = |rounds: &[f64]| rounds.iter().copied().min_by(f64::total_cmp);
        let dearer = new.iter().zip(first.iter().zip(again));
        let dearer = dearer
            .filter(|(new, (first, again))| **new > f64::midpoint(**first, **again) * TOLERATED)
            .count();
        let (best_first, best_again) = (best(first)?, best(again)?);
        Some(Row {
            reference_us: f64::midpoint(best_first, best_again),
            new_us: best(new)?,
            noise: best_first.max(best_again) / best_first.min(best_again),
            is_dearer_in_most_rounds: dearer * 2 > new.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Server};
    use crate::cases::Case;

    fn comparison(new: &[f64], reference: &[f64], again: &[f64]) -> Comparison {
        let mut comparison = Comparison::default();
        for (server, figures) in [
            (Server::New, new),
            (Server::Reference, reference),
            (Server::ReferenceAgain, again),
        ] {
            for cpu_us in figures {
                comparison.add(Case::Jwks, server, *cpu_us);
            }
        }
        comparison
    }

    #[test]
    fn three_percent_are_tolerated_and_more_are_not() {
        assert!(!comparison(&[102.9], &[100.0], &[100.0]).has_dearer());
        assert!(comparison(&[103.1], &[100.0], &[100.0]).has_dearer());
        assert!(!comparison(&[50.0], &[100.0], &[100.0]).has_dearer());
    }

    #[test]
    fn a_difference_as_large_as_the_noise_is_tolerated() {
        // The mean of the reference is 105, the noise 1.1.
        assert!(!comparison(&[115.0], &[100.0], &[110.0]).has_dearer());
        assert!(comparison(&[116.0], &[110.0], &[100.0]).has_dearer());
    }

    #[test]
    fn the_best_round_of_each_server_counts() {
        assert!(!comparison(&[150.0, 100.0], &[100.0, 150.0], &[180.0, 100.0]).has_dearer());
        assert!(comparison(&[170.0, 110.0], &[100.0, 100.0], &[150.0, 100.0]).has_dearer());
    }

    #[test]
    fn a_request_is_dearer_in_most_rounds_or_not_at_all() {
        let reference = [100.0, 120.0, 120.0];
        assert!(comparison(&[110.0, 130.0, 110.0], &reference, &reference).has_dearer());
        assert!(!comparison(&[110.0, 121.0, 118.0], &reference, &reference).has_dearer());
    }

    #[test]
    fn the_table_says_which_case_is_dearer_and_by_how_much() {
        let table = comparison(&[110.0], &[100.0], &[100.0]).table("abc1234");
        let row = table.lines().find(|line| line.starts_with("JWKS"));
        let words: Vec<&str> = row.unwrap_or_default().split_whitespace().collect();
        assert_eq!(
            words,
            ["JWKS", "100.0", "110.0", "1.100", "1.000", "DEARER"]
        );
        assert!(
            table.contains("abc1234") && table.ends_with("1 dearer\n"),
            "{table}"
        );
    }
}
