//! Bodies that end too early.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};

/// A body that ends as it should, or breaks off.
#[derive(Debug)]
pub(super) struct FaultyBody {
    rest: Option<Bytes>,
    breaks_off: bool,
    flushed: bool,
}

impl FaultyBody {
    /// All of it.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { rest: Some(bytes), breaks_off: false, flushed: false }
    }

    /// What is left of it after a cut.
    pub(super) fn cut(bytes: Bytes, length: usize) -> Self {
        let mut bytes = bytes;
        bytes.truncate(length);
        Self { rest: Some(bytes), breaks_off: true, flushed: false }
    }
}

impl Body for FaultyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Some(bytes) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if !self.breaks_off {
            return Poll::Ready(None);
        }
        if !self.flushed {
            // What was written so far is sent only when there is nothing more at the moment.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut off, as the test wants it"))))
    }
}
