//! The repository, its storage, and the backups in it.

use std::collections::BTreeMap;

use backup_actuator::{HealthStatus, Probe, Verification};
use backup_core::operations::BackupList;
use backup_core::{BackupId, BackupState, Error, ErrorKind, ListQuery, operations};
use backup_elasticsearch::OwnRequest;

use super::Doctor;
use super::report::Check;
use crate::cli::repository::nodes;

const NAME: &str = "repository";
const STORAGE: &str = "storage";
const BACKUPS: &str = "backups";

impl Doctor<'_> {
    /// The repository, and what can only be asked where it is registered.
    pub(super) async fn repository(&self) -> Vec<Check> {
        let repository = self.settings.repository.as_ref();
        let (kind, prefix) = (self.settings.engine, &self.settings.index_prefix);
        let response = self.access.read(Probe::request(repository)).await;
        let probe = Probe::read(kind, repository, prefix, response.as_ref().map_err(Clone::clone));
        let facts = &probe.repository.facts;
        let name = facts.name.clone().unwrap_or_default();
        let error = || probe.repository.error.clone().or(probe.engine.error.clone()).unwrap_or_default();
        if facts.read_only.is_none() {
            let check = Check::refused(NAME, error());
            let check = match repository {
                Some(_) if response.is_ok_and(|response| response.status == 404) => {
                    check.advise("`optimize-backup repository register --type … --setting …` registers it")
                }
                Some(_) => check,
                None => check.advise("set backup.repositoryName (CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME)"),
            };
            let because = "the repository is not known";
            return vec![check, Check::not_checked(STORAGE, because), Check::not_checked(BACKUPS, because)];
        }
        let check = match probe.repository.status {
            HealthStatus::Up => Check::ok(NAME, format!("{name}, type {}", facts.storage.clone().unwrap_or_default())),
            HealthStatus::Down | HealthStatus::Unknown => Check::refused(NAME, error()),
        };
        vec![check, self.storage(probe).await, self.backups().await]
    }

    /// The one check that writes: a small file, which the search engine removes again.
    async fn storage(&self, mut probe: Probe) -> Check {
        let response = self.access.own(OwnRequest::VerifyRepository).await;
        let verification = Verification::read(response.as_ref().map_err(Clone::clone));
        let is_writable = probe.repository.status == HealthStatus::Up;
        probe.add_verification(&verification, 0);
        match verification {
            Verification::Passed => {
                let names = response.ok().and_then(|response| nodes(&response.body)).unwrap_or_default().join(", ");
                let done = if is_writable { "wrote a test file to it and read it" } else { "can read it" };
                Check::ok(STORAGE, format!("each node {done}: {names}"))
            }
            Verification::Failed(reason) => Check::refused(STORAGE, probe.repository.error.unwrap_or(reason)),
            Verification::Unknown(reason) => Check::warning(STORAGE, reason),
        }
    }

    async fn backups(&self) -> Check {
        let list = match self.list().await {
            Ok(list) => list,
            Err(error) => return of_error(BACKUPS, &error),
        };
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for backup in &list.backups {
            *states.entry(word(backup.state)).or_default() += 1;
        }
        let states: Vec<String> = states.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
        let ours = match (states.as_slice(), newest_complete(&list)) {
            ([], _) => "none yet".to_owned(),
            (states, None) => states.join(", "),
            (states, Some(newest)) => format!("{}, the newest COMPLETE is {newest}", states.join(", ")),
        };
        Check::ok(BACKUPS, format!("{ours}; snapshots of others: {}", list.foreign))
    }

    /// `None` too if the backups cannot be listed.
    pub(super) async fn newest_complete(&self) -> Option<BackupId> {
        newest_complete(&self.list().await.ok()?)
    }

    async fn list(&self) -> Result<BackupList, Error> {
        self.access.operation(|engine, context| operations::list(engine, context, &ListQuery::default())).await
    }
}

fn newest_complete(list: &BackupList) -> Option<BackupId> {
    list.backups.iter().find(|backup| backup.state == BackupState::Complete).map(|backup| backup.id)
}

fn word(state: BackupState) -> &'static str {
    match state {
        BackupState::Complete => "COMPLETE",
        BackupState::InProgress => "IN_PROGRESS",
        BackupState::Failed => "FAILED",
        BackupState::Incompatible => "INCOMPATIBLE",
        BackupState::Incomplete => "INCOMPLETE",
    }
}

/// The rules' own error, which says what to do.
pub(super) fn of_error(name: &'static str, error: &Error) -> Check {
    let text = error.to_string();
    let detail = error.detail().filter(|detail| !text.contains(detail.as_str()));
    let found = detail.map_or(text.clone(), |detail| format!("{text} ({detail})"));
    match error.kind() {
        ErrorKind::Unreachable => Check::fault(name, found),
        _ => Check::refused(name, found),
    }
}
