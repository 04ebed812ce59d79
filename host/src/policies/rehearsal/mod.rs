//! The self-test of a policy: golden cases, within the limits of production, on an engine that is not
//! there.
//!
//! The cases are what any policy owes its operators, whatever rules of its own it has: which ids are
//! valid beyond numbers, what else is in a message, how long it waits. Where a rule may differ, the cases
//! go by what the policy does and not by what the embedded one would do.

mod cases;
mod stage;

use std::fmt;
use std::time::Instant;

use tracing::{Instrument, info_span};

use crate::policies::Admitted;
use crate::policy::{CallError, Oversteps};
use stage::Stage;

/// A case that did not go as it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the case '{case}' went wrong: expected {expected}, found {found}")]
pub struct Mismatch {
    /// What was tried.
    pub case: &'static str,
    /// What any policy does.
    pub expected: &'static str,
    /// What this one did.
    pub found: String,
}

/// What a case comes to.
type Outcome<T = ()> = Result<T, Mismatch>;

/// Takes a policy through all cases; in each of them, its calls may ask only for what they are for.
///
/// # Errors
/// The first [`Mismatch`].
pub async fn rehearse(admitted: &Admitted) -> Outcome {
    let started = Instant::now();
    let oversteps = Oversteps::default();
    let span = info_span!("self_test", digest = %admitted.anatomy.digest);
    let outcome = cases::all(admitted, &oversteps).instrument(span).await;
    if let Some(denial) = oversteps.first() {
        // It explains whatever else went wrong.
        return mismatch("the scope of a call", "only requests that the call is for", denial.to_string());
    }
    outcome?;
    tracing::debug!(took = ?started.elapsed(), "the policy passed the self-test");
    Ok(())
}

fn mismatch<T>(case: &'static str, expected: &'static str, found: impl Into<String>) -> Outcome<T> {
    // A policy's words can be long.
    Err(Mismatch { case, expected, found: found.into().chars().take(500).collect() })
}

/// The answer, which must not be an error.
fn answer<T>(case: &'static str, expected: &'static str, outcome: Result<T, CallError>) -> Outcome<T> {
    outcome.or_else(|error| mismatch(case, expected, format!("the error: {error}")))
}

/// What a policy did, in words.
pub(super) fn told<T: fmt::Debug>(outcome: &Result<T, CallError>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(CallError::Refused(error)) => format!("{error:?}"),
        Err(error) => error.to_string(),
    }
}
