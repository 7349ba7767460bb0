//! What may act for a person, and where: sessions, apps and devices, each to be ended.

use serde::Serialize;

use super::{Account, Agent, Moment, ScopeLine, Site};
use crate::render::Page;

/// The page at `{site.path}/account`. Each row is a form with `form_token`: `POST {site.path}/account/session` with
/// `session`, `/account/app` with `client`, `/account/grant` with `grant`; and one for all, `/account/everywhere`.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    /// Whose page it is.
    pub site: Site,
    /// Who is signed in.
    pub account: Account,
    /// The form token of every form of the page, bound to the session.
    pub form_token: String,
    /// Where the person is signed in.
    pub sessions: List<SessionRow>,
    /// What was allowed in this or another browser.
    pub apps: List<AppRow>,
    /// What was connected by a code.
    pub devices: List<DeviceRow>,
    /// What was just done.
    pub notice: Option<Notice>,
}

/// The most rows that one list of the page shows.
pub const MAX_ROWS: usize = 50;

/// The first [`MAX_ROWS`] of some rows, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct List<Row> {
    rows: Vec<Row>,
    more: usize,
}

/// A browser in which the person is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    /// The session's public id.
    pub id: String,
    /// Whether it is the browser that asks.
    pub here: bool,
    /// What it says it runs.
    pub agent: Option<Agent>,
    /// The address that it came from.
    pub address: String,
    /// When the person signed in.
    pub began: Moment,
    /// When it was last used.
    pub last_seen: Moment,
}

/// A client that the person allowed in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppRow {
    /// The client's name.
    pub client_name: String,
    /// The client's id.
    pub client_id: String,
    /// What it may do.
    pub scopes: Vec<ScopeLine>,
    /// When that was allowed.
    pub since: Moment,
}

/// A device that the person connected by its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceRow {
    /// The grant's id.
    pub grant: String,
    /// The client's name.
    pub client_name: String,
    /// What it may do.
    pub scopes: Vec<ScopeLine>,
    /// What the device says it runs.
    pub agent: Option<Agent>,
    /// The address that it came from.
    pub address: String,
    /// When it was approved.
    pub approved: Moment,
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Another browser is signed out.
    SessionEnded,
    /// A client's consent and its grants are gone.
    AppRemoved,
    /// A device's grant is gone.
    DeviceRemoved,
    /// There was nothing to end any more.
    Gone,
}

/// The newest, or whatever comes first, is what is shown.
impl<Row> From<Vec<Row>> for List<Row> {
    fn from(mut rows: Vec<Row>) -> Self {
        let more = rows.len().saturating_sub(MAX_ROWS);
        rows.truncate(MAX_ROWS);
        Self { rows, more }
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
            began: Moment::new(NOW - 7_300, NOW),
            last_seen: Moment::new(NOW, NOW),
        };
        let phone = SessionRow {
            id: "0190f3c2a7b14d8e9f61".to_owned(),
            here: false,
            agent: Agent::parse(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1",
            ),
            address: "2001:db8:3f1c:22::9a4".to_owned(),
            began: Moment::new(NOW - 1_000_000, NOW),
            last_seen: Moment::new(NOW - 200_000, NOW),
        };
        let orders = AppRow {
            client_name: "Orders".to_owned(),
            client_id: "orders".to_owned(),
            scopes: vec![
                ScopeLine::sample("openid"),
                ScopeLine::sample("offline_access"),
                ScopeLine::sample_of_resource(),
            ],
            since: Moment::new(NOW - 3_000_000, NOW),
        };
        let long = AppRow {
            client_name: "A very long client name <script>alert(1)</script> that an attacker might choose & \"quote\""
                .to_owned(),
            client_id: "dynamically-registered-client-0190f3c2a7b14d8e9f60".to_owned(),
            scopes: Vec::new(),
            since: Moment::new(NOW - 90, NOW),
        };
        let tv = DeviceRow {
            grant: "0190f3c2a7b14d8e9f62".to_owned(),
            client_name: "Living-room TV".to_owned(),
            scopes: vec![ScopeLine::sample("openid"), ScopeLine::sample("profile")],
            agent: Agent::parse(
                "Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/108.0.0.0 Safari/537.36",
            ),
            address: "192.0.2.17".to_owned(),
            approved: Moment::new(NOW - 500_000, NOW),
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
            notice: None,
        };
        let empty = Self {
            sessions: vec![here].into(),
            apps: Vec::new().into(),
            devices: Vec::new().into(),
            ..some.clone()
        };
        let able = AppRow {
            scopes: vec![ScopeLine::sample_of_resource(); 10],
            ..orders
        };
        // As long as the page can be, so that an operator's template is held to that too.
        let full = Self {
            sessions: vec![phone; MAX_ROWS + 1].into(),
            apps: vec![able; MAX_ROWS + 2].into(),
            devices: vec![tv; MAX_ROWS + 40].into(),
            ..some.clone()
        };
        let told = [
            Notice::SessionEnded,
            Notice::AppRemoved,
            Notice::DeviceRemoved,
            Notice::Gone,
        ]
        .map(|notice| Self {
            notice: Some(notice),
            ..empty.clone()
        });
        let mut samples = vec![some, empty.clone(), full];
        samples.extend(told);
        samples
    }
}
