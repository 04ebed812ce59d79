//! The engine over `wasi:http`, as a component: it lends a policy what the environment's settings name and
//! the grants allow, to the call that the actuator says is under way.

mod answer;
mod bindings;
mod cause;
mod client;
mod clock;
mod convert;
mod headers;
mod log;
mod outstanding;
mod scopes;
mod settings;

use backup_core::{Method, Request, Response, TransportError};
use backup_elasticsearch::{Granted, may_pass};
use bindings::exports::optimize::backup::elasticsearch as wit;
use client::Client;
use clock::Deadline;
use std::time::Duration;

struct Adapter;

/// How long the early refusal of a long request is waited for.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(2);
/// The waits between the attempts of a request whose failure may pass.
const DELAYS: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(800)];

impl wit::Guest for Adapter {
    fn send(request: wit::Request) -> Result<wit::Response, wit::TransportError> {
        Ok(send(request.into())?.into())
    }

    fn submit(request: wit::Request) -> Result<Option<wit::Response>, wit::TransportError> {
        Ok(submit(request.into())?.map(Into::into))
    }
}

/// Sends a request, and for a while again if its failure may pass.
fn send(request: Request) -> Result<Response, TransportError> {
    let client = Client::from_environment()?;
    let granted = check(&client, request)?;
    let method = granted.request().method;
    // A write leaves half of the time for finding out what became of it.
    let budget = if method == Method::Get { client.budget() } else { client.budget() / 2 };
    let deadline = Deadline::after(budget);
    let answer = insist(method, &deadline, || client.send(&granted, &deadline).map(Some))?;
    // Only what is submitted can be without one.
    answer.ok_or_else(|| TransportError::Interrupted("there is no answer".to_owned()))
}

/// Sends a request that can take minutes, and goes on without its answer if that does not come soon.
fn submit(request: Request) -> Result<Option<Response>, TransportError> {
    let client = Client::from_environment()?;
    let granted = check(&client, request)?;
    let deadline = Deadline::after(SUBMIT_PATIENCE);
    insist(granted.request().method, &deadline, || client.submit(&granted, &deadline))
}

/// Asks, and for a while again if the failure may pass.
fn insist(
    method: Method,
    deadline: &Deadline,
    ask: impl Fn() -> Result<Option<Response>, TransportError>,
) -> Result<Option<Response>, TransportError> {
    for delay in DELAYS {
        let Some(outcome) = ask().transpose() else { return Ok(None) };
        let asked_for = outcome.as_ref().ok().and_then(|response| response.retry_after).unwrap_or_default();
        let delay = delay.max(asked_for);
        if !may_pass(method, &outcome) || delay >= deadline.left() {
            return outcome.map(Some);
        }
        clock::sleep(delay);
    }
    ask()
}

fn check(client: &Client, request: Request) -> Result<Granted, TransportError> {
    let text = request.to_string();
    client.grants().check(request, scopes::current()).map_err(|denial| {
        log::line(&format!("denied a policy's request: {text}: {denial}"));
        denial.into()
    })
}
