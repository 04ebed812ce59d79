//! Restores in JSON.

use std::borrow::Cow;

use backup_core::json;
use backup_core::restore::FindingCode;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{ByteCount, RequestError};

const EXAMPLE: &str = r#"{"dryRun": true}"#;

/// The body of `POST /actuator/backups/{id}/restore`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestoreRequest {
    /// Only tell what it would do.
    pub dry_run: bool,
    /// The installation's index prefix: whoever restores knows where.
    #[serde(default)]
    pub confirm: Option<String>,
    /// Restore under this prefix, beside the installation.
    #[serde(default, deserialize_with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, pattern = "^[a-z0-9][a-z0-9._-]{0,199}$"))]
    pub rename_prefix: Option<String>,
    /// The codes of blocking findings that are not to stop it.
    #[serde(default)]
    pub r#override: Vec<String>,
}

/// No null: a caller whose prefix got lost must not replace the installation.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

impl RestoreRequest {
    /// Reads a body. What deletes has to be said: no other field is allowed, and `dryRun` has no default.
    ///
    /// # Errors
    /// [`RequestError`] says what is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let malformed = |error: &dyn std::error::Error| RequestError::malformed_body(&error, EXAMPLE);
        let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
        let request: Self = json::object(text).map_err(|error| malformed(&error))?;
        let is_known = |code: &&String| FindingCode::ALL.iter().any(|known| known.as_str() == *code);
        match request.r#override.iter().find(|code| !is_known(code)) {
            None => Ok(request),
            Some(unknown) => {
                let unknown: String = unknown.escape_debug().take(100).collect();
                Err(RequestError::malformed_body(&format!("no finding has the code '{unknown}'"), EXAMPLE))
            }
        }
    }

    /// Whether a restore may begin by this request.
    ///
    /// # Errors
    /// [`RequestError::NotConfirmed`].
    pub fn expect_confirmed(&self, prefix: &str) -> Result<(), RequestError> {
        if self.confirm.as_deref() == Some(prefix) {
            return Ok(());
        }
        Err(RequestError::NotConfirmed { prefix: prefix.to_owned() })
    }
}

/// What a restore would do, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RestorePlan))]
pub struct RestorePlanView {
    /// The backup.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_id))]
    pub backup_id: u64,
    /// The installation's index prefix, with which a restore is confirmed.
    pub index_prefix: String,
    /// Whether no finding stops it.
    pub can_begin: bool,
    /// The backup's snapshots, by part.
    pub snapshots: Vec<String>,
    /// The version of Optimize that has to be started afterwards.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub optimize_version: Option<String>,
    /// What was found.
    pub findings: Vec<FindingView>,
    /// The indices of backup and installation.
    pub indices: Vec<PlannedIndexView>,
}

/// A finding of a plan, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Finding))]
pub struct FindingView {
    /// Its kind.
    pub code: String,
    /// `warning`; `blocking`: it stops the restore, unless it is overridden; `final`: it stops it.
    pub severity: Cow<'static, str>,
    /// It was overridden.
    pub overridden: bool,
    /// What was found, and what to do.
    pub message: String,
}

/// An index of a plan, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PlannedIndex))]
pub struct PlannedIndexView {
    /// Its name in the backup.
    pub index: String,
    /// Its name after the restore.
    pub target: String,
    /// The part that has it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub part: Option<u8>,
    /// The size of its primary shards.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub size_in_bytes: Option<u64>,
    /// There is an index of the target's name.
    pub exists: bool,
    /// `restored`, `replaced`, `kept` or `leftAlone`.
    pub action: Cow<'static, str>,
}

/// Where a restore stands, in JSON. Hosts write it, and clients read it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Restore))]
pub struct RestoreView {
    /// The backup.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_id))]
    pub backup_id: u64,
    /// `NONE`, `IN_PROGRESS`, `COMPLETE` or `FAILED`.
    pub state: Cow<'static, str>,
    /// How much of it is done, with one decimal place.
    pub percent: f64,
    /// The bytes of all indices, as far as they are known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub bytes: Option<ByteCount>,
    /// The indices, by part and name.
    pub indices: Vec<RestoredIndexView>,
    /// Why it failed.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub failure_reason: Option<String>,
    /// What to do next.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_step: Option<String>,
}

