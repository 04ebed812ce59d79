use std::collections::BTreeMap;

use serde::Serialize;

use super::Finding;

/// What there is to say about a component.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HealthDetails {
    /// The search engine.
    Engine(Finding<EngineFacts>),
    /// The snapshot repository.
    Repository(Finding<RepositoryFacts>),
    /// The installation's indices.
    Indices(Finding<IndicesFacts>),
    /// The policy that serves.
    Policy(PolicyFacts),
    /// The runs of a host.
    Runs {
        /// By backup ID, with what keeps the run from its next step at the moment.
        active: BTreeMap<u64, Option<String>>,
        /// The ended ones of which the engine has dropped a part that it accepted, by backup ID, with the reason.
        dropped: BTreeMap<u64, String>,
    },
    /// The clocks of a host and of its engine.
    #[serde(rename_all = "camelCase")]
    Clock {
        /// By how many seconds the host's clock is ahead. `None`: it is not known.
        difference_seconds: Option<i64>,
        /// A difference that is large, or why it is not known, in words.
        #[serde(skip_serializing_if = "Option::is_none")]
        warning: Option<String>,
    },
    /// The deletions of a host.
    Deletions {
        /// The IDs of those that are not answered yet.
        pending: Vec<String>,
        /// Those that failed, with the reason.
        failed: BTreeMap<String, String>,
    },
}

/// What is known of the search engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineFacts {
    /// `Elasticsearch` or `OpenSearch`: what it says, or else what is configured.
    pub kind: &'static str,
    /// Its version. `None`: it was not asked, or the user may not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What is known of the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepositoryFacts {
    /// Its name. `None`: none is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type of its storage.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Whether it is registered read-only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// The last time that the nodes wrote to it and read from it. `None`: they were not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationFacts>,
}

/// How `_verify` ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerificationFacts {
    /// `PASSED`, `FAILED` or `UNKNOWN`.
    pub outcome: &'static str,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long ago that was.
    pub age_seconds: u64,
}

/// What is known of the installation's indices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndicesFacts {
    /// The configured prefix.
    pub prefix: String,
    /// How many would be in part 1. `None`: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_one: Option<usize>,
    /// How many would be in part 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_two: Option<usize>,
    /// The prefixes of other installations under this prefix, whose indices are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<String>,
}

/// The policy that serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyFacts {
    /// Where it came from.
    pub source: String,
    /// The version that it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its SHA-256.
    pub digest: String,
    /// That it is not the configured one, or that another one was refused or withdrawn; what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
