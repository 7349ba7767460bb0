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
    /// What is wrong with it on a server that is called `own_issuer`.
    #[must_use]
    pub fn problems(&self, own_issuer: &str) -> Vec<Problem> {
        let mut problems = Problems::default();
        if self.issuer == own_issuer {
            problems.add(at("issuer"), "is this server, which trusts itself");
        }
        if self.algorithms.is_some_and(<[_]>::is_empty) {
            let why = "is empty, and so no token could be right";
            problems.add(at("algorithms"), why);
        }
        problems.positive("max_age", self.max_age);
        problems.into_vec()
    }
}
