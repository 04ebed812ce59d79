//! What the cluster has room for: shards, and bytes on the disks of its nodes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::parts::advice;
use crate::{Context, Engine, Error, Request};

/// The bytes that the data nodes take by their watermarks, once indices of so many bytes are deleted. `Err` within: it is not
/// known.
pub(in crate::operations) fn available_bytes(
    engine: &impl Engine,
    context: &Context,
    freed: u64,
) -> Result<Result<u64, String>, Error> {
    let nodes = match advice::<RawNodes>(engine, context, &Request::disk_space())? {
        Ok(nodes) => nodes,
        Err(reason) => return Ok(Err(reason)),
    };
    // If they may not be read, a node with too full a disk is found out by the restore.
    let watermarks = advice::<Value>(engine, context, &Request::disk_watermarks())?;
    let watermarks = watermarks.map(|settings| Watermarks::of(&settings)).unwrap_or_default();
    Ok(nodes.available(&watermarks, freed).ok_or_else(|| "no data node tells it".to_owned()))
}

/// How many shards the cluster has and may have.
pub(in crate::operations) struct Shards {
    pub(in crate::operations) nodes: u64,
    now: u64,
    /// `None`: it is not told.
    allowed: Option<u64>,
}

impl Shards {
    /// `Err` within: it is not known.
    pub(in crate::operations) fn of(engine: &impl Engine, context: &Context) -> Result<Result<Self, String>, Error> {
        let size = advice::<RawClusterSize>(engine, context, &Request::cluster_size())?;
        let limit = advice::<Value>(engine, context, &Request::shard_limit())?;
        Ok(size.and_then(|size| {
            let nodes = size.number_of_data_nodes;
            let allowed = shards_per_node(&limit?).map(|limit| limit.saturating_mul(nodes));
            Ok(Self { nodes, now: size.active_shards.saturating_add(size.unassigned_shards), allowed })
        }))
    }

    /// Why there cannot be so many more.
    pub(in crate::operations) fn refusal(&self, more: u64) -> Option<String> {
        let then = self.now.saturating_add(more);
        (more > 0 && self.allowed.is_some_and(|allowed| then > allowed)).then(|| {
            format!(
                "the cluster would have {then} shards and more than cluster.max_shards_per_node allows its {} data nodes: raise that setting, or add a node",
                self.nodes
            )
        })
    }
}

/// The setting as the operator has set it, or its default.
fn shards_per_node(settings: &Value) -> Option<u64> {
    let kinds = ["transient", "persistent", "defaults"];
    let set = kinds.into_iter().find_map(|kind| settings.get(kind)?.pointer("/cluster/max_shards_per_node"))?;
    set.as_str()?.parse().ok()
}

/// The settings `cluster.routing.allocation.disk.*`, by what follows.
#[derive(Default)]
struct Watermarks(BTreeMap<String, String>);

const LOW: &str = "watermark.low";
const HIGH: &str = "watermark.high";
/// Elasticsearch's own, since 8.5.
const DEFAULT_HEADROOMS: [&str; 2] = ["200gb", "150gb"];
/// How many parts of a disk a share is told in.
const WHOLE: u64 = 10_000;

impl Watermarks {
    fn of(settings: &Value) -> Self {
        let mut all = BTreeMap::new();
        for kind in ["defaults", "persistent", "transient"] {
            let mut set = BTreeMap::new();
            let disk = settings.get(kind).and_then(|settings| settings.pointer("/cluster/routing/allocation/disk"));
            flatten("", disk.unwrap_or(&Value::Null), &mut set);
            for level in [LOW, HIGH] {
                // The default of the one holds only with the default of the other.
                let is_default =
                    |headroom: &String| DEFAULT_HEADROOMS.contains(&headroom.to_ascii_lowercase().as_str());
                if set.contains_key(level) && all.get(&headroom_of(level)).is_some_and(is_default) {
                    all.remove(&headroom_of(level));
                }
            }
            all.extend(set);
        }
        Self(all)
    }

    fn apply_to(&self, nodes: usize) -> bool {
        let is_off = |name: &str| self.0.get(name).is_some_and(|value| value == "false");
        let is_excepted = nodes == 1 && is_off("watermark.enable_for_single_data_node");
        !is_excepted && !is_off("threshold_enabled")
    }

