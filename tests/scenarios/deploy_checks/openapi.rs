//! Whether the server answers as its OpenAPI document says, whatever it is asked.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::programs::workshop;
use serde_json::{Value, json};

use super::root;
use super::tools::{python_tool, run_in};
use crate::fixture::Fixture;

const TOKEN: &str = "schemathesis-0123456789";
/// How many requests are made up for each operation.
const EXAMPLES: &str = "30";

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn schemathesis_finds_nothing() -> Result<()> {
    let fixture = Fixture::new(Distribution::ELASTICSEARCH).await?;
    let folder = tempfile::tempdir_in(workshop("schemathesis")?)?;
    let token = folder.path().join("token");
    fs::write(&token, TOKEN)?;
    let options = fixture.options().env("CAMUNDA_OPTIMIZE_BACKUP_ADMIN_TOKEN_FILE", &token.display().to_string());
    let host = Host::start(options).await?;
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    let document = host.request("GET", "/actuator/openapi.json", &headers, String::new()).await?.json()?;
    for file in ["schemathesis.toml", "hooks.py"] {
        fs::copy(root("tests/scenarios/deploy_checks").join(file), folder.path().join(file))?;
    }
    fs::write(folder.path().join("openapi.json"), strict(document).to_string())?;
    let arguments = [
        "run",
        "openapi.json",
        &format!("--url={}", host.url()),
        &format!("--header=Authorization: {bearer}"),
        &format!("--max-examples={EXAMPLES}"),
        // The plan of a restore watches for writes for some seconds.
        "--request-timeout=60",
        "--seed=1",
        "--generation-database=none",
        "--no-color",
    ];
    run_in(folder.path(), python_tool("schemathesis")?, &arguments).map(drop)
}

/// The document without room for fields that it does not name: clients should leave that room, and this test should not.
fn strict(mut document: Value) -> Value {
    let mut parts = BTreeSet::new();
    collect_parts(&document, &mut parts);
    close(&mut document, "", &parts, false);
    document
}

/// The schemas that others are made of: what the others have besides is not theirs to know.
fn collect_parts(value: &Value, parts: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                parts.extend(part["$ref"].as_str().map(|reference| reference.trim_start_matches('#').to_owned()));
            }
            fields.values().for_each(|field| collect_parts(field, parts));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_parts(item, parts)),
        _ => {}
    }
}

fn close(value: &mut Value, pointer: &str, parts: &BTreeSet<String>, is_part: bool) {
    match value {
        Value::Object(fields) => {
            let is_object = fields.get("properties").is_some_and(Value::is_object) || fields.contains_key("allOf");
            // A request may have further fields.
            let is_open = is_part || parts.contains(pointer) || pointer.ends_with("/CreateRequest");
            for (name, field) in fields.iter_mut() {
                close(field, &format!("{pointer}/{name}"), parts, name == "allOf");
            }
            if is_object && !is_open {
                fields.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, "", parts, is_part)),
        _ => {}
    }
}

#[test]
fn a_strict_document_has_room_for_no_other_field() {
    let document = json!({
        "whole": {"properties": {"a": {"properties": {"b": {}}}}},
        "part": {"properties": {"c": {}}},
        "made": {"allOf": [{"$ref": "#/part"}, {"properties": {"d": {}}}]},
    });
    let expected = json!({
        "whole": {
            "properties": {"a": {"properties": {"b": {}}, "unevaluatedProperties": false}},
            "unevaluatedProperties": false
        },
        "part": {"properties": {"c": {}}},
        "made": {"allOf": [{"$ref": "#/part"}, {"properties": {"d": {}}}], "unevaluatedProperties": false},
    });
    assert_eq!(strict(document), expected);
}
