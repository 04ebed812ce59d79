//! What stops a verification before it begins.

use backup_core::memory::{Dialect, Intercepted};
use backup_core::verification::scratch::LOCK;
use backup_core::{Error, Request, SnapshotState};
use serde_json::json;

use super::fixture::{assert_passed, is_taking_lock, seconds, verifiable};
use crate::fixture::{Fault, Fixture, OTHER_INDICES, answer, faulty, is_write, nobody_knows, part, refusal};
use crate::restore::fixture::ID;

/// It is refused with this code, and nothing was written.
fn assert_refused(fixture: &Fixture, code: &str, told: &str) {
    let before = fixture.writes().len();
    let error = fixture.begin("verifier").unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(told), "{error}");
    assert_eq!(fixture.writes().len(), before);
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

#[test]
fn only_a_complete_backup_is_verified() {
    for dialect in Dialect::ALL {
        let fixture = Fixture::new(dialect);
        assert_refused(&fixture, "backupNotFound", "7");
        fixture.create(ID, "run").unwrap();
        assert_refused(&fixture, "backupNotVerifiable", "IN_PROGRESS");
        fixture.finish(ID, 1, SnapshotState::Partial);
        assert_refused(&fixture, "backupNotVerifiable", "FAILED");
    }
}

#[test]
fn a_backup_that_is_being_deleted_or_restored_is_not_verified() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let deletions = json!({"snapshot_deletions": {"snapshot_deletions": [
        {"repository": "backups", "snapshots": [part(ID, 2)]},
    ]}});
    let restores = json!({"restore": {"snapshots": [
        {"repository": "backups", "snapshot": part(ID, 2), "state": "STARTED", "indices": ["optimize-settings_v3"]},
    ]}});
    for (tasks, told) in [(deletions, "being deleted"), (restores, "being restored")] {
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            (request.path == ["_cluster", "state", "customs"]).then(|| Ok(answer(200, &tasks.to_string())))
        });
        let error = fixture.begin_over(&engine, "verifier").unwrap_err();
        assert_eq!(error.code(), "backupNotVerifiable");
        assert!(error.to_string().contains(told), "{error}");
    }
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

#[test]
fn the_disks_need_room_for_the_largest_of_the_copies_at_a_time() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.set_free_bytes(3_999);
    assert_refused(&fixture, "noRoomForVerification", "4000");
    // Part 1 has 2,000 bytes and is gone before part 2.
    fixture.engine.set_free_bytes(4_000);
    assert_passed(&fixture.verify());
}

#[test]
fn disks_above_their_low_watermark_have_no_room() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.mind_watermarks();
    fixture.engine.set_free_bytes(149_999_999_999);
    assert_refused(&fixture, "noRoomForVerification", "below the watermarks");
    fixture.engine.set_free_bytes(150_000_000_000);
    assert_passed(&fixture.verify());
}

#[test]
fn whether_there_are_too_many_shards_only_the_engine_decides() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    // Closed and frozen indices can be among those that are there.
    fixture.engine.set_shard_limit(1);
    assert_passed(&fixture.verify());
}

#[test]
fn room_that_is_not_told_is_not_asked_for() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.set_free_bytes(1);
    fixture.engine.set_shard_limit(1);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let is_of_cluster =
            matches!(request.path[..], [ref first, ref second, ..] if first == "_cluster" && second != "state");
        let is_asked = is_of_cluster || request.path.last().is_some_and(|last| last == "fs");
        is_asked.then(|| Ok(refusal(403, "security_exception", "action is unauthorized")))
    });
    assert_passed(&fixture.go_on(&fixture.begin_over(&engine, "verifier").unwrap()));
}

#[test]
fn a_lost_answer_about_the_lock_is_looked_up() {
    for fault in nobody_knows() {
        for dialect in [Dialect::Elasticsearch8_19, Dialect::OpenSearch2_19] {
            let fixture = verifiable(dialect);
            let begun = fixture.begin_over(&faulty(&fixture.engine, is_taking_lock, 1, fault.clone()), "verifier");
            match (begun, fixture.traces().holder) {
                (Ok(run), Some(holder)) => {
                    assert_eq!(holder.run_id, "verifier");
                    assert_passed(&fixture.go_on(&run));
                }
                (Err(_), None) => {}
                other => panic!("{fault:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_lock_that_the_user_may_not_see_is_given_back() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        (request.path[0].contains("verify") && !is_write(request)).then(|| Ok(answer(200, "{}")))
    });
    let error = fixture.begin_over(&engine, "verifier").unwrap_err();
    assert!(error.code() == "backupNotVerifiable" && error.to_string().contains("privilege monitor"), "{error}");
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

/// A node that is behind does not show it at once.
#[test]
fn a_lock_that_is_seen_at_the_second_look_is_kept() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let looks = std::cell::Cell::new(0);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let is_look = request.path[0].contains("verify") && !is_write(request);
        looks.set(looks.get() + usize::from(is_look));
        // The first one is before the lock is there.
        (is_look && looks.get() == 2).then(|| Ok(answer(200, "{}")))
    });
    let run = fixture.begin_over(&engine, "verifier").unwrap();
    assert_eq!((looks.get(), fixture.scratch()), (3, vec![LOCK.to_owned()]));
    assert_passed(&fixture.go_on(&run));
}

#[test]
fn nothing_is_begun_while_a_request_before_the_lock_fails() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let before = fixture.engine.requests().len();
    drop(fixture.begin("verifier").unwrap());
    let requests = fixture.engine.requests()[before..].iter().take_while(|request| !is_write(request)).count();
    fixture.clear_what_is_left();
    for sent in 0..requests {
        let seen = std::cell::Cell::new(0);
        let engine = Intercepted::new(&fixture.engine, |_: &Request| {
            (seen.replace(seen.get() + 1) == sent).then(|| Err(crate::fixture::interrupted()))
        });
        let error = fixture.begin_over(&engine, "verifier").unwrap_err();
        assert!(matches!(error, Error::EngineNotAnswering { .. }), "{error}");
        assert_eq!(fixture.scratch(), Vec::<String>::new());
    }
}

#[test]
fn files_that_cannot_be_read_do_not_stop_it_from_telling_which() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.restore_within(seconds(1));
    fixture.engine.change_snapshot(&part(ID, 2), |snapshot| {
        snapshot.unreadable_shards.insert(OTHER_INDICES[1].to_owned());
        snapshot.unreadable_data.insert(OTHER_INDICES[1].to_owned());
    });
    let run = fixture.verify();
    assert!(super::fixture::found(&run, backup_core::verification::CheckName::Restored).contains(OTHER_INDICES[1]));
}

#[test]
fn another_ones_lock_is_told_and_left_alone() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.add_index(LOCK);
    let error = fixture.begin("verifier").unwrap_err();
    assert_eq!(error.code(), "verificationInProgress");
    assert_eq!(fixture.scratch(), [LOCK]);
    // Nobody will count it up.
    assert_eq!(fixture.traces().indices, [LOCK]);
    fixture.clear_what_is_left();
    assert_passed(&fixture.verify());
}

#[test]
fn a_fault_of_the_whole_request_does_not_say_that_another_holds_the_lock() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let fault = Fault::Answer(crate::fixture::refusal(403, "security_exception", "action is unauthorized"));
    let error = fixture.begin_over(&faulty(&fixture.engine, is_taking_lock, 1, fault), "verifier").unwrap_err();
    assert_eq!(error.code(), "engineAccessDenied");
}
