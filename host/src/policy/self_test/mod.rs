//! The self-test of a policy: golden cases on an in-memory engine, within the limits of production.
//!
//! The cases hold for every policy. Where rules may differ (which ids are valid, the words of a message, how long it waits),
//! they follow what the policy does, not what the embedded one would do.

mod cases;
mod test_bed;
mod verification;

use std::fmt;
use std::time::Instant;

use backup_core::milliseconds;
use tracing::{Instrument, error_span};

use crate::elasticsearch::Oversteps;
use crate::policy::Admitted;
use crate::sandbox::CallError;
use crate::sandbox::types::Error;
use test_bed::TestBed;

/// A case failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the case '{case}' went wrong: expected {expected}, found {found}")]
pub struct SelfTestError {
    pub case: &'static str,
    pub expected: &'static str,
    pub found: String,
}

type Outcome<T = ()> = Result<T, SelfTestError>;

/// Runs all cases. A request outside the scope of its call fails the self-test as well.
///
/// # Errors
/// The first [`SelfTestError`].
pub async fn run(admitted: &Admitted) -> Outcome {
    let started = Instant::now();
    let oversteps = Oversteps::default();
    let span = error_span!("self_test", digest = %admitted.info.digest);
    let outcome = cases::all(admitted, &oversteps).instrument(span).await;
    if let Some(denial) = oversteps.first() {
        // It explains whatever else went wrong.
        return mismatch("the scope of a call", "only requests that the call is for", denial.to_string());
    }
    outcome?;
    tracing::debug!(tookMilliseconds = milliseconds(started.elapsed()), "the policy passed the self-test");
    Ok(())
}

fn mismatch<T>(case: &'static str, expected: &'static str, found: impl Into<String>) -> Outcome<T> {
    // A policy's message can be long.
    Err(SelfTestError { case, expected, found: found.into().chars().take(500).collect() })
}

/// The answer, which must not be an error.
fn answer<T>(case: &'static str, expected: &'static str, outcome: Result<T, CallError>) -> Outcome<T> {
    outcome.or_else(|error| mismatch(case, expected, format!("the error: {error}")))
}

pub(super) fn told<T: fmt::Debug>(outcome: &Result<T, CallError>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(CallError::Refused(error)) => {
            let problem = error.problem();
            format!("the error '{}' ({}): {}", name(error), problem.code, problem.message)
        }
        Err(error) => error.to_string(),
    }
}

/// As the WIT package has it.
fn name(error: &Error) -> &'static str {
    match error {
        Error::InvalidRequest(_) => "invalid-request",
        Error::Configuration(_) => "configuration",
        Error::Conflict(_) => "conflict",
        Error::NotFound(_) => "not-found",
        Error::Unreachable(_) => "unreachable",
        Error::EngineFailure(_) => "engine-failure",
        Error::Denied(_) => "denied",
    }
}

/// The items of a list, for people.
fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}
