//! What the operations read of an answer, and nothing else.

use backup_core::Response;
use serde_json::{Map, Value, json};

/// A list of snapshots, or a refusal.
pub(super) fn snapshots(response: &Response) -> Value {
    success(response, |body| {
        let snapshots: Vec<Value> = items(body, "snapshots").iter().map(snapshot).collect();
        let failures: Map<String, Value> = body
            .get("failures")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(repository, failure)| (repository.clone(), member(failure, "type")))
            .collect();
        json!({"snapshots": snapshots, "failures": failures})
    })
}

/// Of snapshots, their indices; without those of the engine itself.
pub(super) fn indices(response: &Response) -> Value {
    success(response, |body| {
        let snapshots = items(body, "snapshots");
        snapshots.iter().map(|snapshot| sorted(items(snapshot, "indices").to_vec())).collect()
    })
}

/// The names of the indices that were found.
pub(super) fn resolved(response: &Response) -> Value {
    success(response, |body| sorted(items(body, "indices").iter().map(|index| member(index, "name")).collect()))
}

/// Which repositories there are, and whether each can be written to.
pub(super) fn repositories(response: &Response) -> Value {
    success(response, |body| {
        let is_read_only = |repository: &Value| match repository.pointer("/settings/readonly") {
            Some(Value::Bool(told)) => *told,
            told => told.and_then(Value::as_str) == Some("true"),
        };
        let found = body.as_object().into_iter().flatten();
        found.map(|(name, repository)| (name.clone(), json!({"readonly": is_read_only(repository)}))).collect()
    })
}

/// The fields of a document.
pub(super) fn document(response: &Response) -> Value {
    let body = parsed(response);
    match body.get("found") {
        Some(Value::Bool(false)) => json!({"status": response.status, "found": false}),
        _ => success(response, |body| member(body, "_source")),
    }
}

/// How many clocks are told.
pub(super) fn clocks(response: &Response) -> Value {
    success(response, |body| {
        let nodes = body.get("nodes").and_then(Value::as_object).into_iter().flatten();
        nodes.filter(|(_, node)| member(node, "timestamp").is_u64()).count().into()
    })
}

/// How far snapshots are; of bytes only what does not depend on the moment.
pub(super) fn status(response: &Response) -> Value {
    success(response, |body| items(body, "snapshots").iter().map(snapshot_status).collect())
}

fn snapshot_status(told: &Value) -> Value {
    let shards = member(told, "shards_stats");
    let shards = ["total", "done", "failed"].map(|field| (field.to_owned(), member(&shards, field)));
    let indices = told.get("indices").and_then(Value::as_object).into_iter().flatten();
    let bytes = |field: &str| told.pointer(&format!("/stats/{field}/size_in_bytes")).and_then(Value::as_u64);
    let all = bytes("incremental").unwrap_or_default();
    json!({
        "snapshot": member(told, "snapshot"),
        "shards": shards.into_iter().collect::<Map<String, Value>>(),
        "stages": indices.map(|(name, index)| (name.clone(), stages(index))).collect::<Map<String, Value>>(),
        "has bytes": all > 0,
        "is written": bytes("processed").is_none_or(|written| written >= all),
    })
}

fn stages(index: &Value) -> Value {
    let shards = index.get("shards").and_then(Value::as_object).into_iter().flatten();
    shards.map(|(number, shard)| (number.clone(), member(shard, "stage"))).collect()
}

/// Which indices have a size.
pub(super) fn sizes(response: &Response) -> Value {
    success(response, |body| {
        let indices = body.get("indices").and_then(Value::as_object).into_iter().flatten();
        let has_size = |index: &Value| index.pointer("/primaries/store/size_in_bytes").is_some_and(Value::is_u64);
        indices.map(|(name, index)| (name.clone(), json!(has_size(index)))).collect()
    })
}

/// The versions of the nodes, whatever they are called.
pub(super) fn nodes(response: &Response) -> Value {
    success(response, |body| {
        body.get("nodes").and_then(Value::as_object).into_iter().flatten().map(|(_, node)| node.clone()).collect()
    })
}

