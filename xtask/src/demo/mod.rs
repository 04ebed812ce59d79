//! `cargo xtask demo`: from nothing to a finished backup, with one command.

mod backup;
mod fixture;
mod progress;
mod steps;

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use self::backup::COMPLETE;
use self::fixture::Fixture;

const BACKUP_ID: u64 = 1;

/// What a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// End when the backup has ended, instead of serving on.
    #[arg(long)]
    once: bool,
    /// The port of the backup API.
    #[arg(long, default_value_t = 8092)]
    port: u16,
}

/// Runs the demo until it ends or is interrupted, and takes everything down again.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let fixture = tokio::select! {
        fixture = show(options.port) => fixture?,
        interrupted = interruption() => return interrupted.map(|()| ExitCode::from(INTERRUPTED)),
    };
    if !options.once {
        fixture.print_next_steps();
        interruption().await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(port: u16) -> Result<Fixture> {
    check_port(port)?;
    let fixture = Fixture::set_up(port).await?;
    make_backup(&fixture).await?;
    Ok(fixture)
}

/// Ends at Ctrl-C, or when somebody wants this process to end.
async fn interruption() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    println!("\nTaking everything down.");
    Ok(())
}

async fn make_backup(fixture: &Fixture) -> Result<()> {
    println!("\nPOST /actuator/backups {{\"backupId\": {BACKUP_ID}}}");
    let reply = fixture.host.create(BACKUP_ID).await?;
    println!("{} {}\n", reply.status, reply.text);
    ensure!(reply.status == 202, "the host did not accept the backup");
    let backup = progress::follow(fixture, BACKUP_ID).await?;
    println!("\nGET /actuator/backups/{BACKUP_ID}\n{}", serde_json::to_string_pretty(&backup)?);
    ensure!(backup.state == COMPLETE, "the backup did not become {COMPLETE} but {}", backup.state);
    Ok(())
}

/// Fails early, in one line, where the host would fail late.
fn check_port(port: u16) -> Result<()> {
    match TcpListener::bind(("0.0.0.0", port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            bail!("port {port} is in use: end what listens there, or choose another one with --port")
        }
        Err(error) => Err(error).with_context(|| format!("port {port} cannot be used: choose another one with --port")),
    }
}
