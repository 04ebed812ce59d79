use std::collections::BTreeMap;

use backup_core::{Error, RepositoryName, Request, Response, TransportError};
use http::StatusCode;
use serde::Serialize;

/// Whether the engine responds and has the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Why the engine does not respond.
    pub engine: Result<(), String>,
    /// Why the repository is not available.
    pub repository: Result<(), String>,
}

impl Probe {
    /// The request of this check: for the repository, or for the nodes where none is configured.
    #[must_use]
    pub fn request(repository: Option<&RepositoryName>) -> Request {
        repository.map_or_else(Request::node_versions, Request::repository)
    }

    /// Reads the response to that request.
    #[must_use]
    pub fn read(repository: Option<&RepositoryName>, response: Result<Response, TransportError>) -> Self {
        let status = response.map(|response| response.status).map_err(|error| error.to_string());
        let Some(repository) = repository else {
            let repository = Err(Error::RepositoryNotConfigured.to_string());
            return Self { engine: status.map(drop), repository };
        };
        match status {
            Err(error) => {
                Self { engine: Err(error), repository: Err("not known: the search engine does not answer".to_owned()) }
            }
            Ok(200) => Self { engine: Ok(()), repository: Ok(()) },
            Ok(404) => {
                let missing = Error::RepositoryMissing { repository: repository.clone(), refusal: None };
                Self { engine: Ok(()), repository: Err(missing.to_string()) }
            }
            Ok(status) => {
                let error =
                    format!("the search engine answers {status} to the question for the repository '{repository}'");
                Self { engine: Err(error), repository: Err("not known".to_owned()) }
            }
        }
    }
}

/// Whether something works, in Spring Boot's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
enum HealthStatus {
    /// It works.
    Up,
    /// It does not.
    Down,
}

/// The health of a host, in the form of Spring Boot's actuator.
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

/// A part of a host.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct HealthComponent {
    status: HealthStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<HealthDetails>,
}

/// What there is to say about a component.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HealthDetails {
    /// Why it is down.
    Error {
        /// In words.
        error: String,
    },
    /// The runs of a host.
    Runs {
        /// By backup ID, with what keeps the run from its next step at the moment.
        active: BTreeMap<u64, Option<String>>,
        /// The ended ones of which the engine has dropped a part that it accepted, by backup ID, with the reason.
        dropped: BTreeMap<u64, String>,
    },
    /// The clocks of a host and of its engine.
    #[serde(rename_all = "camelCase")]
    Clock {
        /// By how many seconds the host's clock is ahead. `None`: it is not known.
        difference_seconds: Option<i64>,
        /// A difference that is large, or why it is not known, in words.
        #[serde(skip_serializing_if = "Option::is_none")]
        warning: Option<String>,
    },
    /// The deletions of a host.
    Deletions {
        /// The IDs of those that are not answered yet.
        pending: Vec<String>,
        /// Those that failed, with the reason.
        failed: BTreeMap<String, String>,
    },
}

impl Health {
    /// Liveness is that of this process alone: a restart would not help the engine.
    #[must_use]
    pub fn liveness() -> Self {
        Self { status: HealthStatus::Up, components: BTreeMap::new(), groups: &[] }
    }

    /// Whether a backup could be made now.
    #[must_use]
    pub fn readiness(probe: Probe) -> Self {
        let mut health = Self::liveness();
        for (name, outcome) in [("engine", probe.engine), ("repository", probe.repository)] {
            let component = match outcome {
                Ok(()) => HealthComponent { status: HealthStatus::Up, details: None },
                Err(error) => {
                    health.status = HealthStatus::Down;
                    HealthComponent { status: HealthStatus::Down, details: Some(HealthDetails::Error { error }) }
                }
            };
            health.components.insert(name, component);
        }
        health
    }

    /// Adds a component that informs, and is always up.
    #[must_use]
    pub fn with(mut self, name: &'static str, details: HealthDetails) -> Self {
        self.components.insert(name, HealthComponent { status: HealthStatus::Up, details: Some(details) });
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
            HealthStatus::Up => StatusCode::OK,
            HealthStatus::Down => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
