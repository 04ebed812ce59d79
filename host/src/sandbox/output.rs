use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi_io::bytes::Bytes;

/// Of each stream of a call. The rest is counted.
const MAX_BYTES: usize = 16 << 10;

/// Logs what a call prints on stdout or stderr, line by line and up to [`MAX_BYTES`].
///
/// A guest can open a stream several times; all of them write here.
#[derive(Clone)]
pub(super) struct LogStream(Arc<Mutex<LineLog>>);

struct LineLog {
    stream: &'static str,
    line: Vec<u8>,
    left: usize,
    omitted: usize,
}

impl LogStream {
    pub(super) fn new(stream: &'static str) -> Self {
        Self(Arc::new(Mutex::new(LineLog { stream, line: Vec::new(), left: MAX_BYTES, omitted: 0 })))
    }

    fn print(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).print(bytes);
    }
}

impl LineLog {
    fn print(&mut self, bytes: &[u8]) {
        let (logged, omitted) = bytes.split_at_checked(self.left).unwrap_or((bytes, &[]));
        self.left = self.left.saturating_sub(logged.len());
        self.omitted = self.omitted.saturating_add(omitted.len());
        for piece in logged.split_inclusive(|&byte| byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.extend_from_slice(end);
                    self.log_line();
                }
                None => self.line.extend_from_slice(piece),
            }
        }
    }

    fn log_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        tracing::info!(stream = self.stream, line = &*line, "the policy prints");
        self.line.clear();
    }
}

/// The call is over.
impl Drop for LineLog {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.log_line();
        }
        if self.omitted > 0 {
            let (stream, bytes) = (self.stream, self.omitted);
            tracing::warn!(stream, bytes, "the policy prints more than is logged");
        }
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// Only WASI 0.3 asks for it, which no policy is linked to.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        const MAX_WRITE_BYTES: usize = 64 << 10;
        Ok(MAX_WRITE_BYTES)
    }
}

#[async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}
