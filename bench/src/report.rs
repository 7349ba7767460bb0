//! The report: `RESULTS.md` and its chart.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::chart;
use crate::managed;
use crate::results::{Level, ManagedLevel, Memory, ROWS, Results};
use crate::verify;

/// Writes the report into a folder.
pub(crate) fn write(folder: &Path, results: &Results) -> Result<()> {
    fs::write(folder.join("RESULTS.md"), markdown(results)?)?;
    fs::write(folder.join("results.svg"), chart::svg(results)?)?;
    Ok(())
}

fn markdown(results: &Results) -> Result<String> {
    let mut text = format!(
        "# What a request costs\n\nWritten by `cargo xtask bench`; [README.md](README.md) says how. {} The profile is `{}`.\n",
        machine(),
        results.profile
    );
    requests(&mut text, results)?;
    if let Some(memory) = &results.memory {
        footprint(&mut text, memory)?;
    }
    growth(&mut text, &results.growth)?;
    managed_objects(&mut text, &results.managed)?;
    Ok(text)
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.starts_with("model name").then_some(value)
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let day = Command::new("date").arg("+%F").output();
    let day = day.map(|day| String::from_utf8_lossy(&day.stdout).trim().to_owned());
    format!(
        "{}, {}, Linux {}; one CPU for the server, another for the client.",
        day.unwrap_or_default(),
        cpu.unwrap_or("unknown CPU"),
        kernel.trim()
    )
}

fn requests(text: &mut String, results: &Results) -> Result<()> {
    if results.signatures.is_empty() {
        return Ok(());
    }
    text.push_str(
        "\n## Requests\n\n![CPU time of a request: floor, signature, the rest](results.svg)\n\n\
         CPU is the server's, in µs of one request: the best round, and the median of the rounds. *Floor* is a bare \
         handler on the same HTTP stack, *signature* is what aws-lc takes for the signature alone.\n\n\
         | request | CPU µs | (median) | floor + signature µs | ratio | aim | requests/s | p50 ms | p99 ms | connections |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in ROWS {
        let (Some((best, median)), Some(fastest), Some((floor, signature))) = (
            results.rounds.cpu_us(row.name),
            results.rounds.fastest(row.name),
            results.least_us(row),
        ) else {
            continue;
        };
        let least = match (row.name == row.floor, row.signatures.is_empty()) {
            (true, _) => String::new(),
            (false, true) => format!("{floor:.1}"),
            (false, false) => format!("{floor:.1} + {signature:.1}"),
        };
        let ratio = best / (floor + signature);
        let ratio = (row.name != row.floor).then(|| format!("{ratio:.2}"));
        writeln!(
            text,
            "| {} | {best:.1} | ({median:.1}) | {least} | {} | {} | {:.0} | {:.2} | {:.2} | {} |",
            row.name,
            ratio.unwrap_or_default(),
            row.aim.map(|aim| format!("≤ {aim}")).unwrap_or_default(),
            fastest.per_second(),
            fastest.quantile_ms(0.5),
            fastest.quantile_ms(0.99),
            row.connections,
        )?;
    }
    text.push_str("\n| bare operation | µs |\n|---|---:|\n");
    for (name, microseconds) in &results.signatures {
        writeln!(text, "| {name} | {microseconds:.1} |")?;
    }
    let figure = |name| results.signatures.get(name);
    if let (Some(whole), Some(alone)) = (figure(verify::VERIFY), figure(verify::SIGNATURE)) {
        let ratio = whole / alone;
        writeln!(
            text,
            "\nA resource server that uses the crate `grantor-verify` pays {ratio:.2} × the cost of the token's signature."
        )?;
    }
    Ok(())
}

