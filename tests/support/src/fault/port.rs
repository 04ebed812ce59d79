//! A port that stays ours while nobody is behind it.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port that refuses connections. Nobody else gets it meanwhile, as they would get one that is free.
#[derive(Debug)]
pub(super) struct Port(TcpSocket);

impl Port {
    /// Refuses connections from now on.
    pub(super) fn close(listener: TcpListener) -> Result<Self> {
        let address = listener.local_addr()?;
        drop(listener);
        Self::reserve(address)
    }

    /// Takes a port that nobody listens at.
    pub(super) fn reserve(address: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // There are connections left from before.
        socket.set_reuseaddr(true)?;
        socket.bind(address).with_context(|| format!("taking {address}"))?;
        Ok(Self(socket))
    }

    /// Accepts connections from now on.
    pub(super) fn open(self) -> Result<TcpListener> {
        self.0.listen(BACKLOG).context("opening the proxy's port again")
    }
}
