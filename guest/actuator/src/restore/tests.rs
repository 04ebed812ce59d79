use super::RestoreRequest;

#[test]
fn what_is_to_be_restored_and_where_has_to_be_said() {
    for body in [
        r#"{"confirm": "optimize"}"#,
        r#"{"dryRun": null, "confirm": "optimize"}"#,
        r#"{"dryRun": false, "confirm": "optimize", "rename_prefix": "look"}"#,
        r#"{"dryRun": false, "confirm": "optimize", "renamePrefix": null}"#,
        r#"{"dryRun": true, "override": ["optimizeIsWritting"]}"#,
    ] {
        assert!(RestoreRequest::parse(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn only_the_plan_of_a_restore_needs_no_more_than_that() {
    let request = RestoreRequest::parse(br#"{"dryRun": true}"#).unwrap();
    assert!(request.dry_run && request.rename_prefix.is_none() && request.r#override.is_empty());
    let body = br#"{"dryRun": false, "confirm": "optimize", "renamePrefix": "look", "override": ["diskSpace"]}"#;
    let request = RestoreRequest::parse(body).unwrap();
    assert_eq!((request.rename_prefix.as_deref(), request.r#override.len()), (Some("look"), 1));
}
