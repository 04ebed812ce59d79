//! The state of a backup, from its snapshots.

use std::fmt;

use crate::owner::Owner;
use crate::run::{resumable, run_note, waits_for_part_two};
use crate::text::excerpt;
use crate::time::span;
use crate::{BackupId, Cluster, Context, Part, RepositoryName, Snapshot, SnapshotState};

/// The state of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupState {
    /// Both parts succeeded: it can be restored.
    Complete,
    /// It is still being made.
    InProgress,
    /// A part failed, wholly or partly, or cannot be read; or the snapshots do not belong together: more than two, or of
    /// different runs.
    Failed,
    /// This cluster cannot restore it.
    Incompatible,
    /// A part is missing and no run will make it.
    Incomplete,
}

impl BackupState {
    /// The word for it in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "COMPLETE",
            Self::InProgress => "IN_PROGRESS",
            Self::Failed => "FAILED",
            Self::Incompatible => "INCOMPATIBLE",
            Self::Incomplete => "INCOMPLETE",
        }
    }
}

impl fmt::Display for BackupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A backup and what it consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its number.
    pub id: BackupId,
    /// Its state.
    pub state: BackupState,
    /// Why it cannot be restored. `None` for a backup that is complete or in progress.
    pub failure_reason: Option<String>,
    /// Its snapshots, by part.
    pub snapshots: Vec<Snapshot>,
    /// The run that made part 1. `None`: not one of ours.
    pub run_id: Option<String>,
}

impl Backup {
    /// Derives the state from the snapshots: FAILED before INCOMPATIBLE before IN_PROGRESS before INCOMPLETE.
    ///
    /// If some are this installation's and some another's, it consists of those of this one, and is FAILED. `cluster` is
    /// `None` where compatibility does not matter.
    #[must_use]
    pub fn assess(id: BackupId, mut snapshots: Vec<Snapshot>, cluster: Option<&Cluster>, context: &Context) -> Self {
        snapshots.sort_by(|a, b| (a.name.part, &a.name.version).cmp(&(b.name.part, &b.name.version)));
        let others = without_anothers(&mut snapshots, context);
        let (state, reasons) = match (state(&snapshots, cluster, context), others) {
            (judged, None) => judged,
            ((_, mut reasons), Some(others)) => {
                reasons.push(others);
                (BackupState::Failed, reasons)
            }
        };
        let part_one = snapshots.iter().find(|snapshot| snapshot.name.part == Part::One);
        Self {
            id,
            state,
            failure_reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            run_id: part_one.and_then(Snapshot::run_id).map(str::to_owned),
            snapshots,
        }
    }

    /// A backup whose part 1 the engine accepted and has no trace of.
    pub(crate) fn dropped(id: BackupId, repository: &RepositoryName) -> Self {
        let reason = dropped(Part::One, repository);
        Self { id, state: BackupState::Failed, failure_reason: Some(reason), run_id: None, snapshots: Vec::new() }
    }
}

/// What has become of a part that the engine accepted and does not list.
pub(crate) fn dropped(part: Part, repository: &RepositoryName) -> String {
    format!(
        "the search engine accepted {part} and has no trace of it: either it has dropped it, as it does when its nodes cannot write to the snapshot repository '{repository}' or are restarted meanwhile (look at the nodes' logs, and at the answer to POST /_snapshot/{repository}/_verify), or somebody deleted it elsewhere while it was being made"
    )
}

/// Adds to unreadable backups what their number tells: a storage that is away makes all of them unreadable at once.
pub(crate) fn explain_unreadable(backups: &mut [Backup]) {
    let snapshots = || backups.iter().flat_map(|backup| &backup.snapshots);
    let unreadable = snapshots().filter(|snapshot| snapshot.state == SnapshotState::Unreadable).count();
    let all = snapshots().count();
    let text = if unreadable >= Part::COUNT && unreadable * 2 > all {
        format!(
            "{unreadable} of the {all} snapshots that were looked at cannot be read at the moment, so that rather the repository's storage is not mounted or not readable: bring it back, and delete nothing until then"
        )
    } else {
        "before you delete it, which cannot be undone, look whether the files are in the repository's storage, and whether every node of the search engine can read them".to_owned()
    };
    for backup in backups.iter_mut() {
        let is_unreadable = backup.snapshots.iter().any(|snapshot| snapshot.state == SnapshotState::Unreadable);
        if let Some(reason) = backup.failure_reason.as_mut().filter(|_| is_unreadable) {
            reason.push_str("; ");
            reason.push_str(&text);
        }
    }
}

