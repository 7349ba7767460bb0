//! The account page: sessions, apps and devices with access, each with a button to remove it.

use serde::Serialize;

use super::{Account, Agent, RelativeTime, ScopeLine, Site};
use crate::render::Page;

/// `{site.path}/account`. Each row is a form with `form_token`: `POST {site.path}/account/session` with `session`,
/// `/account/app` with `client`, `/account/grant` with `grant`. `/account/everywhere` ends everything; `/account/password` with
/// `current`, `new` and `repeated` changes the password.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    pub site: Site,
    pub account: Account,
    /// For every form of the page; bound to the session.
    pub form_token: String,
    pub sessions: List<SessionRow>,
    pub apps: List<AppRow>,
    pub devices: List<DeviceRow>,
    /// Apps and devices with older access are on the page `{site.path}/account?older={older}`.
    pub older: Option<String>,
    pub notice: Option<Notice>,
    /// Whether the user may change the password here; otherwise an administrator does.
    pub may_change_password: bool,
    /// Why it was not changed.
    pub password_problem: Option<PasswordProblem>,
    /// With a problem, by which the operator finds it.
    pub trace_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PasswordProblem {
    /// The current password.
    Wrong,
    Short,
    Long,
    /// The new password and its repetition.
    Different,
    TooManyTries {
        /// Until the next attempt, rounded up.
        minutes: u64,
    },
}

/// The most rows of one list on the page.
pub const MAX_ROWS: usize = 50;

/// The first [`MAX_ROWS`] rows, and the number of further ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct List<Row> {
    rows: Vec<Row>,
    more: usize,
    /// Whether there are more than were counted.
    uncounted: bool,
}

impl<Row> List<Row> {
    pub fn new(rows: Vec<Row>, uncounted: bool) -> Self {
        Self {
            uncounted,
            ..rows.into()
        }
    }
}

/// A browser in which the user is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    pub id: String,
    /// Whether it is the current session.
    pub here: bool,
    pub agent: Option<Agent>,
    pub address: String,
    /// The sign-in.
    pub began: RelativeTime,
    pub last_seen: RelativeTime,
}

/// A client with the user's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppRow {
    pub client_name: String,
    pub client_id: String,
    pub scopes: Vec<ScopeLine>,
    /// When the user consented.
    pub since: RelativeTime,
}

/// A device that the user connected with a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceRow {
    pub grant: String,
    pub client_name: String,
    pub scopes: Vec<ScopeLine>,
    pub agent: Option<Agent>,
    pub address: String,
    pub approved: RelativeTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    SessionEnded,
    AppRemoved,
    DeviceRemoved,
    PasswordChanged,
    /// It had already been removed.
    Gone,
    /// The page was older than the session, so nothing was done.
    Stale,
}

impl<Row> From<Vec<Row>> for List<Row> {
    fn from(mut rows: Vec<Row>) -> Self {
        let more = rows.len().saturating_sub(MAX_ROWS);
        rows.truncate(MAX_ROWS);
        Self {
            rows,
            more,
            uncounted: false,
        }
    }
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        const NOW: u64 = 1_795_286_340;
        let here = SessionRow {
            id: "0190f3c2a7b14d8e9f60".to_owned(),
            here: true,
            agent: Agent::parse(
                "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
            ),
            address: "192.0.2.44".to_owned(),
            began: RelativeTime::new(NOW - 7_300, NOW),
            last_seen: RelativeTime::new(NOW, NOW),
        };
        let phone = SessionRow {
            id: "0190f3c2a7b14d8e9f61".to_owned(),
            here: false,
            agent: Agent::parse(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1",
            ),
            address: "2001:db8:3f1c:22::9a4".to_owned(),
            began: RelativeTime::new(NOW - 1_000_000, NOW),
            last_seen: RelativeTime::new(NOW - 200_000, NOW),
        };
        let orders = AppRow {
            client_name: "Orders".to_owned(),
            client_id: "orders".to_owned(),
            scopes: vec![
                ScopeLine::sample("openid"),
                ScopeLine::sample("offline_access"),
                ScopeLine::sample_of_resource(),
            ],
            since: RelativeTime::new(NOW - 3_000_000, NOW),
        };
        let long = AppRow {
            client_name: "A very long client name <script>alert(1)</script> that an attacker might choose & \"quote\""
                .to_owned(),
            client_id: "dynamically-registered-client-0190f3c2a7b14d8e9f60".to_owned(),
            scopes: Vec::new(),
            since: RelativeTime::new(NOW - 90, NOW),
        };
        let tv = DeviceRow {
            grant: "0190f3c2a7b14d8e9f62".to_owned(),
            client_name: "Living-room TV".to_owned(),
            scopes: vec![ScopeLine::sample("openid"), ScopeLine::sample("profile")],
            agent: Agent::parse(
                "Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/108.0.0.0 Safari/537.36",
            ),
            address: "192.0.2.17".to_owned(),
            approved: RelativeTime::new(NOW - 500_000, NOW),
        };
        let tool = DeviceRow {
            grant: "0190f3c2a7b14d8e9f63".to_owned(),
            client_name: "Command line".to_owned(),
            agent: None,
            ..tv.clone()
        };
        let some = Self {
            site: Site::sample(),
            account: Account::sample(),
            form_token: "sample-form-token".to_owned(),
            sessions: vec![here.clone(), phone.clone()].into(),
            apps: vec![orders.clone(), long].into(),
            devices: vec![tv.clone(), tool].into(),
            older: None,
            notice: None,
            may_change_password: true,
            password_problem: None,
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        };
        let empty = Self {
            sessions: vec![here].into(),
            apps: Vec::new().into(),
            devices: Vec::new().into(),
            may_change_password: false,
            ..some.clone()
        };
        let many_scopes = AppRow {
            scopes: vec![ScopeLine::sample_of_resource(); 10],
            ..orders
        };
        // The longest possible page, so that overrides are checked with it.
        let full = Self {
            sessions: List::new(vec![phone; MAX_ROWS], true),
            apps: vec![many_scopes; MAX_ROWS + 2].into(),
            devices: vec![tv.clone(); MAX_ROWS + 40].into(),
            older: Some(tv.grant),
            ..some.clone()
        };
        let notices = [
            Notice::SessionEnded,
            Notice::AppRemoved,
            Notice::DeviceRemoved,
            Notice::PasswordChanged,
            Notice::Gone,
            Notice::Stale,
        ]
        .map(|notice| Self {
            notice: Some(notice),
            ..empty.clone()
        });
        let mut samples = vec![some, empty.clone(), full];
        samples.extend(notices);
        let problems = [
            PasswordProblem::Wrong,
            PasswordProblem::Short,
            PasswordProblem::Long,
            PasswordProblem::Different,
            PasswordProblem::TooManyTries { minutes: 12 },
        ];
        samples.extend(problems.map(|problem| Self {
            may_change_password: true,
            password_problem: Some(problem),
            ..empty.clone()
        }));
        samples
    }
}
