use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where the engine is and how to be let in.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The nodes of one cluster. One is used at a time; see [`Client`](super::Client).
    pub nodes: Vec<Node>,
    /// Whether the nodes speak TLS.
    pub tls: bool,
    /// What comes before every path, for an engine behind a reverse proxy: `/elastic`, or empty.
    pub path_prefix: String,
    /// How to log in.
    pub authentication: Authentication,
    /// PEM files of the authorities that may have signed the nodes' certificates. With any, only these
    /// are trusted, as Elasticsearch's own clients do; with none, those of the operating system.
    pub certificate_authorities: Vec<PathBuf>,
}

/// A node's HTTP address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port of the engine's HTTP API, by default 9200.
    pub port: u16,
}

/// How to log in to the engine.
#[derive(Clone)]
pub enum Authentication {
    /// Not at all.
    None,
    /// With a user's name and password.
    Basic {
        /// The user's name, without a colon.
        username: String,
        /// The user's password.
        password: String,
    },
    /// With an API key as Elasticsearch encodes it: the field `encoded` of its answer.
    ApiKey(String),
}

/// What a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time to connect to a node, with TLS. At most `request_timeout` is used.
    pub connect_timeout: Duration,
    /// The time from the start of a request to the end of the answer.
    pub request_timeout: Duration,
    /// The greatest size of an answer's body.
    pub max_response_bytes: usize,
}

/// Does not tell passwords and keys.
impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Basic { username, .. } => f.debug_struct("Basic").field("username", username).finish_non_exhaustive(),
            Self::ApiKey(_) => f.debug_tuple("ApiKey").finish_non_exhaustive(),
        }
    }
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
