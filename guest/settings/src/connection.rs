//! How the database is reached: the blocks `es` and `opensearch`, of which one is read.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::authentication::Authentication;
use super::error::Problem;
use super::section::{Read, Section};
use super::values;

/// Where the database is and how to be let in.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The nodes of one cluster, at least one.
    pub nodes: Vec<Node>,
    /// Whether the nodes speak TLS.
    pub tls: bool,
    /// What comes before every path: empty, or such as `/search`, without a slash at the end.
    pub path_prefix: String,
    /// Who we are for the database.
    pub authentication: Authentication,
    /// PEM files of the authorities to trust. Empty: those that the system trusts, or no TLS.
    pub certificate_authorities: Vec<PathBuf>,
}

/// A node of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port for HTTP, never 0.
    pub port: u16,
}

/// What one call of the database may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time until there is a connection.
    pub connect_timeout: Duration,
    /// The time of the whole call, to the end of the answer.
    pub request_timeout: Duration,
    /// The largest body of an answer, in bytes.
    pub max_response_bytes: usize,
}

/// `host:port`, with brackets around an IPv6 address.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Connection {
    /// Reads the block of a database.
    pub(super) fn read(database: &Section<'_>) -> Read<Self> {
        let connection = database.section("connection");
        let security = database.section("security");
        let ssl = security.section("ssl");
        let nodes = nodes(&connection);
        let path_prefix = connection.optional("pathPrefix", values::path_prefix);
        let tls = ssl.required("enabled", values::switch);
        let authorities = ssl.list("certificate_authorities", values::readable_file);
        let authentication = Authentication::read(&security);
        let (tls, certificate_authorities) = (tls?, authorities?);
        // Whoever names an authority means https. Plain HTTP would send the password in the clear.
        if !tls && !certificate_authorities.is_empty() {
            let problem = Problem::Needs(format!("{} to be true", ssl.key_of("enabled")));
            return Err(ssl.note("certificate_authorities", problem));
        }
        Ok(Self {
            nodes: nodes?,
            tls,
            path_prefix: path_prefix?.unwrap_or_default(),
            authentication: authentication?,
            certificate_authorities,
        })
    }
}

impl Limits {
    /// Reads what the block of a database says, and `backup` for all databases.
    pub(super) fn read(database: &Section<'_>, backup: &Section<'_>) -> Read<Self> {
        let connect_timeout = database.section("connection").required("timeout", values::milliseconds);
        let request_timeout = backup.required("callTimeout", values::duration);
        let most = u32::MAX as usize;
        let max_response_bytes = backup.required("maxResponseBytes", values::number(1..=most));
        Ok(Self {
            connect_timeout: connect_timeout?,
            request_timeout: request_timeout?,
            max_response_bytes: max_response_bytes?,
        })
    }
}

fn nodes(connection: &Section<'_>) -> Read<Vec<Node>> {
    let nodes: Vec<Read<Node>> = connection.sections("nodes")?.iter().map(node).collect();
    nodes.into_iter().collect()
}

fn node(block: &Section<'_>) -> Read<Node> {
    let host = block.required("host", values::host);
    let port = block.required("httpPort", values::number(1..=u16::MAX));
    Ok(Node { host: host?, port: port? })
}
