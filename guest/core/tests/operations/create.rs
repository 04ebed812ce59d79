use backup_core::memory::{Damage, Intercepted, StoredSnapshot};
use backup_core::{
    Context, Error, ErrorKind, ListQuery, OptimizeVersion, RepositoryName, Settings, SnapshotState, operations,
};
use serde_json::{Value, json};

use crate::fixture::{
    Fault, Fixture, IMPORT_INDICES, OTHER_INDICES, REPOSITORY, answer, faulty, is_put, is_resolve, on_every_engine,
    part, refusal,
};

const WRONG_IDS: [&str; 14] =
    ["", "0", "-1", "+1", "1.5", "1e3", "12a", " 12", "007", "null", "*", "12*", "9223372036854775808", "1/../../_all"];

/// The error's kind and code; nothing was written.
fn refused(fixture: &Fixture, outcome: Result<operations::Accepted, Error>) -> (ErrorKind, &'static str) {
    assert!(fixture.writes().is_empty(), "{:?}", fixture.writes());
    let error = outcome.unwrap_err();
    (error.kind(), error.code())
}

#[test]
fn part_1_holds_the_import_indices_and_says_who_made_it() {
    on_every_engine(|fixture| {
        let accepted = fixture.create(123_456, "run-1").unwrap();
        assert_eq!(accepted.part_one.to_string(), "camunda_optimize_123456_8.6.0_part_1_of_2");
        let [put] = fixture.writes().try_into().unwrap();
        assert_eq!(put.to_string(), "PUT /_snapshot/backups/camunda_optimize_123456_8.6.0_part_1_of_2");
        assert_eq!(put.query, [("wait_for_completion".to_owned(), "false".to_owned())]);
        let body: Value = serde_json::from_str(put.body.as_deref().unwrap()).unwrap();
        let origin = json!({
            "runId": "run-1", "part": 1, "parts": 2, "host": "host-1", "indexPrefix": "optimize",
            "indices": 6, "documents": 0, "policy": env!("CARGO_PKG_VERSION"),
        });
        let expected = json!({
            "indices": IMPORT_INDICES, "include_global_state": false, "partial": false,
            "metadata": {"optimizeBackup": origin},
        });
        assert_eq!(body, expected);
        let [stored] = fixture.snapshots().try_into().unwrap();
        assert_eq!(
            (stored.state, stored.indices),
            (SnapshotState::InProgress, IMPORT_INDICES.map(str::to_owned).into())
        );
    });
}

#[test]
fn a_wrong_id_sends_nothing() {
    on_every_engine(|fixture| {
        let context = fixture.context("run-1");
        for id in WRONG_IDS {
            let invalid = |error: Error| assert_eq!(error.code(), "invalidBackupId", "{id:?}");
            invalid(operations::create(&fixture.engine, &context, id).unwrap_err());
            invalid(operations::get(&fixture.engine, &context, id).unwrap_err());
            invalid(operations::delete(&fixture.engine, &context, id, None).unwrap_err());
        }
        assert_eq!(fixture.engine.requests(), []);
    });
}

#[test]
fn the_repository_must_be_set() {
    on_every_engine(|fixture| {
        let settings = Settings { repository: None, ..fixture.settings() };
        let context = Context { settings, ..fixture.context("run-1") };
        let outcome = operations::create(&fixture.engine, &context, "1");
        assert_eq!(refused(fixture, outcome), (ErrorKind::Configuration, "repositoryNotConfigured"));
        for error in [
            operations::get(&fixture.engine, &context, "1").unwrap_err(),
            operations::list(&fixture.engine, &context, &ListQuery::default()).unwrap_err(),
            operations::delete(&fixture.engine, &context, "1", None).unwrap_err(),
        ] {
            assert_eq!(error, Error::RepositoryNotConfigured);
        }
        assert_eq!(fixture.engine.requests(), []);
    });
}

#[test]
fn the_repository_must_exist() {
    on_every_engine(|fixture| {
        let settings = Settings { repository: RepositoryName::parse("elsewhere").ok(), ..fixture.settings() };
        let context = Context { settings, ..fixture.context("run-1") };
        for error in [
            operations::create(&fixture.engine, &context, "1").unwrap_err(),
            operations::get(&fixture.engine, &context, "1").unwrap_err(),
            operations::list(&fixture.engine, &context, &ListQuery::default()).unwrap_err(),
            operations::delete(&fixture.engine, &context, "1", None).unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.code()), (ErrorKind::Configuration, "repositoryMissing"));
            assert!(error.to_string().contains("'elsewhere'"), "{error}");
        }
        assert!(fixture.writes().is_empty());
    });
}

#[test]
fn the_repository_must_take_writes() {
    on_every_engine(|fixture| {
        fixture.engine.add_repository(REPOSITORY, true);
        let outcome = fixture.create(1, "run-1");
        assert_eq!(refused(fixture, outcome), (ErrorKind::Configuration, "repositoryReadOnly"));
    });
}

