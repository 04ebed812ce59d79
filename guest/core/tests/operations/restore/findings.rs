//! What a plan finds.

use backup_core::memory::{Damage, Dialect, Intercepted, StoredSnapshot};
use backup_core::restore::FindingCode::{self, *};
use backup_core::restore::{RestoreOptions, RestorePlan, Severity};
use backup_core::{BackupState, Error, Request, SnapshotState};
use serde_json::json;

use super::fixture::{ID, assert_complete, backed_up, changed, codes, overriding};
use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, REPOSITORY, answer, part};

fn found(change: impl Fn(&Fixture)) -> RestorePlan {
    let mut plans = Dialect::ALL.into_iter().map(|dialect| {
        let fixture = changed(dialect);
        change(&fixture);
        fixture.plan()
    });
    let first = plans.next().unwrap();
    assert!(plans.all(|other| codes(&other) == codes(&first)));
    first
}

/// The only finding. If it stops the restore, there is none to begin.
fn only(plan: &RestorePlan, code: FindingCode) -> String {
    assert_eq!(codes(plan), [code], "{:?}", plan.findings);
    assert_eq!(plan.run.is_none(), code.severity() != Severity::Warning);
    plan.findings[0].message.clone()
}

#[test]
fn a_backup_that_is_not_complete() {
    let message =
        only(&found(|fixture| fixture.engine.finish(&part(ID, 2), SnapshotState::Partial)), BackupNotComplete);
    assert!(message.contains("FAILED") && message.contains(&part(ID, 2)), "{message}");
    let message = only(&found(|fixture| fixture.delete_behind_our_back(&part(ID, 1))), BackupNotComplete);
    assert!(message.contains("part 1 of 2 is missing"), "{message}");
    let message = only(&found(|fixture| fixture.engine.damage(&part(ID, 2), Some(Damage::Missing))), BackupNotComplete);
    assert!(message.contains("cannot be read"), "{message}");
    let newer = |snapshot: &mut StoredSnapshot| snapshot.version_id = Some(999_000_000);
    let plan = found(|fixture| fixture.engine.change_snapshot(&part(ID, 2), newer));
    assert!(only(&plan, BackupNotComplete).contains("INCOMPATIBLE"));
}

#[test]
fn a_snapshot_with_missing_files() {
    let lose = |snapshot: &mut StoredSnapshot| snapshot.unreadable_shards.extend([OTHER_INDICES[0].to_owned()]);
    let message = only(&found(|fixture| fixture.engine.change_snapshot(&part(ID, 2), lose)), SnapshotUnreadable);
    assert!(message.contains(&part(ID, 2)), "{message}");
}

#[test]
fn no_such_backup_and_that_of_another_installation() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.delete(ID, None).unwrap();
    let error = fixture.look(&fixture.engine, &RestoreOptions::default(), None).unwrap_err();
    assert!(matches!(error, Error::BackupNotFound { .. }), "{error}");
    for number in [1, 2] {
        let metadata =
            json!({"optimizeBackup": {"runId": "r", "part": number, "parts": 2, "indexPrefix": "optimize-b"}});
        let snapshot = StoredSnapshot::new(&part(ID, number), SnapshotState::Success, fixture.engine.now());
        fixture.engine.store(REPOSITORY, StoredSnapshot { metadata: Some(metadata), ..snapshot });
    }
    let error = fixture.look(&fixture.engine, &RestoreOptions::default(), None).unwrap_err();
    assert!(error.to_string().contains("optimize-b"), "{error}");
}

#[test]
fn a_backup_of_another_prefix_that_says_nothing() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.delete(ID, None).unwrap();
    for (number, names) in
        [(1, vec!["zeebe-timestamp-based-import-index_v5"]), (2, vec!["zeebe-metadata_v3", "zeebe-settings_v3"])]
    {
        let snapshot = StoredSnapshot::new(&part(ID, number), SnapshotState::Success, fixture.engine.now());
        let indices = names.into_iter().map(str::to_owned).collect();
        fixture.engine.store(REPOSITORY, StoredSnapshot { indices, ..snapshot });
    }
    let plan = fixture.plan();
    assert!(codes(&plan).contains(&NothingToRestore) && plan.run.is_none());
    assert!(plan.findings[0].message.contains("zeebe"), "{:?}", plan.findings);
}

#[test]
fn indices_of_a_nested_installation_in_the_backup_are_left_alone() {
    let nested: [String; 3] =
        ["metadata_v3", "settings_v3", "timestamp-based-import-index_v5"].map(|name| format!("optimize-eu-{name}"));
    let fixture = backed_up(Dialect::Elasticsearch8_19);
    let add = |snapshot: &mut StoredSnapshot| snapshot.indices.extend(nested.clone());
    fixture.engine.change_snapshot(&part(ID, 2), add);
    let of_others = fixture.of_others();
    let plan = fixture.plan();
    assert!(only(&plan, ForeignIndices).contains(&nested[0]));
    assert_complete(&fixture.run(&plan.run.unwrap()));
    assert_eq!(fixture.of_others(), of_others);
}

