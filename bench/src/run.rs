//! One run, in its three parts: requests, memory, growth.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::time::sleep;

use crate::http::{Answer, Request, basic};
use crate::load::load;
use crate::people::Browser;
use crate::process::{Bench, Server, Turn, free_address, pin_client};
use crate::results::{
    CONNECTIONS, FLOOR_DOCUMENT, FLOOR_FORM, FLOOR_WRITERS, Level, Memory, Results, Rounds, WRITERS,
};
use crate::setup::{DEVICE, DEVICE_OPENID, MACHINE, SECRET, Site};
use crate::work::{self, Work, path};
use crate::{Result, floor, report};

/// What is measured, and how.
#[derive(Args)]
pub(crate) struct Options {
    /// The server
    #[arg(long, default_value = "target/release/grantor")]
    server: PathBuf,
    /// Where RESULTS.md and its chart are written
    #[arg(long, default_value = "bench")]
    out: PathBuf,
    /// Where the servers keep their data; emptied
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// Only these parts
    #[arg(long)]
    only: Vec<Part>,
    /// How often each piece is measured; the best counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How long a piece takes at most
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// The most grants of the growth table
    #[arg(long, default_value_t = 1_000_000)]
    most: u32,
    /// The CPU of the servers
    #[arg(long, default_value_t = 0)]
    server_cpu: usize,
    /// The CPU of the client
    #[arg(long, default_value_t = 1)]
    client_cpu: usize,
    /// Give the sessions of servers and client the greatest share of their CPUs (takes root)
    #[arg(long)]
    favour: bool,
    /// A file that is locked while a piece is measured
    #[arg(long)]
    lock: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Requests,
    Memory,
    Growth,
}

/// Devices of the memory part.
const DEVICES: u32 = 100_000;
/// Devices that are approved, in each round.
const APPROVED: usize = 1200;
/// Devices that begin and poll, in each round of the growth part.
const POLLED: u32 = 5000;
/// The levels of the growth part.
const LEVELS: [u32; 3] = [1000, 100_000, 1_000_000];
/// Starts that are timed.
const STARTS: usize = 7;

/// Measures, and writes the report.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let run = Run::new(options)?;
        let wanted = |part| options.only.is_empty() || options.only.contains(&part);
        let profile = options.server.parent().and_then(Path::file_name);
        let mut results = Results {
            profile: profile.unwrap_or_default().to_string_lossy().into_owned(),
            ..Results::default()
        };
        if wanted(Part::Requests) {
            run.requests(&mut results).await?;
        }
        if wanted(Part::Memory) {
            results.memory = Some(run.memory().await?);
        }
        if wanted(Part::Growth) {
            results.growth = run.growth().await?;
        }
        report::write(&options.out, &results)
    })
}

struct Run<'o> {
    options: &'o Options,
    bench: Bench,
    turn: Turn,
    time: Duration,
}

impl<'o> Run<'o> {
    fn new(options: &'o Options) -> Result<Self> {
        let bench = Bench {
            cpu: options.server_cpu,
            favour: options.favour,
        };
        pin_client(&bench, options.client_cpu)?;
        Ok(Self {
            options,
            bench,
            turn: Turn::by(options.lock.clone()),
            time: Duration::from_secs_f64(options.seconds),
        })
    }

    fn site(&self, name: &str) -> Result<Site> {
        Site::new(&self.options.server, &self.options.data.join(name))
    }

    /// One piece: waits for its turn, loads, and keeps the figure. The answers are given back.
    async fn piece(
        &self,
        rounds: &mut Rounds,
        case: &'static str,
        server: &Server,
        connections: usize,
        mut work: Work,
    ) -> Result<Vec<Answer>> {
        let _turn = self.turn.take()?;
        let mut answers = Vec::new();
        let measured = load(server, connections, self.time, &mut work, |answer| {
            answers.push(answer);
        });
        let measured = measured.await.map_err(|why| format!("{case}: {why}"))?;
        eprintln!(
            "{case:<36} {:>8.1} µs {:>9.0}/s",
            measured.cpu_us(),
            measured.per_second()
        );
        rounds.add(case, measured);
        Ok(answers)
    }

