//! Backups that are not what they should be.

use backup_core::memory::{Dialect, Intercepted, StoredSnapshot};
use backup_core::operations::verification;
use backup_core::verification::scratch::LOCK;
use backup_core::verification::{CheckName, CheckOutcome, VerificationStep};
use backup_core::{ErrorKind, Request, Timestamp};
use serde_json::{Value, json};

use super::fixture::{assert_failed, assert_passed, found, is_restore, outcome, seconds, verifiable};
use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, VERSION, answer, part, refusal};
use crate::restore::fixture::ID;

/// Verifies a backup of which a part was changed, on every engine.
fn with(
    number: u8,
    change: impl Fn(&mut StoredSnapshot),
    expect: impl Fn(&Fixture, &backup_core::verification::VerificationRun),
) {
    for dialect in Dialect::ALL {
        let fixture = verifiable(dialect);
        fixture.engine.restore_within(seconds(1));
        fixture.engine.change_snapshot(&part(ID, number), &change);
        let before = fixture.all_else();
        let run = fixture.verify();
        expect(&fixture, &run);
        assert_eq!(fixture.scratch(), Vec::<String>::new(), "what was made is deleted all the same");
        assert_eq!(fixture.all_else(), before);
    }
}

#[test]
fn a_part_that_lacks_an_index() {
    let lose = |snapshot: &mut StoredSnapshot| snapshot.indices.retain(|name| name != OTHER_INDICES[2]);
    with(2, lose, |_, run| {
        assert_eq!(outcome(run, CheckName::Indices), CheckOutcome::Failed);
        assert_eq!(outcome(run, CheckName::Restored), CheckOutcome::Passed);
        let found = found(run, CheckName::Indices);
        assert!(found.contains("5 indices") && found.contains("6 when"), "{found}");
    });
}

#[test]
fn documents_that_are_missing() {
    let lose = |missing: u64| {
        move |snapshot: &mut StoredSnapshot| snapshot.contents.get_mut(OTHER_INDICES[2]).unwrap().documents -= missing
    };
    with(2, lose(100), |_, run| {
        assert_failed(run, CheckName::Documents);
        let found = found(run, CheckName::Documents);
        assert!(found.contains("part 2 of 2 has 3904 documents, and 4004 were counted"), "{found}");
    });
    // A clean-up in between.
    with(2, lose(40), |_, run| assert_passed(run));
}

/// The engine tells nothing of a shard on no node, and not that it has failed.
#[test]
fn shards_that_are_lost_before_the_count_are_no_missing_documents() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let names = IMPORT_INDICES.iter().chain(&OTHER_INDICES).map(|index| format!("optimize-backup-verify-{ID}-{index}"));
    let counts: serde_json::Map<String, Value> =
        names.map(|name| (name, json!({"primaries": {"docs": {"count": 1}}}))).collect();
    for (successful, expected) in [(17, CheckOutcome::Skipped), (18, CheckOutcome::Failed)] {
        let body = json!({"_shards": {"total": 18, "successful": successful, "failed": 0}, "indices": counts});
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            let is_count = request.path.last().is_some_and(|last| last == "docs");
            is_count.then(|| Ok(answer(200, &body.to_string())))
        });
        let mut run = fixture.begin("verifier").unwrap();
        while let VerificationStep { again_in: Some(delay), run: next, .. } =
            verification::advance(&engine, &fixture.context("unused"), &run).unwrap()
        {
            run = next;
            fixture.engine.pass(delay);
        }
        assert_eq!(outcome(&run, CheckName::Documents), expected, "{run:#?}");
    }
}

/// Beside the instances of processes they would be less than a hundredth.
#[test]
fn reports_that_are_missing() {
    const REPORTS: &str = "optimize-single-process-report_v11";
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.set_documents(OTHER_INDICES[2], 10_000_000);
    fixture.engine.set_documents(REPORTS, 800);
    fixture.delete(ID, None).unwrap();
    fixture.create(ID, "run").unwrap();
    fixture.drive(ID);
    let passed = fixture.verify();
    assert_passed(&passed);
    assert!(found(&passed, CheckName::Documents).contains("800 documents of reports"), "{passed:#?}");
    let left = |count: u64| {
        fixture.engine.change_snapshot(&part(ID, 2), |snapshot| {
            snapshot.contents.get_mut(REPORTS).unwrap().documents = count;
        });
        fixture.verify()
    };
    // Somebody deletes a dashboard with many tiles, or a collection, in between.
    for count in [790, 400] {
        let run = left(count);
        assert_passed(&run);
        assert!(found(&run, CheckName::Documents).contains(&format!("{count} documents of reports")), "{run:#?}");
    }
    assert_failed(&left(399), CheckName::Documents);
    let run = left(0);
    assert_failed(&run, CheckName::Documents);
    let found = found(&run, CheckName::Documents);
    assert!(
        found.starts_with("part 2 of 2 has 0 documents of reports") && found.contains("800 were counted"),
        "{found}"
    );
}

