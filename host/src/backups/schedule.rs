//! Makes backups by a schedule.
//!
//! The ID of a scheduled backup is its slot's time in seconds since 1970. Any number of servers try, and the search engine
//! accepts exactly one of them; there is no leader. A server that has been away makes up for the last slot, unless somebody
//! has made a backup since.

mod slot;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backup_core::Backoff;
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use self::slot::{Attempt, Trouble};
use super::restores::IN_PROGRESS as RESTORE_IN_PROGRESS;
use super::{BEING_DELETED, BackupService, Retention, audit};
use crate::clock;
use crate::correlation::inherit;
use crate::metrics::{Metrics, SlotOutcome};
use crate::sandbox::types::{Backup, BackupId, BackupState, Error, ListQuery};
use crate::sandbox::{CallError, Purpose};
use crate::settings::Schedule;

/// A sleep is no longer than this, since the time of day can be set.
const MAX_SLEEP: Duration = Duration::from_secs(60);
/// So long after its slot a backup is begun without a look whether somebody has made one since.
const PUNCTUAL: Duration = Duration::from_secs(60);
/// How long the last look for the backup of a slot may take that could not be begun.
const LAST_LOOK: Duration = Duration::from_secs(10);
/// How many backups are listed at once, so that a call stays within its limits.
const PAGE: u32 = 200;

/// The delays after an attempt that failed.
fn retries() -> Backoff {
    Backoff::new(Duration::from_secs(5), Duration::from_secs(60), fastrand::f64)
}

/// The time of day. In tests a server's clock can be wrong.
pub(super) type TimeOfDay = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Makes the backups of a schedule.
pub struct Scheduler {
    service: Arc<BackupService>,
    retention: Arc<Retention>,
    metrics: Arc<Metrics>,
    schedule: Option<Schedule>,
    now: TimeOfDay,
    /// Why the backup of the last slot could not be begun yet.
    trouble: Mutex<Option<String>>,
}

/// A slot that has passed, and its backup, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSlot {
    pub slot: Timestamp,
    pub backup: Option<(BackupId, BackupState)>,
}

impl Scheduler {
    /// Without a schedule it makes none.
    pub fn new(
        service: Arc<BackupService>,
        retention: Arc<Retention>,
        metrics: Arc<Metrics>,
        schedule: Option<Schedule>,
    ) -> Arc<Self> {
        let now = || Timestamp::try_from(clock::now()).unwrap_or_default();
        Self::with_clock(service, retention, metrics, schedule, Arc::new(now))
    }

    pub(super) fn with_clock(
        service: Arc<BackupService>,
        retention: Arc<Retention>,
        metrics: Arc<Metrics>,
        schedule: Option<Schedule>,
        now: TimeOfDay,
    ) -> Arc<Self> {
        Arc::new(Self { service, retention, metrics, schedule, now, trouble: Mutex::default() })
    }

    /// What the operator configured.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// When the next backup is due.
    pub fn next_slot(&self) -> Option<Timestamp> {
        self.schedule.as_ref()?.next_after((self.now)())
    }

    /// Why this server could not begin the backup of the last slot yet.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last slots, newest first, each with its backup.
    ///
    /// # Errors
    /// [`CallError`]: the backups cannot be listed.
    pub async fn last_slots(&self, count: usize) -> Result<Vec<LastSlot>, CallError> {
        let Some(schedule) = &self.schedule else { return Ok(Vec::new()) };
        let last = schedule.last_until((self.now)());
        let before = |slot: &Timestamp| schedule.last_until(*slot - Duration::from_nanos(1));
        let slots: Vec<Timestamp> = std::iter::successors(last, before).take(count).collect();
        let Some(end) = slots.first().and_then(|&newest| slot::ids(newest).last()) else { return Ok(Vec::new()) };
        // The IDs of others may be among them.
        let limit = u32::try_from(count.saturating_mul(4)).ok();
        let query = ListQuery { before: Some(end + 1), limit, ..ListQuery::default() };
        let backups = self.service.list(query).await?.backups;
        let of_slot = |slot| {
            let is_of = |backup: &&Backup| slot::ids(slot).any(|id| id == backup.backup_id);
            let backup = backups.iter().find(is_of).map(|backup| (backup.backup_id, backup.state));
            LastSlot { slot, backup }
        };
        Ok(slots.into_iter().map(of_slot).collect())
    }

    /// Makes the backup of each slot, until the server stops.
    pub async fn run_forever(self: &Arc<Self>) {
        let Some(schedule) = &self.schedule else { return };
        let mut dealt_with = None;
        loop {
            let now = (self.now)();
            let Some((last, next)) = schedule.last_until(now).zip(schedule.next_after(now)) else { return };
            self.metrics.unattended.next_slot(next.as_second());
            if dealt_with != Some(last) {
                dealt_with = Some(last);
                // No request asks for it. All servers have the same ID for what they do for a slot.
                let work = async {
                    if timeout(until(next, now), self.make(last)).await.is_err() {
                        self.pass(last).await;
                    }
                };
                audit::identified(format!("schedule-{}", last.as_second()), work).await;
                continue;
            }
            sleep(until(next, now).min(MAX_SLEEP)).await;
        }
    }

