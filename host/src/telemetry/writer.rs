//! Writes the log in a thread of its own, so that nobody waits for a slow reader of standard output.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use super::format;
use crate::settings::LogFormat;

/// So many lines wait for standard output. Those that come meanwhile are left out, and counted.
const MAX_WAITING: usize = 4096;
/// How long the end of the process waits for them.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Where events are written to: a queue.
#[derive(Clone)]
pub(super) struct LogWriter {
    queue: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
    /// All that were ever left out.
    total: Arc<AtomicU64>,
}

/// When this is dropped, what is in the queue has been written, or nobody takes it.
pub(crate) struct FlushAtEnd(SyncSender<Entry>);

enum Entry {
    Line {
        /// So many lines are left out before this one.
        missing: u64,
        line: Vec<u8>,
    },
    /// All lines before this one are written.
    Flush(Sender<()>),
}

impl LogWriter {
    /// Writes to standard output.
    pub(super) fn start(format: LogFormat) -> (Self, FlushAtEnd) {
        let out: Box<dyn Write + Send> = match io::stdout().as_fd().try_clone_to_owned() {
            // Unbuffered: each line is one write, and is not tried again after an error.
            Ok(stdout) => Box::new(File::from(stdout)),
            Err(_closed) => Box::new(io::sink()),
        };
        Self::to(out, format)
    }

    fn to(out: impl Write + Send + 'static, format: LogFormat) -> (Self, FlushAtEnd) {
        let (queue, entries) = sync_channel(MAX_WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let total = Arc::new(AtomicU64::new(0));
        let writer = Self { queue: queue.clone(), dropped: Arc::clone(&dropped), total: Arc::clone(&total) };
        // Without a thread nobody takes the lines: the server goes on without its log.
        let output = Output { out, format, lost: 0, total, is_torn: false };
        let _ = thread::Builder::new().name("log".to_owned()).spawn(move || write(output, &entries, &dropped));
        (writer, FlushAtEnd(queue))
    }

    /// How many lines were left out so far.
    pub(super) fn total(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.total)
    }
}

fn write(mut output: Output<impl Write>, entries: &Receiver<Entry>, dropped: &AtomicU64) {
    for entry in entries {
        match entry {
            Entry::Line { missing, line } => output.write(missing, &line),
            Entry::Flush(done) => {
                output.write(dropped.swap(0, Ordering::Relaxed), &[]);
                // Whoever waits has perhaps given up.
                let _ = done.send(());
            }
        }
    }
}

struct Output<W> {
    out: W,
    format: LogFormat,
    /// Lines that were not written for an error.
    lost: u64,
    total: Arc<AtomicU64>,
    /// After half a line the next one begins with a line break.
    is_torn: bool,
}

impl<W: Write> Output<W> {
    /// A closed pipe or a full disk is no reason to end.
    fn write(&mut self, missing: u64, line: &[u8]) {
        let missing = missing + self.lost;
        let mut text = if self.is_torn { vec![b'\n'] } else { Vec::new() };
        if missing > 0 {
            text.extend_from_slice(format::dropped(self.format, missing).as_bytes());
        }
        text.extend_from_slice(line);
        self.is_torn = self.out.write_all(&text).is_err();
        let now_lost = u64::from(self.is_torn && !line.is_empty());
        self.total.fetch_add(now_lost, Ordering::Relaxed);
        self.lost = if self.is_torn { missing + now_lost } else { 0 };
    }
}

impl Write for LogWriter {
    /// Takes one event.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let missing = self.dropped.swap(0, Ordering::Relaxed);
        if self.queue.try_send(Entry::Line { missing, line: line.to_vec() }).is_err() {
            self.dropped.fetch_add(missing + 1, Ordering::Relaxed);
            self.total.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Drop for FlushAtEnd {
    fn drop(&mut self) {
        let deadline = Instant::now() + FLUSH_TIMEOUT;
        let (done, is_done) = channel();
        let mut entry = Entry::Flush(done);
        while let Err(TrySendError::Full(back)) = self.0.try_send(entry) {
            if Instant::now() >= deadline {
                return;
            }
            entry = back;
            thread::sleep(Duration::from_millis(5));
        }
        let _ = is_done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests;
