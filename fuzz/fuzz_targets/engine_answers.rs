//! What engines answer, through every operation.
//!
//! The input's first line is the operation and its backup ID: `create 12`. What follows are the engine's
//! answers; see [`Script`].

#![no_main]

use std::time::Duration;

use backup_core::operations::{advance, create, delete, get, list, progress};
use backup_core::{
    Amounts, Backup, BackupId, BackupProgress, BackupState, Context, EngineClock, EngineKind, IdPattern, IndexPrefix,
    ListQuery, Method, NAME_PREFIX, PageLimit, Part, RepositoryName, Request, Settings, SnapshotName, SnapshotState,
    Timestamp,
};
use backup_elasticsearch::{Grants, Scope};
use libfuzzer_sys::fuzz_target;
use optimize_backup_fuzz::script::Script;
use serde_json::Value;

fuzz_target!(|input: &str| {
    let (command, answers) = input.split_once('\n').unwrap_or((input, ""));
    let (operation, id) = command.split_once(' ').unwrap_or((command, "12"));
    let context = context();
    let grants = Grants::new(context.settings.repository.clone(), context.settings.index_prefix.clone());
    let engine = Script::new(grants, scope(operation, id), answers);
    run(operation, id, &engine, &context);
    engine.asked().iter().for_each(|request| assert_harmless(request, operation, id));
});

fn context() -> Context {
    let settings = Settings {
        repository: RepositoryName::parse("backups").ok(),
        index_prefix: IndexPrefix::parse("optimize").unwrap(),
        optimize_version: None,
        engine: EngineKind::Elasticsearch,
        resume_window: Duration::from_secs(600),
    };
    let now = Timestamp(1_700_000_060_000);
    let engine_clock = EngineClock::NotAsked;
    Context { settings, now, engine_clock, run_id: "run".to_owned(), host: "fuzz".to_owned(), notes: Vec::new() }
}

fn scope(operation: &str, id: &str) -> Scope {
    match operation {
        "create" => Scope::of_create(id),
        "advance" => id.parse().map_or(Scope::Read, Scope::of_advance),
        "delete" | "cleanup" => Scope::of_delete(id),
        _ => Scope::Read,
    }
}

fn run(operation: &str, id: &str, engine: &Script<'_>, context: &Context) {
    match operation {
        "create" => {
            if let Ok(accepted) = create(engine, context, id) {
                assert_eq!(accepted.part_one.part, Part::One);
                assert_eq!(accepted.part_one.backup_id.to_string(), id);
            }
        }
        "advance" => {
            let Ok(id) = BackupId::parse(id) else { return };
            if let Ok(step) = advance(engine, context, id) {
                assert_sound(&step.backup);
                assert!(step.again_in.is_none_or(|delay| delay <= Duration::from_secs(30)));
            }
        }
        "get" => {
            if let Ok(backup) = get(engine, context, id) {
                assert_eq!(backup.id.to_string(), id);
                assert_sound(&backup);
            }
        }
        "progress" => {
            if let Ok(progress) = progress(engine, context, id) {
                assert_eq!(progress.id.to_string(), id);
                assert_possible(&progress);
            }
        }
        "delete" => drop(delete(engine, context, id, None)),
        "cleanup" => drop(delete(engine, context, id, Some(&["run".to_owned()]))),
        "page" => {
            let Ok(pattern) = IdPattern::parse(id) else { return };
            assert_listed(engine, context, &ListQuery { pattern, limit: PageLimit::new(2), ..ListQuery::default() });
        }
        "names" => {
            let Ok(pattern) = IdPattern::parse(id) else { return };
            assert_listed(engine, context, &ListQuery { pattern, verbose: false, ..ListQuery::default() });
        }
        _ => assert_listed(engine, context, &ListQuery::default()),
    }
}

fn assert_listed(engine: &Script<'_>, context: &Context, query: &ListQuery) {
    let Ok(list) = list(engine, context, query) else { return };
    list.backups.iter().for_each(assert_sound);
    assert!(list.backups.iter().all(|backup| query.matches(backup.id)));
    assert!(list.backups.is_sorted_by(|one, next| one.id > next.id));
    assert!(query.limit.is_none_or(|limit| list.backups.len() <= limit.get()));
    assert!(list.next.is_none_or(|next| list.backups.iter().all(|backup| backup.id >= next)));
}

/// Only two snapshots that succeeded can be restored, and every other end has a reason.
fn assert_sound(backup: &Backup) {
    assert!(!backup.snapshots.is_empty());
    assert!(backup.snapshots.iter().all(|snapshot| snapshot.name.backup_id == backup.id));
    let good = matches!(backup.state, BackupState::Complete | BackupState::InProgress);
    assert_eq!(good, backup.failure_reason.is_none());
    if backup.state == BackupState::Complete {
        let parts: Vec<Part> = backup.snapshots.iter().map(|snapshot| snapshot.name.part).collect();
        assert_eq!(parts, Part::ALL);
        assert!(backup.snapshots.iter().all(|snapshot| snapshot.state == SnapshotState::Success));
    }
}

/// More than all is never done, and all only at the end.
fn assert_possible(progress: &BackupProgress) {
    assert!(progress.permille <= 1000);
    match progress.state {
        BackupState::Complete => assert_eq!(progress.permille, 1000),
        BackupState::InProgress => assert!(progress.permille < 1000),
        BackupState::Failed | BackupState::Incompatible | BackupState::Incomplete => {}
    }
    for Amounts { bytes, shards } in progress.parts.iter().filter_map(|part| part.amounts) {
        assert!(bytes.done <= bytes.total);
        assert!(shards.done.checked_add(shards.failed).is_some_and(|ended| ended <= shards.total));
    }
}

fn assert_harmless(request: &Request, operation: &str, id: &str) {
    match request.method {
        Method::Get => assert!(request.body.is_none()),
        Method::Post => panic!("no operation of a backup restores: {request}"),
        Method::Put => assert_whole_part(request, operation, id),
        Method::Delete => {
            assert!(matches!(operation, "delete" | "cleanup"));
            for name in snapshot_of(request).split(',') {
                assert_of(name, id);
            }
        }
    }
}

fn assert_whole_part(request: &Request, operation: &str, id: &str) {
    let part = assert_of(snapshot_of(request), id);
    assert_eq!(part, if operation == "create" { Part::One } else { Part::Two });
    let body: Value = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
    let indices = body["indices"].as_array().unwrap();
    assert!(!indices.is_empty());
    for index in indices {
        let index = index.as_str().unwrap();
        assert!(index.starts_with("optimize-") && !index.contains(['*', '?', ',', '<', ':']), "{index}");
    }
    assert_eq!(body["include_global_state"], false);
    assert_eq!(body["partial"], false);
}

fn snapshot_of(request: &Request) -> &str {
    match request.path.as_slice() {
        [snapshot, repository, names] if snapshot == "_snapshot" && repository == "backups" => names,
        other => panic!("not a snapshot: {other:?}"),
    }
}

/// An exact name of the backup that was asked for, and which part it is.
fn assert_of(name: &str, id: &str) -> Part {
    assert!(name.starts_with(NAME_PREFIX) && !name.contains(['*', '?', ',']), "{name}");
    let name = SnapshotName::parse(name).expect("only names that are understood are acted on");
    assert_eq!(name.backup_id.to_string(), id);
    name.part
}
