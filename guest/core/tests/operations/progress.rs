use std::cell::Cell;
use std::time::Duration;

use backup_core::memory::{Damage, Dialect, Intercepted};
use backup_core::{
    Amounts, BackupProgress, BackupState, ByteCount, Engine, Error, Request, Response, ShardCount, SnapshotState,
    TransportError, operations,
};
use proptest::prelude::*;

use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, on_every_engine, part, refusal};

/// Part 2 is being written, of indices of 100, 200, 300 and 400 bytes.
fn with_part_two(fixture: &Fixture) {
    for (index, size) in OTHER_INDICES.into_iter().zip([100, 200, 300, 400]) {
        fixture.engine.set_size(index, size);
    }
    fixture.create(12, "run-1").unwrap();
    fixture.engine.pass(Duration::from_secs(4));
    fixture.finish(12, 1, SnapshotState::Success);
    fixture.advance(12).unwrap();
}

fn amounts(progress: &BackupProgress) -> Vec<Option<Amounts>> {
    progress.parts.iter().map(|part| part.amounts).collect()
}

fn amounts_of(total: u64, done: u64, shards: u32, shards_done: u32) -> Option<Amounts> {
    let shards = ShardCount { total: shards, done: shards_done, failed: 0 };
    Some(Amounts { bytes: ByteCount { total, done }, shards })
}

fn is_status(request: &Request) -> bool {
    request.path.last().is_some_and(|segment| segment == "_status")
}

fn is_size(request: &Request) -> bool {
    request.path.last().is_some_and(|segment| segment == "store")
}

#[test]
fn what_is_written_of_what_has_to_be_is_told() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        fixture.engine.write(&part(12, 2), 250);
        fixture.engine.pass(Duration::from_secs(10));
        let progress = fixture.progress(12).unwrap();
        assert_eq!((progress.state, progress.permille), (BackupState::InProgress, 50 + 950 / 4));
        assert_eq!(amounts(&progress), [amounts_of(2000, 2000, 2, 2), amounts_of(1000, 250, 4, 1)]);
        assert_eq!(progress.elapsed, Some(Duration::from_secs(14)));
        assert_eq!(progress.remaining, Some(Duration::from_secs(30)), "a quarter took 10 s");
        fixture.finish(12, 2, SnapshotState::Success);
        fixture.engine.pass(Duration::from_secs(60));
        let progress = fixture.progress(12).unwrap();
        assert_eq!((progress.state, progress.permille), (BackupState::Complete, 1000));
        assert_eq!(amounts(&progress), [amounts_of(2000, 2000, 2, 2), amounts_of(1000, 1000, 4, 4)]);
        assert_eq!((progress.elapsed, progress.remaining), (Some(Duration::from_secs(14)), None));
    });
}

#[test]
fn part_one_is_a_small_share_and_nothing_goes_back_between_the_parts() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        assert_eq!(fixture.progress(12).unwrap().permille, 0);
        fixture.engine.write(&part(12, 1), 1000);
        let progress = fixture.progress(12).unwrap();
        assert_eq!((progress.permille, progress.remaining), (25, None), "what part 2 has to write is not known");
        fixture.finish(12, 1, SnapshotState::Success);
        assert_eq!(fixture.progress(12).unwrap().permille, 50, "part 2 does not exist");
        fixture.advance(12).unwrap();
        assert_eq!(fixture.progress(12).unwrap().permille, 50);
    });
}

/// The engine goes on with the snapshot when all of its bytes are there.
#[test]
fn all_bytes_are_not_the_end() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        fixture.engine.write(&part(12, 2), u64::MAX);
        fixture.engine.pass(Duration::from_secs(10));
        let progress = fixture.progress(12).unwrap();
        assert_eq!((progress.permille, progress.remaining), (999, None));
    });
}

