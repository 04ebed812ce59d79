//! Clocks of hosts that are not the engine's.

use std::time::Duration;

use backup_core::memory::Intercepted;
use backup_core::operations::{self, Step};
use backup_core::{
    Backup, BackupId, BackupState, Context, Engine, ListQuery, Request, SnapshotState, Timestamp, TransportError,
};

use crate::fixture::{Fixture, RESUME_WINDOW, answer, on_every_engine, part, refusal};

const HOUR: Duration = Duration::from_secs(3600);

fn with_part_one(fixture: &Fixture) {
    fixture.create(12, "run-1").unwrap();
    fixture.finish(12, 1, SnapshotState::Success);
}

/// A host whose clock is an hour ahead.
fn ahead(fixture: &Fixture) -> Context {
    Context { now: fixture.engine.now().after(HOUR), ..fixture.context("unused") }
}

fn behind(fixture: &Fixture) -> Context {
    Context { now: Timestamp(fixture.engine.now().0 - HOUR.as_millis() as u64), ..fixture.context("unused") }
}

fn advance(engine: &impl Engine, context: &Context) -> Step {
    operations::advance(engine, context, BackupId::new(12).unwrap()).unwrap()
}

fn get(engine: &impl Engine, context: &Context) -> Backup {
    operations::get(engine, context, "12").unwrap()
}

fn asks_for_the_clock(request: &Request) -> bool {
    request.path.contains(&"stats".to_owned())
}

#[test]
fn part_2_is_started_by_the_engines_clock() {
    on_every_engine(|fixture| {
        for context in [ahead, behind] {
            with_part_one(fixture);
            assert_eq!(get(&fixture.engine, &context(fixture)).state, BackupState::InProgress);
            assert!(advance(&fixture.engine, &context(fixture)).accepted);
            fixture.delete(12, None).unwrap();
        }
    });
}

#[test]
fn after_the_window_the_difference_is_told() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.pass(2 * RESUME_WINDOW);
        let reason = |context: Context| {
            let Step { backup, again_in, .. } = advance(&fixture.engine, &context);
            assert_eq!((again_in, backup.state), (None, BackupState::Incomplete));
            assert_eq!(get(&fixture.engine, &context).failure_reason, backup.failure_reason);
            let list = operations::list(&fixture.engine, &context, &ListQuery::default()).unwrap().backups;
            assert_eq!(list[0].failure_reason, backup.failure_reason);
            backup.failure_reason.unwrap()
        };
        assert!(reason(ahead(fixture)).ends_with("this server's clock is 3600 s ahead of the search engine's"));
        assert!(reason(behind(fixture)).ends_with("this server's clock is 3600 s behind the search engine's"));
        assert!(reason(fixture.context("unused")).ends_with("within backup.resumeWindow (10m) after that"));
    });
}

#[test]
fn a_user_who_may_not_ask_goes_by_the_hosts_clock_and_is_told() {
    on_every_engine(|fixture| {
        for (refused, words) in [
            (refusal(403, "security_exception", "not yours"), "403 security_exception: not yours"),
            (answer(200, "{}"), "no time in GET /_nodes/_master/stats/os"),
            (answer(405, "Method Not Allowed"), "405"),
        ] {
            with_part_one(fixture);
            let engine =
                Intercepted::new(&fixture.engine, |request| asks_for_the_clock(request).then(|| Ok(refused.clone())));
            let backup = advance(&engine, &ahead(fixture)).backup;
            assert_eq!(backup.state, BackupState::Incomplete);
            let reason = backup.failure_reason.unwrap();
            assert!(reason.contains("measured by this server's clock") && reason.contains(words), "{reason}");
            assert!(advance(&engine, &fixture.context("unused")).accepted, "with a clock that agrees");
            fixture.delete(12, None).unwrap();
        }
    });
}

#[test]
fn a_host_that_does_not_grant_the_question_goes_by_its_own_clock() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let denied = || Err(TransportError::Denied("not granted".to_owned()));
        let engine = Intercepted::new(&fixture.engine, |request| asks_for_the_clock(request).then(denied));
        assert!(advance(&engine, &fixture.context("unused")).accepted);
    });
}

#[test]
fn an_engine_that_cannot_tell_at_the_moment_is_asked_again() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let busy = refusal(503, "cluster_block_exception", "no master");
        let engine = Intercepted::new(&fixture.engine, |request| asks_for_the_clock(request).then(|| Ok(busy.clone())));
        let outcome = operations::advance(&engine, &ahead(fixture), BackupId::new(12).unwrap());
        assert_eq!(outcome.unwrap_err().code(), "engineBusy");
        assert_eq!(fixture.names(), [part(12, 1)]);
        assert!(advance(&fixture.engine, &ahead(fixture)).accepted);
    });
}

/// A list of thousands of backups costs no more for it.
#[test]
fn it_is_asked_for_once_and_only_where_it_decides() {
    on_every_engine(|fixture| {
        let asked = || fixture.engine.requests().iter().filter(|request| asks_for_the_clock(request)).count();
        for id in [1, 2] {
            fixture.store_ours(id, 1, SnapshotState::Success, "run");
            fixture.store_ours(id, 2, SnapshotState::Success, "run");
        }
        fixture.create(12, "run-1").unwrap();
        fixture.list().unwrap();
        fixture.get(12).unwrap();
        assert_eq!(asked(), 0);
        for id in [3, 4] {
            fixture.store_ours(id, 1, SnapshotState::Success, "run");
        }
        fixture.list().unwrap();
        assert_eq!(asked(), 1);
    });
}
