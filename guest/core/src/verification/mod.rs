//! What a verification consists of: the names of what it makes, its checks, and the run that carries what it has found.

mod check;
mod lock;
mod run;
pub mod scratch;

pub use check::{Check, CheckName, CheckOutcome};
pub use lock::{HOLDER, VerificationHolder, VerificationTraces};
pub use run::{VerificationRun, VerificationStep, VerifiedIndex};
