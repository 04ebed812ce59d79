//! How the database is reached: the blocks `es` and `opensearch`, of which one is read.

use std::path::PathBuf;
use std::time::Duration;

use super::authentication::Authentication;
use super::error::Problem;
use super::section::{Read, Section};
use super::values;

/// How the database is reached.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The nodes to call, at least one.
    pub nodes: Vec<Node>,
    /// What the path of every URL starts with: empty, or such as `/search`, without a slash at the end.
    pub path_prefix: String,
    /// How connections are encrypted. `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// Who we are for the database.
    pub authentication: Authentication,
    /// How long to wait for a connection, and for the next byte of an answer.
    pub timeout: Duration,
    /// How long one call may take in all.
    pub call_timeout: Duration,
    /// The largest answer that is accepted, in bytes.
    pub max_response_bytes: usize,
}

/// A node of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// A name or an address as it stands in a URL, so IPv6 in brackets.
    pub host: String,
    /// Its port for HTTP, never 0.
    pub port: u16,
}

/// How connections are encrypted.
#[derive(Clone, Debug)]
pub struct Tls {
    /// PEM files of the authorities to trust. Empty: those that the system trusts.
    pub certificate_authorities: Vec<PathBuf>,
}

impl Connection {
    /// Reads the block of one database, and what all databases have in common from `backup`.
    pub(super) fn read(database: &Section<'_>, backup: &Section<'_>) -> Read<Self> {
        let connection = database.section("connection");
        let security = database.section("security");
        let nodes = nodes(&connection);
        let path_prefix = connection.optional("pathPrefix", values::path_prefix);
        let tls = tls(&security.section("ssl"));
        let authentication = Authentication::read(&security);
        let timeout = connection.required("timeout", values::milliseconds);
        let call_timeout = backup.required("callTimeout", values::duration);
        let most = u32::MAX as usize;
        let max_response_bytes = backup.required("maxResponseBytes", values::number(1..=most));
        Ok(Self {
            nodes: nodes?,
            path_prefix: path_prefix?.unwrap_or_default(),
            tls: tls?,
            authentication: authentication?,
            timeout: timeout?,
            call_timeout: call_timeout?,
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

fn tls(ssl: &Section<'_>) -> Read<Option<Tls>> {
    let enabled = ssl.required("enabled", values::switch);
    let authorities = ssl.list("certificate_authorities", values::readable_file);
    let (enabled, certificate_authorities) = (enabled?, authorities?);
    if enabled {
        return Ok(Some(Tls { certificate_authorities }));
    }
    // Whoever names an authority means https. Plain HTTP would send the password in the clear.
    if !certificate_authorities.is_empty() {
        let problem = Problem::Needs(format!("{} to be true", ssl.key_of("enabled")));
        return Err(ssl.note("certificate_authorities", problem));
    }
    Ok(None)
}
