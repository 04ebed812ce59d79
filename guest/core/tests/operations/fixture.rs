//! An engine with an installation of Optimize on it, and what hosts do there.

use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

use backup_core::memory::{Dialect, MemoryEngine, StoredSnapshot};
use backup_core::operations::{self, Accepted, BackupList, Deleted, Step};
use backup_core::{
    Backup, BackupId, BackupProgress, Context, Engine, EngineClock, Error, IndexPrefix, ListQuery, Method, Origin,
    Part, RepositoryName, Request, Response, RunNote, Settings, SnapshotState, TransportError,
};
use serde_json::json;

pub(crate) const REPOSITORY: &str = "backups";
pub(crate) const VERSION: &str = "8.6.0";
pub(crate) const RESUME_WINDOW: Duration = Duration::from_secs(600);

pub(crate) const IMPORT_INDICES: [&str; 2] =
    ["optimize-position-based-import-index_v3", "optimize-timestamp-based-import-index_v5"];
pub(crate) const OTHER_INDICES: [&str; 4] = [
    "optimize-external-process-variable_v2-000001",
    "optimize-metadata_v3",
    "optimize-process-instance-invoice_v8",
    "optimize-settings_v3",
];

pub(crate) struct Fixture {
    pub(crate) engine: MemoryEngine,
}

/// Runs a test once an engine.
pub(crate) fn on_every_engine(test: impl Fn(&Fixture)) {
    for dialect in Dialect::ALL {
        println!("on {dialect:?}");
        test(&Fixture::new(dialect));
    }
}

/// The name of a backup's part.
pub(crate) fn part(id: u64, number: u8) -> String {
    format!("camunda_optimize_{id}_{VERSION}_part_{number}_of_2")
}

