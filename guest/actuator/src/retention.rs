//! `/actuator/retention` and `/actuator/schedule` in JSON.

use std::borrow::Cow;

use backup_core::{RetentionRules, json, milliseconds};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::RequestError;

const EXAMPLE: &str = r#"{"dryRun": true}"#;

/// The body of `POST /actuator/retention`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(rename_all = "camelCase"))]
pub struct RetentionRequest {
    /// Nothing is deleted.
    pub dry_run: bool,
}

impl RetentionRequest {
    /// Reads a body: `{"dryRun": true}`. What deletes has to be said, so there is no default.
    ///
    /// # Errors
    /// [`RequestError::MalformedBody`].
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let malformed = |error: &dyn std::error::Error| RequestError::malformed_body(&error, EXAMPLE);
        let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
        let Body { dry_run } = json::object(text).map_err(|error| malformed(&error))?;
        Ok(Self { dry_run })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    dry_run: bool,
}

/// What expires. Hosts write it, and clients read it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Retention))]
pub struct RetentionView {
    /// Nothing is deleted.
    pub dry_run: bool,
    /// The rules.
    pub rules: RulesView,
    /// Why nothing is deleted for the time being.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub suspended: Option<String>,
    /// What expires, in the order of its deletion.
    pub expired: Vec<ExpiredView>,
}

/// A backup that expires.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ExpiredBackup))]
pub struct ExpiredView {
    /// Its number.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_id))]
    pub backup_id: u64,
    /// Why.
    pub reason: String,
}

/// The rules of retention. All `null`: nothing expires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RetentionRules))]
pub struct RulesView {
    /// In hours, minutes and seconds: `720h`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub expire_after: Option<String>,
    /// So many of the newest complete ones stay.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub min_count: Option<u32>,
    /// No more complete ones stay.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub max_count: Option<u32>,
}

impl From<&RetentionRules> for RulesView {
    fn from(rules: &RetentionRules) -> Self {
        let told = |millis: u64| {
            let span = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
            format!("{span:#}")
        };
        Self {
            expire_after: rules.expire_after().map(|age| told(milliseconds(age))),
            min_count: rules.min_count().map(Into::into),
            max_count: rules.max_count().map(Into::into),
        }
    }
}

/// The schedule. Without one, all is `null` but the rules of retention.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Schedule))]
pub struct ScheduleView {
    /// As it is configured.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub cron: Option<String>,
    /// The zone of its times.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub time_zone: Option<String>,
    /// When the next backup is due.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_slot: Option<String>,
    /// The last times, newest first.
    pub last_slots: Vec<SlotView>,
    /// Why this server could not begin the backup of the last one yet.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub trouble: Option<String>,
    /// The rules of retention.
    pub retention: RulesView,
}

/// A time of the schedule that has passed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Slot))]
pub struct SlotView {
    /// When it was.
    pub slot: String,
    /// The backup that was made then. `null`: there is none, or none any more.
    #[cfg_attr(feature = "openapi", schema(required, minimum = 1))]
    pub backup_id: Option<u64>,
    /// The word for that one's state.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required))]
    pub state: Option<Cow<'static, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_has_to_be_said() {
        assert_eq!(RetentionRequest::parse(br#"{"dryRun": false}"#), Ok(RetentionRequest { dry_run: false }));
        assert_eq!(RetentionRequest::parse(br#"{"dryRun": true, "a": 1}"#), Ok(RetentionRequest { dry_run: true }));
        for body in [&b""[..], b"{}", b"[true]", br#"{"dryRun": 1}"#, br#"{"dryRun": "false"}"#, b"\xff"] {
            let error = RetentionRequest::parse(body).unwrap_err();
            assert!(error.to_string().contains("dryRun"), "{error}");
        }
    }

    #[test]
    fn rules_are_told_as_they_are_set() {
        let expire_after = Some(std::time::Duration::from_secs(30 * 24 * 60 * 60));
        let rules = RetentionRules::new(expire_after, None, std::num::NonZeroU32::new(50)).unwrap();
        let view = RulesView::from(&rules);
        assert_eq!((view.expire_after.as_deref(), view.min_count, view.max_count), (Some("720h"), None, Some(50)));
    }
}
