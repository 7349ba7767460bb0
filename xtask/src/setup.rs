//! What the tests need beside Rust, into ignored folders of the checkout; what only the system can give, by apt. Fast when it is all there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{House, Log, output};

/// Debian 12's Node is too old for today's clients; npm has a newer one.
const NODE: &str = "node@22.23.3";
const NODE_FOLDER: &str = ".tools/node";
const NODE_MAJOR: u32 = 22;

/// The clients of the tests, and the app of the example.
const NPM: [&str; 2] = ["tests/node", "examples/spa-and-api/app"];
const PYTHON_PACKAGES: [&str; 2] = ["tests/python", "examples/spa-and-api/api"];

/// The interpreter that has the Python clients.
pub(crate) const PYTHON: &str = "tests/python/.venv/bin/python";

/// How a Debian package shows that it is there.
enum Shows {
    Program(&'static str),
    Path(&'static str),
    PythonModule(&'static str),
}

const PACKAGES: &[(&str, Shows)] = &[
    // The programs alone, without a service that starts.
    ("apache2-bin", Shows::Path("/usr/sbin/apache2")),
    ("chromium", Shows::Program("chromium")),
    ("curl", Shows::Program("curl")),
    (
        "fonts-dejavu-core",
        Shows::Path("/usr/share/fonts/truetype/dejavu"),
    ),
    // What the pages in Japanese are looked at in.
    (
        "fonts-ipafont-gothic",
        Shows::Path("/usr/share/fonts/opentype/ipafont-gothic"),
    ),
    (
        "libapache2-mod-auth-openidc",
        Shows::Path("/usr/lib/apache2/modules/mod_auth_openidc.so"),
    ),
    ("nodejs", Shows::Program("node")),
    // The server alone: the store's tests start one of their own.
    ("postgresql", Shows::Path("/usr/lib/postgresql")),
    ("npm", Shows::Program("npm")),
    // The book's readers make secrets by it, and its tests a certificate.
    ("openssl", Shows::Program("openssl")),
    ("python3", Shows::Program("python3")),
    ("python3-venv", Shows::PythonModule("ensurepip")),
];

/// Installs what is missing.
pub(crate) fn install(house: &House, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, shows)| !shows.itself())
        .map(|(package, _)| *package)
        .collect();
    if !missing.is_empty() {
        debian(log, &missing)?;
    }
    if node(house).is_err() {
        log.run(Command::new("npm").args([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--prefix",
            NODE_FOLDER,
            NODE,
        ]))?;
        node(house)?;
    }
    for folder in NPM {
        npm(house, log, folder)?;
    }
    for folder in PYTHON_PACKAGES {
        python(house, log, folder)?;
    }
    Ok(None)
}

fn npm(house: &House, log: &mut Log<'_>, folder: &str) -> Result<(), String> {
    kept_up(
        house,
        &format!("{folder}/package-lock.json"),
        &format!("{folder}/node_modules"),
        || log.run(Command::new("npm").args(["ci", "--ignore-scripts", "--prefix", folder])),
    )
}

fn python(house: &House, log: &mut Log<'_>, folder: &str) -> Result<(), String> {
    let environment = format!("{folder}/.venv");
    let list = format!("{folder}/requirements.txt");
    kept_up(house, &list, &environment, || {
        log.run(Command::new("python3").args(["-m", "venv", "--clear", &environment]))?;
        log.run(Command::new(format!("{environment}/bin/python")).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            &list,
        ]))
    })
}

/// A Node that is new enough: the system's, else the one in the ignored folder.
pub(crate) fn node(house: &House) -> Result<PathBuf, String> {
    let own = house
        .root
        .join(NODE_FOLDER)
        .join("node_modules/node/bin/node");
    [PathBuf::from("node"), own]
        .into_iter()
        .find(|node| is_new_enough(node))
        .ok_or_else(|| format!("no Node {NODE_MAJOR} or newer: `cargo xtask setup`"))
}

fn is_new_enough(node: &Path) -> bool {
    let version = output(Command::new(node).arg("--version")).unwrap_or_default();
    let major = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    major.is_some_and(|major: u32| major >= NODE_MAJOR)
}

/// Runs `install` unless `folder` was made from `list` as it now reads: a copy of the list in the folder says from which one.
fn kept_up(
    house: &House,
    list: &str,
    folder: &str,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let wanted = fs::read(house.root.join(list)).map_err(|why| format!("{list}: {why}"))?;
    let made_from = house.root.join(folder).join("made-from");
    if fs::read(&made_from).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(&made_from, wanted).map_err(|why| format!("{}: {why}", made_from.display()))
}

fn debian(log: &mut Log<'_>, packages: &[&str]) -> Result<(), String> {
    if !on_path("apt-get") {
        return Err(format!(
            "please install {}: there is no apt-get here to do it",
            packages.join(", ")
        ));
    }
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new(if is_root { "env" } else { "sudo" });
        apt.args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
            "-o",
            "Acquire::Retries=3",
        ])
        .args(arguments);
        apt
    };
    log.run(&mut apt(&["update"]))?;
    log.run(apt(&["install", "-y", "--no-install-recommends"]).args(packages))
}

impl Shows {
    fn itself(&self) -> bool {
        match self {
            Self::Program(name) => on_path(name),
            Self::Path(path) => Path::new(path).exists(),
            Self::PythonModule(name) => {
                output(Command::new("python3").args(["-c", &format!("import {name}")])).is_ok()
            }
        }
    }
}

fn on_path(program: &str) -> bool {
    output(Command::new("sh").args(["-c", &format!("command -v {program}")])).is_ok()
}
