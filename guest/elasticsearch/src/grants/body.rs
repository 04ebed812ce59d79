use backup_core::{IndexPrefix, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::denial::{Denial, excerpt};
use super::names;

/// The settings of a new snapshot that are granted. Reading refuses other keys and repeated ones.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewSnapshot {
    indices: Vec<String>,
    include_global_state: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_unavailable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_states: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
}

/// Checks the body of a new snapshot, and writes it from the fields that were checked.
pub(super) fn rewrite(body: &str, prefix: &IndexPrefix) -> Result<String, Denial> {
    let not_granted = |error: serde_json::Error| Denial::Body(excerpt(&error.to_string()));
    let snapshot: NewSnapshot = json::object(body).map_err(not_granted)?;
    snapshot.check(prefix)?;
    serde_json::to_string(&snapshot).map_err(not_granted)
}

impl NewSnapshot {
    fn check(&self, prefix: &IndexPrefix) -> Result<(), Denial> {
        // The cluster state has other applications' templates and settings.
        require(!self.include_global_state, "include_global_state", "`false`")?;
        // A snapshot that lacks an index or a shard must not pass for a backup.
        require(self.ignore_unavailable != Some(true), "ignore_unavailable", "`false`")?;
        require(self.partial != Some(true), "partial", "`false`")?;
        // Features are system indices, such as those of users and roles.
        let none = |states: &Vec<String>| *states == ["none"];
        require(self.feature_states.as_ref().is_none_or(none), "feature_states", "`[\"none\"]`")?;
        if self.indices.is_empty() {
            return Err(Denial::NoIndices);
        }
        self.indices.iter().try_for_each(|index| names::check_index(index, prefix))
    }
}

fn require(granted: bool, key: &'static str, allowed: &'static str) -> Result<(), Denial> {
    if granted { Ok(()) } else { Err(Denial::Setting { key, allowed }) }
}