#[test]
fn another_version_than_in_the_names() {
    let change = |document: Option<Value>| {
        move |snapshot: &mut StoredSnapshot| {
            snapshot.contents.get_mut(OTHER_INDICES[1]).unwrap().document.clone_from(&document)
        }
    };
    with(2, change(Some(json!({"schemaVersion": "8.5.0"}))), |_, run| {
        assert_failed(run, CheckName::SchemaVersion);
        let found = found(run, CheckName::SchemaVersion);
        assert!(found.contains("8.5.0") && found.contains(VERSION), "{found}");
    });
    with(2, change(None), |_, run| assert_failed(run, CheckName::SchemaVersion));
}

#[test]
fn import_positions_that_are_newer_than_the_data() {
    let later =
        |snapshot: &mut StoredSnapshot| snapshot.ended = snapshot.ended.map(|Timestamp(at)| Timestamp(at + 60_000));
    with(1, later, |_, run| assert_failed(run, CheckName::ImportPositions));
}

#[test]
fn a_shard_that_cannot_be_restored_is_told_with_the_engines_reason_and_the_others_are_checked() {
    let lose = |snapshot: &mut StoredSnapshot| snapshot.unreadable_data.extend([OTHER_INDICES[3].to_owned()]);
    with(2, lose, |_, run| {
        assert_failed(run, CheckName::Restored);
        let found = found(run, CheckName::Restored);
        assert!(found.contains(OTHER_INDICES[3]) && found.contains("NoSuchFileException"), "{found}");
        assert!(!found.contains(OTHER_INDICES[0]), "{found}");
        assert!(run.indices.iter().all(|index| index.checked));
        assert_eq!(outcome(run, CheckName::Documents), CheckOutcome::Passed, "of part 1 they are known");
    });
}

#[test]
fn an_index_that_the_engine_refuses_to_restore_is_told_and_the_others_are_checked() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        let names_it = request.body.as_deref().is_some_and(|body| body.contains(OTHER_INDICES[2]));
        (is_restore(request) && names_it).then(|| Ok(refusal(500, "no_such_file_exception", "indices/9w/meta-x.dat")))
    });
    let mut run = fixture.begin("verifier").unwrap();
    while let VerificationStep { again_in: Some(delay), run: next, .. } =
        verification::advance(&engine, &fixture.context("unused"), &run).unwrap()
    {
        fixture.engine.pass(delay);
        run = next;
    }
    assert_failed(&run, CheckName::Restored);
    let found = found(&run, CheckName::Restored);
    assert!(found.contains(OTHER_INDICES[2]) && found.contains("meta-x.dat"), "{found}");
    let copied = run.indices.iter().filter(|index| index.documents.is_some()).count();
    assert_eq!(copied, IMPORT_INDICES.len() + OTHER_INDICES.len() - 1);
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

#[test]
fn refusals_that_can_pass_are_told_and_tried_again() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let run = fixture.begin("verifier").unwrap();
    for response in [
        refusal(503, "concurrent_snapshot_execution_exception", "later"),
        refusal(429, "circuit_breaking_exception", "later"),
        answer(502, "<html>later</html>"),
    ] {
        let engine =
            Intercepted::new(&fixture.engine, |request: &Request| is_restore(request).then(|| Ok(response.clone())));
        let step = verification::advance(&engine, &fixture.context("unused"), &run).unwrap();
        assert!(step.refusal.unwrap().contains("later"));
        assert!(step.again_in.is_some() && !step.run.is_decided());
    }
    assert_passed(&fixture.go_on(&run));
}

#[test]
fn refusals_that_are_no_fault_of_the_backup_are_none_of_its_checks() {
    let limit = "Validation Failed: 1: this action would add [1] shards, but this cluster currently has [1000]/[1000] maximum normal shards open;";
    for response in [
        refusal(400, "validation_exception", limit),
        refusal(500, "repository_exception", "[backups] could not read repository data: slow down"),
        refusal(500, "uncategorized_execution_exception", "slow down"),
    ] {
        let fixture = verifiable(Dialect::Elasticsearch8_19);
        let run = fixture.begin("verifier").unwrap();
        let engine =
            Intercepted::new(&fixture.engine, |request: &Request| is_restore(request).then(|| Ok(response.clone())));
        let step = verification::advance(&engine, &fixture.context("unused"), &run).unwrap();
        assert!(step.refusal.is_some(), "{response:?}");
        assert!(step.run.indices.iter().all(|index| !index.checked), "{:#?}", step.run);
        assert_passed(&fixture.go_on(&step.run));
    }
}

#[test]
fn an_engine_that_lets_nobody_read_the_copies_finds_no_fault_of_the_backup() {
    for (status, kind, code) in [
        (401, "security_exception", "engineAccessDenied"),
        (403, "security_exception", "engineAccessDenied"),
        (500, "illegal_state_exception", "engineRefused"),
    ] {
        let fixture = verifiable(Dialect::Elasticsearch8_19);
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            let reads_copy = request.path.last().is_some_and(|last| last == "1") && request.path[0].contains("verify");
            reads_copy.then(|| Ok(refusal(status, kind, "not at the moment")))
        });
        let mut run = fixture.begin("verifier").unwrap();
        let error = loop {
            match verification::advance(&engine, &fixture.context("unused"), &run) {
                Ok(step) => {
                    fixture.engine.pass(step.again_in.expect("it cannot end"));
                    run = step.run;
                }
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), code);
        assert_eq!(outcome(&run, CheckName::SchemaVersion), CheckOutcome::Pending);
        assert_passed(&fixture.go_on(&run));
    }
}

