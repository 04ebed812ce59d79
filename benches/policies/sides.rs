//! What is compared, each in a process of its own with the same settings.

use std::env;

use anyhow::{Context, Result};
use backup_test_support::host::{Host, HostOptions};
use tokio::net::TcpListener;

use crate::native;

/// The host of this project, as it is released.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_optimize-backup");

/// What serves the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The host of this project.
    Ours,
    /// Its rules in a server without a sandbox.
    Native,
    /// The same, and it reads the versions of the nodes only every 10 seconds.
    NativeCached,
    /// The rules as a `wasi:http` component, in what `wasmtime serve` is made of.
    Wasmtime,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Native => "the rules called natively",
            Self::NativeCached => "natively, with the nodes' versions kept for 10 s",
            Self::Wasmtime => "`wasmtime serve`",
        }
    }

    /// The first argument of this program that makes it this side.
    fn argument(self) -> &'static str {
        match self {
            Self::Ours => "serve",
            Self::Native => "serve-natively",
            Self::NativeCached => "serve-natively-cached",
            Self::Wasmtime => "serve-in-wasmtime",
        }
    }

    /// Starts it on a repository of the engine at this port.
    pub(crate) async fn start(self, engine: u16, repository: &str) -> Result<Host> {
        let settings = settings(engine, repository);
        if self == Self::Ours {
            let options = HostOptions::new(BINARY.into());
            return Host::start(settings.iter().fold(options, |options, (name, value)| options.env(name, value))).await;
        }
        Host::of_program(&env::current_exe()?, &[self.argument()], settings.into()).await
    }
}

/// The settings of every side.
pub(crate) fn settings(engine: u16, repository: &str) -> [(String, String); 3] {
    [
        ("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", repository),
        ("OPTIMIZE_ELASTICSEARCH_HOST", "127.0.0.1"),
        ("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", &engine.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Serves, if this process was started as a side, and never returns then.
pub(crate) async fn serve_if_asked() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [side, port] = arguments.as_slice() else { return Ok(()) };
    let sides = [Side::Native, Side::NativeCached, Side::Wasmtime];
    let Some(side) = sides.into_iter().find(|known| known.argument() == side) else { return Ok(()) };
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await.context("the port of a side")?;
    match side {
        Side::Wasmtime => backup_test_hosts::wasmtime::serve_pooled(listener, env::vars().collect()).await,
        _ => native::serve(listener, side == Side::NativeCached).await,
    }
}

/// The port that a host serves on.
pub(crate) fn port(host: &Host) -> u16 {
    host.url().port().unwrap_or_default()
}