/// The settings of indices that a restore reads, without what is made anew each time.
pub(super) fn settings(response: &Response) -> Value {
    success(response, |body| {
        let of = |(name, index): (&String, &Value)| {
            let mut settings = member(index, "settings");
            let uuid = settings.as_object_mut().and_then(|settings| settings.remove("index.uuid"));
            (name.clone(), json!({"has uuid": uuid.is_some_and(|uuid| uuid.is_string()), "settings": settings}))
        };
        body.as_object().into_iter().flatten().map(of).collect()
    })
}

/// The shards of indices.
pub(super) fn shards(response: &Response) -> Value {
    success(response, |body| {
        let fields = ["index", "prirep", "state", "unassigned.reason"];
        let shard = |shard: &Value| fields.into_iter().map(|field| (field.to_owned(), member(shard, field))).collect();
        body.as_array().into_iter().flatten().map(shard).collect::<Vec<Value>>().into()
    })
}

/// What shards were recovered from.
pub(super) fn recoveries(response: &Response) -> Value {
    success(response, |body| {
        let shard = |shard: &Value| {
            let source = member(shard, "source");
            json!({
                "primary": member(shard, "primary"), "type": member(shard, "type"), "stage": member(shard, "stage"),
                "repository": member(&source, "repository"), "snapshot": member(&source, "snapshot"),
                "has size": shard.pointer("/index/size/total_in_bytes").is_some_and(Value::is_u64),
            })
        };
        let of = |(name, index): (&String, &Value)| {
            (name.clone(), items(index, "shards").iter().map(shard).collect::<Value>())
        };
        body.as_object().into_iter().flatten().map(of).collect()
    })
}

/// How many writes indices have seen.
pub(super) fn statistics(response: &Response) -> Value {
    success(response, |body| {
        let of = |(name, index): (&String, &Value)| {
            let writes = index.pointer("/primaries/indexing/index_total").cloned();
            let size = index.pointer("/total/store/size_in_bytes").is_some_and(Value::is_u64);
            (name.clone(), json!({"writes": writes, "has size": size, "has uuid": member(index, "uuid").is_string()}))
        };
        body.get("indices").and_then(Value::as_object).into_iter().flatten().map(of).collect()
    })
}

/// Which indices tell how many documents they have.
pub(super) fn documents(response: &Response) -> Value {
    success(response, |body| {
        let indices = body.get("indices").and_then(Value::as_object).into_iter().flatten();
        let is_told = |index: &Value| index.pointer("/primaries/docs/count").is_some_and(Value::is_u64);
        indices.map(|(name, index)| (name.clone(), json!(is_told(index)))).collect()
    })
}

/// What the cluster restores and writes: in these questions nothing.
pub(super) fn tasks(response: &Response) -> Value {
    success(response, |body| {
        let count = |path: &str| body.pointer(path).and_then(Value::as_array).map_or(0, Vec::len);
        json!({"restores": count("/restore/snapshots"), "snapshots": count("/snapshots/snapshots")})
    })
}

/// That something was done.
pub(super) fn acknowledged(response: &Response) -> Value {
    success(response, |body| member(body, "acknowledged"))
}

/// Which indices are in a snapshot, with how many shards.
pub(super) fn snapshot_sizes(response: &Response) -> Value {
    success(response, |body| {
        let snapshot = items(body, "snapshots").first().cloned().unwrap_or_default();
        let indices = member(&snapshot, "indices");
        let of = |(name, index): (&String, &Value)| {
            let size = index.pointer("/stats/total/size_in_bytes").is_some_and(Value::is_u64);
            let shards = index.pointer("/shards_stats/total").cloned();
            let failed = index.pointer("/shards_stats/failed").cloned();
            (name.clone(), json!({"has size": size, "shards": shards, "failed": failed}))
        };
        let indices: Map<String, Value> = indices.as_object().into_iter().flatten().map(of).collect();
        json!({"state": member(&snapshot, "state"), "indices": indices})
    })
}

