//! Whether the engine and the repository answer.

use std::time::Duration;

use backup_core as core;

use crate::elasticsearch::Response;
use crate::policy::Capability;

/// Asks the engine, each time anew.
pub struct Readiness {
    capability: Capability,
    repository: Option<core::RepositoryName>,
}

/// What the engine answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whether it answers at all.
    pub engine: Result<(), String>,
    /// Whether the repository is there.
    pub repository: Result<(), String>,
}

/// A probe that takes longer than this is a no.
const PATIENCE: Duration = Duration::from_secs(5);

impl Readiness {
    /// Probes through `capability`, so with the same credentials and grants as a policy.
    #[must_use]
    pub fn new(capability: Capability, repository: Option<core::RepositoryName>) -> Self {
        Self { capability, repository }
    }

    /// Asks for the repository, or only for the nodes where none is configured.
    pub async fn probe(&self) -> Probe {
        let Some(repository) = &self.repository else {
            let engine = self.ask(core::Request::node_versions()).await.map(|_| ());
            return Probe { engine, repository: Err(core::Error::RepositoryNotConfigured.to_string()) };
        };
        match self.ask(core::Request::repository(repository)).await {
            Err(error) => {
                Probe { engine: Err(error), repository: Err("not known: the engine does not answer".to_owned()) }
            }
            Ok(Response { status: 200, .. }) => Probe { engine: Ok(()), repository: Ok(()) },
            Ok(Response { status: 404, .. }) => {
                let missing = core::Error::RepositoryMissing { repository: repository.clone(), refusal: None };
                Probe { engine: Ok(()), repository: Err(missing.to_string()) }
            }
            Ok(Response { status, .. }) => {
                let error = format!("the engine answers {status} to the question for the repository '{repository}'");
                Probe { engine: Err(error), repository: Err("not known".to_owned()) }
            }
        }
    }

    async fn ask(&self, request: core::Request) -> Result<Response, String> {
        self.capability.ask(request, PATIENCE).await.map_err(|error| error.to_string())
    }
}
