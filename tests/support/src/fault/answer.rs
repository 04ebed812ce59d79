//! Answers, the engine's and ours.

use std::time::Duration;

use anyhow::{Context, Result};
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};

use super::body::FaultyBody;

/// An answer that is complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// What the engine said.
    pub(super) async fn read(response: reqwest::Response) -> Result<Self> {
        let status = response.status().as_u16();
        let mut headers = response.headers().clone();
        // These are about the connection to the engine, not about the answer.
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let body = response.bytes().await.context("the engine's answer")?;
        Ok(Self { status, headers, body })
    }

    /// All of it.
    pub(super) fn whole(self) -> Result<Response<FaultyBody>> {
        self.promise(FaultyBody::whole)
    }

    /// All of the head, but only so many bytes of the body that it promises.
    pub(super) fn cut_after(self, length: usize) -> Result<Response<FaultyBody>> {
        self.promise(|body| FaultyBody::cut(body, length))
    }

    /// All of it, the body in so many pieces, one each time that `beat` has passed.
    pub(super) fn dripping(self, pieces: usize, beat: Duration) -> Result<Response<FaultyBody>> {
        self.promise(|body| FaultyBody::dripping(&body, pieces, beat))
    }

    fn promise(self, keep: impl FnOnce(Bytes) -> FaultyBody) -> Result<Response<FaultyBody>> {
        let mut response = Response::builder().status(self.status).header(CONTENT_LENGTH, self.body.len());
        if let Some(headers) = response.headers_mut() {
            headers.extend(self.headers);
        }
        Ok(response.body(keep(self.body))?)
    }
}
