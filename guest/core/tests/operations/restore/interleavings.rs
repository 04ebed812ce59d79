//! Hosts that die at any request, two at the same time, and engines that are restarted.

use std::cell::Cell;

use backup_core::memory::{Dialect, Intercepted, MemoryEngine};
use backup_core::operations::restore;
use backup_core::restore::{RestoreOptions, RestoreRun};
use backup_core::{Engine, Method, Request, Response, TransportError};
use proptest::prelude::*;
use serde_json::json;

use super::fixture::{ID, assert_complete, backed_up, changed};
use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, VERSION, answer, interrupted, part};

/// An engine that a host reaches until it dies after so many requests.
fn until_killed(engine: &MemoryEngine, requests: usize) -> impl Engine + '_ {
    let seen = Cell::new(0);
    Intercepted::new(engine, move |_: &Request| {
        (seen.replace(seen.get() + 1) >= requests).then(|| Err(TransportError::Unreachable("killed".to_owned())))
    })
}

/// A host that plans and takes steps until it dies.
fn drive(fixture: &Fixture, engine: &impl Engine) {
    let options = RestoreOptions::default();
    let Ok(first) = fixture.look(engine, &options, None) else { return };
    let Ok(plan) = fixture.look(engine, &options, Some(&first.writes)) else { return };
    let Some(run) = plan.run else { return };
    for _ in 0..200 {
        match restore::advance(engine, &fixture.context("unused"), &run) {
            Ok(progress) => match progress.again_in {
                Some(delay) => fixture.engine.pass(delay),
                None => return,
            },
            Err(_) => return,
        }
    }
}

fn expected(dialect: Dialect) -> impl Fn(&Fixture) {
    let mut before = backed_up(dialect).contents();
    before.get_mut(OTHER_INDICES[2]).unwrap().blocks.clear();
    let others = changed(dialect).of_others();
    move |fixture| {
        assert_eq!(fixture.contents(), before);
        assert_eq!(fixture.of_others(), others);
        assert_eq!(fixture.engine.marked_indices(), Vec::<String>::new());
    }
}

#[test]
fn a_host_that_is_killed_at_any_request_is_replaced_by_the_same_call() {
    let dialect = Dialect::Elasticsearch8_19;
    let is_as_expected = expected(dialect);
    for requests in 0..400 {
        let fixture = changed(dialect);
        fixture.restoring_takes(1_500);
        let before = fixture.engine.requests().len();
        drive(&fixture, &until_killed(&fixture.engine, requests));
        let is_over = fixture.engine.requests().len() - before < requests;
        assert_complete(&fixture.restore());
        is_as_expected(&fixture);
        if is_over {
            return;
        }
    }
    panic!("the restore takes more requests than this");
}

#[test]
fn a_restore_that_is_taken_up_restores_nothing_twice() {
    let fixture = changed(Dialect::OpenSearch3_1);
    fixture.restoring_takes(500);
    let run = fixture.plan().run.unwrap();
    fixture.restore_part_one(&run);
    let restored = fixture.engine.indices()[IMPORT_INDICES[0]].0.clone();
    let plan = fixture.plan();
    assert!(plan.findings.iter().any(|finding| finding.message.contains("2 of 6 indices")), "{:?}", plan.findings);
    assert_complete(&fixture.run(&plan.run.unwrap()));
    assert_eq!(fixture.engine.indices()[IMPORT_INDICES[0]].0, restored);
}

#[test]
fn a_host_whose_plan_is_old_does_not_delete_what_another_has_restored() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let late = fixture.plan().run.unwrap();
    assert_complete(&fixture.restore());
    let restored = fixture.engine.indices();
    assert_complete(&fixture.run(&late));
    assert_eq!(fixture.engine.indices(), restored);
}

#[test]
fn an_index_that_somebody_creates_meanwhile_is_not_deleted() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.delete_first(&run);
    fixture.engine.add_index(IMPORT_INDICES[0]);
    let restore = fixture.run(&run);
    let reason = restore.failure_reason.unwrap();
    assert!(reason.contains(IMPORT_INDICES[0]) && reason.contains("somebody else"), "{reason}");
    assert!(fixture.engine.indices().contains_key(OTHER_INDICES[0]));
}

#[test]
fn an_engine_that_is_restarted_after_any_step_loses_nothing() {
    for dialect in [Dialect::Elasticsearch7_17, Dialect::OpenSearch3_1] {
        let is_as_expected = expected(dialect);
        for steps in 0.. {
            let fixture = changed(dialect);
            fixture.restoring_takes(1_500);
            let run = fixture.plan().run.unwrap();
            let is_over = (0..steps).any(|_| match fixture.step(&run).unwrap().again_in {
                Some(delay) => {
                    fixture.engine.pass(delay);
                    false
                }
                None => true,
            });
            if is_over {
                break;
            }
            fixture.engine.restart();
            assert_complete(&fixture.run(&run));
            is_as_expected(&fixture);
        }
    }
}

/// A restore of which part 1 is there, and nothing else.
fn with_part_one(fixture: &Fixture) {
    let run = fixture.plan().run.unwrap();
    fixture.restore_part_one(&run);
}

