//! Where the first administrator is made.

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// `POST {site.path}/admin/first` with `code`, `username` and `password`.
#[derive(Clone, Debug, Serialize)]
pub struct AdminFirst {
    pub site: Site,
    /// The previous input. Neither code nor password is shown again.
    pub username: String,
    pub problem: Option<AdminFirstProblem>,
    /// The administrator who was made now; empty where there is one already.
    pub done: Option<String>,
    /// With a problem, by which the operator finds it.
    pub trace_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AdminFirstProblem {
    /// Wrong, too old, or used.
    Code,
    NameTaken,
    Name,
    Password,
}

impl Page for AdminFirst {
    const TEMPLATE: &'static str = "admin_first.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            site: Site::sample(),
            username: String::new(),
            problem: None,
            done: None,
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        };
        let problem = |problem| Self {
            username: "root".to_owned(),
            problem: Some(problem),
            ..plain.clone()
        };
        let done = Self {
            done: Some("root".to_owned()),
            ..plain.clone()
        };
        let exists = Self {
            done: Some(String::new()),
            ..plain.clone()
        };
        let problems = [
            AdminFirstProblem::Code,
            AdminFirstProblem::NameTaken,
            AdminFirstProblem::Name,
            AdminFirstProblem::Password,
        ];
        let problems = problems.map(problem);
        [plain, done, exists].into_iter().chain(problems).collect()
    }
}