/// An index of a restore, in JSON.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RestoredIndex))]
pub struct RestoredIndexView {
    /// Its name after the restore.
    pub index: String,
    /// The part that has it.
    pub part: u8,
    /// `MISSING`, `RESTORING`, `RESTORED` or `OTHER`.
    pub state: Cow<'static, str>,
    /// How much of it is restored, with one decimal place.
    pub percent: f64,
}

/// With one decimal place, rounded down: only what is complete is 100.
#[must_use]
pub fn percent(bytes: Option<ByteCount>, is_complete: bool) -> f64 {
    const ALL: u128 = 1000;
    if is_complete {
        return 100.0;
    }
    let Some(ByteCount { total, done }) = bytes else { return 0.0 };
    let permille = (ALL * u128::from(done)).checked_div(total.into()).unwrap_or_default().min(ALL - 1);
    f64::from(u16::try_from(permille).unwrap_or_default()) / 10.0
}

/// Converts a binding's types of the interface `restores` into these.
#[macro_export]
macro_rules! restore_views {
    ($interface:path) => {
        const _: () = {
            use $crate::core::restore;
            use $interface as wit;

            impl wit::RestorePlan {
                /// In JSON, for the installation with this index prefix.
                pub fn into_view(self, index_prefix: String) -> $crate::RestorePlanView {
                    let findings = self.findings.into_iter().map(Into::into).collect::<Vec<$crate::FindingView>>();
                    let stops = |finding: &$crate::FindingView| match &*finding.severity {
                        "warning" => false,
                        "blocking" => !finding.overridden,
                        _ => true,
                    };
                    $crate::RestorePlanView {
                        backup_id: self.backup_id,
                        index_prefix,
                        can_begin: !findings.iter().any(stops),
                        snapshots: self.snapshots,
                        optimize_version: self.optimize_version,
                        findings,
                        indices: self.indices.into_iter().map(Into::into).collect(),
                    }
                }
            }

            impl From<wit::Finding> for $crate::FindingView {
                fn from(finding: wit::Finding) -> Self {
                    let severity = match finding.severity {
                        wit::Severity::Warning => "warning",
                        wit::Severity::Blocking => "blocking",
                        wit::Severity::Final => "final",
                    };
                    Self {
                        code: finding.code,
                        severity: severity.into(),
                        overridden: finding.overridden,
                        message: finding.message,
                    }
                }
            }

            impl From<wit::PlannedIndex> for $crate::PlannedIndexView {
                fn from(planned: wit::PlannedIndex) -> Self {
                    let action = match planned.action {
                        wit::RestoreAction::Restored => "restored",
                        wit::RestoreAction::Replaced => "replaced",
                        wit::RestoreAction::Kept => "kept",
                        wit::RestoreAction::LeftAlone => "leftAlone",
                    };
                    Self {
                        index: planned.index,
                        target: planned.target,
                        part: planned.part,
                        size_in_bytes: planned.size,
                        exists: planned.exists,
                        action: action.into(),
                    }
                }
            }

            impl From<wit::Restore> for $crate::RestoreView {
                fn from(restore: wit::Restore) -> Self {
                    let bytes = restore.bytes.map(|bytes| $crate::ByteCount { total: bytes.total, done: bytes.done });
                    let is_complete = restore.state == wit::RestoreState::Complete;
                    Self {
                        backup_id: restore.backup_id,
                        state: restore::RestoreState::from(restore.state).as_str().into(),
                        percent: $crate::percent(bytes, is_complete),
                        bytes,
                        indices: restore.indices.into_iter().map(Into::into).collect(),
                        failure_reason: restore.failure_reason,
                        next_step: restore.next_step,
                    }
                }
            }

            impl From<wit::RestoredIndex> for $crate::RestoredIndexView {
                fn from(index: wit::RestoredIndex) -> Self {
                    let bytes = index.bytes.map(|bytes| $crate::ByteCount { total: bytes.total, done: bytes.done });
                    let is_complete = index.state == wit::RestoredIndexState::Restored;
                    Self {
                        index: index.index,
                        part: index.part,
                        state: restore::RestoredIndexState::from(index.state).as_str().into(),
                        percent: $crate::percent(bytes, is_complete),
                    }
                }
            }
        };
    };
}

#[cfg(test)]
mod tests;