fn footprint(text: &mut String, memory: &Memory) -> Result<()> {
    let devices = f64::from(memory.devices);
    let mib = |(all, anonymous): (f64, f64)| {
        format!(
            "{:.1} MiB ({:.1} MiB without mapped files)",
            all / MIB,
            anonymous / MIB
        )
    };
    let each = |(all, _): (f64, f64)| format!("{:.0} bytes", (all - memory.idle.0) / devices);
    let start = |(time, cpu): (f64, f64)| format!("{time:.0} ms ({cpu:.0} ms of CPU)");
    let rows = [
        (
            "start to the first answer, generating keys".to_owned(),
            start(memory.first_start_ms),
            String::new(),
        ),
        (
            "start to the first answer".to_owned(),
            start(memory.start_ms),
            "≤ 50 ms".to_owned(),
        ),
        (
            format!("the same, with {} pending devices", memory.devices),
            start(memory.start_with_devices_ms),
            String::new(),
        ),
        (
            "memory, idle".to_owned(),
            mib(memory.idle),
            "≤ 25 MiB".to_owned(),
        ),
        (
            format!("memory with {} pending devices", memory.devices),
            mib(memory.with_devices),
            String::new(),
        ),
        (
            "memory of a pending device".to_owned(),
            each(memory.with_devices),
            "≤ 200 bytes".to_owned(),
        ),
        (
            "memory once each has polled".to_owned(),
            mib(memory.with_polled),
            String::new(),
        ),
        (
            "memory of a pending device that polls".to_owned(),
            each(memory.with_polled),
            "≤ 200 bytes".to_owned(),
        ),
        (
            "store of a pending device (two rows)".to_owned(),
            format!("{:.0} bytes", memory.store_of_devices / devices),
            String::new(),
        ),
    ];
    text.push_str("\n## Memory, store, start\n\n| | | aim |\n|---|---:|---:|\n");
    for (what, figure, aim) in rows {
        writeln!(text, "| {what} | {figure} | {aim} |")?;
    }
    Ok(())
}

const MIB: f64 = 1024.0 * 1024.0;

fn growth(text: &mut String, levels: &[Level]) -> Result<()> {
    let Some(least) = levels.first() else {
        return Ok(());
    };
    writeln!(
        text,
        "\n## Growth\n\nCPU µs of one request while the store holds so many live grants; in parentheses, relative to {} grants (aim: ≤ 1.2). \
         *Store* is the size of a grant in the file, including indexes.\n\n\
         | grants | poll | redeem | device_authorization | store of a grant |\n|---:|---:|---:|---:|---:|",
        least.grants
    )?;
    for level in levels {
        let cost = |case| {
            let costs = level.rounds.cpu_us(case).zip(least.rounds.cpu_us(case));
            costs
                .map(|((cost, _), (least, _))| format!("{cost:.1} ({:.2})", cost / least))
                .unwrap_or_default()
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} bytes |",
            level.grants,
            cost("poll"),
            cost("redeem"),
            cost("device_authorization"),
            level.store_of_grants / f64::from(level.grants)
        )?;
    }
    Ok(())
}

fn managed_objects(text: &mut String, levels: &[ManagedLevel]) -> Result<()> {
    let Some(least) = levels.first() else {
        return Ok(());
    };
    writeln!(
        text,
        "\n## Managed clients and users\n\nCPU µs of one request while so many clients, and as many users, are managed; in \
         parentheses, relative to {}. *One client* is that of a client that asks again and again (aim: ≤ 1.05), *each once* \
         that of clients whose rows are read (the further `get`). Pages have up to 100 objects; the last full one \
         must not cost more than the first. Start and memory aim at less than twice those of the least.\n",
        least.count
    )?;
    text.push_str("| |");
    for level in levels {
        write!(text, " {} |", level.count)?;
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(levels.len()));
    text.push('\n');
    for case in managed::CASES {
        write!(text, "| {case} |")?;
        for level in levels {
            let costs = level.rounds.cpu_us(case).zip(least.rounds.cpu_us(case));
            let figure =
                costs.map(|((cost, _), (least, _))| format!("{cost:.1} ({:.2})", cost / least));
            write!(text, " {} |", figure.unwrap_or_default())?;
        }
        text.push('\n');
    }
    for (what, of) in [
        (
            "start, ms",
            (|it| it.start_ms.0) as fn(&ManagedLevel) -> f64,
        ),
        ("start, ms of CPU", |it| it.start_ms.1),
        ("memory, MiB", |it| it.idle.0 / MIB),
    ] {
        write!(text, "| {what} |")?;
        for level in levels {
            write!(text, " {:.1} ({:.2}) |", of(level), of(level) / of(least))?;
        }
        text.push('\n');
    }
    Ok(())
}
