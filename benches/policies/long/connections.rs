//! Connections that are held, idle or with half a request: whether the API answers and runs go on meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use backup_test_support::memory::{MemoryServer, engine_with_installation};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::caller::{Connection, get};
use crate::figures::Samples;
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "connections";
const REPOSITORY: &str = "backups";
const IDLE: usize = 2_000;
const DRIPPING: usize = 500;
const HELD: Duration = Duration::from_secs(120);
const ROUND: Duration = Duration::from_millis(500);
/// How long each part of a backup takes to be written.
const WRITING: Duration = Duration::from_secs(3);
/// A backup is begun in each of so many rounds.
const ROUNDS_A_BACKUP: u64 = 20;
/// What the host may have open: the connections, and a few more files.
const MAX_FILES: f64 = (IDLE + DRIPPING + 100) as f64;
const MAX_MEBIBYTES: f64 = 128.0;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let engine = engine_with_installation(REPOSITORY);
    engine.write_within(WRITING);
    let engine = MemoryServer::start(engine.into()).await?;
    let host = Side::Ours.start(engine.url().port().unwrap_or_default(), REPOSITORY).await?;
    let mut held = Held::new(port(&host)).await?;
    let (started, mut samples, mut most_files, mut backups) = (Instant::now(), Samples::default(), 0, 0);
    for round in 0.. {
        held.hold().await;
        let answered = Instant::now();
        // A caller of their own: nothing of it is open already.
        Connection::open(port(&host)).await?.timed(&get("/actuator/health/readiness"), 200).await?;
        samples.add(answered.elapsed());
        most_files = most_files.max(host.open_files()?);
        if round % ROUNDS_A_BACKUP == 0 {
            backups += 1;
            ensure!(host.create(backups).await?.status == 202, "backup {backups} was not accepted");
        }
        if started.elapsed() > HELD {
            break;
        }
        tokio::time::sleep(ROUND).await;
    }
    for id in 1..=backups {
        host.wait_for_state(id, "COMPLETE").await?;
    }
    let what =
        format!("readiness while {IDLE} idle and {DRIPPING} dripping connections are held for {HELD:?}, longest");
    report.add(Row::new(PART, what, Figure::time(samples.quantile(1.0))).wanted(Wanted::AtMost(1_000.0)));
    let row = Row::new(PART, "… descriptors, at most", Figure::number(most_files));
    report.add(row.wanted(Wanted::AtMost(MAX_FILES)));
    let row = Row::new(PART, "… resident, at most", Figure::bytes(host.peak_memory()?));
    report.add(row.wanted(Wanted::AtMost(MAX_MEBIBYTES)));
    report.add(Row::new(PART, "… backups begun and complete meanwhile", Figure::Number(backups as f64)));
    report.add(Row::new(PART, "… connections that the host closed", Figure::number(held.reopened)));
    Ok(())
}

/// Connections that are opened again when the host has closed them.
struct Held {
    port: u16,
    idle: Vec<TcpStream>,
    dripping: Vec<TcpStream>,
    reopened: usize,
}

impl Held {
    async fn new(port: u16) -> Result<Self> {
        let mut held = Self { port, idle: Vec::new(), dripping: Vec::new(), reopened: 0 };
        for _ in 0..IDLE {
            held.idle.push(TcpStream::connect(("127.0.0.1", port)).await?);
        }
        for _ in 0..DRIPPING {
            held.dripping.push(dripping(port).await?);
        }
        Ok(held)
    }

    /// Sends one more header on each of the dripping ones, and opens again what was closed.
    async fn hold(&mut self) {
        for stream in &mut self.dripping {
            if stream.write_all(b"x-a: b\r\n").await.is_err()
                && let Ok(new) = dripping(self.port).await
            {
                *stream = new;
                self.reopened += 1;
            }
        }
        for stream in &mut self.idle {
            // Nothing is sent to it but the end.
            let closed =
                !matches!(stream.try_read(&mut [0; 64]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
            if closed && let Ok(new) = TcpStream::connect(("127.0.0.1", self.port)).await {
                *stream = new;
                self.reopened += 1;
            }
        }
    }
}

/// A connection with the beginning of a request.
async fn dripping(port: u16) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"POST /actuator/backups HTTP/1.1\r\nhost: localhost\r\n").await?;
    Ok(stream)
}
