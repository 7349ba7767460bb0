//! The driver: it takes what was kept of each target, changes it at random, and looks for an input that breaks the
//! property. It knows nothing of coverage; where a nightly compiler is, libFuzzer runs the same targets (`fuzz/README.md`).

mod chance;
mod mutate;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use grantor_fuzz::{TARGETS, Target};

use chance::Chance;

const USAGE: &str = "\
cargo run --release -p grantor-fuzz -- [NAME…] [--seconds N] [--seed N]   change what was kept (2 s each)
cargo run --release -p grantor-fuzz -- NAME --input FILE                  one input";

/// Where an input that breaks a property is written, from this package on.
const FOUND: &str = "../../target/fuzz";
/// No input may take longer. It is tried again before that is held against it: the machine may have been busy.
const SLOW: Duration = Duration::from_secs(1);

struct Options {
    targets: Vec<&'static Target>,
    seconds: u64,
    seed: u64,
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut failed = false;
    for target in &options.targets {
        let result = match &options.input {
            Some(file) => fs::read(file)
                .map_err(|why| format!("{}: {why}", file.display()))
                .and_then(|input| held(target, &input)),
            None => search(target, &options, root),
        };
        if let Err(why) = result {
            eprintln!("{}: {why}", target.name);
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

/// Tries what was kept, then changes of it, for the time given.
fn search(target: &Target, options: &Options, root: &Path) -> Result<(), String> {
    let kept = kept(&root.join("../corpus").join(target.name))?;
    let fail = |input: &[u8], count: u64, why: &str| {
        let folder = root.join(FOUND);
        let file = folder.join(format!("{}-{}", target.name, options.seed));
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input));
        let place = written.map_or_else(|why| why.to_string(), |()| file.display().to_string());
        format!(
            "seed {}, input {count}: {why}\nthe input is in {place}",
            options.seed
        )
    };
    let mut count = 0;
    for input in &kept {
        count += 1;
        held(target, input).map_err(|why| fail(input, count, &why))?;
    }
    let mut chance = Chance::new(options.seed);
    let started = now();
    while started.elapsed() < Duration::from_secs(options.seconds) {
        let input = mutate::changed(&kept, target.words, &mut chance);
        count += 1;
        held(target, &input).map_err(|why| fail(&input, count, &why))?;
    }
    println!(
        "{:<14} {count:>9} inputs, seed {}",
        target.name, options.seed
    );
    Ok(())
}

/// Whether the property holds for this input, in time.
fn held(target: &Target, input: &[u8]) -> Result<(), String> {
    let once = || {
        let started = now();
        // A target keeps nothing that a panic could leave half-made.
        panic::catch_unwind(AssertUnwindSafe(|| (target.run)(input)))
            .map_err(|_| "the property does not hold".to_owned())?;
        Ok::<_, String>(started.elapsed())
    };
    if once()? > SLOW {
        let took = once()?;
        if took > SLOW {
            return Err(format!("it takes {} ms", took.as_millis()));
        }
    }
    Ok(())
}

/// The inputs that were kept, by their names, so that a seed says the same everywhere.
fn kept(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let told = |why| format!("{}: {why}", folder.display());
    let entries = fs::read_dir(folder).map_err(told)?;
    let mut files: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(told)?;
    files.sort();
    let inputs: Result<Vec<_>, _> = files.iter().map(fs::read).collect();
    inputs.map_err(told)
}

#[expect(
    clippy::disallowed_methods,
    reason = "another search each time; the seed that is printed repeats one"
)]
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| {
        now.as_secs() << 20 | u64::from(now.subsec_micros())
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a search is bounded by time, and so is each input"
)]
fn now() -> Instant {
    Instant::now()
}
