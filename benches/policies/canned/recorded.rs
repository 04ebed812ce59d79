//! What Elasticsearch 8.19.0 answered about backups that this host had made of an installation with 24 indices.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// `GET /_nodes/_all/http`, with the `filter_path` of the policy.
pub(super) const NODES: &str = r#"{"nodes":{"2yimjIsrQ262nNhb2UWr8Q":{"version":"8.19.0","index_version":8536000}}}"#;
/// `GET /_snapshot/backups/camunda_optimize_10002_*`, with all fields.
const SNAPSHOTS: &str = include_str!("../recorded/snapshots.json");
/// What differs from backup to backup in it.
const ID: &str = "10002";
const RUN_ID: &str = "90b8c71a-";
const MILLIS: &str = "1795787451";
/// What `verbose=false` leaves of a snapshot.
const NAME_FIELDS: [&str; 6] = ["snapshot", "uuid", "repository", "indices", "data_streams", "state"];

/// The ID of the first backup. As many digits as the recorded one, up to 89,999 backups.
pub(super) const FIRST_ID: usize = 10_001;

/// `GET /_snapshot/{name}`.
pub(super) fn repository(name: &str) -> String {
    let repository = r#"{"type":"fs","uuid":"l_JKB4xnQr2zW02ZFmw8wA","settings":{"location":"backups"}}"#;
    format!(r#"{{"{name}":{repository}}}"#)
}

/// Which fields of a list are wanted.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) names_only: bool,
    /// The first segments of each path; empty: all.
    paths: Vec<String>,
}

impl Fields {
    pub(super) fn only(&mut self, paths: &str) {
        self.paths = paths.split(',').map(|path| path.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")).collect();
    }

    fn has(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|wanted| wanted == path)
    }

    fn has_of_snapshot(&self, name: &str) -> bool {
        self.has(&format!("snapshots.{name}")) && (!self.names_only || NAME_FIELDS.contains(&name))
    }
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    snapshots: Vec<&'a RawValue>,
}

/// A list of those snapshots of so many backups whose names are wanted.
pub(super) fn snapshots(backups: usize, fields: &Fields, wanted: impl Fn(&str) -> bool) -> Result<String> {
    let recorded: List<'_> = serde_json::from_str(SNAPSHOTS)?;
    let parts: Vec<Template> =
        recorded.snapshots.iter().map(|snapshot| Template::new(snapshot.get(), fields)).collect::<Result<_>>()?;
    let mut list: Vec<String> = Vec::new();
    for number in 0..backups {
        let id = (FIRST_ID + number).to_string();
        list.extend(parts.iter().filter(|part| wanted(&part.name.replace(ID, &id))).map(|part| part.fill(number, &id)));
    }
    let total = if fields.has("total") { format!(r#","total":{},"remaining":0"#, list.len()) } else { String::new() };
    Ok(format!(r#"{{"snapshots":[{}]{total}}}"#, list.join(",")))
}

/// One recorded snapshot, as far as it is wanted.
struct Template {
    name: String,
    uuid: String,
    text: String,
}

impl Template {
    fn new(snapshot: &str, fields: &Fields) -> Result<Self> {
        let members = members(snapshot)?;
        let text_of = |wanted: &str| -> Result<String> {
            let (_, value) = members.iter().find(|(name, _)| name == wanted).context("a field is missing")?;
            Ok(serde_json::from_str(value)?)
        };
        let kept = members.iter().filter(|(name, _)| fields.has_of_snapshot(name));
        let kept: Vec<String> = kept.map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        Ok(Self { name: text_of("snapshot")?, uuid: text_of("uuid")?, text: format!("{{{}}}", kept.join(",")) })
    }

    /// The snapshot of another backup: later ones have larger IDs and began an hour later.
    fn fill(&self, number: usize, id: &str) -> String {
        let seconds = MILLIS.parse().unwrap_or(0_usize).saturating_sub(100_000 * 3_600 / 4) + number * 3_600;
        let uuid = self.uuid.chars().skip(5);
        let text = self.text.replace(ID, id).replace(MILLIS, &seconds.to_string());
        let text = text.replace(&self.uuid, &format!("{number:05}").chars().chain(uuid).collect::<String>());
        text.replace(RUN_ID, &format!("{number:08x}-"))
    }
}

/// The members of a JSON object, in their order.
fn members(object: &str) -> Result<Vec<(String, String)>> {
    struct Members(Vec<(String, String)>);
    impl<'de> serde::de::Visitor<'de> for Members {
        type Value = Self;

        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                self.0.push((name, value.get().to_owned()));
            }
            Ok(self)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(object);
    Ok(serde::Deserializer::deserialize_map(&mut reader, Members(Vec::new()))?.0)
}
