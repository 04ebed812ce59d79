use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Url;

use super::{ClientError, proxy};
use crate::elasticsearch::Request;
use crate::settings::{Connection, Node};

/// The nodes of the cluster, and which of them is in use.
pub(super) struct Nodes {
    nodes: Vec<BaseUrl>,
    in_use: AtomicUsize,
}

/// Where a node's paths begin.
pub(super) struct BaseUrl {
    /// `host:port` and the proxy, for messages.
    pub(super) name: String,
    url: Url,
    path_prefix: String,
}

impl Nodes {
    pub(super) fn new(connection: &Connection) -> Result<Self, ClientError> {
        let nodes = connection.nodes.iter().map(|node| BaseUrl::new(connection, node)).collect::<Result<_, _>>()?;
        Ok(Self { nodes, in_use: AtomicUsize::new(0) })
    }

    /// Each node once with its index, the one in use first.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (usize, &BaseUrl)> {
        let first = self.in_use.load(Ordering::Relaxed);
        self.nodes.iter().enumerate().cycle().skip(first).take(self.nodes.len())
    }

    /// Moves on from a node that failed, unless another request has done so already.
    pub(super) fn leave(&self, failed: usize) {
        let next = (failed + 1) % self.nodes.len();
        // Losing the exchange is as good: then another request has moved on.
        let _ = self.in_use.compare_exchange(failed, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl BaseUrl {
    fn new(connection: &Connection, node: &Node) -> Result<Self, ClientError> {
        let (scheme, name) = (if connection.tls.is_some() { "https" } else { "http" }, node.to_string());
        let url = Url::parse(&format!("{scheme}://{name}"));
        let url = url.map_err(|error| ClientError::InvalidHost { node: name.clone(), reason: error.to_string() })?;
        let name = proxy::through(connection.proxy.as_ref(), name);
        Ok(Self { name, url, path_prefix: connection.path_prefix.clone() })
    }

    pub(super) fn speaks_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The request's URL on this node.
    pub(super) fn join(&self, request: &Request) -> Url {
        let mut url = self.url.clone();
        url.set_path(&backup_elasticsearch::path(&self.path_prefix, request));
        url.set_query(backup_elasticsearch::query(request).as_deref());
        url
    }
}