#[test]
fn names_that_the_restore_needs() {
    let message = only(
        &found(|fixture| {
            fixture.engine.change_index("elsewhere", |index| {
                index.aliases.insert(OTHER_INDICES[2].to_owned(), None);
            });
        }),
        NameInUse,
    );
    assert!(message.contains(OTHER_INDICES[2]), "{message}");
    only(&found(|fixture| fixture.engine.add_data_stream(OTHER_INDICES[2])), NameInUse);
    let plan = found(|fixture| fixture.engine.add_index("optimize-process-instance-invoice"));
    assert!(codes(&plan).contains(&NameInUse), "Optimize wrote into an alias that is gone: {:?}", plan.findings);
}

#[test]
fn an_index_that_was_rolled_over_since_then() {
    let plan = found(|fixture| {
        fixture.engine.change_index(OTHER_INDICES[0], |index| {
            index.aliases.insert("optimize-external-process-variable".to_owned(), Some(false));
        });
        fixture.engine.add_index("optimize-external-process-variable_v2-000002");
    });
    assert_eq!(codes(&plan), [IndicesNotInBackup, WriteIndexConflict]);
    assert_eq!(plan.run, None);
}

#[test]
fn an_index_that_the_backup_does_not_have() {
    let plan = found(|fixture| fixture.engine.add_index("optimize-process-instance-new_v8"));
    assert!(only(&plan, IndicesNotInBackup).contains("optimize-process-instance-new_v8"));
}

#[test]
fn an_index_that_cannot_be_deleted() {
    let plan = found(|fixture| {
        fixture.engine.change_index(OTHER_INDICES[1], |index| index.blocks.push("index.blocks.read_only".to_owned()));
    });
    assert!(only(&plan, IndexReadOnly).contains("index.blocks.read_only"));
    let plan = found(|fixture| {
        fixture.engine.change_index(OTHER_INDICES[1], |index| index.blocks.push("index.blocks.write".to_owned()));
    });
    assert_eq!(codes(&plan), []);
}

#[test]
fn a_closed_index_is_replaced() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.engine.close_index(OTHER_INDICES[3]);
    assert_complete(&fixture.restore());
}

#[test]
fn a_snapshot_that_is_being_made() {
    let plan = found(|fixture| {
        let snapshot = StoredSnapshot::new("by-hand", SnapshotState::InProgress, fixture.engine.now());
        let indices = vec![OTHER_INDICES[1].to_owned()];
        fixture.engine.store(
            REPOSITORY,
            StoredSnapshot {
                indices,
                started: fixture.engine.now().after(std::time::Duration::from_secs(60)),
                ..snapshot
            },
        );
    });
    assert!(only(&plan, BackupInProgress).contains("by-hand"));
}

#[test]
fn a_backup_that_is_being_deleted() {
    for dialect in Dialect::ALL {
        let fixture = changed(dialect);
        let deletion = json!({"repository": REPOSITORY, "snapshots": [part(ID, 1), part(ID, 2)]});
        let deleting = json!({"snapshot_deletions": {"snapshot_deletions": [deletion]}}).to_string();
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            (request.path == ["_cluster", "state", "customs"]).then(|| Ok(answer(200, &deleting)))
        });
        let plan = fixture.look(&engine, &overriding(OptimizeIsWriting), None).unwrap();
        only(&plan, DeletionInProgress);
    }
}

#[test]
fn something_that_writes() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let first = fixture.look(&fixture.engine, &RestoreOptions::default(), None).unwrap();
    assert_eq!(first.run, None, "before it is known, nothing begins");
    assert!(first.again_in.is_some());
    fixture.engine.set_document(IMPORT_INDICES[0], Some(json!({"position": 2})));
    let second = fixture.look(&fixture.engine, &RestoreOptions::default(), Some(&first.writes)).unwrap();
    assert!(only(&second, OptimizeIsWriting).contains(IMPORT_INDICES[0]));
    let second = fixture.look(&fixture.engine, &overriding(OptimizeIsWriting), Some(&first.writes)).unwrap();
    assert!(second.findings[0].overridden && second.run.is_some());
}

#[test]
fn without_indices_nobody_can_write() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    for name in fixture.contents().keys().filter(|name| name.starts_with("optimize-")) {
        fixture.engine.remove_index(name);
    }
    let plan = fixture.look(&fixture.engine, &RestoreOptions::default(), None).unwrap();
    assert_eq!(plan.again_in, None);
    assert_complete(&fixture.run(&plan.run.unwrap()));
}

