//! What a look at the search engine has found.

use backup_core::{
    EngineInfo, EngineKind, Error, IndexPrefix, Installation, Part, Refusal, Registration, RepositoryName, Request,
    Response, TransportError,
};
use serde::Serialize;

use super::details::{EngineFacts, IndicesFacts, RepositoryFacts};
use super::{HealthStatus, VerificationFacts};

/// The search engine, the repository and the indices, as they were found last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whether it responds, lets this host in, and is what is configured.
    pub engine: Finding<EngineFacts>,
    /// Whether it is registered and can be written to.
    pub repository: Finding<RepositoryFacts>,
    /// Whether a backup could be made of them.
    pub indices: Finding<IndicesFacts>,
}

/// The state of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding<F> {
    /// Whether it works.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub status: HealthStatus,
    /// What is wrong and what to do, unless it is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What does not keep anybody from making backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// What is known.
    #[serde(flatten)]
    pub facts: F,
}

/// What came of `POST _snapshot/{repository}/_verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Every node has written to the repository and read from it.
    Passed,
    /// Some node has not.
    Failed(String),
    /// The search engine does not tell.
    Unknown(String),
}

const NOT_KNOWN: &str = "not known: the search engine does not answer";

impl<F> Finding<F> {
    fn new(status: HealthStatus, error: Option<String>, facts: F) -> Self {
        Self { status, error, warning: None, facts }
    }

    /// It works.
    pub fn up(facts: F) -> Self {
        Self::new(HealthStatus::Up, None, facts)
    }

    fn down(error: String, facts: F) -> Self {
        Self::new(HealthStatus::Down, Some(error), facts)
    }

    fn unknown(facts: F) -> Self {
        Self::new(HealthStatus::Unknown, Some(NOT_KNOWN.to_owned()), facts)
    }
}

impl Probe {
    /// The first request: for the repository, or for the nodes where none is configured.
    #[must_use]
    pub fn request(repository: Option<&RepositoryName>) -> Request {
        repository.map_or_else(Request::node_versions, Request::repository)
    }

    /// Reads the response to that request. Of the indices it tells nothing yet.
    #[must_use]
    pub fn read(
        kind: EngineKind,
        repository: Option<&RepositoryName>,
        prefix: &IndexPrefix,
        response: Result<&Response, TransportError>,
    ) -> Self {
        let (engine, repository) = match repository {
            Some(repository) => of_registration(kind, repository, response),
            None => (of_nodes(kind, response), without_repository()),
        };
        Self { engine, repository, indices: Finding::unknown(IndicesFacts::new(prefix)) }
    }

    /// Whether there is anybody to ask for more.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.engine.status == HealthStatus::Up
    }

    /// Whether a backup could be made.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.first_fault().is_none()
    }

    /// The first component that is down, and why.
    #[must_use]
    pub fn first_fault(&self) -> Option<(&'static str, &str)> {
        let errors = [&self.engine.error, &self.repository.error, &self.indices.error];
        let found = self.statuses().into_iter().zip(errors);
        let mut down = found.filter(|((_, status), _)| *status == HealthStatus::Down);
        down.next().map(|((name, _), error)| (name, error.as_deref().unwrap_or_default()))
    }

    /// The status of each component, by its name in [`super::Health`].
    #[must_use]
    pub fn statuses(&self) -> [(&'static str, HealthStatus); 3] {
        [("engine", self.engine.status), ("repository", self.repository.status), ("indices", self.indices.status)]
    }

    /// Adds what the search engine says of itself.
    pub fn add_info(&mut self, configured: EngineKind, info: &EngineInfo) {
        let version = info.version.clone();
        let facts = EngineFacts { kind: name_of(info.kind), version: Some(version.clone()) };
        if info.kind != configured {
            let word = name_of(info.kind).to_lowercase();
            let error = format!(
                "this is {} {version}, but {} is configured: set backup.database (CAMUNDA_OPTIMIZE_DATABASE) to {word}",
                name_of(info.kind),
                name_of(configured),
            );
            self.engine = Finding::down(error, facts);
            return;
        }
        self.engine.facts = facts;
        self.engine.warning = (!info.is_tested()).then(|| {
            format!(
                "{} {version} was never tested with this server; tested are Elasticsearch 7.17, 8 and 9 and OpenSearch 2 and 3",
                name_of(info.kind)
            )
        });
    }

    /// Adds the last verification of the repository.
    pub fn add_verification(&mut self, verification: &Verification, age_seconds: u64) {
        let (outcome, reason) = match verification {
            Verification::Passed => ("PASSED", None),
            Verification::Failed(_) => ("FAILED", None),
            Verification::Unknown(reason) => ("UNKNOWN", Some(reason.clone())),
        };
        self.repository.facts.verification = Some(VerificationFacts { outcome, reason, age_seconds });
        if let (Verification::Failed(reason), HealthStatus::Up) = (verification, self.repository.status) {
            self.repository.status = HealthStatus::Down;
            self.repository.error = Some(format!(
                "not every node of the search engine can write to the storage of the repository and read from it ({reason}); check that it is there, mounted on each node, and that the search engine may write to it"
            ));
        }
    }
}

