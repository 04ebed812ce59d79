//! Which engine, and which version of it.

use std::fmt;
use std::ops::RangeInclusive;

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
    /// The major version after.
    pub const ELASTICSEARCH_9_2: Self = Self::elasticsearch("9.2.0");
    /// The OpenSearch that the project is built for.
    pub const OPENSEARCH: Self = Self::opensearch("2.19.0");
    /// An OpenSearch with its security plugin, which is not published for 2.19.0.
    pub const OPENSEARCH_SECURED: Self = Self::opensearch("2.19.1");
    /// The major version after.
    pub const OPENSEARCH_3_1: Self = Self::opensearch("3.1.0");

    const fn elasticsearch(version: &'static str) -> Self {
        Self { kind: Kind::Elasticsearch, version }
    }

    const fn opensearch(version: &'static str) -> Self {
        Self { kind: Kind::OpenSearch, version }
    }

    /// The versions of Java that it runs on.
    pub(crate) fn java(self) -> RangeInclusive<u32> {
        match (self.kind, self.major()) {
            (Kind::Elasticsearch, 9..) | (Kind::OpenSearch, 3..) => 21..=u32::MAX,
            (Kind::Elasticsearch, 8) if self == Self::ELASTICSEARCH => 17..=u32::MAX,
            // They sandbox themselves with the security manager, which Java 24 does not have any more.
            _ => 17..=23,
        }
    }

    /// Its major version.
    pub(crate) fn major(self) -> u32 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
    }

    /// The environment variable that names an engine to use instead of starting this one.
    pub(crate) fn url_variable(self) -> Option<&'static str> {
        match self {
            Self::ELASTICSEARCH => Some("ELASTICSEARCH_URL"),
            Self::OPENSEARCH => Some("OPENSEARCH_URL"),
            _ => None,
        }
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

impl fmt::Display for Distribution {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            Kind::Elasticsearch => "Elasticsearch",
            Kind::OpenSearch => "OpenSearch",
        };
        write!(out, "{name} {}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::Distribution;

    #[test]
    fn only_the_engines_that_the_project_is_built_for_can_be_given() {
        assert_eq!(Distribution::ELASTICSEARCH.url_variable(), Some("ELASTICSEARCH_URL"));
        assert_eq!(Distribution::OPENSEARCH.url_variable(), Some("OPENSEARCH_URL"));
        for other in [Distribution::ELASTICSEARCH_7_17, Distribution::ELASTICSEARCH_9_2, Distribution::OPENSEARCH_3_1] {
            assert_eq!(other.url_variable(), None, "{other:?}");
        }
    }

    #[test]
    fn newer_engines_need_a_newer_java() {
        for (distribution, version, runs) in [
            (Distribution::ELASTICSEARCH, 17, true),
            (Distribution::ELASTICSEARCH, 25, true),
            (Distribution::ELASTICSEARCH_7_17, 17, true),
            (Distribution::ELASTICSEARCH_7_17, 25, false),
            (Distribution::ELASTICSEARCH_9_2, 17, false),
            (Distribution::ELASTICSEARCH_9_2, 25, true),
            (Distribution::OPENSEARCH_3_1, 21, true),
        ] {
            assert_eq!(distribution.java().contains(&version), runs, "{distribution:?} on Java {version}");
        }
    }
}
