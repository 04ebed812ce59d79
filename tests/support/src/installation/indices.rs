//! The indices that an Optimize installation consists of.

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::Client;

/// Where the import stands: what part 1 of a backup holds.
const IMPORT: [(&str, u32); 3] =
    [("import-index", 3), ("position-based-import-index", 3), ("timestamp-based-import-index", 5)];

const OTHERS: [(&str, u32); 18] = [
    ("alert", 4),
    ("business-key", 2),
    ("collection", 5),
    ("combined-report", 5),
    ("dashboard", 8),
    ("dashboard-share", 4),
    ("decision-definition", 5),
    ("instant-dashboard", 1),
    ("metadata", 3),
    ("process-definition", 6),
    ("process-overview", 2),
    ("report-share", 3),
    ("settings", 3),
    ("single-decision-report", 10),
    ("single-process-report", 11),
    ("tenant", 3),
    ("terminated-user-session", 3),
    ("variable-label", 1),
];

/// One index, with and without its decoration.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// What it is called in Optimize's code: `process-instance-invoice`.
    pub(super) kind: String,
    /// What it is called in the engine: `optimize-process-instance-invoice_v8`.
    pub(super) name: String,
    aliases: Vec<String>,
}

impl Index {
    fn new(prefix: &str, kind: &str, version: u32) -> Self {
        Self {
            kind: kind.to_owned(),
            name: format!("{prefix}-{kind}_v{version}"),
            aliases: vec![format!("{prefix}-{kind}")],
        }
    }

    fn rolled_over(prefix: &str, kind: &str, version: u32) -> Self {
        let mut index = Self::new(prefix, kind, version);
        index.name.push_str("-000001");
        index
    }

    /// An index of a definition, which has an alias of its own and one for all of its kind.
    fn of_definition(prefix: &str, kind: &str, key: &str, version: u32) -> Self {
        let mut index = Self::new(prefix, &format!("{kind}-{key}"), version);
        index.aliases.push(format!("{prefix}-{kind}"));
        index
    }
}

/// The indices of part 1.
pub(super) fn import(prefix: &str) -> Vec<Index> {
    IMPORT.iter().map(|(kind, version)| Index::new(prefix, kind, *version)).collect()
}

/// The indices that every installation has besides those.
pub(super) fn others(prefix: &str) -> Vec<Index> {
    let rolled_over = Index::rolled_over(prefix, "external-process-variable", 2);
    OTHERS.iter().map(|(kind, version)| Index::new(prefix, kind, *version)).chain([rolled_over]).collect()
}

/// The index of a process definition.
pub(super) fn process_instances(prefix: &str, key: &str) -> Index {
    Index::of_definition(prefix, "process-instance", key, 8)
}

/// The index of a decision definition.
pub(super) fn decision_instances(prefix: &str, key: &str) -> Index {
    Index::of_definition(prefix, "decision-instance", key, 5)
}

/// Creates indices side by side: the engine puts what waits into one update of its cluster state.
pub(super) async fn create(client: &Client, indices: &[Index]) -> Result<()> {
    let mut calls = JoinSet::new();
    for index in indices {
        let aliases: serde_json::Map<String, Value> =
            index.aliases.iter().map(|alias| (alias.clone(), json!({}))).collect();
        let body = json!({
            "settings": { "number_of_shards": 1, "number_of_replicas": 0 },
            // Not dynamic: each new field would be another update of the cluster state.
            "mappings": { "dynamic": false },
            "aliases": aliases,
        });
        let client = client.clone();
        let path = format!("/{}", index.name);
        calls.spawn(async move { client.put(&path, &body).await?.ok() });
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    Ok(())
}
