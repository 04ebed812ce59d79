//! The health of a host, in the form of Spring Boot's actuator: what is shown, and how the search engine's answers are
//! read.

mod details;
mod probe;

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;

pub use details::{EngineFacts, HealthDetails, IndicesFacts, PolicyFacts, RepositoryFacts, VerificationFacts};
pub use probe::{Finding, Probe, Verification};

/// Whether something works, in Spring Boot's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HealthStatus {
    /// It works.
    Up,
    /// It does not.
    Down,
    /// It could not be looked at, because something else does not work.
    Unknown,
}

/// As in JSON.
impl std::fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
            Self::Unknown => "UNKNOWN",
        })
    }
}

/// The health of a host.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    status: HealthStatus,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<BTreeMap<String, HealthComponent>>))]
    components: BTreeMap<&'static str, HealthComponent>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    groups: &'static [&'static str],
}

/// A part of a host, or what it depends on.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct HealthComponent {
    status: HealthStatus,
    details: HealthDetails,
}

impl Health {
    /// Liveness is that of this process alone: a restart would not help the engine.
    #[must_use]
    pub fn liveness() -> Self {
        Self { status: HealthStatus::Up, components: BTreeMap::new(), groups: &[] }
    }

    /// Whether a backup could be made now.
    #[must_use]
    pub fn readiness(probe: &Probe) -> Self {
        let statuses = probe.statuses();
        let mut health = Self::liveness();
        if statuses.iter().any(|(_, status)| *status == HealthStatus::Down) {
            health.status = HealthStatus::Down;
        }
        let details = [
            HealthDetails::Engine(probe.engine.clone()),
            HealthDetails::Repository(probe.repository.clone()),
            HealthDetails::Indices(probe.indices.clone()),
        ];
        for ((name, status), details) in statuses.into_iter().zip(details) {
            health.components.insert(name, HealthComponent { status, details });
        }
        health
    }

    /// Adds a component that informs, and is always up.
    #[must_use]
    pub fn with(mut self, name: &'static str, details: HealthDetails) -> Self {
        self.components.insert(name, HealthComponent { status: HealthStatus::Up, details });
        self
    }

    /// Adds the names of groups, which have paths of their own.
    #[must_use]
    pub fn of_groups(mut self, groups: &'static [&'static str]) -> Self {
        self.groups = groups;
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        match self.status {
            HealthStatus::Up | HealthStatus::Unknown => StatusCode::OK,
            HealthStatus::Down => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

#[cfg(test)]
mod tests;
