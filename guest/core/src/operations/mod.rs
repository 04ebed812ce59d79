//! The operations on backups: each sends a few requests to the engine and keeps no state.

mod advance;
mod create;
mod delete;
mod identify;
mod inspect;
mod progress;

pub use advance::{Step, advance};
pub use create::{Accepted, create};
pub use delete::{Deleted, delete};
pub use inspect::{BackupList, get, list};
pub use progress::progress;

use std::borrow::Cow;

use serde::Deserialize;

use crate::refusal::{document, success};
use crate::run::waits_for_part_two;
use crate::selection::missing_indices;
use crate::{
    Context, Engine, EngineClock, Error, IndexSelection, Part, Refusal, Request, Response, Snapshot, TransportError,
};

/// Sends a request, and returns the body of a success.
fn fetch(engine: &impl Engine, context: &Context, request: &Request) -> Result<String, Error> {
    let response = send(engine, request)?;
    if let Err(refusal) = success(&response) {
        return Err(Error::refused(request, refusal, context.repository()?));
    }
    Ok(response.body)
}

fn send(engine: &impl Engine, request: &Request) -> Result<Response, Error> {
    engine.send(request).map_err(|error| Error::transport(request, error))
}

/// Asks for the engine's time, if the state of a backup depends on it and it was not asked for before.
fn ask_clock_for(engine: &impl Engine, context: &mut Cow<'_, Context>, snapshots: &[Snapshot]) -> Result<(), Error> {
    if context.engine_clock == EngineClock::NotAsked && waits_for_part_two(snapshots, context).is_some() {
        context.to_mut().engine_clock = engine_clock(engine, context)?;
    }
    Ok(())
}

/// A user, a proxy or another host's grants may refuse the request. Then the host's clock has to do.
fn engine_clock(engine: &impl Engine, context: &Context) -> Result<EngineClock, Error> {
    let request = Request::engine_clock();
    let response = match engine.send(&request) {
        Err(TransportError::Denied(reason)) => return Ok(EngineClock::NotKnown(reason)),
        response => response.map_err(|error| Error::transport(&request, error))?,
    };
    match success(&response) {
        Ok(body) => Ok(EngineClock::read(body)
            .map_or_else(|| EngineClock::NotKnown(format!("no time in {request}")), EngineClock::Shows)),
        Err(refusal) if refusal.is_transient() => Err(Error::refused(&request, refusal, context.repository()?)),
        Err(refusal) => Ok(EngineClock::NotKnown(refusal.to_string())),
    }
}

/// The response was lost or damaged on its way, so the engine may have executed the request.
fn may_have_executed(error: &Error) -> bool {
    match error {
        Error::EngineNotAnswering { .. } | Error::EngineAnswerInvalid { .. } => true,
        _ => error.refusal().is_some_and(Refusal::is_from_proxy),
    }
}

/// Submits a part again as long as an index of its list is gone: while it runs, Optimize deletes the index of a process
/// that has no instances any more. Each time the list is read again.
fn while_indices_vanish<T>(submit: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    const MAX_ATTEMPTS: usize = 5;
    for _ in 1..MAX_ATTEMPTS {
        match submit() {
            Err(error) if error.refusal().is_some_and(Refusal::is_index_missing) => {}
            result => return result,
        }
    }
    submit()
}

/// The indices of part 2 at this moment.
fn select_part_two(engine: &impl Engine, context: &Context) -> Result<IndexSelection, Error> {
    let names = installed_indices(engine, context)?;
    let selection = choose(context, Part::Two, &names)?;
    expect_required_indices(context, &names)?;
    Ok(selection)
}

fn choose(context: &Context, part: Part, names: &[String]) -> Result<IndexSelection, Error> {
    let prefix = &context.settings.index_prefix;
    IndexSelection::new(part, prefix, names.iter().map(String::as_str))
        .map_err(|nothing| Error::NothingToSnapshot { part: nothing.0, prefix: prefix.clone() })
}

/// Without these indices a backup would be COMPLETE by its parts, but could not be restored.
fn expect_required_indices(context: &Context, names: &[String]) -> Result<(), Error> {
    let prefix = &context.settings.index_prefix;
    let missing = missing_indices(prefix, names.iter().map(String::as_str));
    if missing.is_empty() { Ok(()) } else { Err(Error::IndicesMissing { missing, prefix: prefix.clone() }) }
}

fn installed_indices(engine: &impl Engine, context: &Context) -> Result<Vec<String>, Error> {
    let request = Request::resolve(&context.settings.index_prefix);
    let resolved: Resolved = document(&request, &fetch(engine, context, &request)?)?;
    let names: Vec<String> = resolved.indices.into_iter().map(|index| index.name).collect();
    match names.iter().find(|name| is_expression(name)) {
        Some(name) => Err(Error::EngineAnswerInvalid {
            request: request.to_string(),
            reason: format!("it tells of an index '{}', which no index can be called", name.escape_debug()),
        }),
        None => Ok(names),
    }
}

/// Whether an engine would read this name, in a list of indices, as a pattern or another expression.
fn is_expression(name: &str) -> bool {
    name.starts_with(['-', '+', '_']) || name.contains(['*', '?', ',', '<', '>', '|', '"', '\\', '/', '#', ' '])
}

#[derive(Deserialize)]
struct Resolved {
    indices: Vec<ResolvedIndex>,
}

#[derive(Deserialize)]
struct ResolvedIndex {
    name: String,
}
