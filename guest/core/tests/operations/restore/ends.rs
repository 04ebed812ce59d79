//! The very end of a restore: its marks are being taken away.

use std::cell::Cell;
use std::time::Duration;

use backup_core::memory::{Dialect, Intercepted};
use backup_core::operations::restore;
use backup_core::restore::{ExactIndices, FindingCode, MARK, RestoreOptions, RestoreRun, RestoreState};
use backup_core::{Engine, IndexPrefix, Method, Request};
use serde_json::json;

use super::fixture::{assert_complete, backed_up, changed, codes, is_probe, renamed};
use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, interrupted, refusal};

/// Takes steps until each index is noted as one of a restore that has everything, and one of them has lost its mark again.
fn until_released(fixture: &Fixture, run: &RestoreRun) {
    let is_finished = |name: &str| fixture.engine.mark_of(name).is_some_and(|mark| mark.ends_with(".finished"));
    while !run.indices.iter().all(|index| is_finished(&index.target)) {
        let delay = fixture.step(run).unwrap().again_in.unwrap();
        fixture.engine.pass(delay);
    }
    let prefix = run.rename_prefix.clone().unwrap_or_else(|| IndexPrefix::parse("optimize").unwrap());
    let released = ExactIndices::new(&prefix, vec![run.indices[0].target.clone()]).unwrap();
    assert_eq!(fixture.engine.send(&Request::release_indices(&released)).unwrap().status, 200);
}

fn uuids(fixture: &Fixture, run: &RestoreRun) -> Vec<String> {
    let indices = fixture.engine.indices();
    run.indices.iter().map(|index| indices[&index.target].0.clone()).collect()
}

#[test]
fn a_kill_in_it_is_taken_up_and_nothing_is_restored_twice() {
    for options in [RestoreOptions::default(), renamed("look")] {
        let fixture = changed(Dialect::Elasticsearch8_19);
        let run = fixture.plan_with(&options).run.unwrap();
        until_released(&fixture, &run);
        let before = uuids(&fixture, &run);
        let plan = fixture.plan_with(&options);
        assert_eq!(codes(&plan), [FindingCode::RestoreUnfinished]);
        assert_complete(&fixture.run(&plan.run.unwrap()));
        assert_eq!(uuids(&fixture, &run), before);
        assert_eq!(fixture.engine.marked_indices(), [""; 0]);
        assert!(before.iter().all(|uuid| !uuid.is_empty()));
    }
}

#[test]
fn a_server_that_plans_in_it_replaces_nothing_after_the_end() {
    let fixture = changed(Dialect::OpenSearch2_19);
    let first = fixture.plan().run.unwrap();
    until_released(&fixture, &first);
    let second = fixture.plan().run.unwrap();
    assert_complete(&fixture.run(&first));
    let before = fixture.engine.indices();
    assert_complete(&fixture.run(&second));
    assert_eq!(fixture.engine.indices(), before);
}

#[test]
fn what_was_written_to_since_or_is_not_known_to_be_restored_is_replaced_with_everything() {
    let spoil: [&dyn Fn(&Fixture); 4] = [
        &|fixture| fixture.engine.set_document(IMPORT_INDICES[0], Some(json!({"of": "Optimize"}))),
        &|fixture| fixture.engine.change_index(OTHER_INDICES[0], |index| index.blocks.clear()),
        &|fixture| {
            fixture.engine.remove_index(IMPORT_INDICES[0]);
            fixture.engine.add_index(IMPORT_INDICES[0]);
        },
        &|fixture| fixture.engine.restart(),
    ];
    for spoil in spoil {
        let fixture = changed(Dialect::Elasticsearch8_19);
        let run = fixture.plan().run.unwrap();
        until_released(&fixture, &run);
        spoil(&fixture);
        let before = uuids(&fixture, &run);
        assert_complete(&fixture.restore());
        assert!(uuids(&fixture, &run).iter().zip(&before).all(|(after, before)| after != before));
        let expected = backed_up(Dialect::Elasticsearch8_19).contents();
        assert_eq!(fixture.contents()[IMPORT_INDICES[0]], expected[IMPORT_INDICES[0]]);
    }
}

