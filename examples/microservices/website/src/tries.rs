//! What is refused, and why: for the page on which it is tried.

use common::Refused;
use serde::Serialize;

use crate::Website;
use crate::sign_in::User;

/// Something to try.
#[derive(Serialize)]
pub(crate) struct Try {
    name: &'static str,
    title: &'static str,
    what: &'static str,
    why: &'static str,
}

/// What became of it. Who said no, and how; nobody, where something is wrong with this example.
#[derive(Serialize)]
pub(crate) struct Tried {
    name: String,
    refused: Option<Refused>,
}

pub(crate) const TRIES: [Try; 5] = [
    Try {
        name: "wider",
        title: "A wider token",
        what: "Orders asks Grantor for a token that lets it stop parcels, too.",
        why: "An exchange only narrows. The rule lets orders track the parcels of whoever let it see their orders, and no more.",
    },
    Try {
        name: "elsewhere",
        title: "Another audience",
        what: "Orders asks Grantor for a token for payroll.",
        why: "No rule lets orders exchange anything for that audience, and without a rule nobody exchanges.",
    },
    Try {
        name: "direct",
        title: "No exchange",
        what: "The website takes your own token to shipping.",
        why: "Its audience is api.example.com. A service that is shown a token for others refuses it.",
    },
    Try {
        name: "foreign",
        title: "A foreign token",
        what: "Orders brings Grantor a token about you that another issuer made.",
        why: "Only what Grantor signed is exchanged, unless the operator trusts the other issuer.",
    },
    Try {
        name: "beyond",
        title: "Beyond the scope",
        what: "Orders gets the right token, and asks shipping for the report on all parcels with it.",
        why: "The token is good, for tracking your parcels.",
    },
];

impl Website {
    /// Tries it; none where nobody knows what `name` is.
    pub(crate) async fn tried(&self, name: &str, user: &User) -> Option<Tried> {
        let known = TRIES.iter().find(|known| known.name == name)?;
        let refused = match known.name {
            "direct" => self.shipping.get("/parcels", &user.token).await.err(),
            other => match self
                .orders
                .get(&format!("/tries/{other}"), &user.token)
                .await
            {
                Ok(mut told) => serde_json::from_value(told["refused"].take()).ok(),
                Err(refused) => Some(refused),
            },
        };
        let name = name.to_owned();
        Some(Tried { name, refused })
    }
}
