//! Trusted issuers.

use std::time::Duration;

use grantor_jose::Algorithm;

use super::problem::{Problem, Problems, at};

#[derive(Clone, Copy, Debug)]
pub struct TrustedIssuerSpec<'a> {
    pub issuer: &'a str,
    pub algorithms: Option<&'a [Algorithm]>,
    pub user_claim: Option<&'a str>,
    pub max_age: Option<Duration>,
}

impl TrustedIssuerSpec<'_> {
    /// Whether this is our name for one of its subjects.
    pub(super) fn is_subject(&self, sub: &str) -> bool {
        let rest = sub.strip_prefix(self.issuer);
        !self.issuer.is_empty() && rest.is_some_and(|rest| rest.starts_with('|'))
    }

    /// What is wrong with it on a server that is called `own_issuer`.
    #[must_use]
    pub fn problems(&self, own_issuer: &str) -> Vec<Problem> {
        let mut problems = Problems::default();
        if self.issuer == own_issuer {
            problems.add(at("issuer"), "is this server, which trusts itself");
        }
        // Else a subject could be of this issuer, or of another one whose name is the part before the bar.
        if self.issuer.contains('|') {
            problems.add(at("issuer"), "holds a bar, which parts issuer and subject");
        }
        if self.algorithms.is_some_and(<[_]>::is_empty) {
            let why = "is empty, and so no token could be right";
            problems.add(at("algorithms"), why);
        }
        problems.positive("max_age", self.max_age);
        problems.into_vec()
    }
}
