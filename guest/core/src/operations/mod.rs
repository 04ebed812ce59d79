//! The operations on backups: each sends a few requests to the engine and keeps no state.

mod advance;
mod create;
mod delete;
mod identify;
mod inspect;
mod progress;
mod record;
pub mod restore;
pub mod verification;

pub use advance::{Step, advance};
pub use create::{Accepted, create, optimize_version};
pub use delete::{Deleted, delete};
pub use inspect::{BackupList, get, list};
pub use progress::progress;

use std::borrow::Cow;

use crate::refusal::success;
use crate::run::waits_for_part_two;
use crate::{
    Context, Engine, EngineClock, Error, IndexSelection, Installation, Part, Refusal, Request, Response, Snapshot,
    TransportError,
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
fn select_part_two(engine: &impl Engine, context: &Context) -> Result<(Installation, IndexSelection), Error> {
    let installation = installation(engine, context)?;
    restore::expect_none_in(engine, context, &installation)?;
    let selection = installation.select(Part::Two)?;
    installation.expect_required()?;
    Ok((installation, selection))
}

fn installation(engine: &impl Engine, context: &Context) -> Result<Installation, Error> {
    let prefix = &context.settings.index_prefix;
    let response = engine.send(&Request::resolve(prefix));
    Installation::read(prefix, response.as_ref().map_err(Clone::clone))
}
