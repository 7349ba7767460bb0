//! Installs what the tests need besides Rust: into ignored folders of the checkout, and by apt what only the system can
//! provide. Quick when everything is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Log, Workspace, output};

/// Debian 12's Node is too old for current clients; npm has a newer one.
const NODE: &str = "node@22.23.3";
const NODE_FOLDER: &str = ".tools/node";
const NODE_MAJOR: u32 = 22;

/// The clients of the tests, and the app of an example.
const NPM: [&str; 2] = ["tests/node", "examples/spa-and-api/app"];
const PYTHON_PACKAGES: [&str; 3] = [
    "tests/python",
    "examples/spa-and-api/api",
    "examples/manage-by-api",
];

/// The interpreter with the Python clients.
pub(crate) const PYTHON: &str = "tests/python/.venv/bin/python";

/// What shows that a Debian package is installed.
enum Evidence {
    Program(&'static str),
    Path(&'static str),
    PythonModule(&'static str),
}

const PACKAGES: &[(&str, Evidence)] = &[
    // Only the programs, without a service.
    ("apache2-bin", Evidence::Path("/usr/sbin/apache2")),
    ("chromium", Evidence::Program("chromium")),
    ("curl", Evidence::Program("curl")),
    (
        "fonts-dejavu-core",
        Evidence::Path("/usr/share/fonts/truetype/dejavu"),
    ),
    // For the pages in Japanese.
    (
        "fonts-ipafont-gothic",
        Evidence::Path("/usr/share/fonts/opentype/ipafont-gothic"),
    ),
    (
        "libapache2-mod-auth-openidc",
        Evidence::Path("/usr/lib/apache2/modules/mod_auth_openidc.so"),
    ),
    // Only the program is needed: the tests start their own.
    ("nginx", Evidence::Path("/usr/sbin/nginx")),
    ("nodejs", Evidence::Program("node")),
    // Only the server: the store's tests start their own instance.
    ("postgresql", Evidence::Path("/usr/lib/postgresql")),
    ("npm", Evidence::Program("npm")),
    // The book makes secrets with it, and the tests a certificate.
    ("openssl", Evidence::Program("openssl")),
    ("python3", Evidence::Program("python3")),
    ("python3-venv", Evidence::PythonModule("ensurepip")),
    // They read the files that the book gives to operators.
    ("logrotate", Evidence::Path("/usr/sbin/logrotate")),
    ("systemd", Evidence::Program("systemd-analyze")),
];

/// Debian's package `prometheus` has it, next to a service that nobody wants here: only the program is taken.
const PROMTOOL: &str = ".tools/promtool";

/// Installs what is missing.
pub(crate) fn install(workspace: &Workspace, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, evidence)| !evidence.is_present())
        .map(|(package, _)| *package)
        .collect();
    let has_promtool = on_path("promtool") || workspace.root.join(PROMTOOL).exists();
    if !missing.is_empty() || !has_promtool {
        debian(log, &missing)?;
    }
    if !has_promtool {
        promtool(log)?;
    }
    if node(workspace).is_err() {
        log.run(Command::new("npm").args([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--prefix",
            NODE_FOLDER,
            NODE,
        ]))?;
        node(workspace)?;
    }
    for folder in NPM {
        npm(workspace, log, folder)?;
    }
    for folder in PYTHON_PACKAGES {
        python(workspace, log, folder)?;
    }
    Ok(None)
}

fn promtool(log: &mut Log<'_>) -> Result<(), String> {
    let script = format!(
        "set -e; mkdir -p .tools; cd .tools; apt-get download prometheus; \
         dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool > promtool.new; \
         chmod +x promtool.new; rm prometheus_*.deb; cd ..; mv .tools/promtool.new {PROMTOOL}"
    );
    log.run(Command::new("sh").args(["-c", &script]))
}

fn npm(workspace: &Workspace, log: &mut Log<'_>, folder: &str) -> Result<(), String> {
    install_if_changed(
        workspace,
        &format!("{folder}/package-lock.json"),
        &format!("{folder}/node_modules"),
        || log.run(Command::new("npm").args(["ci", "--ignore-scripts", "--prefix", folder])),
    )
}

fn python(workspace: &Workspace, log: &mut Log<'_>, folder: &str) -> Result<(), String> {
    let environment = format!("{folder}/.venv");
    let list = format!("{folder}/requirements.txt");
    install_if_changed(workspace, &list, &environment, || {
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

/// A Node that is new enough: the system's, or the one in the ignored folder.
pub(crate) fn node(workspace: &Workspace) -> Result<PathBuf, String> {
    let own = workspace
        .root
        .join(NODE_FOLDER)
        .join("node_modules/node/bin/node");
    [PathBuf::from("node"), own]
        .into_iter()
        .find(|node| is_new_enough(node))
        .ok_or_else(|| format!("Node {NODE_MAJOR} or newer is missing: run `cargo xtask setup`"))
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

/// Runs `install` unless `folder` was installed from the present contents of `list`; a copy of the list in the folder shows that.
fn install_if_changed(
    workspace: &Workspace,
    list: &str,
    folder: &str,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let wanted = fs::read(workspace.root.join(list)).map_err(|error| format!("{list}: {error}"))?;
    let installed_from = workspace.root.join(folder).join("made-from");
    if fs::read(&installed_from).is_ok_and(|list| list == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(&installed_from, wanted)
        .map_err(|error| format!("{}: {error}", installed_from.display()))
}

fn debian(log: &mut Log<'_>, packages: &[&str]) -> Result<(), String> {
    if !on_path("apt-get") {
        return Err(format!(
            "please install {}: there is no apt-get on this system",
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

impl Evidence {
    fn is_present(&self) -> bool {
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
