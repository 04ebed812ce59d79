//! Which engine, and which version of it.

/// The two kinds of engine that Optimize runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Elasticsearch.
    Elasticsearch,
    /// OpenSearch.
    OpenSearch,
}

impl Kind {
    /// The kind as the settings of the host spell it; the engine's own files bear the same name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Elasticsearch => "elasticsearch",
            Self::OpenSearch => "opensearch",
        }
    }

    /// What the names of the engine's own environment variables begin with.
    pub(crate) fn variable_prefix(self) -> &'static str {
        match self {
            Self::Elasticsearch => "ES",
            Self::OpenSearch => "OPENSEARCH",
        }
    }

    /// The environment variable that names an engine to use instead of starting one.
    pub(crate) fn url_variable(self) -> &'static str {
        match self {
            Self::Elasticsearch => "ELASTICSEARCH_URL",
            Self::OpenSearch => "OPENSEARCH_URL",
        }
    }
}

/// A version of an engine, as it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Distribution {
    /// The kind of engine.
    pub kind: Kind,
    /// Its version, such as `8.19.0`.
    pub version: &'static str,
}

impl Distribution {
    /// The Elasticsearch that the project is built for.
    pub const ELASTICSEARCH: Self = Self::elasticsearch("8.19.0");
    /// An Elasticsearch that cannot read what 8.19 wrote, and answers some calls differently.
    pub const ELASTICSEARCH_8_11: Self = Self::elasticsearch("8.11.0");
    /// The last line of the major version before.
    pub const ELASTICSEARCH_7_17: Self = Self::elasticsearch("7.17.24");
    /// The OpenSearch that the project is built for.
    pub const OPENSEARCH: Self = Self { kind: Kind::OpenSearch, version: "2.19.0" };
    /// An OpenSearch with its security plugin, which is not published for 2.19.0.
    pub const OPENSEARCH_SECURED: Self = Self { kind: Kind::OpenSearch, version: "2.19.1" };

    /// Another version of Elasticsearch.
    #[must_use]
    pub const fn elasticsearch(version: &'static str) -> Self {
        Self { kind: Kind::Elasticsearch, version }
    }

    /// The name of the folder in the published archive.
    pub(crate) fn folder(self) -> String {
        format!("{}-{}", self.kind.name(), self.version)
    }

    /// The Maven coordinates of the archive.
    pub(crate) fn artifact(self) -> String {
        let name = self.kind.name();
        format!("org.{name}.distribution.integ-test-zip:{name}:{}:zip", self.version)
    }

    /// The Maven coordinates of the plugin that asks who we are, where that is not part of the engine.
    pub(crate) fn security_plugin(self) -> Option<String> {
        let artifact = || format!("org.opensearch.plugin:opensearch-security:{}.0:zip", self.version);
        (self == Self::OPENSEARCH_SECURED).then(artifact)
    }
}