#[test]
fn what_another_server_has_restored_between_the_two_looks_is_not_replaced() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let options = RestoreOptions::default();
    let first = fixture.look(&fixture.engine, &options, None).unwrap();
    assert_complete(&fixture.restore());
    let second = fixture.look(&fixture.engine, &options, Some(&first.writes)).unwrap();
    assert_eq!((codes(&second), second.run), (vec![FindingCode::AnotherRestore], None));
    // Who calls it again means it.
    assert!(fixture.plan().run.is_some());
}

/// Takes steps until the end, whose answer is lost.
fn until_the_answer_is_lost(fixture: &Fixture, run: &RestoreRun) {
    let is_over = Cell::new(false);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let body = request.body.as_deref().unwrap_or_default();
        let is_last = request.method == Method::Put && body.contains(&format!("\"{MARK}\":null"));
        is_last.then(|| {
            is_over.set(true);
            fixture.engine.send(request).and(Err(interrupted()))
        })
    });
    while !is_over.get() {
        if let Ok(step) = restore::advance(&engine, &fixture.context("unused"), run) {
            fixture.engine.pass(step.again_in.unwrap());
        }
    }
    assert_eq!(fixture.engine.marked_indices(), [""; 0]);
}

#[test]
fn a_shard_that_moves_while_the_last_answer_is_lost_makes_no_failure() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    until_the_answer_is_lost(&fixture, &run);
    fixture.engine.relocate(IMPORT_INDICES[0]);
    assert_complete(&fixture.run(&run));
}

/// The node of the primary has gone.
#[test]
fn a_replica_that_becomes_the_primary_is_what_was_restored() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.restoring_takes(1_000);
    fixture.delete_first(&run);
    while fixture.engine.mark_of(IMPORT_INDICES[0]).is_none_or(|mark| mark.ends_with(".planned")) {
        fixture.step(&run).unwrap();
    }
    fixture.engine.pass(Duration::from_secs(2));
    fixture.engine.promote_replica(IMPORT_INDICES[0]);
    let plan = fixture.plan();
    assert_eq!(codes(&plan), [FindingCode::RestoreUnfinished]);
    assert_complete(&fixture.run(&plan.run.unwrap()));

    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    until_the_answer_is_lost(&fixture, &run);
    fixture.engine.promote_replica(IMPORT_INDICES[0]);
    assert_complete(&fixture.run(&run));
}

#[test]
fn an_index_that_was_created_empty_or_restored_from_another_backup_is_not_taken_for_restored() {
    const NEW: u64 = 8;
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    until_the_answer_is_lost(&fixture, &run);
    fixture.engine.remove_index(IMPORT_INDICES[0]);
    fixture.engine.add_index(IMPORT_INDICES[0]);
    assert_eq!(fixture.run(&run).state, RestoreState::Failed);

    let fixture = backed_up(Dialect::Elasticsearch8_19);
    fixture.create(NEW, "run").unwrap();
    fixture.drive(NEW);
    let run = fixture.plan().run.unwrap();
    let context = fixture.context("unused");
    let options = RestoreOptions { rename_prefix: None, overridden: vec!["optimizeIsWriting".to_owned()] };
    let other = restore::plan(&fixture.engine, &context, &NEW.to_string(), &options, None).unwrap().run.unwrap();
    assert_eq!(other.backup_id.get(), NEW);
    assert_complete(&fixture.run(&other));
    for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES) {
        fixture.engine.relocate(index);
    }
    assert_eq!(fixture.run(&run).state, RestoreState::Failed);
}

#[test]
fn who_may_not_delete_leaves_no_mark_and_backups_are_made() {
    let fixture = backed_up(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let before = fixture.engine.indices();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        (request.method == Method::Delete).then(|| Ok(refusal(403, "security_exception", "action is unauthorized")))
    });
    let refused = (0..10).find_map(|_| restore::advance(&engine, &fixture.context("unused"), &run).err()).unwrap();
    assert_eq!(refused.code(), "engineAccessDenied");
    assert_eq!(fixture.engine.marked_indices(), [""; 0]);
    assert_eq!(fixture.engine.indices(), before);
    assert!(fixture.writes().iter().any(is_probe));
    fixture.create(8, "other").unwrap();
    assert_complete(&fixture.restore());
}