    /// How much of a disk is to stay free at this level.
    fn reserve(&self, level: &str, total: u64) -> u64 {
        let Some(text) = self.0.get(level) else { return 0 };
        let Some(used) = share(text) else { return bytes(text).unwrap_or_default() };
        let reserve = (total / WHOLE).saturating_mul(WHOLE.saturating_sub(used));
        self.0.get(&headroom_of(level)).and_then(|text| bytes(text)).map_or(reserve, |most| most.min(reserve))
    }

    /// A node above the low watermark takes no shard, and none takes one that would lift it above the high one.
    fn usable(&self, disk: &RawSpace) -> u64 {
        if disk.available_in_bytes < self.reserve(LOW, disk.total_in_bytes) {
            return 0;
        }
        self.below_high(disk)
    }

    fn below_high(&self, disk: &RawSpace) -> u64 {
        disk.available_in_bytes.saturating_sub(self.reserve(HIGH, disk.total_in_bytes))
    }
}

fn headroom_of(level: &str) -> String {
    format!("{level}.max_headroom")
}

/// Engines write some of these settings as objects in objects, and some with dots.
fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, into);
            }
        }
        Value::String(text) => drop(into.insert(path.to_owned(), text.clone())),
        _ => {}
    }
}

/// `85%`, `85.5%` or `0.85`, in hundredths of a percent, rounded up. `None`: it is another kind of value.
fn share(text: &str) -> Option<u64> {
    let (whole, fraction, digits) = match text.strip_suffix('%') {
        Some(percent) => {
            let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
            (whole.trim(), fraction.trim(), 2)
        }
        None => ("", text.strip_prefix("0.")?, 4),
    };
    let padded = format!("{fraction:0<digits$}");
    let (kept, cut) = padded.split_at_checked(digits)?;
    let hundredths: u64 = format!("{whole}{kept}").parse().ok()?;
    Some(hundredths + u64::from(cut.bytes().any(|digit| digit != b'0')))
}

/// `200gb` or `200g`. `None`: it is no size, as `-1`.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u32); 6] = [("p", 50), ("t", 40), ("g", 30), ("m", 20), ("k", 10), ("", 0)];
    let text = text.to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let (number, power) = UNITS.iter().find_map(|(unit, power)| Some((text.strip_suffix(unit)?, power)))?;
    number.split('.').next()?.trim().parse::<u64>().ok()?.checked_mul(1 << power)
}

#[derive(Deserialize)]
struct RawNodes {
    #[serde(default)]
    nodes: BTreeMap<String, RawNode>,
}

#[derive(Deserialize)]
struct RawNode {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    fs: RawFs,
}

#[derive(Default, Deserialize)]
struct RawFs {
    total: Option<RawSpace>,
}

#[derive(Deserialize)]
struct RawSpace {
    available_in_bytes: u64,
    #[serde(default)]
    total_in_bytes: u64,
}

impl RawNodes {
    /// `None`: none tells it.
    fn available(&self, watermarks: &Watermarks, freed: u64) -> Option<u64> {
        // Nothing is restored to a node of the frozen tier.
        let holds_data =
            |node: &&RawNode| node.roles.iter().any(|role| role.starts_with("data") && role != "data_frozen");
        let disks: Vec<&RawSpace> =
            self.nodes.values().filter(holds_data).filter_map(|node| node.fs.total.as_ref()).collect();
        let applies = watermarks.apply_to(disks.len());
        let sum = |bytes: &dyn Fn(&RawSpace) -> u64| disks.iter().map(|disk| bytes(disk)).fold(0, u64::saturating_add);
        let free = sum(&|disk| disk.available_in_bytes).saturating_add(freed);
        let available = match (applies, freed) {
            (false, _) => free,
            (true, 0) => sum(&|disk| watermarks.usable(disk)),
            // Which nodes get below the low watermark by the deletion is not known.
            (true, _) if disks.len() == 1 => {
                free.saturating_sub(sum(&|disk| watermarks.reserve(HIGH, disk.total_in_bytes)))
            }
            (true, _) => sum(&|disk| watermarks.below_high(disk)).saturating_add(freed),
        };
        (!disks.is_empty()).then_some(available)
    }
}

#[derive(Deserialize)]
struct RawClusterSize {
    #[serde(default)]
    number_of_data_nodes: u64,
    #[serde(default)]
    active_shards: u64,
    #[serde(default)]
    unassigned_shards: u64,
}

#[cfg(test)]
mod tests;