#[test]
fn copies_that_are_cleared_between_two_requests_are_no_fault_of_the_backup() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        if request.path.last().is_some_and(|last| last == "1") && request.path[0].contains("verify") {
            fixture.clear_what_is_left();
        }
        None
    });
    let mut run = fixture.begin("verifier").unwrap();
    let gone = loop {
        let step = verification::advance(&engine, &fixture.context("unused"), &run).unwrap();
        run = step.run;
        match step.refusal {
            Some(refusal) => break refusal,
            None => fixture.engine.pass(step.again_in.expect("it cannot end")),
        }
    };
    assert!(gone.contains("no such index"), "{gone}");
    assert_eq!(outcome(&run, CheckName::SchemaVersion), CheckOutcome::Pending);
    assert_eq!(fixture.verification_step(&run).unwrap_err().kind(), ErrorKind::Conflict, "the lock is gone, too");
}

#[test]
fn copies_that_no_node_takes_are_copied_again_and_no_fault_of_the_backup() {
    for dialect in Dialect::ALL {
        let fixture = verifiable(dialect);
        fixture.engine.allocate_restored(false);
        let mut run = fixture.begin("verifier").unwrap();
        let mut refusals = Vec::new();
        for _ in 0..12 {
            let step = fixture.verification_step(&run).unwrap();
            refusals.extend(step.refusal);
            fixture.engine.pass(step.again_in.unwrap());
            run = step.run;
        }
        assert!(refusals.len() > 1 && refusals.iter().all(|text| text.contains("watermark")), "{refusals:?}");
        assert!(run.indices.iter().all(|index| !index.checked), "{run:#?}");
        fixture.engine.allocate_restored(true);
        assert_passed(&fixture.go_on(&run));
        assert_eq!(fixture.scratch(), Vec::<String>::new());
    }
}

#[test]
fn a_copy_whose_node_has_left_is_made_again() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let run = fixture.begin("verifier").unwrap();
    let run = fixture.go_on_until(&run, |_| fixture.scratch().len() > 1);
    for copy in fixture.scratch().iter().filter(|name| *name != LOCK) {
        fixture.engine.assign_primary(copy, false);
    }
    let step = fixture.verification_step(&run).unwrap();
    assert!(step.refusal.is_some_and(|refusal| refusal.contains("a node that has left")));
    assert_passed(&fixture.go_on(&step.run));
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

#[test]
fn a_backup_that_is_deleted_meanwhile_ends_it() {
    for is_made_again in [false, true] {
        let fixture = verifiable(Dialect::Elasticsearch8_19);
        let run = fixture.begin("verifier").unwrap();
        let run = fixture.go_on_until(&run, |_| fixture.scratch().len() > 1);
        fixture.delete(ID, None).unwrap();
        if is_made_again {
            fixture.create(ID, "run-2").unwrap();
            fixture.drive(ID);
        }
        let error = fixture.verification_step(&run).unwrap_err();
        let expected = if is_made_again { ErrorKind::Conflict } else { ErrorKind::NotFound };
        assert_eq!(error.kind(), expected, "it is no check of the backup that has failed: {error}");
        // As the host does then.
        fixture.clear_what_is_left();
        assert_eq!(fixture.scratch(), Vec::<String>::new());
    }
}

#[test]
fn copies_that_are_lost_with_a_cluster_that_is_restarted_are_made_again() {
    for dialect in [Dialect::Elasticsearch7_17, Dialect::OpenSearch3_1] {
        for steps in 0.. {
            let fixture = verifiable(dialect);
            fixture.engine.restore_within(seconds(2));
            let mut run = fixture.begin("verifier").unwrap();
            let is_over = (0..steps).any(|_| {
                let step = fixture.verification_step(&run).unwrap();
                run = step.run;
                step.again_in.map(|delay| fixture.engine.pass(delay)).is_none()
            });
            if is_over {
                break;
            }
            fixture.engine.restart();
            assert_passed(&fixture.go_on(&run));
            assert_eq!(fixture.scratch(), Vec::<String>::new());
        }
    }
}

#[test]
fn counts_that_the_engine_refuses_make_no_backup_a_bad_one() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        (request.path.last().is_some_and(|last| last == "docs"))
            .then(|| Ok(refusal(403, "security_exception", "action is unauthorized")))
    });
    let mut run = fixture.begin("verifier").unwrap();
    while let VerificationStep { again_in: Some(delay), run: next, .. } =
        verification::advance(&engine, &fixture.context("unused"), &run).unwrap()
    {
        fixture.engine.pass(delay);
        run = next;
    }
    assert_eq!(outcome(&run, CheckName::Documents), CheckOutcome::Skipped);
    assert_eq!(outcome(&run, CheckName::Restored), CheckOutcome::Passed);
}
