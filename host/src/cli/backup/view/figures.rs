//! How far a backup is, as text.

use backup_actuator::{PartProgressView, ProgressView, ShardCount};

use super::{empty_table, finished, moment};
use crate::cli::backup::progress::{bytes, shards, span};
use crate::cli::client::one_line;

/// For scripts: ID, state, percent, bytes done and in all, shards done, failed and in all, seconds elapsed and remaining,
/// with tabs in between. What is not known is a hyphen.
pub(super) fn line(progress: &ProgressView) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let shard_count = |of: fn(ShardCount) -> u32| number(progress.shards.map(|shards| of(shards).into()));
    [
        progress.backup_id.to_string(),
        one_line(&progress.state),
        format!("{:.1}", progress.percent),
        number(progress.bytes.map(|bytes| bytes.done)),
        number(progress.bytes.map(|bytes| bytes.total)),
        shard_count(|shards| shards.done),
        shard_count(|shards| shards.failed),
        shard_count(|shards| shards.total),
        number(progress.elapsed_seconds),
        number(progress.remaining_seconds),
    ]
    .join("\t")
}

/// For people: a row for each thing.
pub(super) fn fields(progress: &ProgressView, width: u16) -> String {
    let mut table = empty_table(width);
    table.add_row(["Backup", &progress.backup_id.to_string()]);
    table.add_row(["State", &one_line(&progress.state)]);
    table.add_row(["Done", &format!("{:.1} %", progress.percent)]);
    if let Some(told) = progress.bytes {
        table.add_row(["Data", &bytes(told)]);
    }
    if let Some(told) = progress.shards {
        table.add_row(["Shards", &shards(told)]);
    }
    if let Some(time) = &progress.start_time {
        table.add_row(["Started", &moment(time)]);
    }
    if let Some(seconds) = progress.elapsed_seconds {
        table.add_row(["Took", &span(seconds)]);
    }
    if let Some(seconds) = progress.remaining_seconds {
        table.add_row(["Left", &span(seconds)]);
    }
    for part in &progress.parts {
        table.add_row([format!("part {} of 2", part.part), part_line(part)]);
    }
    finished(table)
}

fn part_line(part: &PartProgressView) -> String {
    let told = [Some(one_line(&part.state)), part.bytes.map(bytes), part.shards.map(shards)];
    told.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