/// Takes out what is another installation's of an ID that both have used, and tells it.
fn without_anothers(snapshots: &mut Vec<Snapshot>, context: &Context) -> Option<String> {
    let prefix = &context.settings.index_prefix;
    let Owner::Both(another) = Owner::of(snapshots, prefix) else { return None };
    let another = excerpt(another, 200);
    let (own, others): (Vec<_>, Vec<_>) = snapshots.drain(..).partition(|snapshot| snapshot.is_known_of(prefix));
    *snapshots = own;
    let names: Vec<String> = others.iter().map(|snapshot| snapshot.name.to_string()).collect();
    Some(format!(
        "the installation with the index prefix '{another}' has used the same ID for {}, which are left alone: make another backup with an ID that is not used",
        names.join(", ")
    ))
}

fn state(snapshots: &[Snapshot], cluster: Option<&Cluster>, context: &Context) -> (BackupState, Vec<String>) {
    let failed = failures(snapshots);
    if !failed.is_empty() {
        return (BackupState::Failed, failed);
    }
    let incompatible = incompatibilities(snapshots, cluster);
    if !incompatible.is_empty() {
        return (BackupState::Incompatible, incompatible);
    }
    let running = snapshots.iter().any(|snapshot| snapshot.state == SnapshotState::InProgress);
    if running || resumable(snapshots, context).is_some() {
        return (BackupState::InProgress, Vec::new());
    }
    match missing(snapshots, context) {
        gaps if gaps.is_empty() => (BackupState::Complete, gaps),
        gaps => (BackupState::Incomplete, gaps),
    }
}

fn failures(snapshots: &[Snapshot]) -> Vec<String> {
    let mut reasons: Vec<String> = snapshots.iter().filter_map(failure).collect();
    if snapshots.len() > Part::COUNT {
        let names: Vec<String> = snapshots.iter().map(|snapshot| snapshot.name.to_string()).collect();
        reasons.push(format!(
            "there are {} snapshots for a backup of {} parts: {}",
            names.len(),
            Part::COUNT,
            names.join(", ")
        ));
    }
    let mut runs = snapshots.iter().filter_map(Snapshot::run_id);
    if runs.next().is_some_and(|first| runs.any(|other| other != first)) {
        // Part 2 could be older than part 1, which the names do not show.
        reasons.push("its snapshots were written by different runs and do not belong together".to_owned());
    }
    reasons
}

fn failure(snapshot: &Snapshot) -> Option<String> {
    if !matches!(snapshot.state, SnapshotState::Failed | SnapshotState::Partial | SnapshotState::Unreadable) {
        return None;
    }
    let mut text = format!("snapshot {} is {}", snapshot.name, snapshot.state);
    let details: Vec<&str> = snapshot.reason.iter().chain(&snapshot.failures).map(String::as_str).collect();
    if !details.is_empty() {
        text.push_str(": ");
        text.push_str(&details.join(", "));
    }
    Some(text)
}

fn incompatibilities(snapshots: &[Snapshot], cluster: Option<&Cluster>) -> Vec<String> {
    let reason = |snapshot: &Snapshot| match cluster.map_or(Ok(()), |cluster| cluster.can_read(snapshot)) {
        Err(error) => Some(format!("snapshot {} {error}", snapshot.name)),
        Ok(()) if snapshot.state == SnapshotState::Incompatible => {
            Some(format!("snapshot {} is reported as INCOMPATIBLE by the search engine", snapshot.name))
        }
        Ok(()) => None,
    };
    snapshots.iter().filter_map(reason).collect()
}

/// The parts that do not exist, and why.
fn missing(snapshots: &[Snapshot], context: &Context) -> Vec<String> {
    let exists = |part: Part| snapshots.iter().any(|snapshot| snapshot.name.part == part);
    let mut reasons: Vec<String> =
        Part::ALL.into_iter().filter(|&part| !exists(part)).map(|part| format!("{part} is missing")).collect();
    if reasons.is_empty() {
        return reasons;
    }
    let names: Vec<String> = snapshots.iter().map(|snapshot| snapshot.name.to_string()).collect();
    reasons.push(format!("only {} exists", names.join(" and ")));
    if !exists(Part::Two) {
        reasons.extend(without_part_two(snapshots, context));
    }
    reasons
}

/// Why there is no part 2, as far as it is known.
fn without_part_two(snapshots: &[Snapshot], context: &Context) -> Vec<String> {
    let mut reasons = Vec::new();
    let note = snapshots.first().and_then(|part_one| run_note(context, part_one));
    match (note, &context.settings.repository) {
        (Some(note), Some(repository)) if note.awaited == Some(Part::Two) => {
            reasons.push(dropped(Part::Two, repository));
        }
        (Some(note), _) => {
            reasons.extend(note.refusal.as_ref().map(|refusal| format!("the search engine refused part 2: {refusal}")));
        }
        _ => {}
    }
    if let Some((_, ended)) = waits_for_part_two(snapshots, context) {
        let window = span(context.settings.resume_window);
        reasons.push(format!(
            "part 1 ended at {}, and part 2 was not started within backup.resumeWindow ({window}) after that",
            ended.to_utc()
        ));
        reasons.extend(context.clock_trouble());
    }
    reasons
}