#[test]
fn without_indices_for_both_parts_nothing_is_begun() {
    let all: Vec<&str> = IMPORT_INDICES.into_iter().chain(OTHER_INDICES).collect();
    for removed in [&all[..], &IMPORT_INDICES, &OTHER_INDICES] {
        on_every_engine(|fixture| {
            removed.iter().for_each(|index| fixture.engine.remove_index(index));
            let settings = Settings { optimize_version: OptimizeVersion::parse("8.6.0").ok(), ..fixture.settings() };
            let context = Context { settings, ..fixture.context("run-1") };
            let outcome = operations::create(&fixture.engine, &context, "1");
            assert_eq!(refused(fixture, outcome), (ErrorKind::EngineFailure, "nothingToBackUp"));
        });
    }
}

/// An engine leaves out of its list what the user may not see.
#[test]
fn without_what_every_installation_has_nothing_is_begun() {
    for index in ["optimize-metadata_v3", "optimize-settings_v3", "optimize-timestamp-based-import-index_v5"] {
        on_every_engine(|fixture| {
            fixture.engine.remove_index(index);
            let settings = Settings { optimize_version: OptimizeVersion::parse("8.6.0").ok(), ..fixture.settings() };
            let context = Context { settings, ..fixture.context("run-1") };
            let outcome = operations::create(&fixture.engine, &context, "1");
            let message = outcome.as_ref().unwrap_err().to_string();
            assert_eq!(refused(fixture, outcome), (ErrorKind::EngineFailure, "indicesMissing"));
            let (name, _) = index.rsplit_once("_v").unwrap();
            assert!(message.contains(&format!("no {name},")), "{message}");
            assert!(message.contains("view_index_metadata"), "{message}");
        });
    }
}

#[test]
fn a_number_is_taken_by_any_snapshot_of_it() {
    for (number, state) in [
        (1, SnapshotState::InProgress),
        (1, SnapshotState::Failed),
        (2, SnapshotState::Success),
        (2, SnapshotState::Partial),
    ] {
        on_every_engine(|fixture| {
            fixture.store_foreign(&part(12, number), state);
            let error = fixture.create(12, "run-1").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(error.to_string().contains(&part(12, number)), "{error}");
            assert!(fixture.writes().is_empty());
        });
    }
}

#[test]
fn a_number_is_taken_by_another_versions_snapshot() {
    on_every_engine(|fixture| {
        fixture.store_foreign("camunda_optimize_12_8.5.1_part_1_of_2", SnapshotState::Success);
        assert_eq!(refused(fixture, fixture.create(12, "run-1")), (ErrorKind::Conflict, "backupAlreadyExists"));
    });
}

#[test]
fn a_number_is_taken_by_a_damaged_snapshot() {
    for damage in [Damage::Missing, Damage::Unreadable] {
        on_every_engine(|fixture| {
            let snapshot = StoredSnapshot::new(&part(12, 1), SnapshotState::Success, fixture.engine.now());
            fixture.engine.store(REPOSITORY, StoredSnapshot { damage: Some(damage), ..snapshot });
            assert_eq!(refused(fixture, fixture.create(12, "run-1")), (ErrorKind::Conflict, "backupAlreadyExists"));
            fixture.create(13, "run-1").unwrap();
        });
    }
}

#[test]
fn a_number_is_not_taken_by_one_that_begins_with_it() {
    on_every_engine(|fixture| {
        fixture.create(123, "run-1").unwrap();
        fixture.create(12, "run-2").unwrap();
        fixture.create(1, "run-3").unwrap();
        assert_eq!(fixture.names(), [part(123, 1), part(12, 1), part(1, 1)]);
    });
}

#[test]
fn indices_that_go_on_vanishing_are_told_in_the_end() {
    on_every_engine(|fixture| {
        let gone = refusal(404, "index_not_found_exception", "no such index [optimize-import-index_v3]");
        let engine = faulty(&fixture.engine, is_put, usize::MAX, Fault::Answer(gone));
        let error = operations::create(&engine, &fixture.context("run-1"), "12").unwrap_err();
        assert_eq!(error.code(), "engineRefused");
        assert!(error.detail().unwrap().contains("optimize-import-index_v3"));
        assert!(fixture.names().is_empty());
    });
}

/// No index is called so. The name would reach others.
#[test]
fn an_answer_with_a_pattern_for_a_name_is_not_believed() {
    on_every_engine(|fixture| {
        for name in ["optimize-*", "optimize-a,other", "-optimize-a"] {
            let body = format!(r#"{{"indices":[{{"name":"optimize-import-index_v3"}},{{"name":"{name}"}}]}}"#);
            let fooled =
                Intercepted::new(&fixture.engine, |request| is_resolve(request).then(|| Ok(answer(200, &body))));
            let error = operations::create(&fooled, &fixture.context("run-1"), "12").unwrap_err();
            assert_eq!(error.code(), "engineAnswerInvalid");
            assert!(fixture.names().is_empty());
        }
    });
}