#[test]
fn a_restore_of_another_backup_that_has_not_ended() {
    let fixture = backed_up(Dialect::Elasticsearch8_19);
    let run = fixture.plan().run.unwrap();
    fixture.step(&run).unwrap();
    fixture.step(&run).unwrap();
    fixture.store_ours(8, 1, SnapshotState::Success, "run-8");
    fixture.store_ours(8, 2, SnapshotState::Success, "run-8");
    fixture.engine.change_snapshot(&part(8, 1), |snapshot| {
        snapshot.indices = IMPORT_INDICES.map(str::to_owned).to_vec();
    });
    let plan = |options: &RestoreOptions| {
        let context = fixture.context("unused");
        backup_core::operations::restore::plan(&fixture.engine, &context, "8", options, Some(&[])).unwrap()
    };
    let blocked = plan(&RestoreOptions::default());
    assert!(codes(&blocked).contains(&AnotherRestore) && blocked.run.is_none(), "{:?}", blocked.findings);
    assert!(plan(&overriding(AnotherRestore)).run.is_some());
}

#[test]
fn no_room() {
    let plan = found(|fixture| fixture.engine.set_free_bytes(999));
    assert!(only(&plan, DiskSpace).contains("lack about 1 bytes"), "{:?}", plan.findings);
    let plan = found(|fixture| fixture.engine.change_index(OTHER_INDICES[1], |index| index.replicas = 1));
    only(&plan, TooFewNodes);
}

#[test]
fn another_version_of_optimize() {
    let plan =
        found(|fixture| fixture.engine.set_document("optimize-metadata_v3", Some(json!({"schemaVersion": "8.7.0"}))));
    assert!(only(&plan, VersionDiffers).contains("start Optimize 8.6.0"));
}

#[test]
fn what_is_final_cannot_be_overridden() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.engine.finish(&part(ID, 2), SnapshotState::Partial);
    assert_eq!(fixture.plan_with(&overriding(BackupNotComplete)).run, None);
}

#[test]
fn a_repository_that_is_read_only_is_fine() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.engine.add_repository(REPOSITORY, true);
    assert_complete(&fixture.restore());
}

#[test]
fn every_code_is_a_word_of_its_own() {
    let words: std::collections::BTreeSet<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), FindingCode::ALL.len());
}

#[test]
fn an_installation_whose_prefix_goes_on_with_a_word_of_ours_is_not_replaced_unasked() {
    let fixture = Fixture::new(Dialect::Elasticsearch8_19);
    for name in ["metadata_v3", "settings_v3", "timestamp-based-import-index_v5", "process-instance-a_v8"] {
        fixture.engine.add_index(&format!("optimize-tenant-a-{name}"));
    }
    fixture.create(ID, "run").unwrap();
    assert_eq!(fixture.drive(ID).state, BackupState::Complete);
    let plan = fixture.plan();
    assert!(codes(&plan).contains(&AnotherInstallation) && plan.run.is_none(), "{:?}", plan.findings);
    let doubt = plan.findings.iter().find(|finding| finding.code == AnotherInstallation).unwrap();
    assert!(doubt.message.contains("optimize-tenant-a-metadata_v3"), "{}", doubt.message);
    assert!(fixture.plan_with(&overriding(AnotherInstallation)).run.is_some());
}

#[test]
fn of_another_installation_a_part_is_enough() {
    let fixture = Fixture::new(Dialect::Elasticsearch8_19);
    for name in ["metadata_v3", "settings_v3", "process-instance-a_v8"] {
        fixture.engine.add_index(&format!("optimize-tenant-a-{name}"));
        // Processes can be called so.
        fixture.engine.add_index(&format!("optimize-process-instance-a-{name}"));
    }
    fixture.create(ID, "run").unwrap();
    assert_eq!(fixture.drive(ID).state, BackupState::Complete);
    let plan = fixture.plan();
    let doubt = plan.findings.iter().find(|finding| finding.code == AnotherInstallation).unwrap();
    assert!(doubt.message.contains("optimize-tenant-a-process-instance-a_v8"), "{}", doubt.message);
    assert!(!doubt.message.contains("optimize-process-instance"), "{}", doubt.message);
}

#[test]
fn names_that_no_index_can_have_are_final() {
    for name in ["optimize-<now{d}>_v1", "optimize-a|b_v1", "optimize-a b_v1", "optimize-a,b_v1", "optimize-*"] {
        let fixture = changed(Dialect::Elasticsearch8_19);
        fixture.engine.change_snapshot(&part(ID, 2), |snapshot| snapshot.indices.push(name.to_owned()));
        let plan = fixture.plan_with(&overriding(IndexNameInvalid));
        assert!(codes(&plan).contains(&IndexNameInvalid) && plan.run.is_none(), "{name}: {:?}", plan.findings);
    }
}
