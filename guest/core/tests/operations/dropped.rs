//! What the engine accepted and then has no trace of, as it happens when its nodes cannot write to the repository.

use backup_core::memory::Intercepted;
use backup_core::operations::{self, BackupList, Step};
use backup_core::{
    Backup, BackupId, BackupState, Context, Error, IdPattern, ListQuery, PageLimit, Part, RunNote, SnapshotState,
};

use crate::fixture::{Fixture, RESUME_WINDOW, is_put, on_every_engine, part};

/// What a host knows of a run of whose part the engine accepted it has not seen the end.
fn awaiting(part: Part, ended: bool) -> RunNote {
    RunNote {
        backup_id: BackupId::new(12).unwrap(),
        run_id: "run-1".to_owned(),
        ended,
        refusal: None,
        awaited: Some(part),
    }
}

fn with_part_one(fixture: &Fixture) {
    fixture.create(12, "run-1").unwrap();
    fixture.finish(12, 1, SnapshotState::Success);
}

fn list_knowing(fixture: &Fixture, notes: Vec<RunNote>) -> Vec<Backup> {
    page_knowing(fixture, notes, &ListQuery::default()).backups
}

fn page_knowing(fixture: &Fixture, notes: Vec<RunNote>, query: &ListQuery) -> BackupList {
    operations::list(&fixture.engine, &Context { notes, ..fixture.context("unused") }, query).unwrap()
}

#[test]
fn a_dropped_part_1_fails_the_backup() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        fixture.delete_behind_our_back(&part(12, 1));

        let Step { backup, again_in, .. } = fixture.advance_knowing(12, awaiting(Part::One, false)).unwrap();

        assert_eq!((again_in, backup.state, backup.snapshots.len()), (None, BackupState::Failed, 0));
        let reason = backup.failure_reason.clone().unwrap();
        for words in ["accepted part 1 of 2", "no trace", "POST /_snapshot/backups/_verify", "somebody deleted it"] {
            assert!(reason.contains(words), "{words} is not in: {reason}");
        }
        let note = awaiting(Part::One, true);
        assert_eq!(fixture.get_knowing(12, note.clone()).unwrap(), backup);
        assert_eq!(list_knowing(fixture, vec![note]), [backup]);
        assert!(matches!(fixture.get(12), Err(Error::BackupNotFound { .. })), "other hosts know nothing of it");
    });
}

#[test]
fn it_is_in_its_place_in_the_list() {
    on_every_engine(|fixture| {
        for id in [5, 20] {
            fixture.store_ours(id, 1, SnapshotState::Success, "other");
            fixture.store_ours(id, 2, SnapshotState::Success, "other");
        }
        let ids = |notes| list_knowing(fixture, notes).into_iter().map(|backup| backup.id.get()).collect::<Vec<_>>();
        assert_eq!(ids(vec![awaiting(Part::One, true)]), [20, 12, 5]);
        assert_eq!(ids(vec![awaiting(Part::Two, true)]), [20, 5], "that one was deleted");
    });
}

/// Following the pages, every backup comes once.
#[test]
fn it_is_on_its_page() {
    on_every_engine(|fixture| {
        for id in [5, 20] {
            fixture.store_ours(id, 1, SnapshotState::Success, "other");
            fixture.store_ours(id, 2, SnapshotState::Success, "other");
        }
        let notes = || vec![awaiting(Part::One, true)];
        for (limit, verbose) in [(1, true), (2, true), (3, true), (1, false), (2, false), (3, false)] {
            let limit = PageLimit::parse(&limit.to_string()).unwrap();
            let (mut ids, mut before, mut is_end) = (Vec::new(), None, false);
            while !is_end {
                let page = page_knowing(
                    fixture,
                    notes(),
                    &ListQuery { before, limit: Some(limit), verbose, ..ListQuery::default() },
                );
                assert!(page.backups.len() <= limit.get());
                ids.extend(page.backups.iter().map(|backup| backup.id.get()));
                (before, is_end) = (page.next, page.next.is_none());
            }
            assert_eq!(ids, [20, 12, 5], "{limit:?} {verbose}");
        }
        let pattern = IdPattern::parse("2*").unwrap();
        let page = page_knowing(fixture, notes(), &ListQuery { pattern, ..ListQuery::default() });
        assert_eq!(page.backups.iter().map(|backup| backup.id.get()).collect::<Vec<_>>(), [20]);
    });
}

