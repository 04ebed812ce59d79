//! A host in this process, without a socket: its router is called directly.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use backup_core::memory::{Dialect, MemoryEngine};
use backup_core::{IndexPrefix, RepositoryName, SnapshotState};
use jiff::tz::TimeZone;
use optimize_backup::backups::BackupService;
use optimize_backup::elasticsearch::Readiness;
use optimize_backup::elasticsearch::{Capability, Destination, Grants};
use optimize_backup::http::{self, Api, Presentation};
use optimize_backup::metrics::Metrics;
use optimize_backup::policy::admission::{Admission, AdmissionError, Candidate, CompileLimits, Compiler};
use optimize_backup::policy::shadow::Report;
use optimize_backup::policy::signature::TrustedKeys;
use optimize_backup::policy::{Admitted, Cache, CallContext, ComponentInfo, Policies, PolicyFile, Source, Updates};
use optimize_backup::sandbox::{CallLimits, Policy, Sandbox, types};
use optimize_backup::settings::{CompleteState, Secret};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "open-sesame-open-sesame";
pub(crate) const LARGEST: usize = 4 << 20;
/// How many calls may fail in a row.
pub(crate) const FAILURES: u32 = 3;

/// A host, the engine that it talks to, and the way to its policies.
pub(crate) struct House {
    pub(crate) engine: Arc<MemoryEngine>,
    pub(crate) updates: Arc<Updates>,
    pub(crate) sandbox: Arc<Sandbox>,
    repository: &'static str,
    router: Router,
}

/// What is different in some tests.
pub(crate) struct Plan {
    pub(crate) repository: &'static str,
    pub(crate) keys: Vec<PathBuf>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) no_token: bool,
    pub(crate) compile: Option<CompileLimits>,
    pub(crate) wall_time: Option<Duration>,
    pub(crate) engine_calls: Option<u32>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            repository: "backups",
            keys: Vec::new(),
            file: None,
            cache: None,
            no_token: false,
            compile: None,
            wall_time: None,
            engine_calls: None,
        }
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::build(Plan::default())
    }

    pub(crate) fn build(plan: Plan) -> Self {
        let engine = engine(plan.repository);
        let repository = RepositoryName::parse(plan.repository).unwrap();
        let grants = Grants::new(Some(repository.clone()), IndexPrefix::parse("optimize").unwrap());
        let destination = Destination::InProcess(Arc::clone(&engine) as _);
        let capability = Capability::new(destination, grants);
        let metrics = Arc::new(Metrics::new().unwrap());
        let context = CallContext { capability: capability.clone(), settings: settings(plan.repository) };
        let sandbox = Sandbox::new(limits(&plan)).unwrap();
        let policies = Policies::new(Admitted::embedded(&sandbox).unwrap(), FAILURES, context, Arc::clone(&metrics));
        let file = plan.file.map(PolicyFile::new);
        let admission = admission(&sandbox, &plan.keys, plan.compile);
        let updates = Updates::new(Arc::clone(&policies), admission, file, plan.cache.map(Cache::new), None);
        let api = Api {
            service: BackupService::new(policies, &metrics),
            readiness: Readiness::new(capability, Some(repository)),
            metrics,
            presentation: Presentation { complete_state: CompleteState::Complete, time_zone: TimeZone::UTC },
            updates: Arc::clone(&updates),
            policy_token: (!plan.no_token).then(|| Secret::new(TOKEN)),
        };
        Self { engine, updates, sandbox, repository: plan.repository, router: http::router(Arc::new(api)) }
    }

    pub(crate) fn policies(&self) -> &Arc<Policies> {
        self.updates.policies()
    }

    /// Lets a component serve without asking whether it may.
    pub(crate) fn smuggle_in(&self, component: &[u8]) {
        self.policies().exchange(self.admitted(component));
    }

    pub(crate) fn admitted(&self, component: &[u8]) -> Admitted {
        let policy = Arc::new(Policy::load(&self.sandbox, component).unwrap());
        let info = Arc::new(ComponentInfo::examine(component).unwrap());
        Admitted { policy, info, signer: None, source: Source::Upload, candidate: None }
    }

    /// Lets a component be tried beside the serving one without asking whether it may.
    pub(crate) fn smuggle_beside(&self, component: &[u8]) -> Arc<Report> {
        self.policies().shadows().begin(self.admitted(component), Duration::from_secs(3600))
    }

    /// Offers a component as an upload.
    pub(crate) async fn offer(&self, component: &[u8]) -> Result<u64, AdmissionError> {
        Ok(self.updates.submit(candidate(component)).await?.number)
    }

    /// A request without a body; status and JSON.
    pub(crate) async fn call(&self, method: &str, path: &str) -> (StatusCode, Value) {
        self.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    /// An upload with the token.
    pub(crate) async fn upload(&self, path: &str, component: &[u8]) -> (StatusCode, Value) {
        let request = Request::put(path).header("authorization", format!("Bearer {TOKEN}"));
        self.send(request.body(Body::from(component.to_vec())).unwrap()).await
    }

    pub(crate) async fn create(&self, id: u64) -> (StatusCode, Value) {
        let body = Body::from(json!({"backupId": id}).to_string());
        let request = Request::post("/actuator/backups").header("content-type", "application/json");
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// The serving policy answers as the embedded one does.
    pub(crate) async fn expect_service(&self) {
        assert_eq!(self.call("GET", "/actuator/backups").await, (StatusCode::OK, json!([])));
        let (status, body) = self.call("GET", "/actuator/backups/abc").await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!("invalidBackupId")), "{body}");
    }

    /// Ends whatever snapshot is being written.
    pub(crate) fn finish_snapshots(&self) {
        for snapshot in self.engine.snapshots(self.repository) {
            if snapshot.state == SnapshotState::InProgress {
                self.engine.finish(&snapshot.name, SnapshotState::Success);
            }
        }
    }
}