/// Whether nodes tell their roles and space.
pub(super) fn disks(response: &Response) -> Value {
    success(response, |body| {
        let node = |(_, node): (&String, &Value)| {
            let space = node.pointer("/fs/total/available_in_bytes").is_some_and(Value::is_u64);
            let data =
                items(node, "roles").iter().any(|role| role.as_str().is_some_and(|role| role.starts_with("data")));
            json!({"space": space, "data": data})
        };
        body.get("nodes").and_then(Value::as_object).into_iter().flatten().map(node).collect()
    })
}

/// The number of nodes, and whether that of shards is told.
pub(super) fn cluster_size(response: &Response) -> Value {
    success(response, |body| {
        let has = |name: &str| member(body, name).is_u64();
        json!({"nodes": member(body, "number_of_data_nodes"), "shards": has("active_shards") && has("unassigned_shards")})
    })
}

/// Whether a limit is told, as a text.
pub(super) fn shard_limit(response: &Response) -> Value {
    success(response, |body| {
        let limit = body.pointer("/defaults/cluster/max_shards_per_node").and_then(Value::as_str);
        limit.is_some_and(|limit| limit.parse::<u64>().is_ok()).into()
    })
}

/// Whether the watermarks are told, and whether they count.
pub(super) fn watermarks(response: &Response) -> Value {
    success(response, |body| {
        let disk = body.pointer("/defaults/cluster/routing/allocation/disk").unwrap_or(&Value::Null);
        let is_text = |name: &str| disk.pointer(name).is_some_and(Value::is_string);
        json!({
            "count": member(disk, "threshold_enabled"),
            "are told": is_text("/watermark/low") && is_text("/watermark/high"),
        })
    })
}

/// A small answer as it is.
pub(super) fn whole(response: &Response) -> Value {
    success(response, Value::clone)
}

fn snapshot(told: &Value) -> Value {
    let ended = match told.get("end_time_in_millis").map(Value::as_u64) {
        None => json!(null),
        Some(millis) => json!(millis.is_some_and(|millis| millis > 0)),
    };
    json!({
        "snapshot": member(told, "snapshot"),
        "has uuid": told.get("uuid").is_some_and(Value::is_string),
        "state": member(told, "state"),
        "version": member(told, "version"),
        "version_id": member(told, "version_id"),
        "has start": told.get("start_time_in_millis").and_then(Value::as_u64).is_some_and(|millis| millis > 0),
        "has ended": ended,
        "reason": member(told, "reason"),
        "failures": items(told, "failures").iter().map(failure).collect::<Value>(),
        "metadata": member(told, "metadata"),
    })
}

fn failure(told: &Value) -> Value {
    let fields = ["index", "shard_id", "node_id", "reason"];
    fields.into_iter().map(|field| (field.to_owned(), member(told, field))).collect()
}

fn success(response: &Response, read: impl FnOnce(&Value) -> Value) -> Value {
    let body = parsed(response);
    match response.status {
        200..=299 => json!({"status": response.status, "body": read(&body)}),
        _ => refusal(response.status, &body),
    }
}

fn refusal(status: u16, body: &Value) -> Value {
    let error = |field: &str| body.get("error").map_or(Value::Null, |error| member(error, field));
    let (kind, reason) = (error("type"), error("reason"));
    let reason = reason.as_str().unwrap_or_default();
    let told: Vec<&str> = ["snapshot with the same name", "readonly", "already exists"]
        .into_iter()
        .filter(|text| reason.contains(text))
        .collect();
    json!({"status": status, "type": kind, "about": named(reason), "told": told})
}

/// `[r:s*] is missing` is about `s*`, and `[r:s1/GgYxZ…] is missing` about `s1/`.
fn named(reason: &str) -> Option<String> {
    let (within, _) = reason.strip_prefix('[')?.split_once(']')?;
    let (_, name) = within.rsplit_once(':')?;
    Some(name.split_once('/').map_or_else(|| name.to_owned(), |(name, _)| format!("{name}/")))
}

fn parsed(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap_or_else(|_| json!(response.body))
}

fn member(object: &Value, name: &str) -> Value {
    object.get(name).cloned().unwrap_or_default()
}

fn items<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn sorted(mut names: Vec<Value>) -> Value {
    names.retain(|name| name.as_str().is_some_and(|name| !name.starts_with('.')));
    names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    names.into()
}
