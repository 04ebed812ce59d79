//! The indices that an Optimize installation consists of.

use anyhow::Result;
use serde_json::{Value, json};

use super::Release;
use crate::client::Client;

/// Where the import stands, in every release.
const IMPORT: [(&str, u32); 3] =
    [("import-index", 3), ("position-based-import-index", 3), ("timestamp-based-import-index", 5)];

/// The other indices of every release.
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

const NEW_IN_8_10: [(&str, u32); 5] = [
    ("agent-cost-rate", 1),
    ("business-value-overview", 1),
    ("business-value-target", 1),
    ("reporting-metrics", 1),
    ("web-session", 1),
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

    fn alias_actions(&self) -> impl Iterator<Item = Value> {
        self.aliases.iter().map(|alias| json!({ "add": { "index": self.name, "alias": alias } }))
    }
}

/// The indices of part 1: import progress, and since 8.10 the state of deletions.
pub(super) fn part_one(prefix: &str, release: Release) -> Vec<Index> {
    let mut indices = all(prefix, &IMPORT);
    if release >= Release::V8_10 {
        indices.push(Index::new(prefix, "job-registry", 1));
    }
    indices
}

/// The indices besides those, but for the ones of definitions.
pub(super) fn others(prefix: &str, release: Release) -> Vec<Index> {
    let mut indices = all(prefix, &OTHERS);
    indices.push(Index::rolled_over(prefix, "external-process-variable", 2));
    if release <= Release::V8_6 {
        indices.push(Index::rolled_over(prefix, "variable-update-instance", 2));
    }
    if release <= Release::V8_9 {
        indices.push(Index::new(prefix, "update-log", 1));
    } else {
        indices.extend(all(prefix, &NEW_IN_8_10));
    }
    indices
}

fn all(prefix: &str, kinds: &[(&str, u32)]) -> Vec<Index> {
    kinds.iter().map(|(kind, version)| Index::new(prefix, kind, *version)).collect()
}

/// The index of a process definition.
pub(super) fn process_instances(prefix: &str, key: &str) -> Index {
    Index::of_definition(prefix, "process-instance", key, 8)
}

/// The index of a decision definition.
pub(super) fn decision_instances(prefix: &str, key: &str) -> Index {
    Index::of_definition(prefix, "decision-instance", key, 5)
}

/// Tells the engine what an index of an installation is like, for whenever one is written to.
///
/// Indices that a bulk request brings into being share one update of the cluster state. Created one
/// by one, each takes its own: two seconds for an installation instead of a fraction. One template for all
/// installations, which the engine has after the first of them, is no update at all.
pub(super) async fn prepare(client: &Client) -> Result<()> {
    let template = json!({
        "index_patterns": ["*-*_v*"],
        "template": {
            "settings": { "number_of_shards": 1, "number_of_replicas": 0 },
            // Not dynamic: each new field would be another update of the cluster state.
            "mappings": { "dynamic": false },
        },
    });
    client.put("/_index_template/optimize-installations", &template).await?.ok().map(drop)
}

/// Gives indices their aliases.
pub(super) async fn set_aliases(client: &Client, indices: &[Index]) -> Result<()> {
    let actions: Vec<Value> = indices.iter().flat_map(Index::alias_actions).collect();
    client.post("/_aliases", &json!({ "actions": actions })).await?.ok().map(drop)
}
