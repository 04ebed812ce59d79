//! How the checks end.

use crate::operations::restore::parts::Contents;
use crate::selection::has_entities;
use crate::verification::{CheckName, CheckOutcome, VerificationRun};
use crate::{Backup, IndexPrefix, Origin, Part, Snapshot};

const RESTORE_ANOTHER: &str = "restore another backup than this one, and make a new one";

/// Decides what the snapshots' metadata alone tells.
pub(super) fn before(run: &mut VerificationRun, backup: &Backup) {
    let (outcome, found) = indices(run, origin(backup, Part::One).and_then(|origin| origin.indices));
    run.decide(CheckName::Indices, outcome, found);
    let (outcome, found) = import_positions(backup);
    run.decide(CheckName::ImportPositions, outcome, found);
    if Part::ALL.into_iter().all(|part| origin(backup, part).is_none_or(|origin| origin.documents.is_none())) {
        run.decide(CheckName::Documents, CheckOutcome::Skipped, NOT_RECORDED);
    }
}

const NOT_RECORDED: &str = "the backup does not tell how many documents there were: an earlier version, other software or another policy has made it, or they could not be counted";

/// Decides everything else, once every index was looked at.
pub(super) fn after(run: &mut VerificationRun, prefix: &IndexPrefix, contents: &Contents) {
    let (outcome, found) = documents(run, prefix, &contents.backup);
    run.decide(CheckName::Documents, outcome, found);
    let (outcome, found) = restored(run);
    run.decide(CheckName::Restored, outcome, found);
    run.skip_pending("there was nothing to check");
}

/// Decides whether the data is of the version in the snapshots' names.
pub(super) fn version(run: &mut VerificationRun, named: &str, found: Result<String, String>) {
    let (outcome, text) = match found {
        Ok(version) if version.to_ascii_lowercase() == named => {
            (CheckOutcome::Passed, format!("the data is of Optimize {version}, as the snapshots' names say"))
        }
        Ok(version) => (
            CheckOutcome::Failed,
            format!(
                "the data is of Optimize {version}, and the snapshots are named after {named}: after a restore, start the one that the data is of, and set optimize.version to it or to auto"
            ),
        ),
        Err(reason) => (
            CheckOutcome::Failed,
            format!(
                "no version of Optimize could be read from the copy of its metadata index ({reason}); {RESTORE_ANOTHER}"
            ),
        ),
    };
    run.decide(CheckName::SchemaVersion, outcome, text);
}

fn origin(backup: &Backup, part: Part) -> Option<&Origin> {
    let snapshot = backup.snapshots.iter().find(|snapshot| snapshot.name.part == part)?;
    snapshot.origin.as_ref()
}

fn indices(run: &VerificationRun, recorded: Option<u64>) -> (CheckOutcome, String) {
    let found = run.indices.len() as u64;
    match recorded {
        None => {
            (CheckOutcome::Skipped, format!("the backup has {found} indices, and does not tell how many there were"))
        }
        Some(recorded) if found >= recorded => (
            CheckOutcome::Passed,
            format!("the backup has {found} indices, and there were {recorded} when it was begun"),
        ),
        Some(recorded) => (
            CheckOutcome::Failed,
            format!(
                "the backup has {found} indices, and there were {recorded} when it was begun: unless Optimize has deleted that of a process in between, {RESTORE_ANOTHER}"
            ),
        ),
    }
}

fn import_positions(backup: &Backup) -> (CheckOutcome, String) {
    let of = |part: Part| backup.snapshots.iter().find(|snapshot| snapshot.name.part == part);
    let moments = of(Part::One).and_then(|one: &Snapshot| one.ended).zip(of(Part::Two).and_then(|two| two.started));
    match moments {
        None => (CheckOutcome::Skipped, "the search engine does not tell when the parts were made".to_owned()),
        Some((ended, started)) if ended <= started => (
            CheckOutcome::Passed,
            format!(
                "part 1, with the import positions, ended at {}, and part 2 was begun at {}",
                ended.to_utc(),
                started.to_utc()
            ),
        ),
        Some((ended, started)) => (
            CheckOutcome::Failed,
            format!(
                "part 1, with the import positions, ended at {}, after part 2 was begun at {}: after a restore, data would be missing; {RESTORE_ANOTHER}",
                ended.to_utc(),
                started.to_utc()
            ),
        ),
    }
}

fn restored(run: &VerificationRun) -> (CheckOutcome, String) {
    let faults = run.faults();
    if !faults.is_empty() {
        return (
            CheckOutcome::Failed,
            format!("{faults}; if the repository's files cannot be mended, {RESTORE_ANOTHER}"),
        );
    }
    let checked = run.indices.iter().filter(|index| index.checked).count();
    (CheckOutcome::Passed, format!("{checked} indices were restored, with every shard"))
}

fn documents(run: &VerificationRun, prefix: &IndexPrefix, backup: &Backup) -> (CheckOutcome, String) {
    let (mut faults, mut found) = (Vec::new(), Vec::new());
    for part in Part::ALL {
        let Some(origin) = origin(backup, part) else { continue };
        let count = |is_meant: &dyn Fn(&str) -> bool| {
            let meant = run.indices.iter().filter(|index| index.part == part && is_meant(&index.index));
            meant.map(|index| index.documents).sum::<Option<u64>>()
        };
        let entities = origin.entities.zip(count(&|index| has_entities(prefix, index)));
        if let Some((recorded, copied)) = origin.documents.zip(count(&|_| true)) {
            let text = format!("{part} has {copied} documents, and {recorded} were counted just before");
            // A history clean-up can delete some in between; what people delete is compared by itself.
            let deleted = entities.map_or(0, |(recorded, copied)| recorded.saturating_sub(copied));
            let least = recorded.saturating_sub(recorded.div_ceil(100)).saturating_sub(deleted);
            if copied >= least { found.push(text) } else { faults.push(text) }
        }
        // Beside the instances of processes, these would be less than 1 %, and what is lost of them is lost.
        if let Some((recorded, copied)) = entities {
            let text = format!(
                "{part} has {copied} documents of reports, dashboards, collections, alerts and shares, and {recorded} were counted"
            );
            // One dashboard is a document for each of its tiles, and a collection takes its reports with it: only what nobody
            // deletes in passing is a fault of the backup.
            if copied >= recorded.div_ceil(2) { found.push(text) } else { faults.push(text) }
        }
    }
    if !faults.is_empty() {
        return (
            CheckOutcome::Failed,
            format!(
                "{}: unless Optimize's history clean-up ran while the backup was made, or somebody deleted so many reports and dashboards, {RESTORE_ANOTHER}",
                faults.join("; ")
            ),
        );
    }
    if found.is_empty() {
        return (CheckOutcome::Skipped, "the documents of the copies could not all be counted".to_owned());
    }
    (CheckOutcome::Passed, found.join("; "))
}
