//! Calls the policy with a context, and in the scope of the operation.

use std::cell::RefCell;
use std::collections::BTreeSet;

use backup_actuator::policy_settings;
use backup_core::ListQuery;

use crate::bindings::optimize::backup::types::{
    Backup, BackupProgress, BackupState, BackupsPage, Context, Deleted, Error, Step,
};
use crate::bindings::optimize::backup::{backups, types};
use crate::bindings::optimize::wasi_http::scopes::Scope;
use crate::bindings::wasi::random::random::get_random_u64;
use crate::scope::within;
use crate::settings::Configuration;
use crate::{clock, log};

/// This host, for the metadata of snapshots.
const HOST: &str = concat!("optimize-backup-wasi-http/", env!("CARGO_PKG_VERSION"));

thread_local! {
    /// The runs whose backups this instance has deleted. The engine may still be deleting them, and meanwhile they must not
    /// be resumed.
    static DELETED_RUNS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

backup_actuator::policy_types!(crate::bindings::optimize::backup::types);

/// The policy's operations with these settings.
#[derive(Clone, Copy)]
pub(crate) struct Policy(pub(crate) &'static Configuration);

impl Policy {
    pub(crate) fn create(self, id: &str) -> Result<types::Accepted, Error> {
        within(Scope::Create(id.to_owned()), || backups::create(&self.context(), id))
    }

    pub(crate) fn advance(self, id: types::BackupId) -> Result<Step, Error> {
        within(Scope::Advance(id), || backups::advance(&self.context(), id))
    }

    /// Reads one backup, and takes the next step of its run.
    pub(crate) fn get(self, id: &str) -> Result<Backup, Error> {
        Ok(self.advanced(within(Scope::Read, || backups::get(&self.context(), id))?))
    }

    /// Takes the next step of a backup's run, and reads how far it is.
    pub(crate) fn progress(self, id: &str) -> Result<BackupProgress, Error> {
        self.get(id)?;
        within(Scope::Read, || backups::progress(&self.context(), id))
    }

    /// Reads backups, and takes the next step of their runs.
    pub(crate) fn list(self, query: &ListQuery) -> Result<BackupsPage, Error> {
        let page = within(Scope::Read, || backups::list(&self.context(), &query.into()))?;
        if page.foreign > 0 {
            let foreign = page.foreign;
            log::line(&format!(
                "left out of the list: {foreign} snapshots of other software or of another installation"
            ));
        }
        let backups = page.backups.into_iter().map(|backup| self.advanced(backup)).collect();
        Ok(BackupsPage { backups, ..page })
    }

    pub(crate) fn delete(self, id: &str, only_runs: Option<&[String]>) -> Result<Deleted, Error> {
        let scope = Scope::Delete(id.to_owned());
        let deleted = within(scope, || backups::delete(&self.context(), id, only_runs))?;
        DELETED_RUNS.with_borrow_mut(|runs| runs.extend(deleted.runs.iter().cloned()));
        Ok(deleted)
    }

    fn advanced(self, backup: Backup) -> Backup {
        let Some(run) = &backup.run_id else { return backup };
        let is_deleted = DELETED_RUNS.with_borrow(|runs| runs.contains(run));
        if backup.state != BackupState::InProgress || is_deleted {
            return backup;
        }
        match self.advance(backup.backup_id) {
            Ok(step) => step.backup,
            Err(error) => {
                log::line(&format!("a step of backup {} failed: {}", backup.backup_id, error.problem().message));
                backup
            }
        }
    }

    fn context(self) -> Context {
        Context {
            settings: (&policy_settings(&self.0.settings)).into(),
            now: clock::now(),
            run_id: format!("{:016x}{:016x}", get_random_u64(), get_random_u64()),
            host: HOST.to_owned(),
            // Nothing is remembered from one request to the next.
            notes: Vec::new(),
        }
    }
}
