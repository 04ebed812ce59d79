//! A port that stays ours while nobody is behind it.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port that refuses connections unless somebody has opened it. This socket has it from first to last and never listens, so that
/// nobody else ever gets it as one that is free; those that do listen share it.
#[derive(Debug)]
pub(super) struct Port(TcpSocket);

impl Port {
    /// Takes one that is free.
    pub(super) fn take() -> Result<Self> {
        shared(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).map(Self)
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        self.0.local_addr().context("the proxy's address")
    }

    /// Accepts connections until the listener is dropped.
    pub(super) fn open(&self) -> Result<TcpListener> {
        shared(self.address()?)?.listen(BACKLOG).context("opening the proxy's port")
    }
}

/// A socket with an address that others of this user may have, too, if they ask for it.
fn shared(address: SocketAddr) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address).with_context(|| format!("taking {address}"))?;
    Ok(socket)
}
