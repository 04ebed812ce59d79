//! Deletes the backups that expire.
//!
//! Which ones is the policy's decision. The host holds it against the contract, and reads each backup once more by its own
//! rules before it deletes it: whatever a policy says, or its lists, another installation's backup and the newest that
//! can be restored stay. Every server may do it at any time: two that delete the same backup do no more than one.

pub(super) mod confirmation;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backup_core::retention::{self as rules, RetentionRules};
use tokio::sync::{Mutex, Notify};

use super::{BackupService, audit};
use crate::metrics::Metrics;
use crate::policy::PolicyCalls;
use crate::sandbox::retention::{Candidate, Expired, Rules};
use crate::sandbox::types::{BackupId, Error, ListQuery};
use crate::sandbox::{CallError, Purpose};

/// How long after the start the first look is.
const FIRST_LOOK: Duration = Duration::from_secs(5 * 60);
/// How often a server looks, besides after its own backups; as much again at most, at random.
const INTERVAL: Duration = Duration::from_secs(40 * 60);
/// How many backups are listed at once, so that a call stays within its limits.
const PAGE: u32 = 200;

/// Which backups expire, and their deletion.
pub struct Retention {
    service: Arc<BackupService>,
    rules: RetentionRules,
    metrics: Arc<Metrics>,
    /// Held by the one pass that deletes.
    passing: Mutex<()>,
    wanted: Notify,
}

/// What would be deleted now.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Why nothing is deleted for the time being, whatever the rules say.
    pub suspended: Option<String>,
    /// What expires, in the order of its deletion.
    pub expired: Vec<Expired>,
    /// The newest backup that can be restored, by the policy's list.
    newest: Option<BackupId>,
}

/// What became of what expires.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// Why nothing more is deleted for the time being.
    pub suspended: Option<String>,
    pub deleted: Vec<Expired>,
    /// What is not deleted although it expires, each with the reason.
    pub left: Vec<(BackupId, String)>,
}

