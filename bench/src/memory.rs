//! The part *memory*: memory, store and start of a server with and without pending devices.

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use crate::Result;
use crate::cases::polls;
use crate::installation::{DEVICE, Installation};
use crate::load::load;
use crate::measure::Measurement;
use crate::results::{CONNECTIONS, Memory, WRITERS};
use crate::workload::{self, Workload};

const DEVICES: u32 = 100_000;
/// Starts that are timed; the quickest counts.
const STARTS: usize = 7;
/// More than the loads of this part take: each runs until its work is done.
const NO_LIMIT: Duration = Duration::from_secs(600);

pub(crate) async fn run(measurement: &Measurement, program: &Path) -> Result<Memory> {
    let mut memory = Memory::default();
    let installation = measurement.installation(program, "memory")?;
    let server = installation.start(&measurement.placement).await?;
    memory.first_start_ms = millis(server.first_answer);
    server.stop().await?;
    let empty = installation.store_bytes()?;
    memory.start_ms = quickest_start(measurement, &installation).await?;

    let server = installation.start(&measurement.placement).await?;
    settle().await;
    memory.idle = server.memory()?;
    let begin = workload::device_authorization(DEVICE);
    let mut work = Workload::once((0..DEVICES).map(|_| begin.clone()), workload::CODES);
    let mut devices = Vec::new();
    load(&server, WRITERS, NO_LIMIT, &mut work, |answer| {
        devices.push(answer);
    })
    .await?;
    memory.devices = u32::try_from(devices.len())?;
    settle().await;
    memory.with_devices = server.memory()?;
    let mut work = Workload::once(polls(&devices), workload::PENDING);
    load(&server, CONNECTIONS, NO_LIMIT, &mut work, |_| {}).await?;
    settle().await;
    memory.with_polled = server.memory()?;
    server.stop().await?;
    memory.store_of_devices = installation.store_bytes()? - empty;
    memory.start_with_devices_ms = quickest_start(measurement, &installation).await?;
    Ok(memory)
}

/// Time and CPU time of the quickest of some starts, in milliseconds.
pub(crate) async fn quickest_start(
    measurement: &Measurement,
    installation: &Installation,
) -> Result<(f64, f64)> {
    let mut best = (f64::INFINITY, f64::INFINITY);
    for _ in 0..STARTS {
        let _lock = measurement.lock()?;
        let server = installation.start(&measurement.placement).await?;
        let (time, cpu) = millis(server.first_answer);
        best = (best.0.min(time), best.1.min(cpu));
        server.stop().await?;
    }
    Ok(best)
}

/// Waits for work that continues after the last answer, such as a checkpoint of the log.
pub(crate) async fn settle() {
    sleep(Duration::from_secs(2)).await;
}

fn millis((time, cpu): (Duration, Duration)) -> (f64, f64) {
    (time.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3)
}
