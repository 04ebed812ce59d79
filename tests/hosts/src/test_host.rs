//! A host in this process, without a socket: its router is called directly.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "only for tests, which may fail in any way")]

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use backup_core::memory::MemoryEngine;
use backup_core::{EngineKind, IndexPrefix, RepositoryName, RetentionRules, SnapshotState};
use backup_test_support::memory::{PREFIX, engine_with_installation};
use jiff::tz::TimeZone;
use optimize_backup::backups::{BackupService, Retention, Scheduler};
use optimize_backup::elasticsearch::{Capability, Destination, Grants, Readiness, Subject};
use optimize_backup::http::{self, Api, Callers, Presentation};
use optimize_backup::metrics::Metrics;
use optimize_backup::policy::admission::{Admission, AdmissionError, Candidate, CompileLimits, Compiler};
use optimize_backup::policy::shadow::Report;
use optimize_backup::policy::signature::TrustedKeys;
use optimize_backup::policy::{Admitted, Cache, CallContext, ComponentInfo, Policies, PolicyFile, Source, Updates};
use optimize_backup::sandbox::{CallLimits, Policy, Sandbox, types};
use optimize_backup::settings::{Caller, CompleteState, Role};
use optimize_backup::telemetry::Loggers;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The token of the only caller, who is an admin.
pub const TOKEN: &str = "open-sesame-open-sesame";
/// The largest component that may become the policy.
pub const MAX_BYTES: usize = 4 << 20;
/// After how many consecutive failures a policy is withdrawn.
pub const MAX_FAILURES: u32 = 3;

/// A host, the engine in memory that it talks to, and the way to its policies.
pub struct TestHost {
    /// The engine.
    pub engine: Arc<MemoryEngine>,
    /// Takes candidates.
    pub updates: Arc<Updates>,
    /// Runs all policies of this host.
    pub sandbox: Arc<Sandbox>,
    /// Deletes what expires.
    pub retention: Arc<Retention>,
    repository: &'static str,
    router: Router,
}

/// How a [`TestHost`] is set up.
pub struct Options {
    /// The binary `optimize-backup`, which compiles candidates in a process of its own.
    pub program: PathBuf,
    /// The name of the repository.
    pub repository: &'static str,
    /// Public keys of those whose signature a candidate needs.
    pub keys: Vec<PathBuf>,
    /// The file of the policy.
    pub file: Option<PathBuf>,
    /// The folder of the last known good policy.
    pub cache: Option<PathBuf>,
    /// Whether nobody has a token: then the API is open, but nobody may replace the policy.
    pub no_token: bool,
    /// What compiling a candidate may take.
    pub compile: CompileLimits,
    /// What a call may take. Less than by default, so that whatever uses it up does so soon.
    pub limits: CallLimits,
    /// After how many consecutive failures a policy is withdrawn.
    pub max_failures: u32,
    /// Which backups expire.
    pub rules: RetentionRules,
}

impl Options {
    /// Candidates are compiled by this `optimize-backup`.
    #[must_use]
    pub fn new(program: &str) -> Self {
        Self {
            program: program.into(),
            repository: "backups",
            keys: Vec::new(),
            file: None,
            cache: None,
            no_token: false,
            compile: CompileLimits { time: Duration::from_secs(60), memory: 1 << 30 },
            limits: LIMITS,
            max_failures: MAX_FAILURES,
            rules: RetentionRules::default(),
        }
    }

    /// The steps that a candidate has to pass.
    ///
    /// # Panics
    /// If a key cannot be read.
    #[must_use]
    pub fn admission(&self, sandbox: &Arc<Sandbox>) -> Admission {
        let compiler = Compiler::with_program(self.program.clone(), self.compile);
        Admission::new(Arc::clone(sandbox), MAX_BYTES, TrustedKeys::read(&self.keys).unwrap(), compiler)
    }
}

const LIMITS: CallLimits = CallLimits {
    memory: 48 << 20,
    cpu_time: Duration::from_millis(500),
    wall_time: Duration::from_secs(10),
    engine_calls: 64,
    transfer: 8 << 20,
};

