//! Bodies that come slowly or end too early.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use hyper::body::{Body, Bytes, Frame};
use tokio::time::{Interval, interval};

/// A body that comes at once or in pieces, and ends as it should or breaks off.
#[derive(Debug)]
pub(super) struct FaultyBody {
    pieces: vec::IntoIter<Bytes>,
    /// What gives the beat for the pieces.
    beat: Option<Interval>,
    breaks_off: bool,
    flushed: bool,
}

impl FaultyBody {
    /// All of it.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { pieces: vec![bytes].into_iter(), beat: None, breaks_off: false, flushed: false }
    }

    /// What is left of it after a cut.
    pub(super) fn cut(mut bytes: Bytes, length: usize) -> Self {
        bytes.truncate(length);
        Self { breaks_off: true, ..Self::whole(bytes) }
    }

    /// All of it, in so many pieces or as many as there are bytes, one each time that `beat` has passed.
    pub(super) fn dripping(bytes: &Bytes, pieces: usize, beat: Duration) -> Self {
        let length = bytes.len().div_ceil(pieces.max(1)).max(1);
        let pieces: Vec<Bytes> = bytes.chunks(length).map(Bytes::copy_from_slice).collect();
        Self { pieces: pieces.into_iter(), beat: Some(interval(beat)), breaks_off: false, flushed: false }
    }
}

impl Body for FaultyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Some(beat) = &mut self.beat {
            ready!(beat.poll_tick(context));
        }
        if let Some(bytes) = self.pieces.next() {
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