/// It takes a privilege that backups do not need.
#[test]
fn without_the_sizes_of_indices_the_mean_of_what_has_begun_counts() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        fixture.engine.write(&part(12, 2), 250);
        for answer in [
            Err(TransportError::Denied("not granted".to_owned())),
            Ok(refusal(403, "security_exception", "action [indices:monitor/stats] is unauthorized")),
        ] {
            let engine = Intercepted::new(&fixture.engine, |request| is_size(request).then(|| answer.clone()));
            let progress = fixture.progress_over(&engine, 12).unwrap();
            assert_eq!(amounts(&progress)[1], amounts_of(600, 250, 4, 1), "100 and 200, and two times 150");
        }
    });
}

#[test]
fn exact_names_are_asked_for_and_sizes_only_while_it_runs() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        let asked = |of: fn(&Request) -> bool| fixture.engine.requests().iter().filter(|request| of(request)).count();
        fixture.progress(12).unwrap();
        assert_eq!((asked(is_status), asked(is_size)), (2, 1));
        fixture.finish(12, 2, SnapshotState::Success);
        fixture.progress(12).unwrap();
        assert_eq!((asked(is_status), asked(is_size)), (4, 1));
        let requests = fixture.engine.requests();
        let names = requests.iter().filter(|request| is_status(request)).map(|request| request.path[2].clone());
        assert_eq!(names.collect::<Vec<_>>(), [part(12, 1), part(12, 2), part(12, 1), part(12, 2)]);
    });
}

#[test]
fn it_is_read_as_get_reads_it() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        assert!(matches!(fixture.progress(13), Err(Error::BackupNotFound { another: None, .. })));
        let mut context = fixture.context("unused");
        for (text, code) in [("012", "invalidBackupId"), ("*", "invalidBackupId"), ("1", "backupNotFound")] {
            let error = operations::progress(&fixture.engine, &context, text).unwrap_err();
            assert_eq!(error.code(), code, "{text}");
        }
        context.settings.index_prefix = backup_core::IndexPrefix::parse("another").unwrap();
        let error = operations::progress(&fixture.engine, &context, "12").unwrap_err();
        assert!(matches!(error, Error::BackupNotFound { another: Some(_), .. }), "{error}");
        context.settings.repository = None;
        let error = operations::progress(&fixture.engine, &context, "12").unwrap_err();
        assert_eq!(error, Error::RepositoryNotConfigured);
    });
}

#[test]
fn a_failed_backup_is_as_far_as_it_came() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        fixture.finish(12, 2, SnapshotState::Partial);
        let progress = fixture.progress(12).unwrap();
        assert_eq!((progress.state, progress.permille, progress.remaining), (BackupState::Failed, 50, None));
        let shards = progress.parts[1].amounts.unwrap().shards;
        assert_eq!(shards, ShardCount { total: 4, done: 0, failed: 4 });
    });
}

#[test]
fn what_cannot_be_read_has_no_figures() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        fixture.drive(12);
        for damage in [Damage::Missing, Damage::Unreadable] {
            fixture.engine.damage(&part(12, 1), Some(damage));
            let progress = fixture.progress(12).unwrap();
            assert_eq!(progress.state, BackupState::Failed);
            assert_eq!((progress.parts[0].state, progress.parts[0].amounts), (SnapshotState::Unreadable, None));
            assert!(progress.parts[1].amounts.is_some());
        }
    });
}

#[test]
fn a_refused_status_fails_only_for_what_runs() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        let denied = || refusal(403, "security_exception", "unauthorized");
        let engine = Intercepted::new(&fixture.engine, |request| is_status(request).then(|| Ok(denied())));
        assert_eq!(fixture.progress_over(&engine, 12).unwrap_err().code(), "engineAccessDenied");
        fixture.finish(12, 2, SnapshotState::Success);
        let progress = fixture.progress_over(&engine, 12).unwrap();
        assert_eq!((progress.permille, amounts(&progress)), (1000, vec![None, None]));
    });
}

