//! The part *requests*: every case, with its floor and its signatures, once per round.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::cases::{Case, Session};
use crate::http::{Request, basic};
use crate::installation::{MACHINE, SECRET};
use crate::measure::Measurement;
use crate::results::{
    CONNECTIONS, FLOOR_DOCUMENT, FLOOR_FORM, FLOOR_WRITERS, Results, Rounds, WRITERS,
};
use crate::server::{Server, free_address};
use crate::workload::{self, Workload};
use crate::{Result, floor};

pub(crate) async fn run(
    measurement: &Measurement,
    program: &Path,
    rounds: u32,
    results: &mut Results,
) -> Result<()> {
    let server = measurement
        .installation(program, "requests")?
        .start(&measurement.placement)
        .await?;
    let floor = start_floor(measurement).await?;
    for _ in 0..rounds {
        signatures(measurement, results)?;
        floors(measurement, &floor, &mut results.rounds).await?;
        let mut session = Session::default();
        for case in Case::ALL {
            let workload = session.prepare(case, server.address).await?;
            let (figures, answers) = measurement
                .measure_and_print(case.name(), &server, case.connections(), workload)
                .await?;
            results.rounds.add(case.name(), figures);
            session.keep(case, answers);
        }
    }
    server.stop().await
}

async fn start_floor(measurement: &Measurement) -> Result<Server> {
    let address = free_address()?;
    Server::start(
        &measurement.placement,
        &std::env::current_exe()?,
        &["floor", &address.to_string()],
        (address, floor::DOCUMENT),
        Path::new("/dev/null"),
    )
    .await
}

async fn floors(measurement: &Measurement, floor: &Server, rounds: &mut Rounds) -> Result<()> {
    let form = Request::post(
        floor::FORM,
        &[("Authorization", &basic(MACHINE, SECRET))],
        &[
            ("grant_type", "client_credentials"),
            ("scope", "es256/read"),
        ],
    );
    for (case, connections, request) in [
        (FLOOR_FORM, CONNECTIONS, form.clone()),
        (FLOOR_WRITERS, WRITERS, form),
        (
            FLOOR_DOCUMENT,
            CONNECTIONS,
            Request::get(floor::DOCUMENT, &[]),
        ),
    ] {
        let workload = Workload::repeat(request, workload::TOKEN);
        let (figures, _) = measurement
            .measure_and_print(case, floor, connections, workload)
            .await?;
        rounds.add(case, figures);
    }
    Ok(())
}

/// Signatures are measured by a process of their own on the server's CPU.
fn signatures(measurement: &Measurement, results: &mut Results) -> Result<()> {
    let _lock = measurement.lock()?;
    let output = Command::new("taskset")
        .args(["-c", &measurement.placement.cpu.to_string()])
        .arg(std::env::current_exe()?)
        .arg("signatures")
        .output()?;
    let figures: BTreeMap<String, f64> = serde_json::from_slice(&output.stdout)?;
    for (name, nanoseconds) in figures {
        let least = results.signatures.entry(name).or_insert(f64::INFINITY);
        *least = least.min(nanoseconds / 1e3);
    }
    Ok(())
}
