//! What goes wrong while a restore runs.

use backup_core::memory::{Dialect, Intercepted, StoredSnapshot};
use backup_core::operations::restore;
use backup_core::restore::{RestoreState, RestoreStep, RestoredIndexState};
use backup_core::{Engine, Error, Method, Request};

use super::fixture::{ID, assert_complete, changed, is_probe};
use crate::fixture::{IMPORT_INDICES, OTHER_INDICES, answer, part, refusal};

#[test]
fn an_index_whose_data_is_gone_fails_and_nothing_more_is_deleted() {
    for dialect in Dialect::ALL {
        let fixture = changed(dialect);
        let lose = |snapshot: &mut StoredSnapshot| snapshot.unreadable_data.extend([IMPORT_INDICES[0].to_owned()]);
        fixture.engine.change_snapshot(&part(ID, 1), lose);
        let before = fixture.engine.indices();
        let failed = fixture.restore();
        assert_eq!(failed.state, RestoreState::Failed);
        let reason = failed.failure_reason.unwrap();
        assert!(reason.contains(IMPORT_INDICES[0]) && reason.contains("NoSuchFileException"), "{reason}");
        assert!(failed.next_step.unwrap().contains("do not start Optimize"));
        assert_eq!(failed.indices[0].state, RestoredIndexState::Other);
        assert_eq!(fixture.standing().state, RestoreState::Failed);
        let after = fixture.engine.indices();
        assert_eq!(after.get(OTHER_INDICES[0]), before.get(OTHER_INDICES[0]), "part 2 is as it was");
        // Once the file is back, the same call mends it.
        fixture.engine.change_snapshot(&part(ID, 1), |snapshot| snapshot.unreadable_data.clear());
        assert_complete(&fixture.restore());
    }
}

#[test]
fn files_that_vanish_after_the_plan_are_noticed_before_anything_is_deleted() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let before = fixture.engine.indices();
    fixture.engine.change_snapshot(&part(ID, 1), |snapshot| {
        snapshot.unreadable_shards.insert(IMPORT_INDICES[0].to_owned());
    });
    let failed = fixture.run(&run);
    assert_eq!(failed.state, RestoreState::Failed);
    assert!(failed.failure_reason.unwrap().contains("nothing more is deleted"));
    assert_eq!(fixture.engine.indices(), before);
}

#[test]
fn a_backup_that_is_deleted_and_made_again_is_another_one() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let before = fixture.engine.indices();
    fixture.delete(ID, None).unwrap();
    assert!(matches!(fixture.step(&run), Err(Error::BackupNotFound { .. })));
    fixture.create(ID, "run-2").unwrap();
    fixture.drive(ID);
    let failed = fixture.run(&run);
    assert!(failed.failure_reason.unwrap().contains("another one"));
    assert_eq!(fixture.engine.indices(), before);
}

#[test]
fn the_backup_cannot_be_deleted_while_it_is_restored() {
    for dialect in Dialect::ALL {
        let fixture = changed(dialect);
        fixture.restoring_takes(5_000);
        let run = fixture.plan().run.unwrap();
        fixture.delete_first(&run);
        fixture.step(&run).unwrap();
        assert!(fixture.delete(ID, None).is_err());
    }
}

fn is_restore(request: &Request) -> bool {
    request.method == Method::Post && !is_probe(request)
}

#[test]
fn who_may_not_restore_changes_nothing() {
    for dialect in Dialect::ALL {
        let fixture = changed(dialect);
        let run = fixture.plan().run.unwrap();
        let before = fixture.engine.indices();
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            let reason = "action [cluster:admin/snapshot/restore] is unauthorized for user [operator]";
            request
                .path
                .last()
                .is_some_and(|last| last == "_restore")
                .then(|| Ok(refusal(403, "security_exception", reason)))
        });
        for _ in 0..3 {
            let error = restore::advance(&engine, &fixture.context("unused"), &run).unwrap_err();
            assert_eq!(error.code(), "engineAccessDenied");
            assert!(error.detail().unwrap().contains("cluster:admin/snapshot/restore"), "{error:?}");
        }
        assert_eq!(fixture.engine.indices(), before);
        assert_eq!(fixture.engine.marked_indices(), [""; 0]);
        assert_complete(&fixture.run(&run));
    }
}

#[test]
fn the_right_to_restore_is_tried_before_each_deletion() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.restore();
    let mut is_tried = false;
    for request in fixture.engine.requests() {
        is_tried |= is_probe(&request);
        if request.method == Method::Delete {
            assert!(is_tried, "{request}");
            is_tried = false;
        }
    }
}

