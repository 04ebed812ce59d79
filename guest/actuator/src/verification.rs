//! Verifications in JSON.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ByteCount;

/// How a host sees the verification of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationState {
    /// None is known here.
    None,
    /// It goes on.
    InProgress,
    /// Everything that was checked is as it should be.
    Passed,
    /// A check failed, or it could not be carried out.
    Failed,
}

impl VerificationState {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::InProgress => "IN_PROGRESS",
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
        }
    }
}

/// That a verification has begun.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerificationBegun {
    /// In words.
    pub message: String,
    /// Which one it is: a GET tells the same.
    pub run_id: String,
}

impl VerificationBegun {
    /// Of the backup with this ID.
    #[must_use]
    pub fn new(id: u64, run_id: String) -> Self {
        let message = format!(
            "The verification of the backup with ID {id} has begun. GET /actuator/backups/{id}/verify tells where it stands"
        );
        Self { message, run_id }
    }
}

/// Where a verification stands, in JSON. Hosts write it, and clients read it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Verification))]
pub struct VerificationView {
    /// The backup.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_id))]
    pub backup_id: u64,
    /// `NONE`, `IN_PROGRESS`, `PASSED` or `FAILED`.
    pub state: Cow<'static, str>,
    /// Which of the backup's verifications that is.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub run_id: Option<String>,
    /// How much of the copy is restored, with one decimal place.
    pub percent: f64,
    /// The bytes of all indices, as far as they are known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub bytes: Option<ByteCount>,
    /// What is checked.
    pub checks: Vec<CheckView>,
    /// When it ended: `2022-11-09T10:11:36.978+0100`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub verified_at: Option<String>,
    /// Why it is FAILED.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub failure_reason: Option<String>,
    /// What it waits for, or what to do next.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_step: Option<String>,
}

/// A check of a verification, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Check))]
pub struct CheckView {
    /// Its name.
    pub name: String,
    /// `PENDING`, `PASSED`, `FAILED` or `SKIPPED`.
    pub outcome: Cow<'static, str>,
    /// What was found; of one that failed also what to do.
    pub found: String,
}

/// Converts a binding's types of the interface `verifications` into these.
#[macro_export]
macro_rules! verification_views {
    ($interface:path) => {
        const _: () = {
            use $interface as wit;

            impl From<wit::Check> for $crate::CheckView {
                fn from(check: wit::Check) -> Self {
                    let outcome = match check.outcome {
                        wit::CheckOutcome::Pending => "PENDING",
                        wit::CheckOutcome::Passed => "PASSED",
                        wit::CheckOutcome::Failed => "FAILED",
                        wit::CheckOutcome::Skipped => "SKIPPED",
                    };
                    Self { name: check.name, outcome: outcome.into(), found: check.found }
                }
            }
        };
    };
}