/// Deletes a snapshot when its status is asked for.
fn deleting<'a>(
    fixture: &'a Fixture,
    names: &'a [String],
) -> Intercepted<'a, impl Engine, impl Fn(&Request) -> Option<Result<Response, TransportError>> + 'a> {
    let deleted = Cell::new(false);
    Intercepted::new(&fixture.engine, move |request| {
        if is_status(request) && !deleted.replace(true) {
            names.iter().for_each(|name| fixture.delete_behind_our_back(name));
        }
        None
    })
}

#[test]
fn a_backup_that_is_deleted_meanwhile_is_not_there() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        let names = [part(12, 1), part(12, 2)];
        let error = fixture.progress_over(&deleting(fixture, &names), 12).unwrap_err();
        assert!(matches!(error, Error::BackupNotFound { .. }), "{error}");
    });
}

#[test]
fn a_part_that_is_deleted_meanwhile_is_left_out() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        let names = [part(12, 2)];
        let progress = fixture.progress_over(&deleting(fixture, &names), 12).unwrap();
        assert_eq!((progress.parts.len(), progress.permille), (1, 50));
    });
}

/// Deleted and made anew between all questions: the state is right, and the figures are not known.
#[test]
fn an_answer_comes_also_if_everything_changes_all_the_time() {
    on_every_engine(|fixture| {
        with_part_two(fixture);
        let missing = || refusal(404, "snapshot_missing_exception", "[backups:x] is missing");
        let engine = Intercepted::new(&fixture.engine, |request| is_status(request).then(|| Ok(missing())));
        let progress = fixture.progress_over(&engine, 12).unwrap();
        assert_eq!((progress.state, amounts(&progress)), (BackupState::InProgress, vec![None, None]));
        assert_eq!(progress.permille, 50);
    });
}

#[test]
fn a_part_that_the_engine_has_dropped_has_no_figures() {
    on_every_engine(|fixture| {
        let note = backup_core::RunNote {
            backup_id: backup_core::BackupId::new(12).unwrap(),
            run_id: "run-1".to_owned(),
            ended: false,
            refusal: None,
            awaited: Some(backup_core::Part::One),
        };
        let context = backup_core::Context { notes: vec![note], ..fixture.context("unused") };
        let progress = operations::progress(&fixture.engine, &context, "12").unwrap();
        assert_eq!((progress.state, progress.permille), (BackupState::Failed, 0));
        assert_eq!((progress.parts, progress.started, progress.elapsed), (Vec::new(), None, None));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Where the sizes of the indices are what has to be written, as in a first backup.
    #[test]
    fn it_never_goes_back_and_ends_at_the_end(
        sizes in prop::collection::vec(0_u64..=10_000_000_000, IMPORT_INDICES.len() + OTHER_INDICES.len()),
        steps in prop::collection::vec(0_u64..400, 1..40),
    ) {
        let fixture = Fixture::new(Dialect::OpenSearch2_19);
        for (index, size) in IMPORT_INDICES.into_iter().chain(OTHER_INDICES).zip(sizes) {
            fixture.engine.set_size(index, size);
        }
        fixture.engine.write_within(Duration::from_millis(1000));
        fixture.create(12, "run-1").unwrap();
        let mut before = 0;
        for step in steps.into_iter().chain([1000, 1000, 1000]) {
            fixture.engine.pass(Duration::from_millis(step));
            fixture.advance(12).unwrap();
            let progress = fixture.progress(12).unwrap();
            prop_assert!(progress.permille >= before, "{} after {before}", progress.permille);
            prop_assert_eq!(progress.permille == 1000, progress.state == BackupState::Complete);
            for amounts in progress.parts.iter().filter_map(|part| part.amounts) {
                prop_assert!(amounts.bytes.done <= amounts.bytes.total);
                prop_assert!(amounts.shards.done + amounts.shards.failed <= amounts.shards.total);
            }
            before = progress.permille;
        }
        prop_assert_eq!(before, 1000);
    }
}
