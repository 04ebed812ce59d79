//! The verification of a backup: its beginning, its steps, and what one has left.

use crate::verification::{VerificationHolder, VerificationRun, VerificationStep, VerificationTraces};
use crate::{BackupId, Context, Engine, Error};

/// Begins the verification of a backup.
///
/// # Errors
/// Why it cannot begin.
pub fn begin(_: &impl Engine, _: &Context, id: &str) -> Result<VerificationRun, Error> {
    BackupId::parse(id)?;
    Err(not_yet())
}

/// Takes the next step of a verification.
///
/// # Errors
/// Why the step could not be taken. Take it again.
pub fn advance(_: &impl Engine, _: &Context, _: &VerificationRun) -> Result<VerificationStep, Error> {
    Err(not_yet())
}

/// Tells what verifications have left.
///
/// # Errors
/// Why it could not be read.
pub fn traces(_: &impl Engine, _: &Context) -> Result<VerificationTraces, Error> {
    Err(not_yet())
}

/// Deletes what a verification has left, if its lock is still this holder's.
///
/// # Errors
/// Why it could not be deleted.
pub fn clear(_: &impl Engine, _: &Context, _: Option<&VerificationHolder>) -> Result<bool, Error> {
    Err(not_yet())
}

fn not_yet() -> Error {
    Error::Denied { request: "a verification".to_owned(), reason: "it is not built yet".to_owned() }
}
