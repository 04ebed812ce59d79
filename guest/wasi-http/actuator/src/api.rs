use backup_actuator::{BackupView, Finding, Health, Info, Links, Message, Probe, ProgressView, list_query, next_link};
use backup_core::{Request, Response, TransportError};
use http::{Method, StatusCode};

use crate::background::Background;
use crate::bindings::optimize::backup::elasticsearch as engine;
use crate::bindings::wasi::http::types::IncomingRequest;
use crate::error::Error;
use crate::policy::Policy;
use crate::reply::Reply;
use crate::routes::{LINKS, NoRoute, Route};
use crate::settings::Configuration;

backup_core::capability_types!(crate::bindings::optimize::backup::elasticsearch);

/// The reply to a request, and the work after it.
pub(crate) fn respond(request: &IncomingRequest) -> (Reply, Background) {
    let (method, path) = request.target();
    let (reply, background) = match Route::find(&method, &path) {
        Ok(route) => serve(route, request).unwrap_or_else(|error| (error.into(), Background::None)),
        Err(no_route) => (refuse(no_route), Background::None),
    };
    (if method == Method::HEAD { reply.without_body() } else { reply }, background)
}

fn refuse(NoRoute(error, allowed): NoRoute) -> Reply {
    let reply = Reply::from(Error::Request(error));
    match allowed {
        Some(verbs) => reply.header("allow", verbs),
        None => reply,
    }
}

fn serve(route: Route, request: &IncomingRequest) -> Result<(Reply, Background), Error> {
    let reply = match route {
        Route::Links => Reply::json(StatusCode::OK, &Links::new(request.authority().as_deref(), &LINKS)),
        Route::Liveness => Reply::json(StatusCode::OK, &Health::liveness()),
        Route::Info => Reply::json(StatusCode::OK, &Info::new(env!("CARGO_PKG_DESCRIPTION"))),
        Route::Readiness => health(readiness(policy()?)),
        Route::Health => health(readiness(policy()?).of_groups(&["liveness", "readiness"])),
        Route::Create => return create(policy()?, request),
        Route::List => list(policy()?, request.query().as_deref())?,
        Route::Get(id) => get(policy()?, &id)?,
        Route::Progress(id) => progress(policy()?, &id)?,
        Route::Delete(id) => return delete(policy()?, id),
    };
    Ok((reply, Background::None))
}

fn policy() -> Result<Policy, Error> {
    match Configuration::get() {
        Ok(configuration) => Ok(Policy(configuration)),
        Err(error) => Err(Error::Settings(error)),
    }
}

fn create(policy: Policy, request: &IncomingRequest) -> Result<(Reply, Background), Error> {
    let accepted = policy.create(&request.to_create()?.backup_id)?;
    let reply = Reply::json(StatusCode::ACCEPTED, &Message::scheduled(accepted.backup_id));
    Ok((reply, Background::Drive(policy, accepted.backup_id)))
}

fn get(policy: Policy, id: &str) -> Result<Reply, Error> {
    let backup = policy.get(id)?;
    Ok(Reply::json(StatusCode::OK, &BackupView::new(backup.into(), &policy.0.presentation)))
}

fn progress(policy: Policy, id: &str) -> Result<Reply, Error> {
    let progress = policy.progress(id)?;
    Ok(Reply::json(StatusCode::OK, &ProgressView::new(progress.into(), &policy.0.presentation)))
}

fn list(policy: Policy, query: Option<&str>) -> Result<Reply, Error> {
    let query = list_query(query)?;
    let page = policy.list(&query)?;
    let views = page.backups.into_iter().map(|backup| BackupView::new(backup.into(), &policy.0.presentation));
    let reply = Reply::json(StatusCode::OK, &views.collect::<Vec<_>>());
    Ok(match next_link(&query, page.next) {
        Some(link) => reply.header("link", link),
        None => reply,
    })
}

fn delete(policy: Policy, id: String) -> Result<(Reply, Background), Error> {
    let deleted = policy.delete(&id, None)?;
    let background = Background::DeleteLeftovers { policy, id, runs: deleted.runs, pending: deleted.pending };
    Ok((Reply::empty(StatusCode::NO_CONTENT), background))
}

fn readiness(policy: Policy) -> Health {
    let settings = &policy.0.settings;
    let (repository, prefix) = (settings.repository.as_ref(), &settings.index_prefix);
    let response = ask(Probe::request(repository));
    let mut probe = Probe::read(settings.engine, repository, prefix, response.as_ref().map_err(Clone::clone));
    if probe.is_answered() {
        let response = ask(Request::resolve(prefix));
        probe.indices = Finding::of_indices(prefix, response.as_ref().map_err(Clone::clone));
    }
    Health::readiness(&probe)
}

fn ask(request: Request) -> Result<Response, TransportError> {
    engine::send(&request.into()).map(Into::into).map_err(Into::into)
}

fn health(health: Health) -> Reply {
    Reply::json(health.status_code(), &health)
}