    async fn requests(&self, results: &mut Results) -> Result<()> {
        let site = self.site("requests")?;
        let server = site.start(&self.bench).await?;
        let floor = self.floor().await?;
        let authorization = basic(MACHINE, SECRET);
        for _ in 0..self.options.rounds {
            self.signatures(results)?;
            let rounds = &mut results.rounds;
            self.floors(rounds, &floor, &authorization).await?;
            let mut machine_token = String::new();
            for (case, scope) in [
                ("client_credentials, ES256", "es256/read"),
                ("client_credentials, EdDSA", "eddsa/read"),
                ("client_credentials, RS256", "rs256/read"),
                ("client_credentials, sealed", "sealed/read"),
            ] {
                let asked = Work::cycle(
                    vec![work::client_credentials(&authorization, scope)],
                    work::TOKEN,
                );
                let answers = self
                    .piece(rounds, case, &server, CONNECTIONS, asked)
                    .await?;
                if machine_token.is_empty() {
                    machine_token = member(&answers, "access_token").next().unwrap_or_default();
                }
            }
            let user_token = self.devices(rounds, &server).await?;
            for (case, token) in [
                ("introspect, a machine's token", &machine_token),
                ("introspect, a user's token", &user_token),
            ] {
                let asked =
                    Work::cycle(vec![work::introspect(&authorization, token)], work::ACTIVE);
                self.piece(rounds, case, &server, CONNECTIONS, asked)
                    .await?;
            }
            let asked = Work::cycle(
                vec![work::exchange(&authorization, &user_token)],
                work::TOKEN,
            );
            self.piece(rounds, "token exchange", &server, CONNECTIONS, asked)
                .await?;
            let asked = Work::cycle(vec![work::userinfo(&user_token)], (200, "\"sub\""));
            self.piece(rounds, "userinfo", &server, CONNECTIONS, asked)
                .await?;
            let asked = Work::cycle(vec![Request::get(path::JWKS, &[])], (200, "\"keys\""));
            self.piece(rounds, "JWKS", &server, CONNECTIONS, asked)
                .await?;
        }
        server.stop().await
    }

    async fn floor(&self) -> Result<Server> {
        let address = free_address()?;
        Server::start(
            &self.bench,
            &std::env::current_exe()?,
            &["floor", &address.to_string()],
            (address, floor::DOCUMENT),
            Path::new("/dev/null"),
        )
        .await
    }

    async fn floors(&self, rounds: &mut Rounds, floor: &Server, authorization: &str) -> Result<()> {
        let form = Request::post(
            floor::FORM,
            &[("Authorization", authorization)],
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
            let asked = Work::cycle(vec![request], work::TOKEN);
            self.piece(rounds, case, floor, connections, asked).await?;
        }
        Ok(())
    }

    /// The device grant from its beginning to its refreshes; a token that userinfo takes.
    async fn devices(&self, rounds: &mut Rounds, server: &Server) -> Result<String> {
        let begin = |scope| Work::cycle(vec![work::device_authorization(scope)], work::CODES);
        let few = self
            .piece(
                rounds,
                "device_authorization",
                server,
                CONNECTIONS,
                begin(DEVICE_OPENID),
            )
            .await?;
        let many = self
            .piece(
                rounds,
                "device_authorization, 64 writers",
                server,
                WRITERS,
                begin(DEVICE),
            )
            .await?;
        let asked = Work::once(polls(&many), work::PENDING);
        let pending = self
            .piece(rounds, "poll, pending", server, CONNECTIONS, asked)
            .await?;
        // Time may have ended before each had polled.
        let polled = polls(&many).into_iter().take(pending.len());
        let asked = Work::once(polled, work::SLOW_DOWN);
        self.piece(rounds, "poll, too fast", server, CONNECTIONS, asked)
            .await?;
        let mut browser = Browser::sign_in(server.address).await?;
        let mut token = String::new();
        let mut refresh_tokens = Vec::new();
        for (case, codes) in [("redeem", &many), ("redeem with ID token", &few)] {
            let codes = codes.get(..APPROVED).unwrap_or(codes);
            approve(&mut browser, codes).await?;
            let asked = Work::once(polls(codes), work::TOKEN);
            let answers = self.piece(rounds, case, server, CONNECTIONS, asked).await?;
            token = member(&answers, "access_token").next().unwrap_or_default();
            if refresh_tokens.is_empty() {
                refresh_tokens = member(&answers, "refresh_token")
                    .take(CONNECTIONS)
                    .collect();
            }
        }
        let asked = Work::refresh(refresh_tokens);
        self.piece(rounds, "refresh", server, CONNECTIONS, asked)
            .await?;
        Ok(token)
    }

    fn signatures(&self, results: &mut Results) -> Result<()> {
        let _turn = self.turn.take()?;
        let output = Command::new("taskset")
            .args(["-c", &self.bench.cpu.to_string()])
            .arg(std::env::current_exe()?)
            .arg("signatures")
            .output()?;
        let figures: std::collections::BTreeMap<String, f64> =
            serde_json::from_slice(&output.stdout)?;
        for (name, nanoseconds) in figures {
            let least = results.signatures.entry(name).or_insert(f64::INFINITY);
            *least = least.min(nanoseconds / 1e3);
        }
        Ok(())
    }

