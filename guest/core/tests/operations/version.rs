use backup_core::{Context, Error, ErrorKind, IndexPrefix, OptimizeVersion, Settings, operations};
use serde_json::{Value, json};

use crate::fixture::{Fixture, on_every_engine};

const INDEX: &str = "optimize-metadata_v3";

fn create_with(fixture: &Fixture, document: Option<Value>) -> Error {
    fixture.engine.set_document(INDEX, document);
    let error = fixture.create(12, "run-1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EngineFailure);
    assert!(error.to_string().contains("CAMUNDA_OPTIMIZE_VERSION"), "{error}");
    assert!(fixture.writes().is_empty());
    error
}

#[test]
fn it_is_the_one_that_optimize_wrote() {
    on_every_engine(|fixture| {
        fixture.engine.set_document(INDEX, Some(json!({"schemaVersion": "8.7.0-SNAPSHOT"})));
        let accepted = fixture.create(12, "run-1").unwrap();
        assert_eq!(accepted.part_one.to_string(), "camunda_optimize_12_8.7.0-snapshot_part_1_of_2");
    });
}

#[test]
fn a_setting_goes_first_and_needs_no_document() {
    on_every_engine(|fixture| {
        fixture.engine.set_document(INDEX, None);
        let settings = Settings { optimize_version: OptimizeVersion::parse("3.14.0").ok(), ..fixture.settings() };
        let context = Context { settings, ..fixture.context("run-1") };
        let accepted = operations::create(&fixture.engine, &context, "12").unwrap();
        assert_eq!(accepted.part_one.to_string(), "camunda_optimize_12_3.14.0_part_1_of_2");
    });
}

#[test]
fn without_alias_document_or_field_it_is_unknown() {
    on_every_engine(|fixture| {
        let no_field = create_with(fixture, Some(json!({"id": "1"})));
        let no_document = create_with(fixture, None);
        fixture.engine.remove_index(INDEX);
        let no_alias = fixture.create(12, "run-1").unwrap_err();
        for (error, fault) in [
            (no_field, "no field schemaVersion"),
            (no_document, "no document 1"),
            (no_alias, "index_not_found_exception"),
        ] {
            assert_eq!(error.code(), "optimizeVersionUnknown");
            assert!(error.to_string().contains(fault), "{error}");
        }
    });
}

#[test]
fn one_that_no_name_can_hold_is_refused() {
    on_every_engine(|fixture| {
        for version in ["", "8_6", "8.6 ", "*"] {
            let error = create_with(fixture, Some(json!({"schemaVersion": version})));
            assert_eq!(error.code(), "optimizeVersionInvalid", "{version:?}");
        }
    });
}

#[test]
fn one_that_is_no_text_is_an_answer_that_makes_no_sense() {
    on_every_engine(|fixture| {
        fixture.engine.set_document(INDEX, Some(json!({"schemaVersion": 8})));
        assert_eq!(fixture.create(12, "run-1").unwrap_err().code(), "engineAnswerInvalid");
    });
}

/// The version is looked for under the prefix, and would be the first thing that is missing.
#[test]
fn with_a_wrong_prefix_the_prefix_is_told() {
    on_every_engine(|fixture| {
        let settings = Settings { index_prefix: IndexPrefix::parse("optimise").unwrap(), ..fixture.settings() };
        let context = Context { settings, ..fixture.context("run-1") };
        let error = operations::create(&fixture.engine, &context, "12").unwrap_err();
        assert_eq!(error.code(), "nothingToBackUp");
        assert!(error.to_string().contains("'optimise-'") && error.to_string().contains("index.prefix"), "{error}");
        assert!(fixture.writes().is_empty());
    });
}