    /// This server could not begin the backup of a slot until the next one. Another one may have, or an answer was too late.
    pub(super) async fn pass(&self, slot: Timestamp) {
        match timeout(LAST_LOOK, self.made_for(slot)).await {
            Ok(Ok(Some(id))) => {
                tracing::info!(%slot, backupId = id, "there is a scheduled backup that this server did not see begin");
                self.metrics.unattended.slot_ended(SlotOutcome::Taken);
            }
            Ok(Ok(None) | Err(_)) | Err(_) => {
                tracing::error!(%slot, trouble = self.trouble(), "there is no backup of this slot");
                self.metrics.unattended.slot_ended(SlotOutcome::Missed);
            }
        }
    }

    async fn made_for(&self, slot: Timestamp) -> Result<Option<BackupId>, CallError> {
        for id in slot::ids(slot) {
            if self.is_ours(id).await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Begins the backup of a slot, or finds that another server has. It is tried again until then.
    async fn make(self: &Arc<Self>, slot: Timestamp) {
        let mut delays = retries();
        self.set_trouble(None);
        loop {
            match self.attempt(slot).await {
                Ok(attempt) => {
                    self.set_trouble(None);
                    return self.report(slot, attempt);
                }
                Err(trouble) => {
                    let trouble = trouble.to_string();
                    if self.trouble().as_ref() != Some(&trouble) {
                        tracing::warn!(%slot, trouble, "a scheduled backup cannot be begun; trying again");
                    }
                    self.set_trouble(Some(trouble));
                }
            }
            sleep(delays.next().unwrap_or(MAX_SLEEP)).await;
        }
    }

    async fn attempt(&self, slot: Timestamp) -> Result<Attempt, Trouble> {
        let is_late = until((self.now)(), slot) > PUNCTUAL;
        // Whatever is not complete by its names is told in full, and so whose it is.
        let backups = self.backups(is_late).await?;
        if let Some(id) = slot::made_since(slot, &backups).filter(|_| is_late) {
            return Ok(Attempt::NotNeeded(id));
        }
        if let Some(id) = slot::other_running(slot, &backups) {
            return Err(Trouble::Running(id));
        }
        for id in slot::ids(slot) {
            match self.service.create(&id.to_string()).await {
                Ok(accepted) => {
                    audit::created(id, audit::Outcome::Done);
                    return Ok(Attempt::Begun(accepted.backup_id));
                }
                // A restore ends, and then there is a backup of the slot.
                Err(CallError::Refused(Error::Conflict(problem))) if problem.code != RESTORE_IN_PROGRESS => {
                    if problem.code == BEING_DELETED || self.is_ours(id).await? {
                        return Ok(Attempt::Taken(id));
                    }
                }
                Err(error) => {
                    audit::created(id, audit::Outcome::Failed);
                    return Err(error.into());
                }
            }
        }
        Err(Trouble::NoId(slot::ids(slot).next().unwrap_or_default()))
    }

    async fn is_ours(&self, id: BackupId) -> Result<bool, CallError> {
        match self.service.get(&id.to_string()).await {
            Ok(_) => Ok(true),
            Err(CallError::Refused(Error::NotFound(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn backups(&self, verbose: bool) -> Result<Vec<Backup>, CallError> {
        let calls = self.service.policies.calls().for_purpose(Purpose::Inspection);
        let mut query = ListQuery { limit: Some(PAGE), verbose, ..ListQuery::default() };
        let mut backups = Vec::new();
        loop {
            let page = calls.list(&query, self.service.runs.notes()).await?;
            backups.extend(page.backups);
            if page.next.is_none() {
                return Ok(backups);
            }
            query.before = page.next;
        }
    }

    fn report(self: &Arc<Self>, slot: Timestamp, attempt: Attempt) {
        match attempt {
            Attempt::Begun(id) => {
                tracing::info!(%slot, backupId = id, "began the scheduled backup");
                let scheduler = Arc::clone(self);
                tokio::spawn(inherit(async move { scheduler.follow(id).await }));
            }
            Attempt::Taken(id) => {
                tracing::info!(%slot, backupId = id, "another server has begun the scheduled backup");
                self.metrics.unattended.slot_ended(SlotOutcome::Taken);
            }
            Attempt::NotNeeded(id) => {
                tracing::info!(%slot, backupId = id, "the slot passed without this server, and this backup is newer");
                self.metrics.unattended.slot_ended(SlotOutcome::Taken);
            }
        }
    }

    /// Waits until the run of a backup has ended. Then others may have expired.
    async fn follow(&self, id: BackupId) {
        self.service.runs.ended(id).await;
        match self.service.get(&id.to_string()).await {
            Ok(Backup { state: BackupState::Complete, .. }) => {
                self.metrics.unattended.slot_ended(SlotOutcome::Complete);
                self.retention.want();
            }
            // The server stops: another one resumes it.
            Ok(Backup { state: BackupState::InProgress, .. }) => {}
            Ok(_) => self.metrics.unattended.slot_ended(SlotOutcome::Failed),
            Err(error) => {
                tracing::warn!(backupId = id, %error, "cannot read what became of the scheduled backup");
                self.metrics.unattended.slot_ended(SlotOutcome::Failed);
            }
        }
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// How long it is from one moment to a later one; nothing if that has passed.
fn until(later: Timestamp, moment: Timestamp) -> Duration {
    later.duration_since(moment).try_into().unwrap_or_default()
}