impl Retention {
    pub fn new(service: Arc<BackupService>, rules: RetentionRules, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { service, rules, metrics, passing: Mutex::default(), wanted: Notify::new() })
    }

    /// What the operator configured.
    pub fn rules(&self) -> &RetentionRules {
        &self.rules
    }

    /// Asks the policy what expires. Nothing is deleted.
    ///
    /// # Errors
    /// [`CallError`]: the policy does not tell.
    pub async fn plan(&self) -> Result<Plan, CallError> {
        if self.rules.is_empty() {
            return Ok(Plan::default());
        }
        let calls = self.service.policies.calls().for_purpose(Purpose::Inspection);
        let restored = match self.service.policies.restored().await {
            Ok(restored) => restored.into_iter().map(backup_core::BackupId::get).collect(),
            Err(error) => {
                let reason = format!("it is not known whether a backup is being restored: {error}");
                return Ok(Plan { suspended: Some(reason), ..Plan::default() });
            }
        };
        let candidates = self.candidates(&calls, restored).await?;
        let known: Vec<rules::Candidate> = candidates.iter().filter_map(Candidate::read).collect();
        let newest = rules::newest_good(&known).map(|newest| newest.id.get());
        let suspended = self.suspended(&known).await;
        if candidates.is_empty() || suspended.is_some() {
            return Ok(Plan { suspended, expired: Vec::new(), newest });
        }
        // What the policy decides counts for it, as every decision of it does.
        let calls = calls.for_purpose(Purpose::Service);
        let expired = calls.expire(&Rules::from(&self.rules), &candidates).await?;
        Ok(Plan { suspended, expired, newest })
    }

    /// Deletes what expires, one after the other, soon.
    pub fn want(&self) {
        self.wanted.notify_one();
    }

    /// Deletes what expires: whenever it is wanted, and regularly.
    pub async fn run_forever(&self) {
        if self.rules.is_empty() {
            return;
        }
        let mut next = FIRST_LOOK;
        loop {
            let jitter = next.mul_f64(fastrand::f64());
            tokio::select! {
                () = self.wanted.notified() => {}
                () = tokio::time::sleep(next + jitter) => {}
            }
            next = INTERVAL;
            if let Err(error) = self.pass(None).await {
                tracing::warn!(%error, "cannot delete backups that expire; trying again later");
            }
        }
    }

    /// Deletes what expires, and asks again after each deletion; of that `only` these backups, if they are given.
    ///
    /// # Errors
    /// [`CallError`]: the policy does not tell what expires, or the engine is away. Some may be deleted.
    pub async fn pass(&self, only: Option<&[BackupId]>) -> Result<Passed, CallError> {
        let _one_at_a_time = self.passing.lock().await;
        let mut passed = Passed::default();
        let mut tried = BTreeSet::new();
        loop {
            let Plan { suspended, expired, newest } = self.plan().await?;
            if let Some(reason) = suspended {
                tracing::warn!(reason, "no backup expires for the time being");
                passed.suspended = Some(reason);
                return Ok(passed);
            }
            let is_meant = |id| only.is_none_or(|only| only.contains(&id)) && !tried.contains(&id);
            let Some(next) = expired.into_iter().find(|expired| is_meant(expired.backup_id)) else {
                return Ok(passed);
            };
            let id = next.backup_id;
            tried.insert(id);
            // No request asks for it: what is done for it has an ID of its own.
            match audit::identified(format!("retention-{id}"), self.delete(&next, newest)).await? {
                Ok(()) => passed.deleted.push(next),
                Err(reason) => passed.left.push((id, reason)),
            }
        }
    }

    /// A backup that cannot be deleted, with the reason, keeps no other from being deleted, unless the engine is away.
    async fn delete(&self, expired: &Expired, newest: Option<BackupId>) -> Result<Result<(), String>, CallError> {
        let id = expired.backup_id;
        let runs = match confirmation::confirm(&self.service.policies, id, newest).await {
            Ok(runs) => runs,
            Err(error) => {
                tracing::warn!(
                    backupId = id, %error, "the policy lets this backup expire, and the server keeps it"
                );
                self.metrics.unattended.expired(false);
                return Ok(Err(error.to_string()));
            }
        };
        tracing::info!(backupId = id, reason = expired.reason, "the backup has expired; deleting it");
        let submitted = self.service.delete_runs(&id.to_string(), Some(&runs)).await;
        if let Err(error @ CallError::Refused(Error::Unreachable(_))) = submitted {
            audit::deleted(id, audit::Outcome::Failed);
            return Err(error);
        }
        let ended = match submitted {
            Ok(()) => self.service.deletions.ended_of(&id.to_string()).await,
            Err(error) => Err(error.to_string()),
        };
        self.metrics.unattended.expired(ended.is_ok());
        audit::deleted(id, if ended.is_ok() { audit::Outcome::Done } else { audit::Outcome::Failed });
        if let Err(reason) = &ended {
            tracing::error!(backupId = id, reason, "the backup has expired, and is not deleted; trying again later");
        }
        Ok(ended)
    }

    /// All backups of the installation that are not being deleted.
    async fn candidates(&self, calls: &PolicyCalls, restored: BTreeSet<BackupId>) -> Result<Vec<Candidate>, CallError> {
        let restored_here = self.service.restores.driven().and_then(|id| id.parse().ok());
        let driven = self.service.runs.driven().into_keys();
        let in_use: BTreeSet<BackupId> =
            driven.chain(restored_here).chain(restored).chain(self.service.verifications.in_use()).collect();
        let mut query = ListQuery { limit: Some(PAGE), ..ListQuery::default() };
        let mut candidates = Vec::new();
        loop {
            let page = calls.list(&query, self.service.runs.notes()).await?;
            let staying = page.backups.into_iter().filter(|backup| {
                // What its deletion leaves for a moment is neither good nor to be deleted again.
                !self.service.deletions.is_pending(&backup.backup_id.to_string())
            });
            candidates.extend(staying.map(|backup| Candidate { in_use: in_use.contains(&backup.backup_id), backup }));
            if page.next.is_none() {
                return Ok(candidates);
            }
            query.before = page.next;
        }
    }

    async fn suspended(&self, candidates: &[rules::Candidate]) -> Option<String> {
        // The age of a backup is from the engine's clock to this server's.
        match self.service.policies.clock_difference().await {
            Ok(difference) if difference.is_large() => {
                return Some(format!("the clocks differ, so that the age of backups is not known: {difference}"));
            }
            Err(error) if self.rules.expire_after().is_some() => {
                return Some(format!(
                    "the search engine does not tell its time, so that the age of backups is not known: {error}; \
                     backup.retention.expireAfter needs the privilege cluster:monitor/nodes/stats, which monitor has"
                ));
            }
            Ok(_) | Err(_) => {}
        }
        let id = rules::in_doubt(candidates)?;
        Some(format!(
            "backup {id} cannot be read, and no newer one is COMPLETE, so that perhaps the repository's storage is away: \
             bring it back, make another backup, or delete that one"
        ))
    }
}
