use backup_core::text::MAX_WASI_WRITE_BYTES;
use http::StatusCode;
use serde::Serialize;

use crate::bindings::wasi::http::types::{Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};
use crate::log;

/// An HTTP response.
pub(crate) struct Reply {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self { body, ..Self::empty(status).header("content-type", "application/json") },
            // None of the bodies here can fail to be JSON.
            Err(_) => Self::empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// For `HEAD`.
    pub(crate) fn without_body(mut self) -> Self {
        self.body.clear();
        self
    }

    pub(crate) fn send(self, out: ResponseOutparam) {
        if let Err(step) = self.try_send(out) {
            log::line(&format!("the answer was not sent: {step}"));
        }
    }

    fn try_send(self, out: ResponseOutparam) -> Result<(), &'static str> {
        let headers = self.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
        let headers = Fields::from_list(&headers.collect::<Vec<_>>()).map_err(|_| "headers")?;
        let response = OutgoingResponse::new(headers);
        response.set_status_code(self.status.as_u16()).map_err(|()| "status")?;
        let body = response.body().map_err(|()| "body")?;
        ResponseOutparam::set(out, Ok(response));
        if !self.body.is_empty() {
            let stream = body.write().map_err(|()| "stream")?;
            for chunk in self.body.as_bytes().chunks(MAX_WASI_WRITE_BYTES) {
                stream.blocking_write_and_flush(chunk).map_err(|_| "text")?;
            }
        }
        OutgoingBody::finish(body, None).map_err(|_| "end")
    }
}
