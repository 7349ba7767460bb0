//! The part *managed*: what requests, lists and a start cost while few or many clients and users are managed.

use std::path::Path;

use crate::Result;
use crate::fill::client_id;
use crate::http::{Answer, Request, basic};
use crate::installation::SECRET;
use crate::load::send;
use crate::measure::Measurement;
use crate::memory::{quickest_start, settle};
use crate::results::{CONNECTIONS, ManagedLevel, Rounds};
use crate::server::Server;
use crate::workload::{self, Workload};

/// Clients in the stores, and as many users.
const LEVELS: [u32; 2] = [1, 100_000];
/// More than a server remembers.
const EACH_ONCE: u32 = 20_000;
const PAGE: usize = 100;

const ONE_CLIENT: &str = "client_credentials, one client";
const OTHERS: &str = "client_credentials, each once";
const FIRST_CLIENTS: &str = "first page of clients";
const LAST_CLIENTS: &str = "last page of clients";
const FIRST_USERS: &str = "first page of users";
const LAST_USERS: &str = "last page of users";
/// In the order of the table.
pub(crate) const CASES: [&str; 6] = [
    ONE_CLIENT,
    OTHERS,
    FIRST_CLIENTS,
    LAST_CLIENTS,
    FIRST_USERS,
    LAST_USERS,
];
/// A page with objects in it.
const LISTED: (u16, &str) = (200, "\"items\":[{");

pub(crate) async fn run(
    measurement: &Measurement,
    program: &Path,
    rounds: u32,
) -> Result<Vec<ManagedLevel>> {
    let mut servers = Vec::new();
    for count in LEVELS {
        eprintln!("filling a store with {count} clients and users");
        let installation = measurement.installation(program, &format!("managed-{count}"))?;
        let installation = installation.with_managed(count).await?;
        // The first start makes the keys.
        let server = installation.start(&measurement.placement).await?;
        server.stop().await?;
        let start_ms = quickest_start(measurement, &installation).await?;
        let server = installation.start(&measurement.placement).await?;
        settle().await;
        let level = ManagedLevel {
            count,
            rounds: Rounds::default(),
            start_ms,
            idle: server.memory()?,
        };
        let pages = Pages::find(&server).await?;
        servers.push((level, server, pages));
    }
    for _ in 0..rounds {
        for (level, server, pages) in &mut servers {
            round(measurement, level, server, pages).await?;
        }
    }
    let mut levels = Vec::new();
    for (level, server, _) in servers {
        server.stop().await?;
        levels.push(level);
    }
    Ok(levels)
}

fn count_items(answer: &Answer) -> usize {
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    json["items"].as_array().map_or(0, Vec::len)
}

/// The first and the last full page of each list.
struct Pages([(&'static str, Request); 4]);

impl Pages {
    async fn find(server: &Server) -> Result<Self> {
        let reader = basic("reader", SECRET);
        let scope = "grantor/clients:read grantor/users:read";
        let answer = send(
            server.address,
            &workload::client_credentials(&reader, scope),
        )
        .await?;
        let token = answer.member("access_token").ok_or_else(|| answer.text())?;
        let authorization = format!("Bearer {token}");
        let page = |list: &str, limit: usize, after: Option<&str>| {
            let after = after.map(|after| format!("&after={after}"));
            let path = format!("/api/v1/{list}?limit={limit}{}", after.unwrap_or_default());
            Request::get(&path, &[("Authorization", &authorization)])
        };
        let mut last = [const { None }; 2];
        for (list, last) in ["clients", "users"].iter().zip(&mut last) {
            let mut found = page(list, PAGE, None);
            loop {
                let answer = send(server.address, &found).await?;
                // One that is not full costs less.
                if last.is_none() || count_items(&answer) == PAGE {
                    *last = Some(found);
                }
                match answer.member("next") {
                    Some(next) => found = page(list, PAGE, Some(&next)),
                    None => break,
                }
            }
        }
        let [Some(clients), Some(users)] = last else {
            return Err("no page".into());
        };
        Ok(Self([
            (FIRST_CLIENTS, page("clients", PAGE, None)),
            (LAST_CLIENTS, clients),
            (FIRST_USERS, page("users", PAGE, None)),
            (LAST_USERS, users),
        ]))
    }
}

async fn round(
    measurement: &Measurement,
    level: &mut ManagedLevel,
    server: &Server,
    Pages(pages): &Pages,
) -> Result<()> {
    eprintln!("with {} clients and users:", level.count);
    let asks = |number: u32| {
        let authorization = basic(client_id(number)?.as_str(), SECRET);
        Ok(workload::client_credentials(&authorization, "es256/read"))
    };
    let each_once = 0..level.count.min(EACH_ONCE);
    let each_once = each_once.map(asks).collect::<Result<Vec<_>>>()?;
    let one = Workload::repeat(asks(0)?, workload::TOKEN);
    let each_once = Workload::cycle(each_once, workload::TOKEN);
    let pages = pages.iter().map(|(case, request)| {
        let workload = Workload::repeat(request.clone(), LISTED);
        (*case, workload)
    });
    let cases = [(ONE_CLIENT, one), (OTHERS, each_once)].into_iter();
    for (case, workload) in cases.chain(pages) {
        let measured = measurement.measure_and_print(case, server, CONNECTIONS, workload);
        let (figures, _) = measured.await?;
        level.rounds.add(case, figures);
    }
    Ok(())
}
