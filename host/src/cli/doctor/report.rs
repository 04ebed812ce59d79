use serde::Serialize;

use crate::cli::exit::ExitStatus;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome {
    Ok,
    /// Backups can be made all the same.
    Warning,
    Fault,
    /// An earlier check has failed.
    NotChecked,
}

/// What was looked at, what was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    /// A line, or several.
    pub(super) found: String,
    pub(super) advice: Option<String>,
    /// A setting, the repository or a privilege is wrong.
    #[serde(skip)]
    is_refusal: bool,
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, found: impl Into<String>) -> Self {
        Self { name, outcome, found: found.into(), advice: None, is_refusal: false }
    }

    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, found)
    }

    pub(super) fn warning(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warning, found)
    }

    pub(super) fn fault(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fault, found)
    }

    /// A fault of the settings, the repository or the privileges: a POST would be refused.
    pub(super) fn refused(name: &'static str, found: impl Into<String>) -> Self {
        Self { is_refusal: true, ..Self::fault(name, found) }
    }

    pub(super) fn not_checked(name: &'static str, because: &str) -> Self {
        Self::new(name, Outcome::NotChecked, format!("not checked: {because}"))
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// 0 if backups can be made, 5 if a POST would be refused, 1 if something else is wrong.
pub(super) fn exit_status(checks: &[Check]) -> ExitStatus {
    let mut faults = checks.iter().filter(|check| check.outcome == Outcome::Fault);
    match faults.next() {
        None => ExitStatus::Done,
        Some(first) if first.is_refusal || faults.any(|fault| fault.is_refusal) => ExitStatus::Refused,
        Some(_) => ExitStatus::EndedBadly,
    }
}
