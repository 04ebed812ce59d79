//! A backup as the API tells it, in the API's order.

use anyhow::{Context, Result};
use backup_test_support::host::Host;
use serde::{Deserialize, Serialize};

pub(super) const COMPLETE: &str = "COMPLETE";
pub(super) const IN_PROGRESS: &str = "IN_PROGRESS";

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Backup {
    backup_id: u64,
    failure_reason: Option<String>,
    pub(super) state: String,
    pub(super) details: Vec<Snapshot>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshot {
    pub(super) snapshot_name: String,
    pub(super) state: String,
    start_time: Option<String>,
    failures: Vec<String>,
}

impl Backup {
    pub(super) async fn get(host: &Host, id: u64) -> Result<Self> {
        let reply = host.get(&format!("/actuator/backups/{id}")).await?;
        serde_json::from_str(&reply.text).with_context(|| format!("not a backup: {} {}", reply.status, reply.text))
    }
}
