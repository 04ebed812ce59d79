//! Verifications to their end.

use std::collections::BTreeSet;

use backup_core::memory::{Dialect, StoredIndex};
use backup_core::verification::CheckName;
use backup_core::verification::scratch::LOCK;
use backup_core::{BackupState, Method};
use serde_json::Value;

use super::fixture::{assert_failed, assert_passed, found, is_restore, seconds, verifiable};
use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, part};
use crate::restore::fixture::ID;

#[test]
fn a_good_backup_passes_and_nothing_is_left() {
    for dialect in Dialect::ALL {
        let fixture = verifiable(dialect);
        fixture.engine.restore_within(seconds(3));
        let before = fixture.all_else();
        let run = fixture.verify();
        assert_passed(&run);
        assert!(run.indices.iter().all(|index| index.checked && index.documents.is_some() && index.size.is_some()));
        assert_eq!(fixture.scratch(), Vec::<String>::new());
        assert_eq!(fixture.all_else(), before);
        assert_eq!(fixture.get(ID).unwrap().state, BackupState::Complete);
        assert!(found(&run, CheckName::Documents).contains("part 2 of 2 has 4004 documents"), "{run:#?}");
    }
}

#[test]
fn copies_have_no_aliases_and_no_replicas_and_take_nothing_of_others_along() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.change_index(OTHER_INDICES[1], |index| index.replicas = 2);
    let before = fixture.engine.requests().len();
    let run = fixture.begin("verifier").unwrap();
    let mut seen = BTreeSet::new();
    fixture.go_on_until(&run, |_| {
        for (name, (_, StoredIndex { aliases, replicas, blocks, .. })) in fixture.engine.indices() {
            if name.starts_with("optimize-backup-verify-7-") {
                assert!(aliases.is_empty() && replicas == 0 && blocks.is_empty(), "{name}");
                seen.insert(name);
            }
        }
        false
    });
    let expected: Vec<String> =
        IMPORT_INDICES.iter().chain(&OTHER_INDICES).map(|index| format!("optimize-backup-verify-7-{index}")).collect();
    assert_eq!(seen, expected.into_iter().collect());
    for restore in fixture.engine.requests()[before..].iter().filter(|request| is_restore(request)) {
        let body: Value = serde_json::from_str(restore.body.as_deref().unwrap()).unwrap();
        let names = body["indices"].as_array().unwrap();
        let is_own = |name: &Value| IMPORT_INDICES.iter().chain(&OTHER_INDICES).any(|own| name == own);
        assert!(!names.is_empty() && names.iter().all(is_own), "{body}");
        assert_eq!((&body["include_global_state"], &body["include_aliases"]), (&false.into(), &false.into()));
    }
}

/// An installation with many process instances.
fn large() -> Fixture {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    for number in 0..130 {
        fixture.engine.add_index(&format!("optimize-process-instance-p{number:03}_v8"));
    }
    fixture.delete(ID, None).unwrap();
    fixture.create(ID, "run").unwrap();
    assert_eq!(fixture.drive(ID).state, BackupState::Complete);
    fixture
}