pub(crate) fn candidate(component: &[u8]) -> Candidate {
    Candidate { component: Arc::from(component), signature: None, source: Source::Upload, forced: false }
}

fn engine(repository: &str) -> Arc<MemoryEngine> {
    let engine = MemoryEngine::new(Dialect::Elasticsearch8_19);
    engine.pass(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
    engine.add_repository(repository, false);
    for index in ["optimize-timestamp-based-import-index_v5", "optimize-metadata_v3", "optimize-settings_v3"] {
        engine.add_index(index);
    }
    engine.set_document("optimize-metadata_v3", Some(json!({"schemaVersion": "8.8.0"})));
    Arc::new(engine)
}

fn settings(repository: &str) -> types::Settings {
    types::Settings {
        repository: repository.to_owned(),
        index_prefix: "optimize".to_owned(),
        optimize_version: None,
        engine: types::Engine::Elasticsearch,
        resume_window: 600_000,
    }
}

/// Smaller than by default, so that whatever uses them up does so soon.
fn limits(plan: &Plan) -> CallLimits {
    CallLimits {
        memory: 48 << 20,
        cpu_time: Duration::from_millis(500),
        wall_time: plan.wall_time.unwrap_or(Duration::from_secs(10)),
        engine_calls: plan.engine_calls.unwrap_or(64),
        transfer: 8 << 20,
    }
}

fn admission(sandbox: &Arc<Sandbox>, keys: &[PathBuf], compile: Option<CompileLimits>) -> Admission {
    let limits = compile.unwrap_or(CompileLimits { time: Duration::from_secs(60), memory: 1 << 30 });
    let compiler = Compiler::with_program(env!("CARGO_BIN_EXE_optimize-backup").into(), limits);
    Admission::new(Arc::clone(sandbox), LARGEST, TrustedKeys::read(keys).unwrap(), compiler)
}
