//! Takes a changed configuration file without a restart: by `grantor reload`, or at SIGHUP.
//!
//! What takes long is done first and changes nothing: passwords are hashed, keys are made, clients get their instances.
//! Then users and links are written, one snapshot replaces the other, and pruned clients are forgotten, back to back. What
//! fails before the first user is written leaves the realm as it was; a reload that is repeated goes on where it stopped.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_config::{Environment, Settings};
use grantor_core::engine::event::{Event, EventKind, ReloadSummary};
use grantor_core::model::checks::{PointerStep, Problem};
use grantor_core::model::ids::ClientId;
use grantor_store::Store;
use grantor_web::{App, Clock as _, Unavailable};
use tokio::signal::unix::Signal;
use tokio::sync::Mutex;
use tokio::task::{JoinError, spawn_blocking};

use crate::admin::api::{Change, Reload, Reloaded};
use crate::assemble::{self, AssembleError};
use crate::cause::Causes;
use crate::clients;
use crate::files;
use crate::key_ring::KeyRing;
use crate::links;
use crate::outgoing::OutgoingError;
use crate::realm_owner::{Kept, Next, RealmOwner};
use crate::signing_keys::SigningKeysError;
use crate::system::SystemClock;
use crate::users::{self, LeftOut, OnOutage};
use changes::{Merged, merge};
use file::Look;

mod changes;
mod cut_off;
mod file;
#[cfg(test)]
mod tests;

