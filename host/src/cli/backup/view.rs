//! Backups as text.

mod figures;

use backup_actuator::{BackupView, ProgressView, SnapshotView};
use backup_core::SnapshotName;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use crate::cli::client::{Received, one_line};
use crate::cli::output::{Format, PrintError, print, terminal_width};

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progression {
    Ongoing,
    Restorable,
    EndedBadly,
}

/// Servers have two words for a backup that can be restored (`backup.completeState`).
pub(super) fn progression(backup: &BackupView) -> Progression {
    progression_of(&backup.state)
}

/// The same, of the word.
pub(super) fn progression_of(state: &str) -> Progression {
    match state {
        "COMPLETE" | "COMPLETED" => Progression::Restorable,
        "IN_PROGRESS" => Progression::Ongoing,
        _ => Progression::EndedBadly,
    }
}

/// The parts that there are, or the backup's state: `part 1 of 2 SUCCESS, part 2 of 2 IN_PROGRESS`.
pub(super) fn parts(backup: &BackupView) -> String {
    let told = |snapshot: &SnapshotView| format!("{} {}", part(snapshot), one_line(&snapshot.state));
    let parts: Vec<String> = backup.details.iter().map(told).collect();
    if parts.is_empty() { one_line(&backup.state) } else { parts.join(", ") }
}

/// In a few words: `7 (COMPLETE, started 2022-11-09 10:11:36 +0100)`.
pub(super) fn summary(backup: &BackupView) -> String {
    let started = start_time(backup).map(|time| format!(", started {}", moment(time))).unwrap_or_default();
    format!("{} ({}{started})", backup.backup_id, one_line(&backup.state))
}

pub(super) fn print_one(backup: &Received<BackupView>, format: Format) -> Result<(), PrintError> {
    match (format, terminal_width()) {
        (Format::Json, _) => print(&backup.json),
        (Format::Text, None) => print(&line(&backup.body)),
        (Format::Text, Some(width)) => print(&fields(&backup.body, width)),
    }
}

pub(super) fn print_progress(progress: &Received<ProgressView>, format: Format) -> Result<(), PrintError> {
    match (format, terminal_width()) {
        (Format::Json, _) => print(&progress.json),
        (Format::Text, None) => print(&figures::line(&progress.body)),
        (Format::Text, Some(width)) => print(&figures::fields(&progress.body, width)),
    }
}

pub(super) fn print_all(backups: &Received<Vec<BackupView>>, format: Format) -> Result<(), PrintError> {
    match (format, terminal_width()) {
        (Format::Json, _) => print(&backups.json),
        (Format::Text, None) => print(&backups.body.iter().map(|backup| line(backup) + "\n").collect::<String>()),
        (Format::Text, Some(_)) if backups.body.is_empty() => print("There are no such backups."),
        (Format::Text, Some(width)) => print(&table(&backups.body, width)),
    }
}

/// For scripts: ID, state, time of the start, Optimize's version, and the reason why it cannot be restored, with tabs in
/// between. What there is not is a hyphen.
fn line(backup: &BackupView) -> String {
    let columns = [
        Some(backup.backup_id.to_string()),
        Some(one_line(&backup.state)),
        start_time(backup).map(one_line),
        version(backup),
        backup.failure_reason.as_deref().map(one_line),
    ];
    columns.map(|column| column.unwrap_or_else(|| "-".to_owned())).join("\t")
}

/// For people: a row for each backup.
fn table(backups: &[BackupView], width: u16) -> String {
    /// A narrower terminal leaves the last column out.
    const WIDTH_FOR_ALL: u16 = 60;
    let columns = if width < WIDTH_FOR_ALL { 3 } else { 4 };
    let mut table = empty_table(width);
    table.set_header(["ID", "STATE", "STARTED", "OPTIMIZE"].into_iter().take(columns));
    for backup in backups {
        let cells = [
            backup.backup_id.to_string(),
            one_line(&backup.state),
            start_time(backup).map(moment).unwrap_or_default(),
            version(backup).unwrap_or_default(),
        ];
        table.add_row(cells.into_iter().take(columns));
    }
    // What is too wide is the time.
    for index in [0, 1, 3] {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    finished(table)
}

/// For people: a row for each field of one backup.
fn fields(backup: &BackupView, width: u16) -> String {
    let mut table = empty_table(width);
    table.add_row(["Backup", &backup.backup_id.to_string()]);
    table.add_row(["State", &one_line(&backup.state)]);
    if let Some(version) = version(backup) {
        table.add_row(["Optimize", &version]);
    }
    for snapshot in &backup.details {
        let started = snapshot.start_time.as_deref().map(|time| format!(", started {}", moment(time)));
        let state = one_line(&snapshot.state) + &started.unwrap_or_default();
        let failures = snapshot.failures.iter().map(|failure| one_line(failure));
        let lines: Vec<String> = [state, one_line(&snapshot.snapshot_name)].into_iter().chain(failures).collect();
        table.add_row([part(snapshot), lines.join("\n")]);
    }
    if let Some(reason) = &backup.failure_reason {
        table.add_row(["Reason", &one_line(reason)]);
    }
    finished(table)
}

/// Two blanks between columns, and no lines.
pub(super) fn empty_table(width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}

pub(super) fn finished(mut table: Table) -> String {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { 2 }));
    }
    table.trim_fmt()
}

/// `part 1 of 2`, or the name of a snapshot that is named in another way.
fn part(snapshot: &SnapshotView) -> String {
    SnapshotName::parse(&snapshot.snapshot_name)
        .map_or_else(|| one_line(&snapshot.snapshot_name), |name| format!("part {} of 2", name.part.number()))
}

fn version(backup: &BackupView) -> Option<String> {
    Some(SnapshotName::parse(&backup.details.first()?.snapshot_name)?.version.to_string())
}

fn start_time(backup: &BackupView) -> Option<&str> {
    backup.details.iter().find_map(|snapshot| snapshot.start_time.as_deref())
}

/// `2022-11-09 10:11:36 +0100` of `2022-11-09T10:11:36.978+0100`.
fn moment(time: &str) -> String {
    let shortened = || Some(format!("{} {} {}", time.get(..10)?, time.get(11..19)?, time.get(23..)?));
    one_line(&shortened().unwrap_or_else(|| time.to_owned()))
}

#[cfg(test)]
mod tests;
