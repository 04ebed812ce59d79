//! What can be done with backups: each is a short exchange with an engine and keeps nothing.

mod advance;
mod create;
mod delete;
mod inspect;

pub use advance::{Progress, advance};
pub use create::{Accepted, create};
pub use delete::{Deleted, delete};
pub use inspect::{BackupList, get, list};

use serde::Deserialize;

use crate::answer::{document, success};
use crate::selection::missing_indices;
use crate::{Context, Engine, Error, IndexSelection, Part, Refusal, Request, Response};

/// Sends a request; the answer's body if it is a success.
fn ask(engine: &impl Engine, context: &Context, request: &Request) -> Result<String, Error> {
    let response = exchange(engine, request)?;
    if let Err(refusal) = success(&response) {
        return Err(Error::refused(request, refusal, context.repository()?));
    }
    Ok(response.body)
}

fn exchange(engine: &impl Engine, request: &Request) -> Result<Response, Error> {
    engine.send(request).map_err(|error| Error::transport(request, error))
}

/// The answer was lost or garbled on the way.
fn may_have_acted(fault: &Error) -> bool {
    match fault {
        Error::EngineNotAnswering { .. } | Error::EngineAnswerInvalid { .. } => true,
        _ => fault.refusal().is_some_and(Refusal::is_of_a_proxy),
    }
}

/// Looks up which indices part 2 consists of at this moment.
fn select_part_two(engine: &impl Engine, context: &Context) -> Result<IndexSelection, Error> {
    let names = installed_indices(engine, context)?;
    let selection = choose(context, Part::Two, &names)?;
    expect_whole(context, &names)?;
    Ok(selection)
}

fn choose(context: &Context, part: Part, names: &[String]) -> Result<IndexSelection, Error> {
    let prefix = &context.settings.index_prefix;
    IndexSelection::new(part, prefix, names.iter().map(String::as_str))
        .map_err(|nothing| Error::NothingToSnapshot { part: nothing.0, prefix: prefix.clone() })
}

/// A backup of what is left would be COMPLETE by its parts, and could not be restored.
fn expect_whole(context: &Context, names: &[String]) -> Result<(), Error> {
    let prefix = &context.settings.index_prefix;
    let missing = missing_indices(prefix, names.iter().map(String::as_str));
    if missing.is_empty() { Ok(()) } else { Err(Error::IndicesMissing { missing, prefix: prefix.clone() }) }
}

fn installed_indices(engine: &impl Engine, context: &Context) -> Result<Vec<String>, Error> {
    let request = Request::resolve(&context.settings.index_prefix);
    let resolved: Resolved = document(&request, &ask(engine, context, &request)?)?;
    let names: Vec<String> = resolved.indices.into_iter().map(|index| index.name).collect();
    match names.iter().find(|name| is_expression(name)) {
        Some(name) => Err(Error::EngineAnswerInvalid {
            request: request.to_string(),
            fault: format!("it tells of an index '{}', which no index can be called", name.escape_debug()),
        }),
        None => Ok(names),
    }
}

/// Whether a request that lists this name could reach other indices than one of that name.
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
