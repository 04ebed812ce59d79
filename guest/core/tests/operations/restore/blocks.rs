//! Indices that others have blocked or released, or of which nobody knows.

use backup_core::memory::{Dialect, Intercepted};
use backup_core::operations::{self, restore};
use backup_core::restore::{RestoreState, WRITE_BLOCK};
use backup_core::{Error, Method, Request};

use super::fixture::{ID, assert_complete, backed_up, changed};
use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, answer, part, refusal};

fn take_blocks_away(fixture: &Fixture) {
    for index in IMPORT_INDICES {
        fixture.engine.change_index(index, |index| index.blocks.clear());
    }
}

#[test]
fn before_the_first_deletion_an_index_with_a_write_block_gets_a_mark() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES) {
        if fixture.engine.indices().contains_key(*index) {
            fixture.engine.change_index(index, |index| index.blocks.push(WRITE_BLOCK.to_owned()));
        }
    }
    let run = fixture.plan().run.unwrap();
    fixture.delete_first(&run);
    assert_ne!(fixture.engine.marked_indices(), [""; 0]);
}

#[test]
fn a_restored_index_whose_write_block_somebody_has_taken_away_is_replaced() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.restore_part_one(&run);
    let restored = fixture.engine.indices()[IMPORT_INDICES[0]].0.clone();
    take_blocks_away(&fixture);
    let failed = fixture.run(&run);
    assert_eq!(failed.state, RestoreState::Failed);
    assert!(failed.failure_reason.unwrap().contains(WRITE_BLOCK));
    assert_complete(&fixture.restore());
    assert_ne!(fixture.engine.indices()[IMPORT_INDICES[0]].0, restored);
    let before = backed_up(Dialect::Elasticsearch8_19).contents();
    assert_eq!(fixture.contents()[IMPORT_INDICES[0]], before[IMPORT_INDICES[0]]);
}

#[test]
fn a_restored_index_that_has_lost_its_shard_is_replaced_by_a_new_restore() {
    let fixture = changed(Dialect::OpenSearch3_1);
    fixture.restore_part_one(&fixture.plan().run.unwrap());
    fixture.engine.assign_primary(IMPORT_INDICES[0], false);
    assert_complete(&fixture.restore());
}

#[test]
fn an_engine_that_cannot_tell_the_marks_is_not_one_without_marks() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.delete_first(&run);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let is_look = request.path.last().is_some_and(|last| last == backup_core::restore::MARK);
        is_look.then(|| Ok(refusal(500, "exception", "out of files")))
    });
    let context = fixture.context("other");
    let answers = [
        operations::create(&engine, &context, "8").map(|_| ()),
        operations::delete(&engine, &context, &ID.to_string(), None).map(|_| ()),
        restore::ongoing(&engine, &context).map(|_| ()),
    ];
    for answer in answers {
        assert!(answer.is_err(), "{answer:?}");
    }
}

#[test]
fn a_500_before_a_deletion_is_waited_for() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.restore_part_one(&run);
    let before = fixture.engine.indices();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let is_status = request.path.last().is_some_and(|last| last == "_status");
        is_status.then(|| Ok(refusal(500, "repository_exception", "timed out")))
    });
    for _ in 0..5 {
        let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        assert!(step.again_in.is_some(), "{step:?}");
    }
    let after = fixture.engine.indices();
    assert!(before.keys().all(|index| after.contains_key(index)));
    assert_complete(&fixture.run(&run));
}

#[test]
fn a_restore_that_fails_before_anything_is_deleted_leaves_no_mark() {
    let fixture = backed_up(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let before = fixture.engine.indices();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        (request.method == Method::Delete).then(|| Ok(refusal(400, "illegal_argument_exception", "no")))
    });
    let ended = (0..10).find_map(|_| {
        let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        step.again_in.is_none().then_some(step.restore)
    });
    assert_eq!(ended.unwrap().state, RestoreState::Failed);
    assert_eq!(fixture.engine.indices(), before);
    assert_eq!(fixture.engine.marked_indices(), [""; 0]);
    fixture.create(8, "other").unwrap();
}

#[test]
fn another_server_that_is_told_of_a_restore_is_told_what_to_do() {
    let refused = Error::RestoreInProgress { id: None, index: "optimize-settings_v3".to_owned() };
    assert!(refused.to_string().contains("_settings"), "{refused}");
}

#[test]
fn what_is_wrong_with_the_whole_is_noticed_while_nobody_can_write() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let rolled = "optimize-external-process-variable_v2-000001";
    let run = fixture.plan().run.unwrap();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        request.path.last().is_some_and(|last| last == "_alias").then(|| Ok(answer(200, "{}")))
    });
    let failed = loop {
        let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        match step.again_in {
            Some(delay) => fixture.engine.pass(delay),
            None => break step.restore,
        }
    };
    assert_eq!(failed.state, RestoreState::Failed);
    assert!(failed.failure_reason.unwrap().contains("write index"));
    assert_eq!(fixture.engine.indices()[rolled].1.blocks, [WRITE_BLOCK]);
    let before = fixture.engine.indices()[rolled].0.clone();
    assert_complete(&fixture.restore());
    assert_eq!(fixture.engine.indices()[rolled].0, before, "what was restored is kept");
}

#[test]
fn a_version_that_differs_from_the_names_is_told_after_the_restore() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let metadata = OTHER_INDICES.into_iter().find(|index| index.contains("metadata")).unwrap();
    fixture.engine.change_snapshot(&part(ID, 2), |snapshot| {
        let stored = snapshot.contents.get_mut(metadata).unwrap();
        stored.document = Some(serde_json::json!({"schemaVersion": "8.6.1"}));
    });
    let restore = fixture.restore();
    assert_complete(&restore);
    let next = restore.next_step.unwrap();
    assert!(next.contains("start Optimize 8.6.1") && next.contains("named after 8.6.0"), "{next}");
}
