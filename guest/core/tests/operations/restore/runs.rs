use backup_core::memory::Dialect;
use backup_core::restore::{RestoreAction, RestoreState, RestoredIndexState};
use backup_core::{Method, Part};

use super::fixture::{ID, assert_complete, backed_up, changed, is_probe};
use crate::fixture::{IMPORT_INDICES, OTHER_INDICES, is_write, part};

#[test]
fn everything_is_as_at_the_time_of_the_backup_and_nothing_else_has_changed() {
    for dialect in Dialect::ALL {
        let mut before = backed_up(dialect).contents();
        // The engine is told to leave blocks out.
        before.get_mut(OTHER_INDICES[2]).unwrap().blocks.clear();
        let fixture = changed(dialect);
        let of_others = fixture.of_others();
        fixture.restoring_takes(700);
        let restore = fixture.restore();
        assert_complete(&restore);
        assert!(restore.next_step.unwrap().contains("start Optimize 8.6.0"));
        assert_eq!(fixture.contents(), before);
        assert_eq!(fixture.of_others(), of_others);
        assert_eq!(fixture.engine.marked_indices(), Vec::<String>::new());
    }
}

#[test]
fn the_plan_has_every_index_with_its_part_and_what_becomes_of_it() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let writes = fixture.writes().len();
    let plan = fixture.plan();
    assert_eq!(fixture.writes().len(), writes, "a plan writes nothing");
    let row = |name: &str| plan.indices.iter().find(|index| index.target == name).unwrap();
    assert_eq!(
        (row(IMPORT_INDICES[0]).part, row(IMPORT_INDICES[0]).action),
        (Some(Part::One), RestoreAction::Replaced)
    );
    let gone = row(OTHER_INDICES[2]);
    assert_eq!((gone.part, gone.exists, gone.action), (Some(Part::Two), false, RestoreAction::Restored));
    assert_eq!(gone.size, Some(1_000));
    let neighbour = row("optimize-eu-settings_v3");
    assert_eq!((neighbour.part, neighbour.action), (None, RestoreAction::LeftAlone));
    assert_eq!(plan.snapshots.iter().map(ToString::to_string).collect::<Vec<_>>(), [part(ID, 1), part(ID, 2)]);
    assert_eq!(plan.version.unwrap().to_string(), "8.6.0");
    assert_eq!(plan.findings, []);
    assert_eq!(plan.run.unwrap().indices.len(), IMPORT_INDICES.len() + OTHER_INDICES.len());
}

#[test]
fn part_one_is_there_before_an_index_of_part_two_is_deleted() {
    let fixture = changed(Dialect::OpenSearch2_19);
    fixture.restoring_takes(700);
    fixture.restore();
    let requests = fixture.engine.requests().into_iter().filter(|request| is_write(request) && !is_probe(request));
    let writes: Vec<String> = requests.map(|request| request.to_string()).collect();
    let at = |begin: &str| writes.iter().position(|write| write.starts_with(begin)).unwrap();
    let restore = |number| at(&format!("POST /_snapshot/backups/{}/_restore", part(ID, number)));
    assert!(at("DELETE /optimize-position") < restore(1));
    assert!(restore(1) < restore(2));
    assert!(restore(1) < at("DELETE /optimize-external"));
}

#[test]
fn a_restore_after_a_finished_one_begins_anew() {
    let fixture = changed(Dialect::Elasticsearch9_2);
    assert_complete(&fixture.restore());
    let first = fixture.engine.indices();
    assert_complete(&fixture.standing());
    assert_complete(&fixture.restore());
    for index in IMPORT_INDICES {
        assert_ne!(fixture.engine.indices()[index].0, first[index].0);
    }
}

#[test]
fn where_it_stands_is_told_by_the_engine() {
    let fixture = changed(Dialect::Elasticsearch7_17);
    fixture.restoring_takes(10_000);
    assert_eq!(fixture.standing().state, RestoreState::None);
    let run = fixture.plan().run.unwrap();
    assert_eq!(fixture.standing().state, RestoreState::None);
    fixture.step(&run).unwrap();
    assert_eq!(fixture.standing().state, RestoreState::InProgress, "before anything is deleted");
    fixture.delete_first(&run);
    fixture.step(&run).unwrap();
    let standing = fixture.standing();
    assert_eq!(standing.state, RestoreState::InProgress);
    let states: Vec<RestoredIndexState> = standing.indices.iter().map(|index| index.state).collect();
    let [restoring, missing, other] =
        [RestoredIndexState::Restoring, RestoredIndexState::Missing, RestoredIndexState::Other];
    assert_eq!(states, [restoring, restoring, other, other, missing, other]);
    let bytes = standing.bytes.unwrap();
    assert_eq!((bytes.total, bytes.done), (6_000, 1_000));
    assert_complete(&fixture.run(&run));
    let standing = fixture.standing();
    assert_complete(&standing);
    assert!(standing.indices.iter().all(|index| index.state == RestoredIndexState::Restored));
}

#[test]
fn every_request_that_changes_something_names_its_indices() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.restore();
    for request in fixture.writes() {
        let is_probed = is_probe(&request);
        match request.method {
            Method::Delete => assert!(!request.path[0].contains('*') && request.path[0].starts_with("optimize-")),
            Method::Post => {
                let body: serde_json::Value = serde_json::from_str(&request.body.unwrap()).unwrap();
                assert!(!body["indices"].as_array().unwrap().is_empty());
                assert_eq!(body["include_global_state"], false);
                assert_eq!(body["include_aliases"], !is_probed);
            }
            _ => {}
        }
    }
}
