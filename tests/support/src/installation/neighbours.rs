//! What else lives in an Optimize user's cluster, and must never get into a backup.

use anyhow::Result;
use serde_json::json;

use super::documents::Writer;
use crate::engine::Engine;

/// Indices of Camunda's other applications, of an Optimize whose prefix begins like this one, and of a Zeebe that has
/// the same prefix, which it joins to a name by `_`, but in the names of its aliases by `-`.
///
/// Returns their names. The other applications' are the same for every prefix, as in real life.
pub async fn create_neighbours(engine: &Engine, prefix: &str) -> Result<Vec<String>> {
    let names: Vec<String> = [
        "operate-list-view-8.3.0_",
        "operate-import-position-8.3.0_",
        "tasklist-task-8.5.0_",
        "zeebe-record_process-instance_8.6.0_2026-06-01",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([format!("{prefix}er-settings_v3"), format!("{prefix}er-timestamp-based-import-index_v5")])
    .chain([format!("{prefix}_process-instance_8.8.0_2026-11-27"), format!("{prefix}_job_8.8.0_2026-11-27")])
    .collect();
    // Writing creates what is not there, so tests that share an engine do not get in their way.
    let mut writer = Writer::new(engine.client());
    for name in &names {
        writer.write(name, "1", &json!({ "owner": "not Optimize" })).await?;
    }
    writer.finish().await?;
    let alias = |kind: &str| {
        let (index, alias) = (format!("{prefix}_{kind}_8.8.0_2026-11-27"), format!("{prefix}-{kind}"));
        json!({ "add": { "index": index, "alias": alias } })
    };
    let actions = json!({ "actions": [alias("process-instance"), alias("job")] });
    engine.client().post("/_aliases", &actions).await?.ok()?;
    Ok(names)
}
