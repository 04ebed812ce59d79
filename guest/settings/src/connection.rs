//! How the search engine is reached: the blocks `es` and `opensearch`, of which one is read.

mod authentication;
mod proxy;
mod renewal;
mod tls;

use std::fmt::{self, Display};
use std::net::Ipv6Addr;
use std::time::Duration;

use super::error::InvalidValue;
use super::section::{Parsed, Section, all, settings};
use super::values;

pub use authentication::{ApiKey, Authentication, Username};
pub use proxy::Proxy;
pub use renewal::SecretFiles;
pub use tls::Tls;

settings! {
    /// Where the search engine is and how to be let in.
    #[derive(Clone, Debug)]
    pub struct Connection(connection: &Section<'_>, security: &Section<'_>, ssl: &Section<'_>) {
        /// The nodes of one cluster, at least one.
        nodes: Vec<Node> = connection.sections("nodes").and_then(|nodes| all(nodes.iter().map(Node::read))),
        /// What comes before every path: empty, or such as `/search`, without a slash at the end.
        path_prefix: String = connection.optional("pathPrefix", values::path_prefix).map(Option::unwrap_or_default),
        /// How the nodes prove who they are. `None`: they speak no TLS.
        tls: Option<Tls> = Tls::of(connection, ssl),
        /// What all requests go through. `None`: nothing, whatever the environment says of proxies.
        proxy: Option<Proxy> = Proxy::of(&connection.section("proxy")),
        /// Who we are for the search engine.
        authentication: Authentication = Authentication::of(security, connection),
        /// Where its secrets came from, to be read again.
        secret_files: SecretFiles = SecretFiles::read(security, &connection.section("proxy")),
    }
}

settings! {
    /// A node of the cluster.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Node(node: &Section<'_>) {
        /// Its name or address.
        host: Host = node.required("host", Host::parse),
        /// The port for HTTP, never 0.
        port: u16 = node.required("httpPort", values::number(1..=u16::MAX)),
    }
}

settings! {
    /// What one request to the search engine may take.
    #[derive(Clone, Copy, Debug)]
    pub struct Limits(connection: &Section<'_>, backup: &Section<'_>, call_timeout: Parsed<Duration>) {
        /// The time until there is a connection. In milliseconds, as in Optimize, which keeps it in a Java Integer.
        connect_timeout: Duration =
            connection.required("timeout", values::number(1..=2_147_483_647)).map(Duration::from_millis),
        /// The time of the whole request, to the end of the answer.
        request_timeout: Duration = call_timeout,
        /// The largest body of an answer, in bytes.
        max_response_bytes: usize = backup.required("maxResponseBytes", values::number(1..=u32::MAX as usize)),
    }
}

/// A host name, an IPv4 address, or an IPv6 address without brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

/// `host:port`, with brackets around an IPv6 address.
impl Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host.with_port(self.port))
    }
}

impl Host {
    /// Reads a name or an address; the brackets that an IPv6 address has in a URL may be there or not.
    ///
    /// # Errors
    /// If it is anything else, such as a URL or a host with its port.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<Ipv6Addr>() {
            return Ok(Self(address.to_string()));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !text.is_empty() && text.chars().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        let allowed = "a host name or an IP address alone, without https:// and port";
        // A password can stand before an @.
        Err(if text.contains('@') { InvalidValue::hidden(allowed) } else { InvalidValue::new(text, allowed) })
    }

    /// The name or address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `host:port`, with brackets around an IPv6 address.
    #[must_use]
    pub fn with_port(&self, port: u16) -> String {
        let Self(host) = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl Connection {
    /// Reads the block of a search engine.
    pub(super) fn of(database: &Section<'_>) -> Parsed<Self> {
        let (connection, security) = (database.section("connection"), database.section("security"));
        let settings = Self::read(&connection, &security, &security.section("ssl"));
        refuse_plugins(&database.section("interceptorPlugins"))?;
        settings
    }

    /// The keys of what only a program obeys that makes its connections itself, below the block of the search engine.
    pub(super) fn keys_for_own_connections(&self) -> Vec<&'static str> {
        let any_name = self.tls.as_ref().is_some_and(|tls| tls.any_name);
        let keys = [
            (self.proxy.is_some(), "connection.proxy.enabled"),
            (any_name, "connection.skipHostnameVerification"),
            (matches!(self.authentication, Authentication::Aws), "connection.awsEnabled"),
        ];
        keys.into_iter().filter_map(|(is_set, key)| is_set.then_some(key)).collect()
    }
}

/// Optimize's Java classes that change its requests, which it loads if they have an id: nobody can tell what is missing
/// without them.
fn refuse_plugins(plugins: &Section<'_>) -> Parsed<()> {
    let refuse = |name: &str| {
        let refusal = "is that of a Java class that changes Optimize's requests, which this server cannot run: remove it if the \
                       search engine can be reached without";
        plugins.section(name).optional("id", |_| Err::<(), _>(refusal)).map(|_| ())
    };
    all(plugins.names().into_iter().map(refuse)).map(|_| ())
}
