//! The driver: it mutates each target's corpus at random, and searches for an input that violates the property. It does not
//! measure coverage; with a nightly compiler, libFuzzer runs the same targets (`fuzz/README.md`).

mod mutate;
mod random;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use grantor_fuzz::{TARGETS, Target};

use random::Random;

const USAGE: &str = "\
cargo run --release -p grantor-fuzz -- [NAME…] [--seconds N] [--seed N]   mutate the corpus (2 s per target)
cargo run --release -p grantor-fuzz -- NAME --input FILE                  try one input";

/// Where a failing input is written, relative to this package.
const FINDINGS: &str = "../../target/fuzz";
/// The most time that one input may take. A slow input is tried again, because the machine may have been busy.
const MAX_TIME: Duration = Duration::from_secs(1);

struct Options {
    targets: Vec<&'static Target>,
    seconds: u64,
    seed: u64,
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut failed = false;
    for target in &options.targets {
        let result = match &options.input {
            Some(file) => fs::read(file)
                .map_err(|error| format!("{}: {error}", file.display()))
                .and_then(|input| check(target, &input)),
            None => search(target, &options, root),
        };
        if let Err(error) = result {
            eprintln!("{}: {error}", target.name);
            failed = true;
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        targets: Vec::new(),
        seconds: 2,
        seed: fresh_seed(),
        input: None,
    };
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words.next().and_then(|value| value.parse().ok());
            value.ok_or(format!("{word} needs a number"))
        };
        match word.as_str() {
            "--seconds" => options.seconds = number()?,
            "--seed" => options.seed = number()?,
            "--input" => options.input = Some(words.next().ok_or("--input needs a file")?.into()),
            name => {
                let target = TARGETS.iter().find(|target| target.name == name);
                options
                    .targets
                    .push(target.ok_or(format!("there is no target {name}"))?);
            }
        }
    }
    if options.targets.is_empty() {
        options.targets = TARGETS.iter().collect();
    }
    Ok(options)
}

/// Tries the inputs of the corpus, then mutations of them until the time is over.
fn search(target: &Target, options: &Options, root: &Path) -> Result<(), String> {
    let corpus = read_corpus(&root.join("../corpus").join(target.name))?;
    let fail = |input: &[u8], count: u64, error: &str| {
        let folder = root.join(FINDINGS);
        let file = folder.join(format!("{}-{}", target.name, options.seed));
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input));
        let place = written.map_or_else(|error| error.to_string(), |()| file.display().to_string());
        format!(
            "seed {}, input {count}: {error}\nthe input is in {place}",
            options.seed
        )
    };
    let mut count = 0;
    for input in &corpus {
        count += 1;
        check(target, input).map_err(|error| fail(input, count, &error))?;
    }
    let mut random = Random::new(options.seed);
    let started = now();
    while started.elapsed() < Duration::from_secs(options.seconds) {
        let input = mutate::mutated(&corpus, target.dictionary, &mut random);
        count += 1;
        check(target, &input).map_err(|error| fail(&input, count, &error))?;
    }
    println!(
        "{:<14} {count:>9} inputs, seed {}",
        target.name, options.seed
    );
    Ok(())
}

/// Checks that the property holds for an input, and that the target returns in time.
fn check(target: &Target, input: &[u8]) -> Result<(), String> {
    let once = || {
        let started = now();
        // Targets have no state that a panic could corrupt.
        panic::catch_unwind(AssertUnwindSafe(|| (target.run)(input)))
            .map_err(|_| "the property does not hold".to_owned())?;
        Ok::<_, String>(started.elapsed())
    };
    if once()? > MAX_TIME {
        let took = once()?;
        if took > MAX_TIME {
            return Err(format!("it took {} ms", took.as_millis()));
        }
    }
    Ok(())
}

/// The inputs of a corpus in the order of their names, so that a seed has the same meaning everywhere.
fn read_corpus(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let with_folder = |error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(with_folder)?;
    let mut files: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(with_folder)?;
    files.sort();
    let inputs: Result<Vec<_>, _> = files.iter().map(fs::read).collect();
    inputs.map_err(with_folder)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a different search each time; its seed is printed, and repeats it"
)]
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| {
        now.as_secs() << 20 | u64::from(now.subsec_micros())
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the search and each input have a time limit"
)]
fn now() -> Instant {
    Instant::now()
}
