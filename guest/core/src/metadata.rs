use serde::{Deserialize, Serialize};

use crate::Part;

/// What we write into a snapshot's `metadata`, and by which we know our own again.
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
    /// The version of the policy that decided.
    pub policy: String,
}

/// The `metadata` object: our entry beside whatever others add.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    optimize_backup: Origin,
}

impl Origin {
    const LONGEST: usize = 200;

    /// The origin of a part that is about to be written.
    #[must_use]
    pub fn new(run_id: &str, part: Part, host: &str) -> Self {
        let limited = |text: &str| text.chars().filter(char::is_ascii).take(Self::LONGEST).collect();
        Self {
            run_id: limited(run_id),
            part: part.number(),
            parts: Part::COUNT,
            host: limited(host),
            policy: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Reads the origin out of a snapshot's metadata; `None` if it is not ours.
    pub(crate) fn read(metadata: serde_json::Value) -> Option<Self> {
        serde_json::from_value::<Metadata>(metadata).ok().map(|metadata| metadata.optimize_backup)
    }

    pub(crate) fn into_metadata(self) -> Metadata {
        Metadata { optimize_backup: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_below_the_engines_limit() {
        let origin = Origin::new(&"\"ä\\".repeat(10_000), Part::Two, &"\"\\".repeat(10_000));
        let bytes = serde_json::to_vec(&origin.into_metadata()).unwrap().len();
        assert!(bytes < 1024, "{bytes}");
    }

    #[test]
    fn others_metadata_is_not_ours() {
        for metadata in ["null", "{}", r#"{"policy":"daily"}"#, r#"{"optimizeBackup":1}"#, "[]", "\"x\""] {
            assert_eq!(Origin::read(serde_json::from_str(metadata).unwrap()), None, "{metadata}");
        }
    }
}
