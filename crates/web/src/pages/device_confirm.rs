//! The page for approving a device: it helps users distinguish their own device from an attacker's.
//!
//! RFC 10027 section 6.1.14: show who requests what and with what consequence, tell users to decline what they did not
//! start, and make declining as prominent as granting.

use serde::Serialize;

use super::{Account, Agent, RelativeTime, Site};
use crate::render::Page;

/// `POST {site.path}/device/decision` with `grant`, `scope`, `form_token`, `decision` (`approve` or `deny`) and, if the code
/// must be retyped, `user_code`.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceConfirm {
    pub site: Site,
    pub account: Account,
    /// Bound to the session and to `grant`.
    pub form_token: String,
    /// The grant's id; never the code.
    pub grant: String,
    pub client_name: String,
    pub client_id: String,
    pub code: CodeCheck,
    /// All of them, to be sent with the form: no more is granted than the page showed.
    pub scope: String,
    pub scopes: Vec<ScopeLine>,
    /// Names of claims that ID tokens have besides.
    pub claims: Vec<String>,
    pub device_address: String,
    pub browser_address: String,
    pub network: Network,
    pub agent: Option<Agent>,
    /// When the device asked.
    pub started: RelativeTime,
    /// Where an approval was refused, by which the operator finds it.
    pub trace_id: Option<String>,
}

/// How users check that the request comes from their device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CodeCheck {
    /// The page shows the code.
    Compare {
        /// As displayed by the device.
        code: String,
    },
    /// The code is no longer known, so the request can only be denied.
    Hidden,
    /// The user must type the code from the device's screen.
    Retype {
        /// Whether the last attempt was wrong.
        wrong: bool,
        /// What the user typed then.
        typed: String,
    },
}

/// Compares the networks of device and browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    Same,
    /// Shown as a warning.
    Different,
    /// Different, and the client requires the same network: there is no Approve button.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeLine {
    pub scope: String,
    /// The description in the configuration. Without one, the locale describes scopes of OpenID Connect.
    pub text: Option<String>,
    /// The identifier of its protected resource.
    pub resource: Option<String>,
}

impl ScopeLine {
    pub(super) fn sample(scope: &str) -> Self {
        Self {
            scope: scope.to_owned(),
            text: None,
            resource: None,
        }
    }

    pub(super) fn sample_of_resource() -> Self {
        Self {
            scope: "orders.example.com/read".to_owned(),
            text: Some("Read orders".to_owned()),
            resource: Some("orders.example.com".to_owned()),
        }
    }
}

impl Page for DeviceConfirm {
    const TEMPLATE: &'static str = "device_confirm.html";

    fn samples() -> Vec<Self> {
        let openid = ScopeLine::sample;
        let read_orders = ScopeLine::sample_of_resource();
        let compare = Self {
            site: Site::sample(),
            account: Account::sample(),
            form_token: "sample-form-token".to_owned(),
            grant: "0190f3c2a7b14d8e9f60".to_owned(),
            client_name: "Living-room TV".to_owned(),
            client_id: "tv".to_owned(),
            code: CodeCheck::Compare {
                code: "WDJB-MJHT".to_owned(),
            },
            scope: "openid orders.example.com/read profile".to_owned(),
            scopes: vec![openid("openid"), openid("profile"), read_orders],
            claims: Vec::new(),
            device_address: "192.0.2.17".to_owned(),
            browser_address: "192.0.2.44".to_owned(),
            network: Network::Same,
            agent: Agent::parse(
                "Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/108.0.0.0 Safari/537.36",
            ),
            started: RelativeTime::new(1_795_286_340, 1_795_286_340 + 130),
            trace_id: None,
        };
        let different = Self {
            device_address: "2001:db8:3f1c:22::9a4".to_owned(),
            network: Network::Different,
            agent: Agent::parse("curl/8.5.0"),
            started: RelativeTime::new(1_795_286_340, 1_795_286_340),
            ..compare.clone()
        };
        let refused = Self {
            network: Network::Refused,
            agent: None,
            scopes: Vec::new(),
            started: RelativeTime::new(1_795_286_340, 1_795_286_340 + 3_600),
            ..different.clone()
        };
        let retype = Self {
            code: CodeCheck::Retype {
                wrong: false,
                typed: "".to_owned(),
            },
            scopes: [
                "openid",
                "email",
                "phone",
                "address",
                "groups",
                "offline_access",
                "custom",
            ]
            .map(openid)
            .to_vec(),
            claims: vec!["department".to_owned()],
            started: RelativeTime::new(1_795_286_340, 1_795_286_340 + 200_000),
            ..compare.clone()
        };
        let retyped_wrong = Self {
            code: CodeCheck::Retype {
                wrong: true,
                typed: "WDJB-MJHX".to_owned(),
            },
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
            client_name: "A very long client name <script>alert(1)</script> that an attacker might choose & \"quote\""
                .to_owned(),
            client_id: "dynamically-registered-client-0190f3c2a7b14d8e9f60".to_owned(),
            ..retype.clone()
        };
        let moved = Self {
            code: CodeCheck::Hidden,
            ..refused.clone()
        };
        vec![compare, different, refused, moved, retype, retyped_wrong]
    }
}
