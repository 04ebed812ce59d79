//! What a backup records of its installation, and backups that record nothing.

use backup_core::memory::{Dialect, Intercepted, StoredSnapshot};
use backup_core::verification::{CheckName, CheckOutcome};
use backup_core::{Request, Response, TransportError, operations};
use serde_json::Value;

use super::fixture::{found, outcome, verifiable};
use crate::fixture::{Fixture, answer, interrupted, on_every_engine, part, refusal};
use crate::restore::fixture::{ID, backed_up};

fn recorded(fixture: &Fixture, number: u8) -> (Value, Value) {
    let name = part(ID, number);
    let snapshot = fixture.snapshots().into_iter().find(|snapshot| snapshot.name == name).unwrap();
    let origin = snapshot.metadata.unwrap()["optimizeBackup"].clone();
    (origin["indices"].clone(), origin["documents"].clone())
}

#[test]
fn a_backup_records_indices_and_documents_of_its_own_installation_only() {
    let fixture = backed_up(Dialect::Elasticsearch8_19);
    assert_eq!(recorded(&fixture, 1), (6.into(), 2.into()));
    assert_eq!(recorded(&fixture, 2), (6.into(), 4.into()));
}

fn is_count(request: &Request) -> bool {
    request.path.last().is_some_and(|last| last == "docs")
}

#[test]
fn a_count_that_fails_changes_nothing_of_a_backup_and_is_not_repeated() {
    let failures: [Result<Response, TransportError>; 9] = [
        Ok(refusal(403, "security_exception", "action is unauthorized")),
        Ok(refusal(404, "index_not_found_exception", "no such index")),
        Ok(answer(503, "<html>Service Unavailable</html>")),
        Ok(answer(200, "")),
        Ok(answer(200, r#"{"indices":{"optimize-settings_v3":{"primaries":{"docs":{"count":-1}}}}}"#)),
        Ok(answer(200, r#"{"indices":[]}"#)),
        // Some shards did not answer, so that the sum would be too low.
        Ok(answer(
            200,
            r#"{"_shards":{"failed":1},"indices":{"optimize-settings_v3":{"primaries":{"docs":{"count":1}}}}}"#,
        )),
        Err(interrupted()),
        Err(TransportError::Denied("not granted".to_owned())),
    ];
    on_every_engine(|fixture| {
        for (number, failure) in failures.iter().enumerate() {
            let id = 100 + number as u64;
            let asked = std::cell::Cell::new(0);
            let engine = Intercepted::new(&fixture.engine, |request: &Request| {
                is_count(request).then(|| {
                    asked.set(asked.get() + 1);
                    failure.clone()
                })
            });
            operations::create(&engine, &fixture.context("run-1"), &id.to_string()).unwrap();
            fixture.finish(id, 1, backup_core::SnapshotState::Success);
            assert!(fixture.advance_over(&engine, id).unwrap().accepted);
            assert_eq!(asked.get(), 2);
            let [one, two] = [1, 2].map(|number| {
                let name = part(id, number);
                fixture.snapshots().into_iter().find(|snapshot| snapshot.name == name).unwrap().metadata.unwrap()
            });
            for metadata in [one, two] {
                let origin = &metadata["optimizeBackup"];
                assert_eq!((&origin["indices"], origin.get("documents")), (&6.into(), None), "{failure:?}");
            }
        }
    });
}

#[test]
fn of_a_backup_without_records_the_checks_are_skipped() {
    let without = |keys: &'static [&'static str]| {
        move |snapshot: &mut StoredSnapshot| {
            let origin = snapshot.metadata.as_mut().unwrap()["optimizeBackup"].as_object_mut().unwrap();
            keys.iter().for_each(|key| drop(origin.remove(*key)));
        }
    };
    for dialect in Dialect::ALL {
        let fixture = verifiable(dialect);
        for number in [1, 2] {
            fixture.engine.change_snapshot(&part(ID, number), without(&["indices", "documents"]));
        }
        let run = fixture.verify();
        for name in CheckName::ALL {
            let is_recorded = !matches!(name, CheckName::Indices | CheckName::Documents);
            let expected = if is_recorded { CheckOutcome::Passed } else { CheckOutcome::Skipped };
            assert_eq!(outcome(&run, name), expected, "{run:#?}");
            assert!(!found(&run, name).is_empty());
        }
    }
    // One part alone is compared.
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    fixture.engine.change_snapshot(&part(ID, 1), without(&["documents"]));
    let run = fixture.verify();
    assert!(found(&run, CheckName::Documents).starts_with("part 2 of 2 has"), "{run:#?}");
}

#[test]
fn a_backup_of_other_software_is_verified_as_far_as_it_tells() {
    let fixture = verifiable(Dialect::OpenSearch2_19);
    for number in [1, 2] {
        fixture.engine.change_snapshot(&part(ID, number), |snapshot| snapshot.metadata = None);
    }
    let run = fixture.verify();
    assert_eq!(outcome(&run, CheckName::Restored), CheckOutcome::Passed);
    assert_eq!(outcome(&run, CheckName::Documents), CheckOutcome::Skipped);
}
