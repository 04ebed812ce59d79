use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::http::actuator::LINKS;

/// What any path and method is answered with: the document's introduction has them.
const OF_NO_OPERATION: [&str; 2] = ["unknownPath", "methodNotAllowed"];

fn json() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Each operation by method and path.
fn operations() -> BTreeMap<(String, String), Value> {
    let json = json();
    let paths = json["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation.clone()))
    });
    operations.collect()
}

/// All codes that a response names.
fn error_codes(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("errorCode").and_then(|code| code["examples"].as_array()).into_iter().flatten();
            let own = own.map(|code| code.as_str().unwrap().to_owned());
            own.chain(fields.values().flat_map(error_codes)).collect()
        }
        Value::Array(items) => items.iter().flat_map(error_codes).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_route_is_in_the_document() {
    let router = include_str!("../mod.rs");
    let routes = router.split("pub(crate) fn routes").nth(1).unwrap().split("\n}").next().unwrap();
    assert!(routes.contains(".routes(routes!("), "{routes}");
    assert!(!routes.contains(".route("), "a route without a description: use routes!");
}

#[test]
fn every_path_is_among_the_links_and_the_other_way_round() {
    let linked: BTreeSet<String> = LINKS.iter().map(|(_, path)| format!("/actuator{path}")).collect();
    let documented: BTreeSet<String> = operations().into_keys().map(|(_, path)| path).collect();
    assert_eq!(documented, linked);
}

#[test]
fn every_error_code_is_in_an_operation_with_its_status() {
    let mut found = BTreeSet::new();
    for (operation, value) in operations() {
        for (status, response) in value["responses"].as_object().unwrap() {
            for code in error_codes(response) {
                found.insert((status.clone(), code));
            }
        }
        assert!(value["responses"].get("500").is_some(), "{operation:?} cannot fail");
    }
    let expected: BTreeSet<_> = errors::codes()
        .filter(|(_, code)| !OF_NO_OPERATION.contains(code))
        .map(|(status, code)| (status.as_u16().to_string(), code.to_owned()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_codes_of_an_operation_exist() {
    let known: BTreeSet<&str> = errors::codes().map(|(_, code)| code).collect();
    for code in errors::NAMED.iter().copied().flatten() {
        assert!(known.contains(code), "there is no error {code}");
    }
}

#[test]
fn every_operation_is_described() {
    let mut ids = BTreeSet::new();
    for (operation, value) in operations() {
        assert!(value["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{operation:?}");
        assert!(value["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{operation:?}");
        assert!(ids.insert(value["operationId"].as_str().unwrap().to_owned()), "{operation:?}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(json: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let found = reference.strip_prefix('#').and_then(|pointer| json.pointer(pointer));
                    assert!(found.is_some(), "{reference}");
                }
                fields.values().for_each(|field| check(json, field));
            }
            Value::Array(items) => items.iter().for_each(|item| check(json, item)),
            _ => {}
        }
    }
    let json = json();
    assert_eq!(json["openapi"], "3.1.0");
    check(&json, &json);
}

#[test]
fn access_is_told() {
    let operations = operations();
    let security = |method: &str, path: &str| {
        let operation = &operations[&(method.to_owned(), format!("/actuator{path}"))];
        (operation["security"].clone(), operation["responses"]["403"].is_object())
    };
    let open = |role: &str| (json!([{"bearer": [role]}, {}]), true);
    assert_eq!(security("GET", "/health/readiness"), (Value::Null, false));
    assert_eq!(security("GET", "/backups"), open("reader"));
    assert_eq!(security("POST", "/backups"), open("operator"));
    assert_eq!(security("DELETE", "/backups/{backupId}"), open("operator"));
    assert_eq!(security("PUT", "/policy"), (json!([{"bearer": ["admin"]}]), true));
}

#[test]
fn a_busy_server_tells_when_to_come_again() {
    let get = &operations()[&("GET".to_owned(), "/actuator/backups".to_owned())];
    let busy = &get["responses"][StatusCode::SERVICE_UNAVAILABLE.as_str()];
    assert!(busy["headers"]["Retry-After"].is_object(), "{busy}");
}
