use serde::{Deserialize, Serialize};

use crate::json::object;
use crate::{Context, IndexPrefix, Part};

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
    /// The host that asked for it.
    pub host: String,
    /// The index prefix of the installation that it is a backup of: installations can share a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_prefix: Option<String>,
    /// The version of the policy that decided.
    pub policy: String,
}

/// A snapshot's `metadata`. Others may add entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    optimize_backup: Origin,
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
            policy: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Whether it is a backup of the installation with this prefix. Without a prefix in the metadata, it counts as one.
    pub(crate) fn is_of(&self, prefix: &IndexPrefix) -> bool {
        self.index_prefix.as_deref().is_none_or(|told| told == prefix.as_str())
    }

    /// Reads the origin out of a snapshot's metadata; `None` if it is not ours.
    pub(crate) fn read(metadata: &str) -> Option<Self> {
        object::<Metadata>(metadata).ok().map(|metadata| metadata.optimize_backup)
    }

    pub(crate) fn into_metadata(self) -> Metadata {
        Metadata { optimize_backup: self }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{EngineKind, Settings, Timestamp};

    #[test]
    fn stays_below_the_engines_limit() {
        for text in ["\"\\", "\"ä\\", "\u{1}"] {
            let context = Context {
                settings: Settings {
                    repository: None,
                    index_prefix: IndexPrefix::parse(&"x".repeat(200)).unwrap(),
                    optimize_version: None,
                    engine: EngineKind::Elasticsearch,
                    resume_window: Duration::ZERO,
                },
                now: Timestamp::default(),
                run_id: String::new(),
                host: text.repeat(10_000),
                notes: Vec::new(),
            };
            let origin = Origin::new(&text.repeat(10_000), Part::Two, &context);
            let bytes = serde_json::to_vec(&origin.into_metadata()).unwrap().len();
            assert!(bytes < 1024, "{bytes}");
        }
    }

    #[test]
    fn others_metadata_is_not_ours() {
        for metadata in ["null", "{}", r#"{"policy":"daily"}"#, r#"{"optimizeBackup":1}"#, "[]", "\"x\""] {
            assert_eq!(Origin::read(metadata), None, "{metadata}");
        }
    }
}
