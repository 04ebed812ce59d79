//! The requests that there are recorded answers to.

use anyhow::Result;
use reqwest::Url;

use super::recorded::{self, Fields};

pub(super) const FILTERED: &str = "backups-";
pub(super) const EVERY_FIELD: &str = "every-field-";

/// A request that can be answered.
pub(super) enum Requested {
    Nodes,
    Repository(String),
    Snapshots { backups: usize, patterns: Vec<String>, fields: Fields },
}

impl Requested {
    /// `None`: nothing was recorded for such a request.
    pub(super) fn parse(target: &str) -> Option<Self> {
        let url = Url::parse("http://engine").ok()?.join(target).ok()?;
        let path: Vec<&str> = url.path_segments()?.collect();
        match path.as_slice() {
            ["_nodes", "_all", "http"] => Some(Self::Nodes),
            ["_snapshot", repository] => Some(Self::Repository((*repository).to_owned())),
            ["_snapshot", repository, patterns] => {
                let (backups, every_field) = size(repository)?;
                let mut fields = Fields::default();
                for (name, value) in url.query_pairs() {
                    match (&*name, &*value) {
                        ("filter_path", _) if every_field => {}
                        ("filter_path", paths) => fields.only(paths),
                        ("verbose", "false") => fields.names_only = true,
                        ("ignore_unavailable", _) => {}
                        _ => return None,
                    }
                }
                let patterns = patterns.replace("%2C", ",").split(',').map(str::to_owned).collect();
                Some(Self::Snapshots { backups, patterns, fields })
            }
            _ => None,
        }
    }

    /// Whether it reads all metadata of more than one backup.
    pub(super) fn is_full_list(&self) -> bool {
        match self {
            Self::Snapshots { patterns, fields, .. } => {
                !fields.names_only && patterns.iter().any(|pattern| pattern.ends_with("optimize_*"))
            }
            _ => false,
        }
    }

    pub(super) fn answer(&self) -> Result<String> {
        match self {
            Self::Nodes => Ok(recorded::NODES.to_owned()),
            Self::Repository(name) => Ok(recorded::repository(name)),
            Self::Snapshots { backups, patterns, fields } => {
                recorded::snapshots(*backups, fields, |name| patterns.iter().any(|pattern| matches(pattern, name)))
            }
        }
    }
}

/// How many backups a repository has, and whether it ignores `filter_path`.
fn size(repository: &str) -> Option<(usize, bool)> {
    let filtered = repository.strip_prefix(FILTERED).map(|backups| (backups, false));
    let (backups, every_field) = filtered.or_else(|| Some((repository.strip_prefix(EVERY_FIELD)?, true)))?;
    Some((backups.parse().ok()?, every_field))
}

/// Whether a name is one of a pattern, in which each `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}
