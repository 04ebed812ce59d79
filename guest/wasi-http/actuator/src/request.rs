use backup_actuator::{CreateRequest, MAX_BODY_BYTES, RequestError, expect_json};
use http::Method;

use crate::bindings::wasi::http::types::{IncomingRequest, Method as WasiMethod};
use crate::bindings::wasi::io::streams::StreamError;

impl IncomingRequest {
    /// The verb, and the path without its query.
    pub(crate) fn target(&self) -> (Method, String) {
        let target = self.path_with_query().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        (verb(&self.method()), path.to_owned())
    }

    /// The query, as it stands in the URL.
    pub(crate) fn query(&self) -> Option<String> {
        self.path_with_query()?.split_once('?').map(|(_, query)| query.to_owned())
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        String::from_utf8(self.headers().get(name).into_iter().next()?).ok()
    }

    /// The body of `POST /actuator/backups`.
    pub(crate) fn to_create(&self) -> Result<CreateRequest, RequestError> {
        expect_json(self.header("content-type").as_deref())?;
        CreateRequest::parse(&self.body().ok_or(RequestError::BodyTooLarge)?)
    }

    /// The body; `None` if it is too large or does not arrive.
    fn body(&self) -> Option<Vec<u8>> {
        const CHUNK: u64 = 8 << 10;
        let incoming = self.consume().ok()?;
        let stream = incoming.stream().ok()?;
        let mut body = Vec::new();
        loop {
            match stream.blocking_read(CHUNK) {
                Ok(chunk) => body.extend_from_slice(&chunk),
                Err(StreamError::Closed) => return Some(body),
                Err(StreamError::LastOperationFailed(_)) => return None,
            }
            if body.len() > MAX_BODY_BYTES {
                return None;
            }
        }
    }
}

fn verb(method: &WasiMethod) -> Method {
    match method {
        WasiMethod::Get => Method::GET,
        WasiMethod::Head => Method::HEAD,
        WasiMethod::Post => Method::POST,
        WasiMethod::Put => Method::PUT,
        WasiMethod::Delete => Method::DELETE,
        WasiMethod::Connect => Method::CONNECT,
        WasiMethod::Options => Method::OPTIONS,
        WasiMethod::Trace => Method::TRACE,
        WasiMethod::Patch => Method::PATCH,
        // One that is no method at all is not allowed anywhere either.
        WasiMethod::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE),
    }
}
