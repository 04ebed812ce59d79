use backup_core::{Error, RepositoryName, Request, Response, TransportError};
use http::StatusCode;
use serde_json::{Map, Value, json};

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
                Self { engine: Err(error), repository: Err("not known: the engine does not answer".to_owned()) }
            }
            Ok(200) => Self { engine: Ok(()), repository: Ok(()) },
            Ok(404) => {
                let missing = Error::RepositoryMissing { repository: repository.clone(), refusal: None };
                Self { engine: Ok(()), repository: Err(missing.to_string()) }
            }
            Ok(status) => {
                let error = format!("the engine answers {status} to the question for the repository '{repository}'");
                Self { engine: Err(error), repository: Err("not known".to_owned()) }
            }
        }
    }
}

/// The health of some components, in the form of Spring Boot's actuator.
#[derive(Debug, Default)]
pub struct Health {
    components: Map<String, Value>,
    groups: &'static [&'static str],
}

impl Health {
    /// Liveness is that of this process alone: a restart would not help the engine.
    #[must_use]
    pub fn liveness() -> Value {
        json!({"status": "UP"})
    }

    /// Whether a backup could be made now.
    #[must_use]
    pub fn readiness(probe: Probe) -> Self {
        let component = |outcome: Result<(), String>| match outcome {
            Ok(()) => json!({"status": "UP"}),
            Err(error) => json!({"status": "DOWN", "details": {"error": error}}),
        };
        [("engine", probe.engine), ("repository", probe.repository)]
            .into_iter()
            .fold(Self::default(), |health, (name, outcome)| health.with(name, component(outcome)))
    }

    /// Adds a component.
    #[must_use]
    pub fn with(mut self, name: &str, component: Value) -> Self {
        self.components.insert(name.to_owned(), component);
        self
    }

    /// Adds the names of groups, which have paths of their own.
    #[must_use]
    pub fn of_groups(mut self, groups: &'static [&'static str]) -> Self {
        self.groups = groups;
        self
    }

    /// The status and the body.
    #[must_use]
    pub fn answer(self) -> (StatusCode, Value) {
        let is_up = self.components.values().all(|component| component.get("status") == Some(&json!("UP")));
        let (code, status) = if is_up { (StatusCode::OK, "UP") } else { (StatusCode::SERVICE_UNAVAILABLE, "DOWN") };
        let mut body = json!({"status": status, "components": self.components});
        if let (Value::Object(body), false) = (&mut body, self.groups.is_empty()) {
            body.insert("groups".to_owned(), json!(self.groups));
        }
        (code, body)
    }
}
