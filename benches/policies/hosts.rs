//! What a request costs in the host of this project, and in the crates that `wasmtime serve` is made of.

use anyhow::{Result, ensure};
use backup_test_hosts::wasmtime;
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::memory::MemoryServer;

use crate::figures::{Samples, ratio, show, table};
use crate::fixture;

/// Two of each backup.
const SNAPSHOTS: usize = 1_000;

/// The requests, and how often each is sent.
const REQUESTS: [(&str, &str, u16, usize); 3] = [
    ("an invalid ID", "/actuator/backups/abc", 400, 500),
    ("one backup", "/actuator/backups/1", 200, 500),
    ("a list of 500 backups", "/actuator/backups", 200, 100),
];

pub(crate) async fn measure() -> Result<()> {
    let engine = MemoryServer::start(fixture::engine(SNAPSHOTS)).await?;
    let port = engine.url().port().unwrap_or_default().to_string();
    let settings = [
        ("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", fixture::REPOSITORY),
        ("OPTIMIZE_ELASTICSEARCH_HOST", "127.0.0.1"),
        ("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", port.as_str()),
    ];
    let native = HostOptions::new(fixture::BINARY.into());
    let native = Host::start(settings.iter().fold(native, |options, (name, value)| options.env(name, value))).await?;
    let other = wasmtime::serve(settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()).await?;
    let mut rows = Vec::new();
    for (name, path, status, rounds) in REQUESTS {
        let (mut here, mut there) = (Samples::default(), Samples::default());
        for _ in 0..rounds {
            let (expected, found) = (here.time(native.get(path)).await?, there.time(other.get(path)).await?);
            ensure!(expected.status == status, "{path} was answered with {}", expected.text);
            ensure!(found.text == expected.text, "both should find the same");
        }
        let (here, there) = (here.median(), there.median());
        rows.push(vec![name.to_owned(), show(here), show(there), ratio(there, here)]);
    }
    table("A request in another host", &["GET of", "native host", "wasmtime", "ratio"], &rows);
    Ok(())
}
