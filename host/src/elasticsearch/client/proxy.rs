//! The proxy that all requests go through.

use reqwest::ClientBuilder;

use super::{ClientError, cause};
use crate::settings::{Connection, Proxy};

/// Uses the configured proxy, and never one of the environment's.
pub(super) fn configure(builder: ClientBuilder, connection: &Connection) -> Result<ClientBuilder, ClientError> {
    let Some(proxy) = &connection.proxy else { return Ok(builder.no_proxy()) };
    let invalid = |error: reqwest::Error| ClientError::Proxy { proxy: proxy.to_string(), reason: cause::root(&error) };
    let route = reqwest::Proxy::all(proxy.to_string()).map_err(invalid)?;
    Ok(builder.proxy(match &proxy.user {
        Some((username, password)) => route.basic_auth(username.as_str(), password.expose()),
        None => route,
    }))
}

/// A node's name in messages, with the proxy that leads to it.
pub(super) fn through(proxy: Option<&Proxy>, node: String) -> String {
    match proxy {
        Some(proxy) => format!("{node} (through the proxy {proxy})"),
        None => node,
    }
}
