//! Figures as text.

use std::time::Duration;

use backup_actuator::{ByteCount, ProgressView, ShardCount};
use indicatif::{HumanBytes, HumanDuration};

use crate::cli::client::one_line;

/// For a wide terminal and for logs: `42.0 %, 2 minutes left, 1.20 GiB of 3.40 GiB, 12 of 32 shards, part 2 of 2`.
pub(super) fn in_full(figures: &ProgressView) -> String {
    let left = figures.remaining_seconds.map(|seconds| format!("{} left", HumanDuration(Duration::from_secs(seconds))));
    let part = figures.parts.last().map(|part| format!("part {} of 2", part.part));
    let told =
        [Some(format!("{:.1} %", figures.percent)), left, figures.bytes.map(bytes), figures.shards.map(shards), part];
    told.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// For a narrow terminal, which may cut the end off: `42 % 2m left 1.20 GiB of 3.40 GiB`.
pub(super) fn brief(figures: &ProgressView) -> String {
    let left = figures.remaining_seconds.map(|seconds| format!("{} left", span(seconds)));
    let told = [Some(format!("{:.0} %", figures.percent.floor())), left, figures.bytes.map(bytes)];
    told.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The states of the parts: `part 1 SUCCESS, part 2 IN_PROGRESS`.
pub(super) fn states(figures: &ProgressView) -> String {
    let told = |(part, state): (u8, &str)| format!("part {part} {}", one_line(state));
    let parts: Vec<String> = figures.parts.iter().map(|part| told((part.part, &part.state))).collect();
    parts.join(", ")
}

pub(in crate::cli::backup) fn bytes(bytes: ByteCount) -> String {
    format!("{} of {}", HumanBytes(bytes.done), HumanBytes(bytes.total))
}

pub(in crate::cli::backup) fn shards(shards: ShardCount) -> String {
    let failed = if shards.failed > 0 { format!(", {} failed", shards.failed) } else { String::new() };
    format!("{} of {} shards{failed}", shards.done, shards.total)
}

/// `2m`.
pub(in crate::cli::backup) fn span(seconds: u64) -> String {
    format!("{:#}", HumanDuration(Duration::from_secs(seconds)))
}

#[cfg(test)]
pub(super) mod tests;
