//! What a search engine says of itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::json::object;
use crate::{EngineKind, Response};

/// Which search engine it is, and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// Elasticsearch or OpenSearch.
    pub kind: EngineKind,
    /// The version of the node that answered.
    pub version: String,
}

impl EngineInfo {
    /// Reads the response to `GET /`. `None`: it does not say, or the user may not know.
    #[must_use]
    pub fn read(response: &Response) -> Option<Self> {
        let root: Root = object(&response.body).ok().filter(|_| response.status == 200)?;
        let kind = match root.version.distribution.as_deref() {
            Some("opensearch") => EngineKind::OpenSearch,
            _ => EngineKind::Elasticsearch,
        };
        Some(Self { kind, version: root.version.number })
    }

    /// The same from the response to [`Request::node_versions`](crate::Request::node_versions), which does not tell the kind.
    #[must_use]
    pub fn of_nodes(kind: EngineKind, response: &Response) -> Option<Self> {
        let nodes: Nodes = object(&response.body).ok().filter(|_| response.status == 200)?;
        Some(Self { kind, version: nodes.nodes.into_values().next()?.version })
    }

    /// Whether this project is tested with that major version.
    #[must_use]
    pub fn is_tested(&self) -> bool {
        let mut numbers = self.version.split(['.', '-']).map(|number| number.parse::<u64>().unwrap_or_default());
        let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        match self.kind {
            EngineKind::Elasticsearch => (major == 7 && minor >= 17) || matches!(major, 8 | 9),
            EngineKind::OpenSearch => matches!(major, 2 | 3),
        }
    }
}

#[derive(Deserialize)]
struct Nodes {
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    version: String,
}

#[derive(Deserialize)]
struct Root {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    distribution: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Option<EngineInfo> {
        EngineInfo::read(&Response { status, retry_after: None, body: body.to_owned() })
    }

    #[test]
    fn each_engine_is_recognised() {
        let opensearch = read(200, r#"{"version":{"distribution":"opensearch","number":"2.19.1"}}"#).unwrap();
        assert_eq!((opensearch.kind, opensearch.is_tested()), (EngineKind::OpenSearch, true));
        let elasticsearch = read(200, r#"{"version":{"number":"7.16.2"},"tagline":"You Know, for Search"}"#).unwrap();
        assert_eq!((elasticsearch.kind, elasticsearch.is_tested()), (EngineKind::Elasticsearch, false));
        let nodes =
            Response { status: 200, retry_after: None, body: r#"{"nodes":{"a":{"version":"8.19.0"}}}"#.to_owned() };
        assert_eq!(EngineInfo::of_nodes(EngineKind::Elasticsearch, &nodes).unwrap().version, "8.19.0");
        assert_eq!(read(200, "<html>Welcome</html>"), None);
        assert_eq!(read(403, r#"{"version":{"number":"8.19.0"}}"#), None);
    }
}
