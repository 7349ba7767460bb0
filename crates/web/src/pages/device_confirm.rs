//! Who asks: everything a person needs to tell their own device from an attacker's, then approve or deny.
//!
//! RFC 10027 section 6.1.14: say who asks, for what and with what consequence; tell people to decline what they did not
//! start; make declining as prominent as granting.

use serde::Serialize;

use super::{Account, Agent, Moment, Site};
use crate::render::Page;

/// `POST {site.path}/device/decision` with `grant`, `form_token`, `decision` (`approve` or `deny`) and, where the code
/// is to be typed again, `user_code`.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceConfirm {
    /// Whose page it is.
    pub site: Site,
    /// Who is signed in, and so whose account is at stake.
    pub account: Account,
    /// The form token, bound to the session and to `grant`.
    pub form_token: String,
    /// The grant's id; never the code.
    pub grant: String,
    /// The client's name.
    pub client_name: String,
    /// The client's id.
    pub client_id: String,
    /// How the code is compared.
    pub code: CodeCheck,
    /// What is asked for, in words.
    pub scopes: Vec<ScopeLine>,
    /// The address that the device came from.
    pub device_address: String,
    /// The address that this browser comes from.
    pub browser_address: String,
    /// Whether these are one network.
    pub network: Network,
    /// What the device says it runs.
    pub agent: Option<Agent>,
    /// When the device asked.
    pub started: Moment,
}

/// How a person makes sure that the request is their device's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CodeCheck {
    /// The code is shown, to compare.
    Compare {
        /// As the device shows it.
        code: String,
    },
    /// The code is not known any more: nothing can be approved on this page.
    Hidden,
    /// The code is not shown: it has to be typed from the device's screen.
    Retype {
        /// True when the last try was wrong.
        wrong: bool,
    },
}

/// Where device and browser are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// On one network.
    Same,
    /// On different networks: shown as a warning.
    Different,
    /// On different networks, and this client may be approved from its own network only: no Approve button.
    Refused,
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeLine {
    /// The scope as asked.
    pub scope: String,
    /// The resource's words for it, from the configuration; without, the locale's for a scope of OpenID Connect.
    pub text: Option<String>,
    /// The protected resource that it belongs to.
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
            scopes: vec![openid("openid"), openid("profile"), read_orders],
            device_address: "192.0.2.17".to_owned(),
            browser_address: "192.0.2.44".to_owned(),
            network: Network::Same,
            agent: Agent::parse(
                "Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/108.0.0.0 Safari/537.36",
            ),
            started: Moment::new(1_795_286_340, 1_795_286_340 + 130),
        };
        let different = Self {
            device_address: "2001:db8:3f1c:22::9a4".to_owned(),
            network: Network::Different,
            agent: Agent::parse("curl/8.5.0"),
            started: Moment::new(1_795_286_340, 1_795_286_340),
            ..compare.clone()
        };
        let refused = Self {
            network: Network::Refused,
            agent: None,
            scopes: Vec::new(),
            started: Moment::new(1_795_286_340, 1_795_286_340 + 3_600),
            ..different.clone()
        };
        let retype = Self {
            code: CodeCheck::Retype { wrong: false },
            scopes: [
                "openid",
                "email",
                "phone",
                "address",
                "offline_access",
                "custom",
            ]
            .map(openid)
            .to_vec(),
            started: Moment::new(1_795_286_340, 1_795_286_340 + 200_000),
            ..compare.clone()
        };
        let retyped_wrong = Self {
            code: CodeCheck::Retype { wrong: true },
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
