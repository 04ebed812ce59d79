use backup_core::{IndexPrefix, NAME_PREFIX};

use super::denial::{Denial, excerpt};

/// The longest granted name of an index or a snapshot. It is Elasticsearch's limit for indices
/// (`MetadataCreateIndexService.MAX_INDEX_NAME_BYTES`); for snapshots it has none.
const MAX_NAME_BYTES: usize = 255;

/// Whether a snapshot's name may be a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wildcard {
    Denied,
    AtTheEnd,
}

/// Checks one name of a snapshot, without commas.
pub(super) fn check_snapshot(name: &str, wildcard: Wildcard) -> Result<(), Denial> {
    let granted = match wildcard {
        Wildcard::Denied => is_exact_snapshot(name),
        Wildcard::AtTheEnd => is_exact_snapshot(name) || is_snapshot_pattern(name),
    };
    if granted { Ok(()) } else { Err(Denial::SnapshotName { found: excerpt(name), allowed: wildcard.allowed() }) }
}

/// Checks that a name in a snapshot's list means one index of the installation.
///
/// Engines read such a list as expressions: patterns, exclusions, date math, other clusters. The characters of an
/// expression cannot occur in the name of an index. Letters of any language can: Optimize names indices after processes.
pub(super) fn check_index(name: &str, prefix: &IndexPrefix) -> Result<(), Denial> {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "*?,<>|:#\"/\\".contains(c);
    let rest = prefix.strip(name).unwrap_or_default();
    if rest.is_empty() || rest.contains(forbidden) || name.len() > MAX_NAME_BYTES {
        return Err(Denial::Index { found: excerpt(name), prefix: prefix.to_string() });
    }
    Ok(())
}

impl Wildcard {
    fn allowed(self) -> &'static str {
        match self {
            Self::Denied => "exact names that start with `camunda_optimize_`",
            Self::AtTheEnd => "names that start with `camunda_optimize_`, with `*` only as the last character",
        }
    }
}

fn is_exact_snapshot(name: &str) -> bool {
    name.strip_prefix(NAME_PREFIX).is_some_and(|rest| !rest.is_empty() && is_plain(rest))
        && name.len() <= MAX_NAME_BYTES
}

fn is_snapshot_pattern(name: &str) -> bool {
    let start = name.strip_suffix('*').unwrap_or_default();
    start.strip_prefix(NAME_PREFIX).is_some_and(is_plain) && name.len() <= MAX_NAME_BYTES
}

/// The characters in the names of Optimize's snapshots. Engines refuse capitals.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'+' | b'-'))
}
