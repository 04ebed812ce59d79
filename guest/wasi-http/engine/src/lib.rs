//! The interface `elasticsearch` over `wasi:http`, as a component.
//!
//! It sends a policy's requests to the nodes in the environment's settings, as far as they are granted to the call that
//! the actuator has announced through `scopes`.

mod answer;
mod bindings;
mod cause;
mod client;
mod clock;
mod headers;
mod log;
mod outstanding;
mod scopes;
mod settings;

use backup_core::{Request, Response, TransportError};
use backup_elasticsearch::{EARLY_ANSWER_TIMEOUT, Granted, Retry, request_timeout};
use bindings::exports::optimize::backup::elasticsearch as wit;
use client::Client;
use clock::Deadline;

backup_core::capability_types!(crate::bindings::exports::optimize::backup::elasticsearch);

struct Adapter;

impl wit::Guest for Adapter {
    fn send(request: wit::Request) -> Result<wit::Response, wit::TransportError> {
        Ok(send(request.into())?.into())
    }

    fn submit(request: wit::Request) -> Result<Option<wit::Response>, wit::TransportError> {
        Ok(submit(request.into())?.map(Into::into))
    }
}

fn send(request: Request) -> Result<Response, TransportError> {
    let client = Client::from_environment()?;
    let granted = check(&client, request)?;
    let deadline = Deadline::after(request_timeout(&granted, client.timeout()));
    let response = retry(&granted, &deadline, || client.send(&granted, &deadline).map(Some))?;
    // Only `submit` can be without one.
    response.ok_or_else(|| TransportError::Interrupted("there is no answer".to_owned()))
}

/// `None`: the engine has not responded yet.
fn submit(request: Request) -> Result<Option<Response>, TransportError> {
    let client = Client::from_environment()?;
    let granted = check(&client, request)?;
    let deadline = Deadline::after(EARLY_ANSWER_TIMEOUT);
    retry(&granted, &deadline, || client.submit(&granted, &deadline))
}

/// Sends a request until its result is final.
fn retry(
    granted: &Granted,
    deadline: &Deadline,
    send: impl Fn() -> Result<Option<Response>, TransportError>,
) -> Result<Option<Response>, TransportError> {
    let mut retry = Retry::new(granted, || 0.0);
    loop {
        let Some(result) = send().transpose() else { return Ok(None) };
        let Some(delay) = retry.delay_after(&result, deadline.left()) else { return result.map(Some) };
        clock::sleep(delay);
    }
}

fn check(client: &Client, request: Request) -> Result<Granted, TransportError> {
    let text = request.to_string();
    client.grants().check(request, scopes::current()).map_err(|denial| {
        log::line(&format!("denied a policy's request: {text}: {denial}"));
        denial.into()
    })
}