/// A list can lack it for a moment: a node that answers from an old state.
#[test]
fn a_part_1_that_is_there_after_all_goes_on() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let backup = fixture.get_knowing(12, awaiting(Part::One, true)).unwrap();
        assert_eq!(backup.state, BackupState::InProgress);
        let step = fixture.advance_knowing(12, awaiting(Part::One, true)).unwrap();
        assert!(step.accepted, "part 2 is begun");
    });
}

#[test]
fn its_id_can_be_used_again() {
    on_every_engine(|fixture| {
        let notes = vec![awaiting(Part::One, true)];
        let context = Context { notes: notes.clone(), ..fixture.context("run-2") };
        operations::create(&fixture.engine, &context, "12").unwrap();
        assert_eq!(list_knowing(fixture, notes)[0].state, BackupState::InProgress);
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}

#[test]
fn its_deletion_is_no_error() {
    on_every_engine(|fixture| {
        let context = Context { notes: vec![awaiting(Part::One, true)], ..fixture.context("unused") };
        let deleted = operations::delete(&fixture.engine, &context, "12", None).unwrap();
        assert_eq!((deleted.snapshots.len(), deleted.pending), (0, false));
    });
}

#[test]
fn a_backup_that_vanishes_after_part_1_succeeded_was_deleted() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.advance(12).unwrap();
        fixture.delete_behind_our_back(&part(12, 1));
        fixture.delete_behind_our_back(&part(12, 2));
        let outcome = fixture.advance_knowing(12, awaiting(Part::Two, false));
        assert!(matches!(outcome, Err(Error::BackupNotFound { .. })));
    });
}

#[test]
fn the_step_that_starts_part_2_says_so() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        assert!(!fixture.advance(12).unwrap().accepted);
        fixture.finish(12, 1, SnapshotState::Success);
        assert!(fixture.advance(12).unwrap().accepted);
        assert!(!fixture.advance(12).unwrap().accepted);
    });
}

#[test]
fn a_dropped_part_2_is_told_and_tried_again() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.advance(12).unwrap();
        fixture.delete_behind_our_back(&part(12, 2));
        let writes = fixture.writes().len();

        let step = fixture.advance_knowing(12, awaiting(Part::Two, false)).unwrap();

        assert_eq!(step.backup.state, BackupState::InProgress);
        assert!(step.again_in.is_some() && !step.accepted);
        assert!(step.refusal.unwrap().contains("accepted part 2 of 2 and has no trace"));
        assert_eq!(fixture.writes().len(), writes, "not in this step");
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}

#[test]
fn a_part_2_that_is_dropped_at_the_end_of_the_window_explains_the_backup() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.pass(2 * RESUME_WINDOW);
        for ended in [false, true] {
            let note = awaiting(Part::Two, ended);
            let step = fixture.advance_knowing(12, note.clone()).unwrap();
            assert_eq!((step.again_in, step.backup.state), (None, BackupState::Incomplete));
            for backup in [step.backup, fixture.get_knowing(12, note).unwrap()] {
                let reason = backup.failure_reason.unwrap();
                assert!(reason.contains("accepted part 2 of 2 and has no trace"), "{reason}");
            }
        }
    });
}

/// The engine's answer to the PUT of part 2 must not be needed for it.
#[test]
fn a_slower_host_awaits_the_part_2_of_the_faster_one() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_put(request) {
                fixture.advance(12).unwrap();
            }
            None
        });
        assert!(fixture.advance_over(&engine, 12).unwrap().accepted);
    });
}
