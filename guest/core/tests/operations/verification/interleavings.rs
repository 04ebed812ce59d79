//! Hosts that die at any request, answers that get lost at any request, and two hosts at the same time.

use std::cell::Cell;

use backup_core::memory::{Dialect, Intercepted, MemoryEngine};
use backup_core::operations::verification;
use backup_core::verification::scratch::is_scratch;
use backup_core::verification::{CheckOutcome, VerificationRun, VerificationStep};
use backup_core::{Engine, ErrorKind, Method, Request, Response, TransportError};
use proptest::prelude::*;

use super::fixture::{MAX_STEPS, assert_passed, seconds, verifiable};
use crate::fixture::{Fixture, interrupted};

/// Begins and takes steps until the end, or until an error if `is_patient` is false. `None`: there is no end, or the lock is gone.
fn drive(fixture: &Fixture, engine: &impl Engine, run_id: &str, is_patient: bool) -> Option<VerificationRun> {
    let run = fixture.begin_over(engine, run_id).ok()?;
    go_on(fixture, engine, run, is_patient)
}

fn go_on(
    fixture: &Fixture,
    engine: &impl Engine,
    mut run: VerificationRun,
    is_patient: bool,
) -> Option<VerificationRun> {
    for _ in 0..MAX_STEPS {
        match verification::advance(engine, &fixture.context("unused"), &run) {
            Ok(VerificationStep { again_in: Some(delay), run: next, .. }) => {
                // It takes longer than it must, so that the lock is counted up now and then.
                fixture.engine.pass(delay + seconds(7));
                run = next;
            }
            Ok(VerificationStep { run, .. }) => return Some(run),
            Err(error) if is_patient && error.kind() != ErrorKind::Conflict => fixture.engine.pass(seconds(1)),
            Err(_) => return None,
        }
    }
    panic!("the verification does not end");
}

/// Only what verifications make is written, by exact names.
fn expect_scratch(request: &Request) {
    match (request.method, request.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        (Method::Get, _) | (Method::Post, ["_snapshot", _, _, "_restore"]) => {}
        (Method::Delete, [names]) | (Method::Put, [names] | [names, "_settings"]) => {
            assert!(names.split(',').all(|name| is_scratch(name) && !name.contains('*')), "{request}");
        }
        _ => panic!("{request}"),
    }
}

fn forward(engine: &MemoryEngine, request: &Request) -> Result<Response, TransportError> {
    expect_scratch(request);
    engine.send(request)
}

#[test]
fn what_a_host_leaves_that_dies_at_any_request_is_cleared_and_a_new_one_passes() {
    for is_executed in [false, true] {
        for requests in 0..2_000 {
            let fixture = verifiable(Dialect::Elasticsearch8_19);
            fixture.engine.restore_within(seconds(10));
            let before = fixture.all_else();
            let seen = Cell::new(0);
            let engine = Intercepted::new(&fixture.engine, |request: &Request| {
                let sent = seen.replace(seen.get() + 1);
                Some(match sent {
                    sent if sent < requests => forward(&fixture.engine, request),
                    sent if sent == requests && is_executed => {
                        forward(&fixture.engine, request).and(Err(interrupted()))
                    }
                    _ => Err(TransportError::Unreachable("killed".to_owned())),
                })
            });
            let ended = drive(&fixture, &engine, "killed", false);
            fixture.clear_what_is_left();
            assert_eq!(fixture.scratch(), Vec::<String>::new(), "after {requests} requests");
            assert_passed(&fixture.verify());
            assert_eq!(fixture.scratch(), Vec::<String>::new());
            assert_eq!(fixture.all_else(), before);
            if ended.is_some() {
                assert!(requests > 40);
                break;
            }
        }
    }
}

#[test]
fn an_answer_that_gets_lost_at_any_request_changes_nothing() {
    for is_executed in [false, true] {
        for lost in 0..2_000 {
            let fixture = verifiable(Dialect::OpenSearch3_1);
            fixture.engine.restore_within(seconds(10));
            let seen = Cell::new(0);
            let engine = Intercepted::new(&fixture.engine, |request: &Request| {
                Some(match seen.replace(seen.get() + 1) {
                    sent if sent == lost && is_executed => forward(&fixture.engine, request).and(Err(interrupted())),
                    sent if sent == lost => Err(interrupted()),
                    _ => forward(&fixture.engine, request),
                })
            });
            match drive(&fixture, &engine, "verifier", true) {
                Some(run) => assert_passed(&run),
                None => assert!(lost < 15, "it began, and does not end"),
            }
            assert_eq!(fixture.scratch(), Vec::<String>::new(), "after {lost} requests");
            if seen.get() <= lost {
                break;
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrives,
    LostBefore,
    LostAfter,
    Passes,
    /// The other host takes a step first.
    Other,
    /// Somebody takes the lock away, whoever has it.
    Cleared,
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        60 => Just(Event::Arrives),
        4 => Just(Event::LostBefore),
        4 => Just(Event::LostAfter),
        8 => Just(Event::Passes),
        8 => Just(Event::Other),
        1 => Just(Event::Cleared),
        1 => Just(Event::Restart),
    ];
    prop::collection::vec(event, 0..200)
}

/// Another host, which begins when it can, and goes on.
#[derive(Default)]
struct Other(Cell<Option<VerificationRun>>);

impl Other {
    fn act(&self, fixture: &Fixture) {
        let next = match self.0.take() {
            None => fixture.begin("other").ok(),
            Some(run) => match fixture.verification_step(&run) {
                Ok(VerificationStep { again_in: None, .. }) => None,
                Ok(VerificationStep { run, .. }) => Some(run),
                Err(_) => Some(run),
            },
        };
        self.0.set(next);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A verification never says that a good backup is bad; nothing else is touched, and in the end nothing is left.
    #[test]
    fn whatever_happens_to_two_hosts(
        dialect in prop::sample::select(&Dialect::ALL[..]),
        events in events(),
        takes in 0_u64..30_000,
    ) {
        let fixture = verifiable(dialect);
        fixture.restoring_takes(takes);
        let before = fixture.all_else();
        let (seen, other) = (Cell::new(0), Other::default());
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            let event = events.get(seen.replace(seen.get() + 1)).copied().unwrap_or(Event::Arrives);
            match event {
                Event::Arrives | Event::LostAfter => {}
                Event::LostBefore => return Some(Err(interrupted())),
                Event::Passes => fixture.engine.pass(seconds(8)),
                Event::Other => other.act(&fixture),
                Event::Cleared => fixture.clear_what_is_left(),
                Event::Restart => fixture.engine.restart(),
            }
            let answer = forward(&fixture.engine, request);
            Some(if matches!(event, Event::LostAfter) { answer.and(Err(interrupted())) } else { answer })
        });
        if let Some(run) = drive(&fixture, &engine, "verifier", true) {
            assert!(run.checks.iter().all(|check| check.outcome != CheckOutcome::Failed), "{run:#?}");
        }
        if let Some(run) = other.0.take() {
            go_on(&fixture, &fixture.engine, run, true);
        }
        fixture.clear_what_is_left();
        assert_passed(&fixture.verify());
        assert_eq!(fixture.scratch(), Vec::<String>::new());
        assert_eq!(fixture.all_else(), before);
    }
}
