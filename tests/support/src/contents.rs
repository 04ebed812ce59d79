//! What is in indices, to compare before and after.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::Client;
use crate::repository::Repository;

/// The engine's own limit for one answer.
const MOST_DOCUMENTS: usize = 10_000;

/// Every document of an index: its id and its source, by id.
pub async fn dump(client: &Client, index: &str) -> Result<Vec<(String, Value)>> {
    client.get(&format!("/{index}/_refresh")).await?.ok()?;
    let query = json!({ "size": MOST_DOCUMENTS, "track_total_hits": true });
    let answer = client.post(&format!("/{index}/_search"), &query).await?.ok()?;
    let total = answer.pointer("/hits/total/value").and_then(Value::as_u64);
    let hits = answer.pointer("/hits/hits").and_then(Value::as_array).context("no hits in the answer")?;
    ensure!(total == Some(hits.len() as u64), "{index} has {total:?} documents, too many to compare");
    let mut documents = hits.iter().map(document).collect::<Option<Vec<_>>>().context("a hit has no source")?;
    documents.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(documents)
}

/// Restores a snapshot by the engine's own means, with `to` in the place of the prefix `from`.
///
/// Returns when every document is there. Aliases stay behind: they still lead to the original.
pub async fn restore(repository: &Repository, client: &Client, snapshot: &str, from: &str, to: &str) -> Result<()> {
    let path = format!("/_snapshot/{}/{snapshot}/_restore?wait_for_completion=true", repository.name());
    let body = json!({
        "indices": format!("{from}-*"),
        "rename_pattern": format!("^{from}-"),
        "rename_replacement": format!("{to}-"),
        "include_aliases": false,
        "include_global_state": false,
    });
    let answer = client.post(&path, &body).await?.ok()?;
    let failed = answer.pointer("/snapshot/shards/failed");
    ensure!(failed == Some(&json!(0)), "{snapshot} was not restored: {answer}");
    Ok(())
}

fn document(hit: &Value) -> Option<(String, Value)> {
    Some((hit.get("_id")?.as_str()?.to_owned(), hit.get("_source")?.clone()))
}