impl IndicesFacts {
    fn new(prefix: &IndexPrefix) -> Self {
        Self { prefix: prefix.to_string(), part_one: None, part_two: None, neighbours: Vec::new() }
    }
}

impl Finding<IndicesFacts> {
    /// Reads the response to [`Request::resolve`].
    #[must_use]
    pub fn of_indices(prefix: &IndexPrefix, response: Result<&Response, TransportError>) -> Self {
        let installation = match Installation::read(prefix, response) {
            Ok(installation) => installation,
            Err(error) => return Self::down(told(&error), IndicesFacts::new(prefix)),
        };
        let facts = IndicesFacts {
            part_one: Some(installation.count(Part::One)),
            part_two: Some(installation.count(Part::Two)),
            neighbours: installation.neighbours(),
            ..IndicesFacts::new(prefix)
        };
        match installation.expect_complete() {
            Ok(_) => Self::up(facts),
            Err(error) => Self::down(told(&error), facts),
        }
    }
}

impl Verification {
    /// Reads the response to the request.
    #[must_use]
    pub fn read(response: Result<&Response, TransportError>) -> Self {
        const PRIVILEGE: &str = "the search engine's user may not verify the repository; with the cluster privilege cluster:admin/repository/verify this server could tell whether the repository can be written to";
        match response {
            Err(error) => Self::Unknown(error.to_string()),
            Ok(Response { status: 200..=299, .. }) => Self::Passed,
            Ok(Response { status: 401 | 403, .. }) => Self::Unknown(PRIVILEGE.to_owned()),
            Ok(response) => {
                let refusal = Refusal::of(response);
                match refusal.kind.as_str() {
                    "repository_verification_exception" | "repository_exception" => Self::Failed(refusal.to_string()),
                    _ => Self::Unknown(refusal.to_string()),
                }
            }
        }
    }
}

fn of_registration(
    kind: EngineKind,
    repository: &RepositoryName,
    response: Result<&Response, TransportError>,
) -> (Finding<EngineFacts>, Finding<RepositoryFacts>) {
    let name = Some(repository.to_string());
    let unknown = RepositoryFacts { name, ..RepositoryFacts::default() };
    match Registration::read(repository, response) {
        Ok(Registration { storage, read_only }) => {
            let facts = RepositoryFacts { storage: Some(storage), read_only: Some(read_only), ..unknown };
            let read_only = Error::RepositoryReadOnly { repository: repository.clone(), refusal: None };
            let found = match facts.read_only {
                Some(true) => Finding::down(read_only.to_string(), facts),
                _ => Finding::up(facts),
            };
            (Finding::up(configured(kind)), found)
        }
        Err(error @ Error::RepositoryMissing { .. }) => {
            (Finding::up(configured(kind)), Finding::down(error.to_string(), unknown))
        }
        Err(Error::EngineAccessDenied { refusal, .. }) if refusal.status == 403 => {
            let error = format!(
                "the search engine's user may not read the repository ({refusal}); give it the cluster privilege create_snapshot (with OpenSearch cluster:admin/repository/get)"
            );
            (Finding::up(configured(kind)), Finding::down(error, unknown))
        }
        Err(error) => (Finding::down(told(&error), configured(kind)), Finding::unknown(unknown)),
    }
}

fn of_nodes(kind: EngineKind, response: Result<&Response, TransportError>) -> Finding<EngineFacts> {
    let error = match response {
        // Who may not know the nodes has been let in.
        Ok(Response { status: 403, .. }) => return Finding::up(configured(kind)),
        Ok(response) if response.status == 200 && is_object(&response.body) => return Finding::up(configured(kind)),
        Ok(response) => format!("this is not what a search engine answers: {}", Refusal::of(response)),
        Err(error) => format!("the search engine cannot be reached: {error}"),
    };
    Finding::down(error, configured(kind))
}

fn is_object(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body).is_ok_and(|body| body.is_object())
}

fn without_repository() -> Finding<RepositoryFacts> {
    Finding::down(Error::RepositoryNotConfigured.to_string(), RepositoryFacts::default())
}

fn configured(kind: EngineKind) -> EngineFacts {
    EngineFacts { kind: name_of(kind), version: None }
}

fn name_of(kind: EngineKind) -> &'static str {
    match kind {
        EngineKind::Elasticsearch => "Elasticsearch",
        EngineKind::OpenSearch => "OpenSearch",
    }
}

/// An error with the search engine's own words, in one text.
fn told(error: &Error) -> String {
    match error {
        Error::EngineRefused { request, refusal } => format!("the search engine refused {request}: {refusal}"),
        Error::EngineAccessDenied { request, refusal } if refusal.status == 401 => format!(
            "the search engine does not accept the credentials for {request} ({refusal}); correct the user name and password, or the API key"
        ),
        Error::EngineNotAnswering { request, cause } => {
            format!("the search engine's answer to {request} did not arrive: {cause}")
        }
        Error::EngineUnreachable(_) | Error::Denied { .. } => error.to_string(),
        _ => match error.detail() {
            Some(detail) => format!("{error} ({detail})"),
            None => error.to_string(),
        },
    }
}
