//! What the server does by itself in the log, as the HTTP server does it for requests: with an ID, and with audit lines.

use tracing::{Instrument, error_span};

use crate::correlation::{self, Correlation};
use crate::sandbox::types::BackupId;

/// Whatever is logged and asked of the engine for this work has the ID.
pub(super) async fn identified<F: Future>(id: String, work: F) -> F::Output {
    // At any level of the log, which a span has to have, too.
    let span = error_span!("unattended", requestId = id);
    Correlation::of_work(&id).scope(work).instrument(span).await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Failed,
}

/// The schedule has begun a backup, or could not.
pub(super) fn created(id: BackupId, outcome: Outcome) {
    record("schedule", "POST", id, outcome);
}

/// Retention has deleted a backup, or could not.
pub(super) fn deleted(id: BackupId, outcome: Outcome) {
    record("retention", "DELETE", id, outcome);
}

#[allow(non_snake_case, reason = "the names of fields in the log")]
fn record(caller: &str, method: &str, backupId: BackupId, outcome: Outcome) {
    let requestId = correlation::current().map(|current| current.id().to_owned());
    let outcome = match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
    };
    tracing::info!(target: "audit", requestId, caller, method, backupId, outcome, "audit");
}