impl Fixture {
    /// Optimize in a cluster that others use, too, with an empty repository.
    pub(crate) fn new(dialect: Dialect) -> Self {
        let engine = MemoryEngine::new(dialect);
        engine.pass(Duration::from_secs(1_700_000_000));
        engine.add_repository(REPOSITORY, false);
        let others = ["operate-list-view-8.3.0_", "optimizer-settings_v1", ".security-7"];
        for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES).chain(&others) {
            engine.add_index(index);
        }
        engine.set_document("optimize-metadata_v3", Some(json!({"id": "1", "schemaVersion": VERSION})));
        Self { engine }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            repository: Some(RepositoryName::parse(REPOSITORY).unwrap()),
            index_prefix: IndexPrefix::parse("optimize").unwrap(),
            optimize_version: None,
            engine: self.engine.dialect().kind(),
            resume_window: RESUME_WINDOW,
        }
    }

    pub(crate) fn context(&self, run_id: &str) -> Context {
        Context {
            settings: self.settings(),
            now: self.engine.now(),
            engine_clock: EngineClock::NotAsked,
            run_id: run_id.to_owned(),
            host: "host-1".to_owned(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn create(&self, id: u64, run_id: &str) -> Result<Accepted, Error> {
        operations::create(&self.engine, &self.context(run_id), &id.to_string())
    }

    pub(crate) fn advance(&self, id: u64) -> Result<Step, Error> {
        self.advance_over(&self.engine, id)
    }

    pub(crate) fn advance_over(&self, engine: &impl Engine, id: u64) -> Result<Step, Error> {
        operations::advance(engine, &self.context("unused"), BackupId::new(id).unwrap())
    }

    pub(crate) fn advance_knowing(&self, id: u64, note: RunNote) -> Result<Step, Error> {
        let context = Context { notes: vec![note], ..self.context("unused") };
        operations::advance(&self.engine, &context, BackupId::new(id).unwrap())
    }

    /// Drives a backup as a host does, with an engine that is quick.
    pub(crate) fn drive(&self, id: u64) -> Backup {
        self.engine.write_within(Duration::from_millis(300));
        for _ in 0..100 {
            match self.advance(id).unwrap() {
                Step { again_in: Some(delay), .. } => self.engine.pass(delay),
                Step { backup, .. } => return backup,
            }
        }
        panic!("the run does not end");
    }

    pub(crate) fn get(&self, id: u64) -> Result<Backup, Error> {
        operations::get(&self.engine, &self.context("unused"), &id.to_string())
    }

    pub(crate) fn get_knowing(&self, id: u64, note: RunNote) -> Result<Backup, Error> {
        let context = Context { notes: vec![note], ..self.context("unused") };
        operations::get(&self.engine, &context, &id.to_string())
    }

    pub(crate) fn progress(&self, id: u64) -> Result<BackupProgress, Error> {
        self.progress_over(&self.engine, id)
    }

    pub(crate) fn progress_over(&self, engine: &impl Engine, id: u64) -> Result<BackupProgress, Error> {
        operations::progress(engine, &self.context("unused"), &id.to_string())
    }

    pub(crate) fn list(&self) -> Result<BackupList, Error> {
        self.list_of(&ListQuery::default())
    }

    pub(crate) fn list_of(&self, query: &ListQuery) -> Result<BackupList, Error> {
        operations::list(&self.engine, &self.context("unused"), query)
    }

    pub(crate) fn delete(&self, id: u64, only_runs: Option<&[String]>) -> Result<Deleted, Error> {
        operations::delete(&self.engine, &self.context("unused"), &id.to_string(), only_runs)
    }

    /// As another client of the engine can.
    pub(crate) fn delete_behind_our_back(&self, name: &str) {
        let path = ["_snapshot", REPOSITORY, name].map(str::to_owned).to_vec();
        let request = Request { method: Method::Delete, path, query: Vec::new(), body: None };
        assert_eq!(self.engine.send(&request).unwrap().status, 200);
    }

    pub(crate) fn snapshots(&self) -> Vec<StoredSnapshot> {
        self.engine.snapshots(REPOSITORY)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.snapshots().into_iter().map(|snapshot| snapshot.name).collect();
        names.sort();
        names
    }

    pub(crate) fn finish(&self, id: u64, number: u8, state: SnapshotState) {
        self.engine.finish(&part(id, number), state);
    }

    /// A snapshot that a run of ours has written.
    pub(crate) fn store_ours(&self, id: u64, number: u8, state: SnapshotState, run_id: &str) {
        let of = if number == 1 { Part::One } else { Part::Two };
        let origin = serde_json::to_value(Origin::new(run_id, of, &self.context(run_id))).unwrap();
        let snapshot = StoredSnapshot {
            indices: vec![OTHER_INDICES[0].to_owned()],
            metadata: Some(json!({"optimizeBackup": origin})),
            ..StoredSnapshot::new(&part(id, number), state, self.engine.now())
        };
        self.engine.store(REPOSITORY, snapshot);
    }

    /// A snapshot that somebody else has written, perhaps under a name like ours.
    pub(crate) fn store_foreign(&self, name: &str, state: SnapshotState) {
        self.engine.store(REPOSITORY, StoredSnapshot::new(name, state, self.engine.now()));
    }

    /// The requests that were not mere questions.
    pub(crate) fn writes(&self) -> Vec<Request> {
        self.engine.requests().into_iter().filter(is_write).collect()
    }
}

pub(crate) fn is_write(request: &Request) -> bool {
    request.method != Method::Get
}

pub(crate) fn is_put(request: &Request) -> bool {
    request.method == Method::Put
}

pub(crate) fn is_resolve(request: &Request) -> bool {
    request.path.first().is_some_and(|segment| segment == "_resolve")
}

/// An answer of an engine or of something in its place.
pub(crate) fn answer(status: u16, body: &str) -> Response {
    Response { status, retry_after: None, body: body.to_owned() }
}

/// A refusal as engines word it.
pub(crate) fn refusal(status: u16, kind: &str, reason: &str) -> Response {
    answer(status, &json!({"error": {"type": kind, "reason": reason}, "status": status}).to_string())
}

pub(crate) fn interrupted() -> TransportError {
    TransportError::Interrupted("connection reset".to_owned())
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It never arrives.
    LostBefore,
    /// It is carried out, and the answer never arrives.
    LostAfter,
    /// Something else answers, and it never arrives.
    Answer(Response),
    /// It is carried out, and something else answers.
    AnswerAfter(Response),
    /// It never arrives, and it is known.
    Transport(TransportError),
}

impl Fault {
    /// What comes instead of the engine's own answer.
    fn strike(&self, engine: &MemoryEngine, request: &Request) -> Result<Response, TransportError> {
        match self {
            Self::LostBefore => Err(interrupted()),
            Self::LostAfter => engine.send(request).and(Err(interrupted())),
            Self::Answer(answer) => Ok(answer.clone()),
            Self::AnswerAfter(answer) => engine.send(request).map(|_| answer.clone()),
            Self::Transport(error) => Err(error.clone()),
        }
    }
}

/// Answers after which nobody knows whether the engine has acted.
pub(crate) fn nobody_knows() -> [Fault; 8] {
    [
        Fault::LostAfter,
        Fault::LostBefore,
        Fault::Transport(TransportError::Unreadable("not text".to_owned())),
        Fault::Answer(answer(200, "")),
        Fault::Answer(answer(504, "<html>Gateway Timeout</html>")),
        Fault::AnswerAfter(answer(200, r#"{"accep"#)),
        Fault::AnswerAfter(answer(200, "<html>")),
        Fault::AnswerAfter(answer(502, "")),
    ]
}

/// The engine, where some requests go wrong.
pub(crate) struct Faulty<'a> {
    engine: &'a MemoryEngine,
    concerned: fn(&Request) -> bool,
    /// Those of the requests concerned that go wrong, by their number.
    when: Range<usize>,
    fault: Fault,
    seen: Cell<usize>,
}

/// The engine, where the first so many requests of a kind go wrong.
pub(crate) fn faulty(engine: &MemoryEngine, concerned: fn(&Request) -> bool, times: usize, fault: Fault) -> Faulty<'_> {
    Faulty { engine, concerned, when: 0..times, fault, seen: Cell::new(0) }
}

/// The engine, where everything goes wrong after so many requests.
pub(crate) fn broken_after(engine: &MemoryEngine, requests: usize, fault: Fault) -> Faulty<'_> {
    Faulty { engine, concerned: |_| true, when: requests..usize::MAX, fault, seen: Cell::new(0) }
}

impl Faulty<'_> {
    fn strikes(&self, request: &Request) -> bool {
        (self.concerned)(request) && self.when.contains(&self.seen.replace(self.seen.get() + 1))
    }
}

impl Engine for Faulty<'_> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        if self.strikes(request) { self.fault.strike(self.engine, request) } else { self.engine.send(request) }
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        if self.strikes(request) {
            self.fault.strike(self.engine, request).map(Some)
        } else {
            self.engine.submit(request)
        }
    }
}
