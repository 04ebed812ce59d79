//! A client that costs little beside what it measures: rendered requests on kept connections, answers that are read and
//! dropped.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// As much as is read at once.
const BUFFER: usize = 256 << 10;
const MAX_HEADERS: usize = 32;

/// A connection to a host.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer has been read and not used.
    filled: usize,
}

/// How much of a body is left to read.
enum Body {
    Sized(usize),
    Chunked,
}

/// `GET` of a path, ready to be sent.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.context("connecting to a host")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER], filled: 0 })
    }

    /// Sends a request, reads its answer to the last byte, and returns the status.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        let (status, body) = self.head().await?;
        match body {
            Body::Sized(bytes) => self.skip(bytes).await?,
            Body::Chunked => self.skip_chunks().await?,
        }
        Ok(status)
    }

    /// How long a request took until the last byte of its answer; an error if the status is another one.
    pub(crate) async fn timed(&mut self, request: &[u8], expected: u16) -> Result<Duration> {
        let started = Instant::now();
        let status = self.call(request).await?;
        let took = started.elapsed();
        let line = || String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
        ensure!(status == expected, "{} was answered with {status}", line());
        Ok(took)
    }

    async fn head(&mut self) -> Result<(u16, Body)> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut head = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(end) = head.parse(self.read())? {
                let status = head.code.context("an answer without a status")?;
                let value = |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
                let length = value("content-length").and_then(|header| str::from_utf8(header.value).ok()?.parse().ok());
                let chunked = value("transfer-encoding").is_some();
                let body = length.map(Body::Sized).or(chunked.then_some(Body::Chunked)).unwrap_or(Body::Sized(0));
                self.take(end);
                return Ok((status, body));
            }
            self.fill().await?;
        }
    }

    async fn skip_chunks(&mut self) -> Result<()> {
        const END_OF_LINE: usize = 2;
        loop {
            match httparse::parse_chunk_size(self.read()) {
                Ok(httparse::Status::Complete((end, size))) => {
                    self.take(end);
                    self.skip(usize::try_from(size)? + END_OF_LINE).await?;
                    if size == 0 {
                        return Ok(());
                    }
                }
                Ok(httparse::Status::Partial) => self.fill().await?,
                Err(_) => bail!("an answer has an invalid chunk"),
            }
        }
    }

    async fn skip(&mut self, mut bytes: usize) -> Result<()> {
        loop {
            let known = bytes.min(self.filled);
            self.take(known);
            bytes -= known;
            if bytes == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    fn read(&self) -> &[u8] {
        self.buffer.split_at(self.filled).0
    }

    fn take(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    async fn fill(&mut self) -> Result<()> {
        let read = self.stream.read(self.buffer.split_at_mut(self.filled).1).await?;
        ensure!(read > 0, "the connection was closed within an answer");
        self.filled += read;
        Ok(())
    }
}

/// Sends requests over so many connections for so long, each connection its share of them again and again, and counts the
/// answers in each second.
pub(crate) async fn rate(
    port: u16,
    requests: Vec<Vec<u8>>,
    status: u16,
    connections: usize,
    time: Duration,
) -> Result<f64> {
    // In a thread of its own: the threads of the bench's runtime would wake each other up.
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(count(port, requests, status, connections, time))
    })
    .await?
}

async fn count(port: u16, requests: Vec<Vec<u8>>, status: u16, connections: usize, time: Duration) -> Result<f64> {
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..connections {
        let own: Vec<Vec<u8>> = requests.iter().skip(number).step_by(connections).cloned().collect();
        let mut connection = Connection::open(port).await?;
        callers.spawn(async move {
            let mut answers = 0_u32;
            for request in own.iter().cycle() {
                connection.timed(request, status).await?;
                answers += 1;
                if started.elapsed() > time {
                    break;
                }
            }
            anyhow::Ok(answers)
        });
    }
    let mut answers = 0;
    while let Some(caller) = callers.join_next().await {
        answers += caller??;
    }
    Ok(f64::from(answers) / started.elapsed().as_secs_f64())
}
