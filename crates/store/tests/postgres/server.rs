//! Debian's PostgreSQL in a temporary folder, with a socket in it: no port, no password.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use tempfile::TempDir;
use tokio_postgres::{Client, Config};

use crate::connection::connect;

/// Where Debian keeps the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Stops the server when our end of the pipe is closed, that is when this process ends in any way.
const WATCH: &str = r#"
    trap "" INT
    folder=$1; shift
    "$@" & server=$!
    read -r _
    kill -QUIT $server; wait $server
    rm -rf "$folder"
"#;

/// A running server.
pub(crate) struct Server {
    folder: PathBuf,
    _watch: Child,
}

impl Server {
    /// The one server of this test program.
    pub(crate) fn get() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// The configuration for a new, empty schema.
    pub(crate) async fn fresh(&self) -> Config {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let name = format!("store{}", LAST.fetch_add(1, Ordering::Relaxed));
        self.admin()
            .await
            .batch_execute(&format!("CREATE SCHEMA {name}"))
            .await
            .expect("a schema is made");
        let mut config = self.config();
        config
            .options(format!("-c search_path={name}"))
            .application_name(name);
        config
    }

    /// A connection for the test itself.
    pub(crate) async fn admin(&self) -> Client {
        connect(&self.config()).await.expect("PostgreSQL answers")
    }

    fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.folder)
            .user("grantor")
            .dbname("postgres");
        config
    }

    fn start() -> Self {
        let programs = programs();
        let folder = TempDir::new().expect("a temporary folder");
        // PostgreSQL does not run as root, and needs a folder that its user owns.
        let owner = (folder.path().metadata().expect("it is there").uid() == 0).then(|| {
            let (user, group) = (id_of_postgres("-u"), id_of_postgres("-g"));
            chown(folder.path(), Some(user), Some(group)).expect("root may give it away");
            (user, group)
        });
        let data = folder.path().join("data");

        let mut initdb = command(programs.join("initdb"), owner, folder.path());
        initdb.args(["--username=grantor", "--auth=trust", "--no-locale"]);
        initdb.args(["--encoding=UTF8", "--no-sync", "--pgdata"]);
        let made = initdb.arg(&data).output().expect("initdb runs");
        let text = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {text}");

        let mut watch = command("sh", owner, folder.path());
        watch.args(["-c", WATCH, "sh"]).arg(folder.path());
        watch.arg(programs.join("postgres")).arg("-D").arg(&data);
        watch
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses="]);
        watch.args(["-c", "fsync=off", "-c", "max_connections=200"]);
        // There is no such standby: a commit with more than `local` waits until it is killed.
        watch.args(["-c", "synchronous_standby_names=nobody"]);
        watch.args(["-c", "synchronous_commit=local"]);
        let mut watch = watch
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let mut log = BufReader::new(watch.stderr.take().expect("it is piped")).lines();
        let mut said = Vec::new();
        loop {
            match log.next() {
                Some(Ok(line)) if line.ends_with("ready to accept connections") => break,
                Some(Ok(line)) => said.push(line),
                _ => panic!("PostgreSQL did not start:\n{}", said.join("\n")),
            }
        }
        // A full pipe would stop the server.
        thread::spawn(move || log.count());
        Self {
            // The shell removes it after the server has stopped.
            folder: folder.keep(),
            _watch: watch,
        }
    }
}

fn programs() -> PathBuf {
    let installed = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let newest = installed
        .map(|version| version.path().join("bin"))
        .filter(|programs| programs.join("postgres").exists())
        .max();
    newest.unwrap_or_else(|| {
        panic!(
            "PostgreSQL is not installed: there is no {VERSIONS}/*/bin/postgres. \
             `cargo xtask setup` or `apt-get install postgresql` brings it."
        )
    })
}

fn command(program: impl AsRef<OsStr>, owner: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

fn id_of_postgres(which: &str) -> u32 {
    let said = Command::new("id")
        .args([which, "postgres"])
        .output()
        .expect("id runs");
    String::from_utf8_lossy(&said.stdout)
        .trim()
        .parse()
        .expect("the package made a user `postgres`")
}
