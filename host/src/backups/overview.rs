//! What is in the repository, for the metrics. It is the same on every server and after every start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backup_core::BackupState;
use tokio::sync::Notify;

use crate::elasticsearch::{ContentsError, ListedSnapshot};
use crate::metrics::{LastSuccess, Metrics};
use crate::policy::Policies;
use crate::sandbox::types::{self, Backup, BackupId, Error, SnapshotDetail, SnapshotState};
use crate::sandbox::{CallError, Purpose};

/// How many finished backups are read after one list, of which names do not tell whether they can be restored.
const MAX_READS: usize = 10;

pub struct Overview {
    policies: Arc<Policies>,
    metrics: Arc<Metrics>,
    news: Mutex<News>,
    changed: Notify,
}

/// What is not taken over yet.
#[derive(Default)]
struct News {
    listed: Option<Listed>,
    completed: BTreeSet<BackupId>,
}

/// What a look at the repository has found.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Backups of two successful snapshots, whosever they are.
    pub(super) finished: BTreeMap<BackupId, Vec<ListedSnapshot>>,
    /// This installation's others.
    pub(super) others: BTreeMap<BackupId, BackupState>,
}

/// What is known of backups that are finished by their names.
#[derive(Default)]
struct Known {
    /// Those that were there at the last look and need no reading any more.
    seen: BTreeSet<BackupId>,
    /// A look has gone through the whole list, so that whatever is not in `seen` is new.
    has_found_newest: bool,
    /// Those of them that were read, with the names and states by which a change would show.
    read: BTreeMap<BackupId, (Vec<ListedSnapshot>, Reading)>,
    last: Option<(BackupId, LastSuccess)>,
}

#[derive(Clone, Copy)]
enum Reading {
    Complete(LastSuccess),
    /// It cannot be restored, whatever its names say.
    Other {
        state: BackupState,
        may_change: bool,
    },
    /// It is another installation's, or has been deleted.
    NotOurs,
}

