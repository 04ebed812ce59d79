//! What other hosts see of a restore, and do not do meanwhile.

use backup_core::memory::{Dialect, Intercepted};
use backup_core::operations::{self, restore};
use backup_core::restore::{ExactIndices, FindingCode, MARK, RestoreRun, RestoreState, WRITE_BLOCK};
use backup_core::{Engine, Error, IndexPrefix, Request, SnapshotState};
use serde_json::json;

use super::fixture::{ID, assert_complete, backed_up, changed, is_rehearsal, overriding};
use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, part, refusal};

const NEW: u64 = 8;

fn ongoing(fixture: &Fixture) -> Vec<u64> {
    let ids = restore::ongoing(&fixture.engine, &fixture.context("unused")).unwrap();
    ids.into_iter().map(|id| id.get()).collect()
}

/// What anybody must find while an index is missing.
fn assert_seen(fixture: &Fixture) {
    assert_eq!(ongoing(fixture), [ID]);
    let refused = fixture.create(NEW, "other").unwrap_err();
    assert!(matches!(refused, Error::RestoreInProgress { id: None, .. }), "{refused}");
    assert!(fixture.delete(ID, None).is_err());
    assert_eq!(fixture.standing().state, RestoreState::InProgress);
}

/// Steps, at every request of which somebody else looks; how often an index was missing then.
fn watched(fixture: &Fixture, run: &RestoreRun) -> usize {
    let is_gap = || run.indices.iter().any(|index| !fixture.engine.indices().contains_key(&index.target));
    let gaps = std::cell::Cell::new(0);
    let has_begun = std::cell::Cell::new(false);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        if has_begun.get() && is_gap() {
            gaps.set(gaps.get() + 1);
            assert_seen(fixture);
        }
        let is_change = request.method != backup_core::Method::Get && !is_rehearsal(request);
        has_begun.set(has_begun.get() || is_change);
        None
    });
    for _ in 0..200 {
        match restore::advance(&engine, &fixture.context("unused"), run).unwrap().again_in {
            Some(delay) => fixture.engine.pass(delay),
            None => return gaps.get(),
        }
    }
    panic!("the restore does not end");
}

#[test]
fn at_every_moment_other_hosts_know_of_it() {
    for removed in [&[][..], &OTHER_INDICES[2..], &OTHER_INDICES, &[IMPORT_INDICES[0]]] {
        let fixture = changed(Dialect::Elasticsearch8_19);
        fixture.restoring_takes(700);
        removed.iter().for_each(|index| fixture.engine.remove_index(index));
        let run = fixture.plan().run.unwrap();
        assert!(watched(&fixture, &run) > 10, "{removed:?}");
        assert_complete(&fixture.standing());
        assert_eq!(ongoing(&fixture), [0; 0]);
        fixture.create(NEW, "other").unwrap();
    }
}

#[test]
fn the_backup_is_not_deleted_in_the_gap_after_a_deletion() {
    let fixture = changed(Dialect::OpenSearch2_19);
    let run = fixture.plan().run.unwrap();
    fixture.delete_first(&run);
    let refused = fixture.delete(ID, None).unwrap_err();
    assert_eq!(refused.code(), "restoreInProgress", "{refused}");
    assert!(refused.to_string().contains(MARK), "{refused}");
    assert_complete(&fixture.run(&run));
    fixture.delete(ID, None).unwrap();
}

#[test]
fn another_backup_can_be_deleted_meanwhile() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.create(NEW, "run").unwrap();
    fixture.drive(NEW);
    let run = fixture.plan().run.unwrap();
    fixture.step(&run).unwrap();
    fixture.delete(NEW, None).unwrap();
}

#[test]
fn a_backup_that_meets_a_restore_ends_without_its_second_part() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.create(NEW, "other").unwrap();
    fixture.engine.finish(&part(NEW, 1), SnapshotState::Success);
    fixture.step(&run).unwrap();
    let step = fixture.advance(NEW).unwrap();
    assert_eq!(step.again_in, None);
    assert!(step.refusal.unwrap().contains("is being restored"));
    assert!(!fixture.names().contains(&part(NEW, 2)));
}

#[test]
fn who_may_not_read_the_marks_makes_and_deletes_backups_all_the_same() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let is_look = request.path.last().is_some_and(|last| last == MARK);
        is_look.then(|| Ok(refusal(403, "security_exception", "action is unauthorized")))
    });
    let (context, id) = (fixture.context("run"), NEW.to_string());
    operations::create(&engine, &context, &id).unwrap();
    operations::delete(&engine, &context, &id, None).unwrap();
}

#[test]
fn it_costs_a_backup_and_a_deletion_one_request() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let looks = || {
        let requests = fixture.engine.requests();
        requests.iter().filter(|request| request.path.last().is_some_and(|last| last == MARK)).count()
    };
    let before = looks();
    fixture.create(NEW, "run").unwrap();
    assert_eq!(looks() - before, 1);
    fixture.drive(NEW);
    let before = looks();
    fixture.delete(NEW, None).unwrap();
    assert_eq!(looks() - before, 1);
}

