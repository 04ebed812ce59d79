use crate::EngineKind;

/// The engine that a [`MemoryEngine`](super::MemoryEngine) imitates. They respond differently to some requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Elasticsearch 8.19.0.
    Elasticsearch8_19,
    /// Elasticsearch 8.11.0.
    Elasticsearch8_11,
    /// Elasticsearch 7.17.24.
    Elasticsearch7_17,
    /// OpenSearch 2.19.0.
    OpenSearch2_19,
    /// Elasticsearch 9.2.0.
    Elasticsearch9_2,
    /// OpenSearch 3.1.0.
    OpenSearch3_1,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Elasticsearch8_19,
        Self::Elasticsearch8_11,
        Self::Elasticsearch7_17,
        Self::OpenSearch2_19,
        Self::Elasticsearch9_2,
        Self::OpenSearch3_1,
    ];

    /// The kind of engine, as the settings name it.
    #[must_use]
    pub fn kind(self) -> EngineKind {
        match self {
            Self::OpenSearch2_19 | Self::OpenSearch3_1 => EngineKind::OpenSearch,
            _ => EngineKind::Elasticsearch,
        }
    }

    /// The version of its nodes.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Elasticsearch8_19 => "8.19.0",
            Self::Elasticsearch8_11 => "8.11.0",
            Self::Elasticsearch7_17 => "7.17.24",
            Self::OpenSearch2_19 => "2.19.0",
            Self::Elasticsearch9_2 => "9.2.0",
            Self::OpenSearch3_1 => "3.1.0",
        }
    }

    /// The version of the index format in `GET _nodes`. `None`: it has none.
    pub(super) fn index_version(self) -> Option<u64> {
        match self {
            Self::Elasticsearch8_19 | Self::Elasticsearch8_11 | Self::Elasticsearch9_2 => {
                Some(self.snapshot_version_id())
            }
            Self::Elasticsearch7_17 | Self::OpenSearch2_19 | Self::OpenSearch3_1 => None,
        }
    }

    /// The version that it writes into snapshots, as it compares it.
    pub(super) fn snapshot_version_id(self) -> u64 {
        match self {
            Self::Elasticsearch8_19 => 8_536_000,
            Self::Elasticsearch8_11 => 8_500_003,
            Self::Elasticsearch7_17 => 7_172_499,
            Self::OpenSearch2_19 => 136_407_827,
            Self::Elasticsearch9_2 => 9_039_001,
            Self::OpenSearch3_1 => 137_227_827,
        }
    }

    /// The same for people.
    pub(super) fn snapshot_version(self) -> &'static str {
        // This version has no name for its index format.
        if self == Self::Elasticsearch8_11 { "8500003" } else { self.version() }
    }

    /// The prefix of a repository's name in error reasons.
    pub(super) fn project(self) -> &'static str {
        if self == Self::Elasticsearch9_2 { "default:" } else { "" }
    }

    /// A pattern without a match is a 404, as an exact name is.
    pub(super) fn misses_what_a_pattern_matches(self) -> bool {
        !self.is_recent()
    }

    /// A list of snapshots in an unknown repository is a 200 with `failures`.
    pub(super) fn lists_unknown_repositories(self) -> bool {
        matches!(self, Self::Elasticsearch8_11 | Self::Elasticsearch7_17)
    }

    /// The type of the error that a snapshot's name is taken.
    pub(super) fn name_in_use(self) -> &'static str {
        match self {
            Self::Elasticsearch8_19 | Self::Elasticsearch8_11 | Self::Elasticsearch9_2 => {
                "snapshot_name_already_in_use_exception"
            }
            Self::Elasticsearch7_17 | Self::OpenSearch2_19 | Self::OpenSearch3_1 => "invalid_snapshot_name_exception",
        }
    }

    /// `DELETE` has the parameter `wait_for_completion`.
    pub(super) fn deletes_without_waiting(self) -> bool {
        self.is_recent()
    }

    /// A list of snapshots has the parameter `index_names`.
    pub(super) fn leaves_out_indices(self) -> bool {
        self.is_recent() || self == Self::Elasticsearch8_11
    }

    /// The status of a refusal because of something else that runs.
    pub(super) fn conflict(self) -> u16 {
        if self == Self::OpenSearch3_1 { 409 } else { 503 }
    }

    fn is_recent(self) -> bool {
        matches!(self, Self::Elasticsearch8_19 | Self::Elasticsearch9_2)
    }

    /// Deleting a running snapshot is fast. On real engines that depends on the repository's speed as well: each does
    /// both.
    pub(super) fn aborts_at_once(self) -> bool {
        self == Self::Elasticsearch8_11
    }
}