#[test]
fn a_restore_that_is_taken_up_keeps_nothing_of_an_earlier_one() {
    let dialect = Dialect::Elasticsearch8_19;
    let fixture = changed(dialect);
    assert_complete(&fixture.restore());
    for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES) {
        fixture.engine.set_document(index, Some(json!({"of": "later", "schemaVersion": VERSION})));
    }
    with_part_one(&fixture);
    assert_complete(&fixture.restore());
    expected(dialect)(&fixture);
}

#[test]
fn a_restored_index_that_was_written_to_is_replaced_when_the_restore_is_taken_up() {
    let dialect = Dialect::OpenSearch3_1;
    let fixture = changed(dialect);
    with_part_one(&fixture);
    fixture.engine.set_document(IMPORT_INDICES[0], Some(json!({"of": "Optimize, started too early"})));
    assert_complete(&fixture.restore());
    expected(dialect)(&fixture);
}

#[test]
fn nothing_is_deleted_while_the_backup_is_being_deleted() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let before = fixture.engine.indices();
    let deleting = json!({"snapshot_deletions": {"snapshot_deletions": [
        {"repository": fixture.context("unused").settings.repository.unwrap().as_str(), "snapshots": [part(ID, 2)]},
    ]}});
    let engine = Intercepted::new(&fixture.engine, move |request: &Request| {
        (request.path == ["_cluster", "state", "customs"]).then(|| Ok(answer(200, &deleting.to_string())))
    });
    let step = restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
    assert!(step.again_in.is_some() && step.refusal.unwrap().contains("being deleted"));
    assert_eq!(fixture.engine.indices(), before);
}

#[test]
fn an_index_that_somebody_replaces_while_the_snapshot_is_read_is_not_deleted() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        if request.path.last().is_some_and(|last| last == "_status") {
            fixture.engine.remove_index(IMPORT_INDICES[0]);
            fixture.engine.add_index(IMPORT_INDICES[0]);
        }
        None
    });
    fixture.step(&run).unwrap();
    restore::advance(&engine, &fixture.context("unused"), &run).unwrap();
    let indices = fixture.engine.indices();
    assert!(indices.contains_key(IMPORT_INDICES[0]) && !indices.contains_key(IMPORT_INDICES[1]));
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrives,
    LostBefore,
    LostAfter,
    Killed,
    Passes,
    /// The other host takes a step first.
    Other,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => Just(Event::Arrives),
        1 => Just(Event::LostBefore),
        1 => Just(Event::LostAfter),
        1 => Just(Event::Killed),
        2 => Just(Event::Passes),
        2 => Just(Event::Other),
    ];
    prop::collection::vec(event, 0..120)
}

/// A write that the rules of all restores allow.
fn expect_within_plan(run: &RestoreRun, request: &Request) {
    let is_planned = |name: &str| run.indices.iter().any(|index| index.target == name);
    match (request.method, request.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        (Method::Get, _) => {}
        (Method::Delete, [names]) | (Method::Put, [names, "_settings"]) => {
            assert!(names.split(',').all(is_planned), "{request}");
        }
        (Method::Post, ["_snapshot", _, _, "_restore"]) => {
            let body: serde_json::Value = serde_json::from_str(request.body.as_ref().unwrap()).unwrap();
            let names = body["indices"].as_array().unwrap();
            assert!(!names.is_empty() && names.iter().all(|name| is_planned(name.as_str().unwrap())), "{body}");
        }
        _ => panic!("{request}"),
    }
}

fn forward(engine: &MemoryEngine, run: &RestoreRun, request: &Request) -> Result<Response, TransportError> {
    expect_within_plan(run, request);
    engine.send(request)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_hosts_whatever_happens_to_them_end_with_the_backup(
        dialect in prop::sample::select(&Dialect::ALL[..]),
        events in events(),
        takes in 0_u64..3_000,
    ) {
        let fixture = changed(dialect);
        fixture.restoring_takes(takes);
        let (one, other) = (fixture.plan().run.unwrap(), fixture.plan().run.unwrap());
        let seen = Cell::new(0);
        for _ in 0..30 {
            let is_dead = Cell::new(false);
            let engine = Intercepted::new(&fixture.engine, |request: &Request| {
                let event = events.get(seen.replace(seen.get() + 1)).copied().unwrap_or(Event::Arrives);
                is_dead.set(is_dead.get() || matches!(event, Event::Killed));
                Some(match event {
                    _ if is_dead.get() => Err(TransportError::Unreachable("killed".to_owned())),
                    Event::LostBefore => Err(interrupted()),
                    Event::LostAfter => forward(&fixture.engine, &one, request).and(Err(interrupted())),
                    Event::Passes => {
                        fixture.engine.pass(std::time::Duration::from_millis(700));
                        forward(&fixture.engine, &one, request)
                    }
                    Event::Other => {
                        let _ = fixture.step(&other);
                        forward(&fixture.engine, &one, request)
                    }
                    Event::Arrives | Event::Killed => forward(&fixture.engine, &one, request),
                })
            });
            let _ = restore::advance(&engine, &fixture.context("unused"), &one);
        }
        assert_complete(&fixture.run(&one));
        assert_complete(&fixture.run(&other));
        expected(dialect)(&fixture);
    }
}
