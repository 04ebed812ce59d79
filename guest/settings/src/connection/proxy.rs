//! A forward proxy between this server and the search engine.

use std::fmt::{self, Display};

use super::Host;
use super::authentication::{Username, user};
use crate::section::{Parsed, Section};
use crate::values::{self, Secret};

/// A proxy that all requests go through.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Its name or address.
    pub host: Host,
    /// Its port, never 0.
    pub port: u16,
    /// Whether it speaks TLS itself.
    pub tls: bool,
    /// Who we are for it.
    pub user: Option<(Username, Secret)>,
}

/// Its URL, without the user.
impl Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host.with_port(self.port))
    }
}

impl Proxy {
    /// As in Optimize, all other keys count only if `enabled` is true; they are checked all the same.
    pub(super) fn of(proxy: &Section<'_>) -> Parsed<Option<Self>> {
        let enabled = proxy.required("enabled", values::flag);
        let host = proxy.optional("host", Host::parse);
        let port = proxy.optional("port", values::number(1..=u16::MAX));
        let tls = proxy.required("sslEnabled", values::flag);
        let user = user(proxy);
        let (enabled, host, port, tls, user) = (enabled?, host?, port?, tls?, user?);
        if !enabled {
            return Ok(None);
        }
        let missing = |name| proxy.report(name, format!("is missing, and {} is true", proxy.key_of("enabled")));
        let (host, port) = (host.ok_or_else(|| missing("host")), port.ok_or_else(|| missing("port")));
        Ok(Some(Self { host: host?, port: port?, tls, user }))
    }
}
