//! How the search engine is reached: the blocks `es` and `opensearch`, of which one is read.

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;

use super::error::InvalidValue;
use super::section::{Parsed, Section, all, settings};
use super::values::{self, Secret};

settings! {
    /// Where the search engine is and how to be let in.
    #[derive(Clone, Debug)]
    pub struct Connection(connection: &Section<'_>, security: &Section<'_>, ssl: &Section<'_>) {
        /// The nodes of one cluster, at least one.
        nodes: Vec<Node> = connection.sections("nodes").and_then(|nodes| all(nodes.iter().map(Node::read))),
        /// What comes before every path: empty, or such as `/search`, without a slash at the end.
        path_prefix: String = connection.optional("pathPrefix", values::path_prefix).map(Option::unwrap_or_default),
        /// Whether the nodes speak TLS.
        tls: bool = ssl.required("enabled", values::one_of([("true", true), ("false", false)])),
        /// PEM files of the authorities to trust. Empty: those that the system trusts, or no TLS.
        certificate_authorities: Vec<PathBuf> = ssl.list("certificate_authorities", values::readable_file),
        /// Who we are for the search engine.
        authentication: Authentication = Authentication::read(security),
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

/// Who we are for the search engine.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// Nobody in particular.
    None,
    /// A user, by HTTP Basic.
    Basic {
        /// The name.
        username: Username,
        /// The password, not empty.
        password: Secret,
    },
    /// An API key.
    ApiKey(ApiKey),
}

/// The name of a user, which HTTP Basic can express: without a colon.
#[derive(Clone, Debug)]
pub struct Username(String);

/// An API key, kept as the value of the header `Authorization`.
#[derive(Clone, Debug)]
pub struct ApiKey(HeaderValue);

/// `host:port`, with brackets around an IPv6 address.
impl Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host: Host(host), port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
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
}

impl Username {
    /// Reads the name of a user.
    ///
    /// # Errors
    /// If HTTP Basic cannot express it.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        // RFC 7617: the colon ends the user name. It may be the password that follows it here.
        if text.contains(|c: char| c == ':' || c.is_control()) {
            return Err(InvalidValue::hidden("a user name for HTTP Basic, which has no colon in it"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ApiKey {
    /// Reads a key in its encoded form.
    ///
    /// # Errors
    /// If it cannot stand in a header.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let header = HeaderValue::try_from(format!("ApiKey {text}")).ok();
        let Some(mut header) = header.filter(|_| !text.is_empty() && values::is_visible(text)) else {
            return Err(InvalidValue::hidden("an API key, which has only visible ASCII characters"));
        };
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The value of the header `Authorization`, marked so that it is not logged.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl Connection {
    /// Reads the block of a search engine.
    pub(super) fn of(database: &Section<'_>) -> Parsed<Self> {
        let security = database.section("security");
        let ssl = security.section("ssl");
        let connection = Self::read(&database.section("connection"), &security, &ssl)?;
        // Whoever names an authority means https. Plain HTTP would send the password in the clear.
        if !connection.tls && !connection.certificate_authorities.is_empty() {
            return Err(ssl.report("certificate_authorities", format!("needs {} to be true", ssl.key_of("enabled"))));
        }
        Ok(connection)
    }
}

impl Authentication {
    fn read(security: &Section<'_>) -> Parsed<Self> {
        let username = security.optional("username", Username::parse);
        let password = secret(security, ["password", "passwordFile"], |text| Ok::<_, Infallible>(Secret::new(text)));
        let api_key = secret(security, ["apiKey", "apiKeyFile"], ApiKey::parse);
        match (username?, password?, api_key?) {
            (None, None, None) => Ok(Self::None),
            (Some(username), Some((_, password)), None) => Ok(Self::Basic { username, password }),
            (None, None, Some((_, key))) => Ok(Self::ApiKey(key)),
            (Some(_), _, Some((key, _))) => Err(security.conflict(key, "username")),
            (None, Some((password, _)), Some((key, _))) => Err(security.conflict(key, password)),
            (Some(_), None, None) => {
                let password = security.key_of("password");
                Err(security.report("username", format!("needs {password}, or {password}File")))
            }
            (None, Some((password, _)), None) => {
                Err(security.report(password, format!("needs {}", security.key_of("username"))))
            }
        }
    }
}

/// A secret that is given as it is or in a file, and the key that it was found under.
pub(super) fn secret<T, E: Display>(
    section: &Section<'_>,
    [plain, file]: [&'static str; 2],
    parse: impl Fn(&str) -> Result<T, E>,
) -> Parsed<Option<(&'static str, T)>> {
    let given = section.optional(plain, &parse);
    let filed = section.optional(file, values::secret_file);
    match (given?, filed?) {
        (Some(_), Some(_)) => Err(section.conflict(plain, file)),
        (Some(given), None) => Ok(Some((plain, given))),
        (None, Some(text)) => {
            parse(&text).map(|filed| Some((file, filed))).map_err(|error| section.report(file, error))
        }
        (None, None) => Ok(None),
    }
}