    async fn memory(&self) -> Result<Memory> {
        let mut memory = Memory::default();
        let site = self.site("memory")?;
        let server = site.start(&self.bench).await?;
        memory.first_start_ms = millis(server.first_answer);
        server.stop().await?;
        let empty = site.store_bytes()?;
        memory.start_ms = self.starts(&site).await?;

        let server = site.start(&self.bench).await?;
        settle().await;
        memory.idle = server.memory()?;
        let begin = work::device_authorization(DEVICE);
        let mut asked = Work::once((0..DEVICES).map(|_| begin.clone()), work::CODES);
        let mut codes = Vec::new();
        let long = Duration::from_secs(600);
        load(&server, WRITERS, long, &mut asked, |answer| {
            codes.push(answer);
        })
        .await?;
        memory.devices = u32::try_from(codes.len())?;
        settle().await;
        memory.with_devices = server.memory()?;
        let mut asked = Work::once(polls(&codes), work::PENDING);
        load(&server, CONNECTIONS, long, &mut asked, |_| {}).await?;
        settle().await;
        memory.with_polled = server.memory()?;
        server.stop().await?;
        memory.store_of_devices = site.store_bytes()? - empty;
        memory.start_with_devices_ms = self.starts(&site).await?;
        Ok(memory)
    }

    /// The quickest of some starts.
    async fn starts(&self, site: &Site) -> Result<(f64, f64)> {
        let mut best = (f64::INFINITY, f64::INFINITY);
        for _ in 0..STARTS {
            let _turn = self.turn.take()?;
            let server = site.start(&self.bench).await?;
            let (time, cpu) = millis(server.first_answer);
            best = (best.0.min(time), best.1.min(cpu));
            server.stop().await?;
        }
        Ok(best)
    }

    /// Servers with few and many grants run beside each other, so that they have the same machine in each round.
    async fn growth(&self) -> Result<Vec<Level>> {
        let mut levels = Vec::new();
        for grants in LEVELS
            .into_iter()
            .filter(|level| *level <= self.options.most)
        {
            eprintln!("filling a store with {grants} grants");
            let site = self.site(&format!("growth-{grants}"))?;
            // The first start makes the keys.
            site.start(&self.bench).await?.stop().await?;
            let empty = site.store_bytes()?;
            site.fill(grants).await?;
            let level = Level {
                grants,
                store_of_grants: site.store_bytes()? - empty,
                rounds: Rounds::default(),
            };
            levels.push((level, site.start(&self.bench).await?));
        }
        for _ in 0..self.options.rounds {
            for (Level { grants, rounds, .. }, server) in &mut levels {
                eprintln!("beside {grants} grants:");
                let begin = work::device_authorization(DEVICE);
                let asked = Work::once((0..POLLED).map(|_| begin.clone()), work::CODES);
                let codes = self
                    .piece(rounds, "device_authorization", server, WRITERS, asked)
                    .await?;
                let asked = Work::once(polls(&codes), work::PENDING);
                self.piece(rounds, "poll", server, CONNECTIONS, asked)
                    .await?;
                let codes = codes.get(..APPROVED).unwrap_or(&codes);
                approve(&mut Browser::sign_in(server.address).await?, codes).await?;
                let asked = Work::once(polls(codes), work::TOKEN);
                self.piece(rounds, "redeem", server, CONNECTIONS, asked)
                    .await?;
            }
        }
        let mut measured = Vec::new();
        for (level, server) in levels {
            server.stop().await?;
            measured.push(level);
        }
        Ok(measured)
    }
}

/// The string member of each answer.
fn member<'a>(answers: &'a [Answer], name: &'a str) -> impl Iterator<Item = String> + 'a {
    answers.iter().filter_map(move |answer| answer.member(name))
}

fn polls(codes: &[Answer]) -> Vec<Request> {
    member(codes, "device_code")
        .map(|code| work::poll(&code))
        .collect()
}

async fn approve(browser: &mut Browser, codes: &[Answer]) -> Result<()> {
    for user_code in member(codes, "user_code") {
        browser.approve(&user_code).await?;
    }
    Ok(())
}

/// What runs on after the last answer (a fold of the log) gets time to end.
async fn settle() {
    sleep(Duration::from_secs(2)).await;
}

fn millis((time, cpu): (Duration, Duration)) -> (f64, f64) {
    (time.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3)
}