#[test]
fn what_speaks_against_any_restore_is_noticed_before_anything_is_changed() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let before = fixture.engine.indices();
    let answers = [
        refusal(500, "snapshot_restore_exception", "the snapshot was created with a version higher than this node"),
        answer(200, r#"{"accepted":true}"#),
    ];
    for response in answers {
        let engine =
            Intercepted::new(&fixture.engine, |request: &Request| is_probe(request).then(|| Ok(response.clone())));
        let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        assert_eq!((step.restore.state, step.again_in), (RestoreState::Failed, None));
        assert_eq!(fixture.engine.indices(), before);
        assert_eq!(fixture.engine.marked_indices(), [""; 0]);
    }
}

/// Only what an engine says of the name itself means that it would have restored.
#[test]
fn an_answer_that_says_nothing_of_the_right_to_restore_deletes_nothing() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let before = fixture.engine.indices();
    let answers = [
        answer(404, "<html>no such page</html>"),
        answer(405, r#"{"error":"Incorrect HTTP method"}"#),
        answer(413, ""),
        refusal(404, "repository_missing_exception", "[backups] missing"),
        refusal(400, "parse_exception", "unknown parameter"),
    ];
    for response in answers {
        let engine =
            Intercepted::new(&fixture.engine, |request: &Request| is_probe(request).then(|| Ok(response.clone())));
        for _ in 0..3 {
            let step = restore::advance(&engine, &fixture.context("unused"), &run);
            assert!(step.is_err() || step.unwrap().restore.state == RestoreState::Failed, "{response:?}");
        }
        assert_eq!(fixture.engine.indices(), before);
        assert_eq!(fixture.engine.marked_indices(), [""; 0]);
    }
}

#[test]
fn refusals_that_can_pass_are_told_and_tried_again() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.delete_first(&run);
    for (status, kind) in [(503, "concurrent_snapshot_execution_exception"), (429, "circuit_breaking_exception")] {
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            is_restore(request).then(|| Ok(refusal(status, kind, "later")))
        });
        let progress = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        assert!(progress.refusal.unwrap().contains(kind));
        assert!(progress.again_in.is_some());
    }
    assert_complete(&fixture.run(&run));
}

#[test]
fn refusals_that_cannot_pass_end_it() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.delete_first(&run);
    let answers = [
        refusal(500, "snapshot_restore_exception", "the snapshot was created with a version higher than this node"),
        refusal(400, "illegal_argument_exception", "this action would add [9] shards"),
        answer(200, r#"{"snapshot":{"shards":{"total":2,"failed":1,"successful":1}}}"#),
    ];
    for response in answers {
        let engine =
            Intercepted::new(&fixture.engine, |request: &Request| is_restore(request).then(|| Ok(response.clone())));
        let RestoreStep { restore, again_in, .. } =
            restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        assert_eq!((restore.state, again_in), (RestoreState::Failed, None));
    }
    assert_complete(&fixture.run(&run));
}

#[test]
fn an_index_that_loses_its_shard_after_it_was_restored_is_waited_for() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.restore_part_one(&run);
    fixture.engine.assign_primary(IMPORT_INDICES[0], false);
    let progress = fixture.step(&run).unwrap();
    assert!(progress.again_in.is_some());
    assert!(fixture.standing().next_step.unwrap().contains(IMPORT_INDICES[0]));
    fixture.engine.assign_primary(IMPORT_INDICES[0], true);
    assert_complete(&fixture.run(&run));
}

/// As Elasticsearch 8.19 tells of it after a crash.
#[test]
fn an_index_whose_restore_a_crash_has_cut_off_is_restored_again() {
    for dialect in Dialect::ALL {
        let fixture = changed(dialect);
        fixture.restoring_takes(5_000);
        let run = fixture.plan().run.unwrap();
        while !fixture.engine.requests().iter().any(is_restore) {
            fixture.step(&run).unwrap();
        }
        fixture.engine.restart();
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            (request.path.first()? == "_cat").then(|| {
                let response = fixture.engine.send(request)?;
                let details = "failed recovery: failed to recover from gateway\\n\\tat org.elasticsearch.X(X.java:1)";
                let body = response.body.replace("\"CLUSTER_RECOVERED\"", "\"ALLOCATION_FAILED\"");
                let body =
                    body.replace("\"unassigned.details\":null", &format!("\"unassigned.details\":\"{details}\""));
                assert!(body.contains(details), "{body}");
                Ok(answer(200, &body))
            })
        });
        let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        assert!(step.again_in.is_some(), "{dialect:?}: {:?}", step.restore);
        assert_complete(&fixture.run(&run));
    }
}
