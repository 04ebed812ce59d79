use std::time::Duration;

use backup_core::text::MAX_WASI_WRITE_BYTES;
use backup_core::{Method, Response, TransportError};
use backup_elasticsearch::{ConnectError, Granted, Grants, path, query};
use backup_settings::{Node, Settings};

use crate::bindings::wasi::http::outgoing_handler::{self, FutureIncomingResponse, OutgoingRequest, RequestOptions};
use crate::bindings::wasi::http::types::{self as http, OutgoingBody, Scheme};
use crate::clock::{Deadline, nanoseconds};
use crate::{answer, cause, headers, log, outstanding, settings};

/// The cluster that the settings name.
pub(crate) struct Client {
    settings: &'static Settings,
}

/// Why one node gave no answer.
pub(crate) enum Failure {
    /// Nothing was sent: the next node can be tried.
    NoConnection(ConnectError),
    /// The request may have arrived.
    Final(TransportError),
}

/// A request on its way, or its answer.
enum Sent {
    Answered(Response),
    OnItsWay(FutureIncomingResponse),
}

impl Client {
    pub(crate) fn from_environment() -> Result<Self, TransportError> {
        match settings::get() {
            Ok(settings) => Ok(Self { settings }),
            Err(error) => Err(TransportError::Unreachable(format!("the settings cannot be used: {error}"))),
        }
    }

    pub(crate) fn grants(&self) -> Grants {
        Grants::new(self.settings.repository.clone(), self.settings.index_prefix.clone())
    }

    /// How long one request may take with all its attempts.
    pub(crate) fn timeout(&self) -> Duration {
        self.settings.limits.request_timeout
    }

    /// Sends a request and waits for the answer.
    pub(crate) fn send(&self, granted: &Granted, deadline: &Deadline) -> Result<Response, TransportError> {
        match self.send_to_nodes(granted, deadline)? {
            (_, Sent::Answered(response)) => Ok(response),
            (node, Sent::OnItsWay(_)) => Err(out_of_time(node)),
        }
    }

    /// Sends a request; `None` if the engine is still at it at the deadline.
    pub(crate) fn submit(&self, granted: &Granted, deadline: &Deadline) -> Result<Option<Response>, TransportError> {
        match self.send_to_nodes(granted, deadline)? {
            (_, Sent::Answered(response)) => Ok(Some(response)),
            (_, Sent::OnItsWay(response)) => {
                outstanding::keep(response);
                Ok(None)
            }
        }
    }

    /// Tries one node after the other until one accepts the request.
    fn send_to_nodes(&self, granted: &Granted, deadline: &Deadline) -> Result<(&Node, Sent), TransportError> {
        let mut unreachable = Vec::new();
        for node in &self.settings.connection.nodes {
            if deadline.left().is_zero() {
                unreachable.push("no time was left".to_owned());
                break;
            }
            match self.send_to(node, granted, deadline) {
                Ok(sent) => return Ok((node, sent)),
                Err(Failure::NoConnection(cause)) => {
                    log::line(&format!("no connection to the search engine's node {node}: {cause}"));
                    unreachable.push(format!("{node}: {cause}"));
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
        Err(TransportError::Unreachable(unreachable.join("; ")))
    }

    fn send_to(&self, node: &Node, granted: &Granted, deadline: &Deadline) -> Result<Sent, Failure> {
        let request = self.build(node, granted)?;
        let body = request.body().map_err(|()| refused_by_host("a body"))?;
        let options = self.options()?;
        let failed = |code| cause::of(&code, granted.request().method, node);
        let response = outgoing_handler::handle(request, Some(options)).map_err(failed)?;
        write(body, granted.request().body.as_deref().unwrap_or_default()).map_err(Failure::Final)?;
        if !deadline.wait_for(&response.subscribe()) {
            return Ok(Sent::OnItsWay(response));
        }
        let answer = match response.get() {
            Some(Ok(answer)) => answer.map_err(failed)?,
            Some(Err(())) | None => return Err(Failure::Final(interrupted(node, "the host lost its answer"))),
        };
        let limit = self.settings.limits.max_response_bytes;
        answer::read(&answer, node, limit, deadline).map(Sent::Answered).map_err(Failure::Final)
    }

    fn build(&self, node: &Node, granted: &Granted) -> Result<OutgoingRequest, Failure> {
        let (connection, request) = (&self.settings.connection, granted.request());
        let headers = headers::of_request(&connection.authentication, request.body.is_some());
        let outgoing = OutgoingRequest::new(headers.map_err(Failure::Final)?);
        let mut target = path(&connection.path_prefix, request);
        if !target.starts_with('/') {
            target.insert(0, '/');
        }
        if let Some(query) = query(request) {
            target = format!("{target}?{query}");
        }
        let scheme = if connection.tls.is_some() { Scheme::Https } else { Scheme::Http };
        let method = match request.method {
            Method::Get => http::Method::Get,
            Method::Put => http::Method::Put,
            Method::Post => http::Method::Post,
            Method::Delete => http::Method::Delete,
        };
        outgoing.set_method(&method).map_err(|()| refused_by_host("the method"))?;
        outgoing.set_scheme(Some(&scheme)).map_err(|()| refused_by_host("the scheme"))?;
        outgoing.set_authority(Some(&node.to_string())).map_err(|()| refused_by_host("the node's name"))?;
        outgoing.set_path_with_query(Some(&target)).map_err(|()| refused_by_host("the path"))?;
        Ok(outgoing)
    }

    /// A host that does not support one of these refuses it here; the deadline holds all the same.
    fn options(&self) -> Result<RequestOptions, Failure> {
        let options = RequestOptions::new();
        // Also where less time is left: Node aborts a request without a response after this time.
        let connect = self.settings.limits.connect_timeout;
        options.set_connect_timeout(Some(nanoseconds(connect))).map_err(|()| refused_by_host("a connect timeout"))?;
        Ok(options)
    }
}

fn write(body: OutgoingBody, text: &str) -> Result<(), TransportError> {
    let cut_off = || TransportError::Interrupted("the host stopped sending the request".to_owned());
    let stream = body.write().map_err(|()| cut_off())?;
    for chunk in text.as_bytes().chunks(MAX_WASI_WRITE_BYTES) {
        stream.blocking_write_and_flush(chunk).map_err(|_| cut_off())?;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|_| cut_off())
}

pub(crate) fn interrupted(node: &Node, cause: &str) -> TransportError {
    TransportError::Interrupted(format!("{node} sent no answer: {cause}"))
}

fn out_of_time(node: &Node) -> TransportError {
    TransportError::Interrupted(format!("{node} sent no complete answer in time (backup.callTimeout)"))
}

fn refused_by_host(what: &str) -> Failure {
    Failure::NoConnection(ConnectError::Other(format!("the host of this component refuses {what} of the request")))
}