#[test]
fn nothing_is_deleted_if_another_server_takes_the_marks_away_while_the_snapshot_is_read() {
    let fixture = backed_up(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.step(&run).unwrap();
    let before = fixture.engine.indices();
    let marked = fixture.engine.marked_indices();
    assert!(!marked.is_empty());
    let indices = ExactIndices::new(&IndexPrefix::parse("optimize").unwrap(), marked).unwrap();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        if request.path.last().is_some_and(|last| last == "_status") {
            fixture.engine.send(&Request::unmark_indices(&indices)).unwrap();
        }
        None
    });
    let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
    assert!(step.again_in.is_some());
    assert_eq!(fixture.engine.indices(), before);
    assert_complete(&fixture.run(&run));
}

fn mark(fixture: &Fixture, index: &str, mark: &str) {
    let prefix = IndexPrefix::parse("optimize").unwrap();
    let indices = ExactIndices::new(&prefix, vec![index.to_owned()]).unwrap();
    assert_eq!(fixture.engine.send(&Request::mark_indices(&indices, mark)).unwrap().status, 200);
}

#[test]
fn the_restore_of_a_nested_installation_is_its_own_affair() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    mark(&fixture, "optimize-eu-settings_v3", "of-another");
    fixture.create(NEW, "run").unwrap();
    fixture.delete(NEW, None).unwrap();
}

#[test]
fn an_index_that_cannot_be_marked_does_not_keep_it_from_going_on() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES) {
        fixture.engine.change_index(index, |index| index.blocks.push("index.blocks.read_only_allow_delete".to_owned()));
    }
    let run = fixture.plan().run.unwrap();
    assert_complete(&fixture.run(&run));
}

#[test]
fn nobody_writes_to_half_a_restore() {
    let fixture = changed(Dialect::OpenSearch3_1);
    let run = fixture.plan().run.unwrap();
    let is_restored = |index: &str| {
        fixture.engine.indices().get(index).is_some_and(|found| found.1.document == Some(json!({"of": index})))
    };
    let is_blocked = |index: &str| fixture.engine.indices()[index].1.blocks == [WRITE_BLOCK];
    let mut seen = 0;
    while let Some(delay) = fixture.step(&run).unwrap().again_in {
        let all: Vec<&str> = IMPORT_INDICES.iter().chain(&OTHER_INDICES).copied().collect();
        let is_whole = all.iter().all(|index| fixture.engine.indices().contains_key(*index));
        for index in all.iter().filter(|index| is_restored(index)) {
            if !is_whole {
                assert!(is_blocked(index), "{index}");
                seen += 1;
            }
        }
        fixture.engine.pass(delay);
    }
    assert!(seen > 0);
    assert!(!OTHER_INDICES.iter().chain(&IMPORT_INDICES).any(|index| is_blocked(index)));
}

#[test]
fn marks_on_indices_that_the_backup_does_not_have_are_taken_away() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let later = "optimize-alert_v4";
    fixture.engine.add_index(later);
    fixture.engine.change_index(later, |index| index.blocks.push(WRITE_BLOCK.to_owned()));
    mark(&fixture, later, "of-another-backup.restored");
    mark(&fixture, "optimize-eu-settings_v3", "of-another-installation");
    let plan = fixture.plan();
    assert!(plan.run.is_none());
    let plan = fixture.plan_with(&overriding(FindingCode::AnotherRestore));
    assert_complete(&fixture.run(&plan.run.unwrap()));
    assert_eq!(fixture.engine.marked_indices(), ["optimize-eu-settings_v3"]);
    assert_eq!(fixture.engine.indices()[later].1.blocks, [""; 0]);
    assert_eq!(fixture.plan().findings.iter().filter(|finding| finding.stops()).count(), 0);
}

#[test]
fn marks_of_an_installation_of_which_only_a_part_is_there_are_its_own_affair() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    for index in ["optimize-us-timestamp-based-import-index_v5", "optimize-us-position-based-import-index_v3"] {
        fixture.engine.add_index(index);
        fixture.engine.change_index(index, |index| index.blocks.push(WRITE_BLOCK.to_owned()));
        mark(&fixture, index, "of-another.restored");
    }
    fixture.create(NEW, "run").unwrap();
    fixture.delete(NEW, None).unwrap();
    assert_complete(&fixture.restore());
    let index = "optimize-us-timestamp-based-import-index_v5";
    assert!(fixture.engine.mark_of(index).is_some());
    assert_eq!(fixture.engine.indices()[index].1.blocks, [WRITE_BLOCK]);
}

#[test]
fn a_mark_that_cannot_be_taken_away_does_not_keep_a_restore_from_being_complete() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let later = "optimize-alert_v4";
    fixture.engine.add_index(later);
    mark(&fixture, later, "of-another-backup.restored");
    let run = fixture.plan_with(&overriding(FindingCode::AnotherRestore)).run.unwrap();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let is_change = request.method == backup_core::Method::Put && request.path[0].contains(later);
        is_change.then(|| Ok(refusal(403, "cluster_block_exception", "blocked by: [FORBIDDEN/8/index write]")))
    });
    let ended = loop {
        let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
        match step.again_in {
            Some(delay) => fixture.engine.pass(delay),
            None => break step.restore,
        }
    };
    assert_complete(&ended);
    assert!(ended.next_step.unwrap().contains(later));
    assert_eq!(fixture.engine.marked_indices(), [later]);
}
