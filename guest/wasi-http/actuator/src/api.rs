use backup_actuator::{BackupView, Health, Message, Probe, info, links};
use backup_core as core;
use http::{Method, StatusCode};

use crate::afterwards::Afterwards;
use crate::bindings::optimize::backup::elasticsearch as engine;
use crate::bindings::wasi::http::types::IncomingRequest;
use crate::error::Error;
use crate::policy::Policy;
use crate::reply::Reply;
use crate::routes::{LINKS, NoRoute, Route};
use crate::settings::Configuration;

/// The answer to a request, and what is to be done when it is sent.
pub(crate) fn answer(request: &IncomingRequest) -> (Reply, Afterwards) {
    let (method, path) = request.target();
    let (reply, afterwards) = match Route::find(&method, &path) {
        Ok(route) => serve(route, request).unwrap_or_else(|error| (error.into(), Afterwards::Nothing)),
        Err(no_route) => (refuse(no_route), Afterwards::Nothing),
    };
    (if method == Method::HEAD { reply.without_body() } else { reply }, afterwards)
}

fn refuse(NoRoute(error, allowed): NoRoute) -> Reply {
    let reply = Reply::from(Error::Request(error));
    match allowed {
        Some(verbs) => reply.header("allow", verbs),
        None => reply,
    }
}

fn serve(route: Route, request: &IncomingRequest) -> Result<(Reply, Afterwards), Error> {
    let reply = match route {
        Route::Links => Reply::json(StatusCode::OK, &links(request.authority().as_deref(), &LINKS)),
        Route::Liveness => Reply::json(StatusCode::OK, &Health::liveness()),
        Route::Info => Reply::json(StatusCode::OK, &info(env!("CARGO_PKG_DESCRIPTION"))),
        Route::Readiness => health(readiness(policy()?)),
        Route::Health => health(readiness(policy()?).of_groups(&["liveness", "readiness"])),
        Route::Create => return create(policy()?, request),
        Route::List => list(policy()?)?,
        Route::Get(id) => get(policy()?, &id)?,
        Route::Delete(id) => return delete(policy()?, id),
    };
    Ok((reply, Afterwards::Nothing))
}

fn policy() -> Result<Policy, Error> {
    match Configuration::get() {
        Ok(configuration) => Ok(Policy(configuration)),
        Err(fault) => Err(Error::Settings(fault)),
    }
}

fn create(policy: Policy, request: &IncomingRequest) -> Result<(Reply, Afterwards), Error> {
    let accepted = policy.create(&request.to_create()?.backup_id)?;
    let reply = Reply::json(StatusCode::ACCEPTED, &Message::scheduled(accepted.backup_id));
    Ok((reply, Afterwards::Drive(policy, accepted.backup_id)))
}

fn get(policy: Policy, id: &str) -> Result<Reply, Error> {
    let backup = policy.get(id)?;
    Ok(Reply::json(StatusCode::OK, &BackupView::new(backup.into(), &policy.0.presentation)))
}

fn list(policy: Policy) -> Result<Reply, Error> {
    let view = |backup: crate::bindings::optimize::backup::types::Backup| {
        BackupView::new(backup.into(), &policy.0.presentation)
    };
    Ok(Reply::json(StatusCode::OK, &policy.list()?.into_iter().map(view).collect::<Vec<_>>()))
}

fn delete(policy: Policy, id: String) -> Result<(Reply, Afterwards), Error> {
    let deleted = policy.delete(&id, None)?;
    let afterwards = Afterwards::LookAgain { policy, id, runs: deleted.runs, pending: deleted.pending };
    Ok((Reply::empty(StatusCode::NO_CONTENT), afterwards))
}

fn readiness(policy: Policy) -> Health {
    let repository = policy.0.settings.repository.as_ref();
    let answer = engine::send(&to_wit(Probe::request(repository)));
    Health::readiness(Probe::read(repository, answer.map(from_wit).map_err(from_wit_error)))
}

fn health(health: Health) -> Reply {
    let (status, body) = health.answer();
    Reply::json(status, &body)
}

fn to_wit(request: core::Request) -> engine::Request {
    let method = match request.method {
        core::Method::Get => engine::Method::Get,
        core::Method::Put => engine::Method::Put,
        core::Method::Delete => engine::Method::Delete,
    };
    engine::Request { method, path: request.path, query: request.query, body: request.body }
}

fn from_wit(response: engine::Response) -> core::Response {
    core::Response { status: response.status, retry_after: None, body: response.body }
}

fn from_wit_error(error: engine::TransportError) -> core::TransportError {
    match error {
        engine::TransportError::Denied(text) => core::TransportError::Denied(text),
        engine::TransportError::Unreachable(text) => core::TransportError::Unreachable(text),
        engine::TransportError::Interrupted(text) => core::TransportError::Interrupted(text),
        engine::TransportError::Unreadable(text) => core::TransportError::Unreadable(text),
    }
}