impl TestHost {
    /// A host with the embedded policy, on an engine with an installation.
    ///
    /// # Panics
    /// If these options do not fit together.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let engine = Arc::new(engine_with_installation(options.repository));
        let repository = RepositoryName::parse(options.repository).unwrap();
        let prefix = IndexPrefix::parse(PREFIX).unwrap();
        let grants = Grants::new(Some(repository.clone()), prefix.clone());
        let subject = Subject { engine: EngineKind::Elasticsearch, repository: Some(repository), prefix };
        let destination = Destination::InProcess(Arc::clone(&engine) as _);
        let capability = Capability::new(destination, grants);
        let metrics = Arc::new(Metrics::new().unwrap());
        let context = CallContext { capability: capability.clone(), settings: settings(options.repository) };
        let sandbox = Sandbox::new(options.limits).unwrap();
        let embedded = Admitted::embedded(&sandbox).unwrap();
        let policies = Policies::new(embedded, options.max_failures, context, Arc::clone(&metrics));
        let admission = options.admission(&sandbox);
        let (file, cache) = (options.file.map(PolicyFile::new), options.cache.map(Cache::new));
        let updates = Updates::new(Arc::clone(&policies), admission, file, cache, None);
        let service = BackupService::new(policies, &metrics, None);
        let retention = Retention::new(Arc::clone(&service), options.rules, Arc::clone(&metrics));
        let scheduler = Scheduler::new(Arc::clone(&service), Arc::clone(&retention), Arc::clone(&metrics), None);
        let api = Api {
            service,
            retention: Arc::clone(&retention),
            scheduler,
            readiness: Readiness::new(capability, subject),
            metrics,
            presentation: Presentation { complete_state: CompleteState::Complete, time_zone: TimeZone::UTC },
            updates: Arc::clone(&updates),
            callers: Arc::new(callers(options.no_token)),
            stopping: CancellationToken::new(),
            loggers: Arc::new(Loggers::unattached("info").unwrap()),
        };
        let router = http::router(Arc::new(api));
        Self { engine, updates, sandbox, retention, repository: options.repository, router }
    }

    /// The policies of this host.
    pub fn policies(&self) -> &Arc<Policies> {
        self.updates.policies()
    }

    /// Lets a component serve without asking whether it may.
    pub fn serve_unchecked(&self, component: &[u8]) {
        self.policies().exchange(self.admitted(component));
    }

    /// A component as if it had been admitted.
    pub fn admitted(&self, component: &[u8]) -> Admitted {
        let policy = Arc::new(Policy::load(&self.sandbox, component).unwrap());
        let info = Arc::new(ComponentInfo::examine(component).unwrap());
        Admitted { policy, info, signer: None, source: Source::Upload, candidate: None }
    }

    /// Lets a component be tried beside the serving one without asking whether it may.
    pub fn shadow_unchecked(&self, component: &[u8]) -> Arc<Report> {
        self.policies().shadows().begin(self.admitted(component), Duration::from_secs(3600))
    }

    /// Offers a component as an upload.
    pub async fn offer(&self, component: &[u8]) -> Result<u64, AdmissionError> {
        Ok(self.updates.submit(candidate(component)).await?.number)
    }

    /// A request without a body, with the token; status and JSON.
    pub async fn call(&self, method: &str, path: &str) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header("authorization", authorization());
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The text of an answer to a GET.
    pub async fn text(&self, path: &str) -> String {
        let request = Request::get(path).header("authorization", authorization());
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    /// An upload with the token.
    pub async fn upload(&self, path: &str, component: &[u8]) -> (StatusCode, Value) {
        let request = Request::put(path).header("authorization", authorization());
        self.send(request.body(Body::from(component.to_vec())).unwrap()).await
    }

    /// `POST /actuator/backups`, with the token.
    pub async fn create(&self, id: u64) -> (StatusCode, Value) {
        let body = Body::from(json!({"backupId": id}).to_string());
        let request = Request::post("/actuator/backups").header("content-type", "application/json");
        let request = request.header("authorization", authorization());
        self.send(request.body(body).unwrap()).await
    }

    /// `POST /actuator/backups/{id}/restore`, with the token.
    pub async fn restore(&self, id: u64, body: &Value) -> (StatusCode, Value) {
        let request =
            Request::post(format!("/actuator/backups/{id}/restore")).header("content-type", "application/json");
        let request = request.header("authorization", authorization());
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// `POST /actuator/retention`, with the token.
    pub async fn expire(&self, dry_run: bool) -> (StatusCode, Value) {
        let body = Body::from(json!({"dryRun": dry_run}).to_string());
        let request = Request::post("/actuator/retention").header("content-type", "application/json");
        let request = request.header("authorization", authorization());
        self.send(request.body(body).unwrap()).await
    }

    /// Any request; status and JSON.
    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// The serving policy answers as the embedded one does.
    pub async fn expect_service(&self) {
        assert_eq!(self.call("GET", "/actuator/backups").await, (StatusCode::OK, json!([])));
        let (status, body) = self.call("GET", "/actuator/backups/abc").await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!("invalidBackupId")), "{body}");
    }

    /// Ends whatever snapshot is being written.
    pub fn finish_snapshots(&self) {
        for snapshot in self.engine.snapshots(self.repository) {
            if snapshot.state == SnapshotState::InProgress {
                self.engine.finish(&snapshot.name, SnapshotState::Success);
            }
        }
    }
}

fn authorization() -> String {
    format!("Bearer {TOKEN}")
}

/// One admin, with [`TOKEN`], or nobody.
fn callers(no_token: bool) -> Callers {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(TOKEN.as_bytes()).unwrap();
    let admin = Caller { name: "admin".to_owned(), role: Role::Admin, token_file: file.path().to_owned() };
    Callers::new(if no_token { Vec::new() } else { vec![admin] }, false).unwrap()
}

/// A component as an upload without a signature.
#[must_use]
pub fn candidate(component: &[u8]) -> Candidate {
    Candidate { component: Arc::from(component), signature: None, source: Source::Upload, forced: false }
}

/// The settings of the policy.
#[must_use]
pub fn settings(repository: &str) -> types::Settings {
    types::Settings {
        repository: repository.to_owned(),
        index_prefix: PREFIX.to_owned(),
        optimize_version: None,
        engine: types::Engine::Elasticsearch,
        resume_window: 600_000,
    }
}