#[test]
fn no_more_than_fifty_copies_are_there_at_a_time() {
    let fixture = large();
    let most = std::cell::Cell::new(0);
    let run = fixture.begin("verifier").unwrap();
    let run = fixture.go_on_until(&run, |_| {
        most.set(most.get().max(fixture.scratch().len() - 1));
        false
    });
    assert_passed(&run);
    assert!((30..=50).contains(&most.get()), "{}", most.get());
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

#[test]
fn the_bytes_grow_to_all_of_them() {
    let fixture = large();
    fixture.engine.restore_within(seconds(2));
    let (mut run, mut last) = (fixture.begin("verifier").unwrap(), 0);
    let mut total = 0;
    loop {
        let step = fixture.verification_step(&run).unwrap();
        run = step.run;
        if let Some(bytes) = step.bytes {
            assert!(bytes.done >= last && bytes.done <= bytes.total, "{bytes:?} after {last}");
            (last, total) = (bytes.done, bytes.total);
        }
        match step.again_in {
            Some(delay) => fixture.engine.pass(delay),
            None => break,
        }
    }
    assert_eq!((last, total), (136_000, 136_000));
}

#[test]
fn the_lock_is_counted_up_while_it_goes_on() {
    let fixture = verifiable(Dialect::OpenSearch3_1);
    fixture.engine.restore_within(seconds(65));
    let run = fixture.begin("verifier").unwrap();
    let see = |_: &_| {
        fixture.traces().holder.is_some_and(|holder| {
            assert_eq!((holder.backup_id.get(), holder.run_id.as_str()), (ID, "verifier"));
            holder.beat >= 5
        })
    };
    let reached = fixture.go_on_until(&run, see);
    assert!(reached.beat >= 5, "{}", reached.beat);
    assert_passed(&fixture.go_on(&reached));
}

#[test]
fn a_clock_that_is_put_back_does_not_stop_the_counting() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let run = fixture.begin("verifier").unwrap();
    let ahead = backup_core::verification::VerificationRun { beaten: run.beaten.after(seconds(3_600)), ..run };
    let step = fixture.verification_step(&ahead).unwrap();
    assert_eq!((step.run.beat, step.run.beaten), (1, fixture.engine.now()));
}

#[test]
fn everything_is_deleted_by_its_exact_name_and_the_lock_at_last() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let before = fixture.engine.requests().len();
    assert_passed(&fixture.verify());
    let requests = fixture.engine.requests();
    let deleted: Vec<&str> = requests[before..]
        .iter()
        .filter(|request| request.method == Method::Delete)
        .flat_map(|request| request.path[0].split(','))
        .collect();
    assert_eq!(deleted.len(), 7);
    assert_eq!(deleted.last(), Some(&LOCK));
    assert!(deleted.iter().all(|name| name.starts_with("optimize-backup-verify-") && !name.contains('*')));
}

#[test]
fn indices_whose_copies_would_have_too_long_names_are_looked_at_all_the_same() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let long = ["x", "y"].map(|key| format!("optimize-process-instance-{}_v8", key.repeat(215)));
    for index in &long {
        fixture.engine.add_index(index);
        fixture.engine.set_documents(index, 7);
    }
    fixture.delete(ID, None).unwrap();
    fixture.create(ID, "run").unwrap();
    fixture.drive(ID);
    let before = fixture.all_else();
    let run = fixture.verify();
    assert_passed(&run);
    assert!(found(&run, CheckName::Restored).contains("8 indices were restored"), "{run:#?}");
    assert!(found(&run, CheckName::Documents).contains("part 2 of 2 has 4018 documents"), "{run:#?}");
    assert_eq!((fixture.scratch(), fixture.all_else()), (Vec::new(), before));

    // Only what is in the snapshot tells.
    fixture.engine.change_snapshot(&part(ID, 2), |snapshot| snapshot.unreadable_data.extend([long[1].clone()]));
    let run = fixture.verify();
    assert_failed(&run, CheckName::Restored);
    assert!(found(&run, CheckName::Restored).contains(&long[1]), "{run:#?}");
}

/// A restore takes hours, and somebody may pay for each request to a repository.
#[test]
fn while_copies_are_restored_the_repository_is_not_read() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.restore_within(seconds(100));
    fixture.engine.set_size(OTHER_INDICES[0], 1 << 38);
    fixture.delete(ID, None).unwrap();
    fixture.create(ID, "run").unwrap();
    fixture.drive(ID);
    let run = fixture.begin("verifier").unwrap();
    let before = fixture.engine.requests().len();
    assert_passed(&fixture.go_on(&run));
    let requests = fixture.engine.requests().split_off(before);
    let reads =
        requests.iter().filter(|request| request.method == Method::Get && request.path[0] == "_snapshot").count();
    assert!(reads < 40, "{reads} of {} requests", requests.len());
    // Of part 1, which is small, each second; of part 2 seldom.
    assert!(requests.len() < 4 * (100 + 100 / 5) + 100, "{}", requests.len());
}