impl Reading {
    fn complete(self) -> Option<LastSuccess> {
        match self {
            Self::Complete(found) => Some(found),
            Self::Other { .. } | Self::NotOurs => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Contents(#[from] ContentsError),
}

impl Overview {
    pub(super) fn new(policies: Arc<Policies>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { policies, metrics, news: Mutex::default(), changed: Notify::new() })
    }

    /// Is told what a look has found.
    pub(super) fn listed(&self, listed: Listed) {
        self.lock().listed = Some(listed);
        self.changed.notify_one();
    }

    /// Is told of a backup that was driven here to COMPLETE.
    pub(super) fn completed(&self, id: BackupId) {
        self.lock().completed.insert(id);
        self.changed.notify_one();
    }

    /// Takes over what it is told, until the host stops.
    pub(super) async fn follow_forever(&self) {
        let mut known = Known::default();
        loop {
            self.changed.notified().await;
            let News { listed, completed } = std::mem::take(&mut *self.lock());
            if let Some(listed) = listed {
                self.compare(listed, &mut known).await;
            }
            for id in completed {
                match self.read(id).await {
                    Ok(reading) => known.take_over(id, reading),
                    Err(error) => tracing::debug!(backupId = id, %error, "cannot read a backup that has ended"),
                }
            }
            self.metrics.backups.last_success(known.last.map(|(_, last)| last));
        }
    }

    async fn compare(&self, listed: Listed, known: &mut Known) {
        known.forget_what_changed(&listed);
        let (mut reads, mut unread) = (0, BTreeSet::new());
        let is_first_look = !known.has_found_newest;
        let mut passed = listed.finished.len();
        let mut lengths = BTreeSet::new();
        for (number, (&id, snapshots)) in listed.finished.iter().rev().enumerate() {
            // Down to the newest one that can be restored, of each length: IDs of another length, such as dates beside
            // seconds, are made by another rule. After the first look, whatever is new.
            if is_first_look && lengths.contains(&length(id)) {
                continue;
            }
            if !known.needs_no_reading(id) {
                if reads == MAX_READS {
                    passed = number;
                    break;
                }
                reads += 1;
                match self.read(id).await {
                    Ok(reading) => {
                        known.take_over(id, reading);
                        known.read.insert(id, (snapshots.clone(), reading));
                    }
                    Err(error) => {
                        tracing::debug!(backupId = id, %error, "cannot read a backup for the metrics");
                        unread.insert(id);
                    }
                }
            }
            if known.is_complete(id) {
                lengths.insert(length(id));
            }
        }
        let states = known.states(&listed);
        let count_of = |state| states.values().filter(|&&found| found == state).count();
        self.metrics.backups.listed(count_of, consecutive_failures(&states));
        known.has_found_newest |= passed == listed.finished.len();
        let passed = listed.finished.into_keys().rev().take(passed);
        known.seen = passed.filter(|id| !unread.contains(id) && !known.may_change(*id)).collect();
    }

    async fn read(&self, id: BackupId) -> Result<Reading, ReadError> {
        let calls = self.policies.calls().for_purpose(Purpose::Inspection);
        let backup = match calls.get(&id.to_string(), Vec::new()).await {
            Ok(backup) => backup,
            Err(CallError::Refused(Error::NotFound(_))) => return Ok(Reading::NotOurs),
            Err(error) => return Err(error.into()),
        };
        match BackupState::from(backup.state) {
            BackupState::Complete => {
                let names: Vec<String> = backup.details.into_iter().map(|snapshot| snapshot.snapshot_name).collect();
                Ok(Reading::Complete(self.policies.contents(&names).await?))
            }
            state => Ok(Reading::Other { state, may_change: may_change(&backup) }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, News> {
        // It is consistent between any two statements that change it.
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What was deleted or has another state is read anew.
    fn forget_what_changed(&mut self, listed: &Listed) {
        self.read.retain(|id, (snapshots, reading)| {
            listed.finished.get(id) == Some(snapshots) && !matches!(reading, Reading::Other { may_change: true, .. })
        });
        // One that has ended since the look is still among the others.
        let is_gone =
            self.last.take_if(|(id, _)| !listed.finished.contains_key(id) && !listed.others.contains_key(id)).is_some();
        if is_gone {
            // Which one was before it is not known: it is looked for as at the first look.
            self.seen.clear();
            self.has_found_newest = false;
            let complete = self.read.iter().filter_map(|(&id, (_, reading))| Some((id, reading.complete()?)));
            self.last = complete.max_by_key(|(_, found)| found.ended);
        }
    }

    fn is_complete(&self, id: BackupId) -> bool {
        let is_last = self.last.is_some_and(|(last, _)| last == id);
        is_last || self.read.get(&id).is_some_and(|(_, reading)| reading.complete().is_some())
    }

    fn needs_no_reading(&self, id: BackupId) -> bool {
        let was_seen = self.last.is_some_and(|(last, _)| last == id || self.seen.contains(&id));
        was_seen || self.read.contains_key(&id)
    }

    fn may_change(&self, id: BackupId) -> bool {
        matches!(self.read.get(&id), Some((_, Reading::Other { may_change: true, .. })))
    }

    fn take_over(&mut self, id: BackupId, reading: Reading) {
        if let Some(found) = reading.complete()
            && self.last.is_none_or(|(_, last)| found.ended >= last.ended)
        {
            self.last = Some((id, found));
        }
    }

    /// This installation's backups, as far as names tell whose they are.
    fn states(&self, listed: &Listed) -> BTreeMap<BackupId, BackupState> {
        let mut states = listed.others.clone();
        for &id in listed.finished.keys() {
            match self.read.get(&id).map(|(_, reading)| *reading) {
                Some(Reading::NotOurs) => {}
                Some(Reading::Other { state, .. }) => drop(states.insert(id, state)),
                Some(Reading::Complete(_)) | None => drop(states.insert(id, BackupState::Complete)),
            }
        }
        states
    }
}

/// Whether the state can become another one although names and states stay: a storage or a node may come back.
pub(super) fn may_change(backup: &Backup) -> bool {
    let is_unreadable = |snapshot: &SnapshotDetail| snapshot.state == SnapshotState::Unreadable;
    matches!(backup.state, types::BackupState::InProgress | types::BackupState::Incompatible)
        || backup.details.iter().any(is_unreadable)
}

/// The number of its digits.
fn length(id: BackupId) -> u32 {
    id.checked_ilog10().map_or(1, |log| log + 1)
}

/// How many of the newest have ended badly, up to the first that can be restored. The largest ID is the newest.
fn consecutive_failures(states: &BTreeMap<BackupId, BackupState>) -> usize {
    let ended = states.values().rev().filter(|&&state| state != BackupState::InProgress);
    ended.take_while(|&&state| state != BackupState::Complete).count()
}