/// The time between the two looks at the file.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why nothing was taken. The realm is as it was; only after [`ReloadError::Partial`], some users may not be.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("the server is still starting; try again")]
    Starting,
    #[error(
        "the file is still being written: two looks, a second apart, found different things; reload again"
    )]
    Changing,
    #[error(
        "the server reads {file}, not {named}: run `grantor reload --config {file}`, or restart the server with the other file"
    )]
    OtherFile { file: String, named: String },
    /// The mistakes, one a line.
    #[error("{0}")]
    Invalid(String),
    /// The file is valid, but not together with what stays as it runs.
    #[error(
        "the file conflicts with what is kept until a restart or `grantor reload --prune`: {0}"
    )]
    Conflict(String),
    /// The file, and why.
    #[error("{0} seems cut off{1}")]
    CutOff(String, String),
    #[error("the store could not be read or written, and nothing was changed; reload again")]
    Unavailable(#[from] Unavailable),
    #[error(
        "the store failed while users were written: some are those of the changed file, while all else is as it was; reload again"
    )]
    Partial(#[source] Unavailable),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error(transparent)]
    Keys(#[from] SigningKeysError),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    /// Of the threads for what blocks.
    #[error("a thread ended")]
    Thread(#[from] JoinError),
}

/// Waits between the two looks. Tests change the file meanwhile.
pub type Pause = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

pub struct Reloader {
    pub file: PathBuf,
    /// That of the start: a process keeps it.
    pub environment: Environment,
    pub app: Arc<App>,
    pub store: Arc<dyn Store>,
    pub owner: Arc<RealmOwner>,
    pub keys: Arc<KeyRing>,
    pub pause: Pause,
    /// One reload at a time.
    pub one: Mutex<()>,
}

/// The time between the looks of a server.
#[must_use]
pub fn pause() -> Pause {
    Box::new(|| tokio::time::sleep(LOOK_AGAIN).boxed())
}

impl Reloader {
    /// Takes the file, and says what changed, in the answer, in the log and by an event.
    ///
    /// # Errors
    /// [`ReloadError`]: the realm is as it was.
    pub async fn reload(&self, wanted: Reload) -> Result<Reloaded, ReloadError> {
        let _one = self.one.lock().await;
        let dry_run = wanted.dry_run;
        let done = self.take(wanted).await;
        match &done {
            _ if dry_run => {}
            Ok(reloaded) => {
                let event = Event::new(EventKind::RealmReloaded).reload(summary(reloaded));
                let trace_id = self.app.record(&event);
                tracing::info!(trace_id, changes = %reloaded, "the configuration was reloaded");
            }
            Err(error) => {
                let trace_id = self.app.record(&Event::new(EventKind::ReloadRefused));
                tracing::error!(
                    trace_id, reason = %Causes(error),
                    "the configuration was not reloaded; the previous one is kept"
                );
            }
        }
        done
    }

    /// Reloads at each `hangup`, until it is dropped. Never prunes: no one reads what it would withdraw.
    pub async fn watch(&self, mut hangup: Signal) {
        while hangup.recv().await.is_some() {
            // The outcome was logged.
            self.reload(Reload::default()).await.ok();
        }
    }

    async fn take(&self, wanted: Reload) -> Result<Reloaded, ReloadError> {
        let Reload {
            dry_run,
            prune,
            file: named,
        } = wanted;
        // The users of the file that was read at the start are written first.
        if !self.app.is_ready() {
            return Err(ReloadError::Starting);
        }
        let path = self.file.clone();
        let path = spawn_blocking(move || fs::canonicalize(&path).unwrap_or(path)).await?;
        let path = path.display().to_string();
        if let Some(named) = named.filter(|named| *named != path) {
            return Err(ReloadError::OtherFile { file: path, named });
        }
        let (file, text) = self.settled().await?;
        let last_table = cut_off::last_table(&text, &file);
        let before = self.owner.kept();
        let Merged {
            settings,
            kept,
            mut changes,
        } = merge(&self.owner.settings(), &before, file, prune);
        cut_off::check(
            &text,
            last_table,
            &changes,
            kept.has_more_than(&before),
            prune,
        )
        .map_err(|why| ReloadError::CutOff(self.file.display().to_string(), why))?;
        if let Some(conflict) = settings.conflicts().first() {
            return Err(ReloadError::Conflict(render(conflict, &settings)));
        }
        changes.dry_run = dry_run;
        changes.file = path;
        if !dry_run {
            let LeftOut {
                users, problems, ..
            } = self.replace(settings, kept, prune).await?;
            changes.leave_out_users(users);
            changes.problems = problems;
        }
        Ok(changes)
    }

    /// The settings of the file, once two looks agree.
    async fn settled(&self) -> Result<(Settings, file::Text), ReloadError> {
        let look = || {
            let (file, environment) = (
                self.file.clone(),
                self.environment.clone().of_running_server(),
            );
            let running = self.owner.settings();
            spawn_blocking(move || Look::new(&file, &environment, &running))
        };
        let first = look().await?;
        (self.pause)().await;
        let second = look().await?;
        first.confirmed(&second)
    }

    /// Serves by these settings from now on. Returns what was left out.
    async fn replace(
        &self,
        settings: Settings,
        kept: Kept,
        prune: bool,
    ) -> Result<LeftOut, ReloadError> {
        let (app, store) = (&self.app, &*self.store);
        let read_at = SystemClock.now();
        let settings = Arc::new(settings);
        let trusted_keys = self.owner.trusted_keys().for_settings(&settings)?;
        let _changing = self.owner.changing().await;
        let document = self.owner.document();
        let (owner, of) = (Arc::clone(&self.owner), Arc::clone(&settings));
        let assembled = spawn_blocking(move || owner.assemble(&of, &document)).await??;
        let provisions = settings.users.iter().map(assemble::provision);
        let provisions = users::prepare_passwords(app, provisions).await?;
        let declared: HashSet<ClientId> = assembled.realm.clients.keys().cloned().collect();
        let instances = clients::provision(app, declared.clone()).await?;

        let links = assemble::links(&settings);
        let write = async {
            let users = users::provision(app, store, &provisions, OnOutage::Fail).await;
            let mut left_out = users.map_err(ReloadError::Partial)?;
            let links = links::provision(app, store, &links, OnOutage::Fail).await;
            left_out
                .problems
                .extend(links.map_err(ReloadError::Partial)?);
            Ok::<_, ReloadError>(left_out)
        };
        let next = Next {
            settings: Arc::clone(&settings),
            kept,
            read_at,
            assembled,
            instances,
            trusted_keys: Arc::new(trusted_keys),
        };
        let mut left_out = self.keys.replace_settings(next, write).await?;
        if prune && let Err(error) = clients::withdraw(app, store, &declared).await {
            tracing::error!(error = %Causes(&error), "pruned clients were not forgotten");
            left_out.problems.push(
                "The store still knows clients that were pruned: reload with --prune again before one is declared again."
                    .to_owned(),
            );
        }
        let file = self.file.clone();
        spawn_blocking(move || {
            let advice = settings.not_built().into_iter().chain(settings.advice());
            for sentence in advice.chain(files::advice(&settings, &file)) {
                tracing::warn!("{sentence}");
            }
        });
        Ok(left_out)
    }
}

/// What is wrong, and with whom: those that are kept stand in no line of the file.
fn render(problem: &Problem, settings: &Settings) -> String {
    let Problem {
        pointer, message, ..
    } = problem;
    let [PointerStep::Key(table), PointerStep::Index(row), rest @ ..] = pointer.steps() else {
        return format!("{pointer} {message}");
    };
    let resource = || {
        settings
            .resources
            .get(*row)
            .map(|it| it.identifier.to_string())
    };
    let client = || settings.clients.get(*row).map(|it| it.id.to_string());
    let user = || settings.users.get(*row).map(|it| it.username.to_string());
    let name = match table.as_str() {
        "resource" => resource(),
        "client" => client(),
        "user" => user(),
        _ => None,
    };
    let key = rest.first().map(|step| match step {
        PointerStep::Key(key) => format!("{key} "),
        PointerStep::Index(_) => String::new(),
    });
    match name {
        Some(name) => format!("{table} {name:?}: {}{message}", key.unwrap_or_default()),
        None => format!("{pointer} {message}"),
    }
}

/// Names as `client tv`, for the event.
fn summary(reloaded: &Reloaded) -> ReloadSummary {
    let names = |of: fn(&Change) -> &[String]| {
        let changes = reloaded.changes.iter();
        let names = changes.flat_map(|change| {
            let names = of(change).iter();
            names.map(|name| format!("{} {name}", change.kind))
        });
        ReloadSummary::shorten(names)
    };
    ReloadSummary {
        added: names(|change| &change.added),
        changed: names(|change| &change.changed),
        removed: names(|change| &change.removed),
        kept: names(|change| &change.kept),
        declared_again: names(|change| &change.declared_again),
        restart: ReloadSummary::shorten(reloaded.needs_restart.iter().cloned()),
    }
}
