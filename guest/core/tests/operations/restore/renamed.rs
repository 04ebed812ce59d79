use backup_core::memory::Dialect;
use backup_core::operations::restore;
use backup_core::restore::{FindingCode, RestoreState};
use backup_core::{Error, IndexPrefix, Method};

use super::fixture::{ID, assert_complete, changed, codes, renamed};
use crate::fixture::{IMPORT_INDICES, OTHER_INDICES};

#[test]
fn a_renamed_restore_stands_beside_the_living_installation() {
    for dialect in Dialect::ALL {
        let fixture = changed(dialect);
        let before = fixture.engine.indices();
        fixture.restoring_takes(700);
        let plan = fixture.plan_with(&renamed("look.at"));
        assert_eq!(codes(&plan), []);
        let restore = fixture.run(&plan.run.unwrap());
        assert_complete(&restore);
        assert!(restore.next_step.unwrap().contains("look.at-*"));
        let after = fixture.engine.indices();
        assert!(before.iter().all(|(name, index)| after.get(name) == Some(index)), "the living one is as it was");
        assert_eq!(after.len(), before.len() + IMPORT_INDICES.len() + OTHER_INDICES.len());
        let aliases = |name: &str| {
            let aliases = &after[name].1.aliases;
            aliases.iter().map(|(name, write)| format!("{name}:{write:?}")).collect::<Vec<_>>()
        };
        assert_eq!(aliases("look.at-settings_v3"), ["look.at-settings:None"]);
        assert_eq!(
            aliases("look.at-external-process-variable_v2-000001"),
            ["look.at-external-process-variable:Some(true)"]
        );
        assert_eq!(
            aliases("look.at-process-instance-invoice_v8"),
            ["look.at-process-instance:None", "look.at-process-instance-invoice:None"]
        );
        assert_eq!(fixture.engine.marked_indices(), Vec::<String>::new());
        assert!(!fixture.writes().iter().any(|request| request.method == Method::Delete));
    }
}

#[test]
fn it_is_told_apart_from_the_one_in_place() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    let run = fixture.plan_with(&renamed("other")).run.unwrap();
    assert_complete(&fixture.run(&run));
    assert_eq!(fixture.standing().state, RestoreState::None);
    let other = IndexPrefix::parse("other").unwrap();
    let context = fixture.context("unused");
    assert_complete(&restore::get(&fixture.engine, &context, &ID.to_string(), Some(&other)).unwrap());
}

#[test]
fn a_prefix_in_use_is_refused() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    fixture.engine.add_index("other-settings_v3");
    let plan = fixture.plan_with(&renamed("other"));
    assert_eq!(codes(&plan), [FindingCode::PrefixInUse]);
    assert_eq!(plan.run, None);
}

#[test]
fn prefixes_that_could_be_taken_for_each_other_are_refused() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    for prefix in ["optimize", "optimize-look"] {
        let error = fixture.look(&fixture.engine, &renamed(prefix), None).unwrap_err();
        assert!(matches!(error, Error::InvalidRenamePrefix { .. }), "{error}");
    }
}

#[test]
fn a_prefix_within_that_of_another_installation_is_refused() {
    let fixture = changed(Dialect::Elasticsearch8_19);
    for name in ["metadata_v3", "settings_v3", "timestamp-based-import-index_v5"] {
        fixture.engine.add_index(&format!("other-{name}"));
    }
    let plan = fixture.plan_with(&renamed("other-look"));
    assert_eq!(codes(&plan), [FindingCode::PrefixInUse]);
    assert!(plan.findings[0].message.contains("'other'"), "{:?}", plan.findings);
    assert!(fixture.plan_with(&renamed("another-look")).run.is_some());
}
