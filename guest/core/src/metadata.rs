use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json::{Object, object};
use crate::{Context, Part};

/// The entry `optimizeBackup` of a snapshot's `metadata`: which run wrote it.
///
/// An engine refuses metadata over 1024 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The run that wrote the snapshot. Both parts of a backup carry the same.
    pub run_id: String,
    /// The part, 1 or 2.
    pub part: u8,
    /// How many parts there are.
    pub parts: usize,
    /// The host that called the policy. It is written for people, and not read.
    #[serde(skip_deserializing)]
    pub host: String,
    /// The index prefix of the installation that it is a backup of: a server leaves another installation's alone.
    /// `None`: a version wrote it that did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_prefix: Option<String>,
    /// How many indices the installation had when the part was begun. `None`: not known.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub indices: Option<u64>,
    /// How many documents the part's indices had just before. `None`: not known.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// How many of these are in the indices with what people make in Optimize, such as reports. `None`: not known, or the part
    /// has no such index.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub entities: Option<u64>,
    /// The version of the policy that decided. It is written for people, and not read.
    #[serde(skip_deserializing)]
    pub policy: String,
}

/// A snapshot's `metadata`. Others may add entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    #[serde(default, deserialize_with = "of_object", skip_serializing_if = "Option::is_none")]
    pub(crate) optimize_backup: Option<Origin>,
}

fn of_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    Ok(Option::<Object<Origin>>::deserialize(deserializer)?.map(|object| object.0))
}

/// No number that somebody else has written makes the snapshot somebody else's.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.and_then(|value| value.as_u64()))
}

impl Origin {
    const MAX_CHARS: usize = 128;

    /// The origin of a part that is about to be written.
    #[must_use]
    pub fn new(run_id: &str, part: Part, context: &Context) -> Self {
        // Only characters that JSON writes in one or two bytes.
        let limited = |text: &str| text.chars().filter(|c| matches!(c, ' '..='~')).take(Self::MAX_CHARS).collect();
        Self {
            run_id: limited(run_id),
            part: part.number(),
            parts: Part::COUNT,
            host: limited(&context.host),
            index_prefix: Some(context.settings.index_prefix.to_string()),
            indices: None,
            documents: None,
            entities: None,
            policy: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Reads the origin out of a snapshot's metadata; `None` if it is not ours.
    pub(crate) fn read(metadata: &str) -> Option<Self> {
        object::<Metadata>(metadata).ok()?.optimize_backup
    }

    pub(crate) fn into_metadata(self) -> Metadata {
        Metadata { optimize_backup: Some(self) }
    }
}

#[cfg(test)]
mod tests;
