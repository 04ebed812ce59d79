//! Backups of Camunda Optimize by the policy component, in a host of one's own.

mod bindings;
mod elasticsearch;
mod restore;

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use backup_core::{IndexPrefix, RepositoryName};
use backup_elasticsearch::{Grants, Scope};
use bindings::Policy;
use bindings::exports::optimize::backup::{backups, restores};
use bindings::optimize::backup::types::{Backup, BackupState, Context, Engine, Error, ListQuery, Settings};
use elasticsearch::Elasticsearch;
use uuid::Uuid;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::error::Context as _;
use wasmtime::{Result, Store, bail, format_err};

const USAGE: &str =
    "usage: example-rust POLICY (create ID | advance ID | get ID | list | delete ID | plan ID | restore ID)";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [policy, command @ ..] = arguments.as_slice() else { bail!(USAGE) };
    let mut host = Host::load(policy)?;
    match command.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["create", id] => host.create(id),
        ["advance", id] => host.advance(id.parse::<u64>().context("the id is a number")?),
        ["get", id] => host.get(id),
        ["list"] => host.list(),
        ["delete", id] => host.delete(id),
        ["plan", id] => host.plan(id),
        ["restore", id] => host.restore(id),
        _ => bail!(USAGE),
    }
}

/// An instance of the policy, and the store with its capability.
struct Host {
    store: Store<Elasticsearch>,
    backups: backups::Guest,
    restores: restores::Guest,
}

impl Host {
    fn load(policy: &str) -> Result<Self> {
        let engine = wasmtime::Engine::default();
        let component = Component::from_file(&engine, policy)?;
        let mut linker = Linker::new(&engine);
        Policy::add_to_linker::<_, HasSelf<_>>(&mut linker, |elasticsearch: &mut Elasticsearch| elasticsearch)?;
        let url = setting("ELASTICSEARCH_URL", "http://localhost:9200");
        let mut store = Store::new(&engine, Elasticsearch::at(url, grants()?));
        let policy = Policy::instantiate(&mut store, &component, &linker)?;
        let backups = policy.optimize_backup_backups().clone();
        let restores = policy.optimize_backup_restores().clone();
        Ok(Self { store, backups, restores })
    }

    /// Sets the scope of the next call, which decides what it may write.
    fn enter(&mut self, scope: Scope) {
        self.store.data_mut().scope = scope;
    }

    fn create(&mut self, id: &str) -> Result<()> {
        self.enter(Scope::of_create(id));
        let accepted = self.backups.call_create(&mut self.store, &context()?, id)?.map_err(explain)?;
        println!("accepted {}: {}", accepted.backup_id, accepted.snapshot_name);
        self.advance(accepted.backup_id)
    }

    /// Drives a backup until it ends. It resumes a run that another process has begun.
    fn advance(&mut self, id: u64) -> Result<()> {
        self.enter(Scope::of_advance(id));
        loop {
            let progress = self.backups.call_advance(&mut self.store, &context()?, id)?.map_err(explain)?;
            print(&progress.backup);
            let Some(again_in) = progress.again_in else { return Ok(()) };
            thread::sleep(Duration::from_millis(again_in));
        }
    }

    fn get(&mut self, id: &str) -> Result<()> {
        self.enter(Scope::Read);
        print(&self.backups.call_get(&mut self.store, &context()?, id)?.map_err(explain)?);
        Ok(())
    }

    fn list(&mut self) -> Result<()> {
        self.enter(Scope::Read);
        let page = self.backups.call_list(&mut self.store, &context()?, &everything())?.map_err(explain)?;
        page.backups.iter().for_each(print);
        Ok(())
    }

    fn delete(&mut self, id: &str) -> Result<()> {
        self.enter(Scope::of_delete(id));
        let deleted = self.backups.call_delete(&mut self.store, &context()?, id, None)?.map_err(explain)?;
        println!("deleted {id}: {}", deleted.snapshots.join(", "));
        Ok(())
    }
}

fn everything() -> ListQuery {
    ListQuery { pattern: "*".to_owned(), before: None, limit: None, verbose: true }
}

/// The context of a call: the policy keeps no state between two calls.
fn context() -> Result<Context> {
    Ok(Context {
        settings: Settings {
            repository: setting("BACKUP_REPOSITORY", ""),
            index_prefix: setting("INDEX_PREFIX", "optimize"),
            optimize_version: None,
            engine: Engine::Elasticsearch,
            resume_window: 600_000,
        },
        now: SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?,
        run_id: Uuid::new_v4().to_string(),
        host: concat!("example-rust ", env!("CARGO_PKG_VERSION")).to_owned(),
        notes: Vec::new(),
    })
}

/// The requests that are granted.
fn grants() -> Result<Grants> {
    let repository = RepositoryName::parse(&setting("BACKUP_REPOSITORY", "")).ok();
    Ok(Grants::new(repository, IndexPrefix::parse(&setting("INDEX_PREFIX", "optimize"))?))
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn print(backup: &Backup) {
    let state = match backup.state {
        BackupState::Complete => "complete",
        BackupState::InProgress => "in-progress",
        BackupState::Failed => "failed",
        BackupState::Incompatible => "incompatible",
        BackupState::Incomplete => "incomplete",
    };
    let snapshots: Vec<&str> = backup.details.iter().map(|detail| detail.snapshot_name.as_str()).collect();
    println!("{state} {}: {}", backup.backup_id, snapshots.join(", "));
    if let Some(reason) = &backup.failure_reason {
        println!("{reason}");
    }
}

fn explain(error: Error) -> wasmtime::Error {
    let (Error::InvalidRequest(problem)
    | Error::Configuration(problem)
    | Error::Conflict(problem)
    | Error::NotFound(problem)
    | Error::Unreachable(problem)
    | Error::EngineFailure(problem)
    | Error::Denied(problem)) = error;
    format_err!("{}: {}\n{}", problem.code, problem.message, problem.detail.unwrap_or_default())
}
