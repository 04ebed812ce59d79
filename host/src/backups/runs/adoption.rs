//! Looking for backups that are in progress and driven by nobody here: a host that was killed is replaced by its restart or
//! by its neighbour.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Runs;
use super::run::awaited_of;
use crate::backups::overview::{Listed, may_change};
use crate::clock;
use crate::elasticsearch::{ListedBackups, ListedSnapshot};
use crate::policy::PolicyCalls;
use crate::sandbox::types::{Backup, BackupId, BackupState, Error, SnapshotState};
use crate::sandbox::{CallError, Purpose};

/// How often they are looked for.
const ADOPTION_INTERVAL: Duration = Duration::from_secs(30);
/// A backup that was begun longer ago, and that nobody resumed, is no news.
const TOLD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What earlier looks have found.
#[derive(Default)]
struct Found {
    /// Backups that have ended, with the names and states by which a change would show. `None`: it is not ours.
    ended: BTreeMap<BackupId, (Vec<ListedSnapshot>, Option<BackupState>)>,
    /// Runs that were found too late, and are reported.
    too_late: BTreeSet<(BackupId, String)>,
}

impl Runs {
    /// Looks at once and then regularly, until the host stops. Those for which `is_being_deleted` holds are not resumed.
    pub async fn adopt_forever(self: &Arc<Self>, is_being_deleted: impl Fn(BackupId) -> bool) {
        let mut interval = tokio::time::interval(ADOPTION_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut trouble = None;
        let (mut found, mut generation) = (Found::default(), 0);
        while self.stop.run_until_cancelled(interval.tick()).await.is_some() {
            // Another policy may judge otherwise.
            let serving = self.policies.serving().number;
            if std::mem::replace(&mut generation, serving) != serving {
                found.ended.clear();
            }
            let failure = self.adopt(&is_being_deleted, &mut found).await.err();
            if let Some(error) = failure.as_ref().filter(|_| failure != trouble) {
                tracing::warn!(error, "cannot look for backups that are in progress");
            }
            trouble = failure;
        }
    }

    /// Reads in full only what names and states do not show to be finished, and of that what has ended only once.
    async fn adopt(
        self: &Arc<Self>,
        is_being_deleted: &impl Fn(BackupId) -> bool,
        found: &mut Found,
    ) -> Result<(), String> {
        let ListedBackups { finished, unfinished } = self.policies.listed().await.map_err(|error| error.to_string())?;
        found.ended.retain(|id, (snapshots, _)| unfinished.get(id) == Some(snapshots));
        let mut listed = Listed { finished, others: BTreeMap::new() };
        // One backup that cannot be read keeps none of the others from being resumed.
        let mut trouble = Ok(());
        for (id, snapshots) in unfinished {
            let known = found.ended.get(&id).map(|(_, state)| *state);
            if let Some(known) = known.or_else(|| self.is_driven(id).then_some(Some(BackupState::InProgress))) {
                listed.others.extend(known.map(|state| (id, state.into())));
                continue;
            }
            if self.stop.is_cancelled() {
                return Ok(());
            }
            let calls = self.policies.calls();
            // Its outcome is not counted for the policy, and it uses the permits of background calls.
            match calls.for_purpose(Purpose::Inspection).get(&id.to_string(), self.notes_of(id)).await {
                // A deletion may have begun meanwhile.
                Ok(backup) if !is_being_deleted(id) && self.resume(&backup, calls.clone()) => {
                    listed.others.insert(id, BackupState::InProgress.into());
                }
                Ok(backup) => {
                    listed.others.insert(id, backup.state.into());
                    if !may_change(&backup) {
                        self.report_if_too_late(&backup, found);
                        found.ended.insert(id, (snapshots, Some(backup.state)));
                    }
                }
                Err(CallError::Refused(Error::NotFound(_))) => drop(found.ended.insert(id, (snapshots, None))),
                Err(error @ CallError::Refused(Error::Unreachable(_))) => return Err(error.to_string()),
                Err(error) => trouble = trouble.and(Err(format!("backup {id}: {error}"))),
            }
        }
        self.overview.listed(listed);
        trouble
    }

    /// Drives a backup, if it is in progress and a run can go on with it.
    pub(crate) fn resume(self: &Arc<Self>, backup: &Backup, calls: PolicyCalls) -> bool {
        let Backup { state: BackupState::InProgress, run_id: Some(run_id), backup_id, details, .. } = backup else {
            return false;
        };
        tracing::info!(backupId = backup_id, runId = run_id, "resuming a backup that is in progress");
        self.drive(*backup_id, run_id.clone(), awaited_of(details), calls);
        true
    }

    /// Nobody has started part 2 in time, and this host did not try: it was not there.
    fn report_if_too_late(&self, backup: &Backup, found: &mut Found) {
        let (Some(run_id), [part_one]) = (&backup.run_id, backup.details.as_slice()) else { return };
        let began = part_one.start_time.map(Duration::from_millis).unwrap_or_default();
        let is_news = clock::since_epoch().saturating_sub(began) <= TOLD_FOR;
        if backup.state != BackupState::Incomplete
            || part_one.state != SnapshotState::Success
            || !is_news
            || self.knows(backup.backup_id, run_id)
            || !found.too_late.insert((backup.backup_id, run_id.clone()))
        {
            return;
        }
        tracing::error!(
            backupId = backup.backup_id,
            runId = run_id,
            reason = backup.failure_reason,
            "found a backup too late to resume it: no server was there to start part 2 in time, or the one that tried has forgotten why it did not succeed"
        );
        self.metrics.runs.found_too_late();
    }
}
