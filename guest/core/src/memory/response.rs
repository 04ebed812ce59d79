//! The form of an engine's responses.

use serde_json::{Map, Value, json};

use crate::{Request, Response};

/// The document of a success, or what comes in its place.
pub(super) type Reply = Result<Value, Failure>;

/// A response that is not a success.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// A refusal, as engines word it.
pub(super) fn refusal(status: u16, kind: &str, reason: impl Into<String>) -> Failure {
    let reason = reason.into();
    let cause = json!({"type": kind, "reason": reason});
    Failure {
        status,
        body: json!({"error": {"root_cause": [cause], "type": kind, "reason": reason}, "status": status}),
    }
}

/// The error for requests that real engines may support, and this one does not.
pub(super) fn not_known(what: impl Into<String>) -> Failure {
    refusal(400, "illegal_argument_exception", format!("the engine in memory does not know {}", what.into()))
}

/// The response to a request, reduced to the fields in its `filter_path`.
pub(super) fn response(request: &Request, reply: Reply) -> Response {
    let (status, body) = match reply {
        Ok(document) => (200, document),
        Err(failure) => (failure.status, failure.body),
    };
    let body = match parameter(request, "filter_path") {
        Some(fields) => {
            let fields: Vec<Vec<&str>> = fields.split(',').map(|field| field.split('.').collect()).collect();
            let fields: Vec<&[&str]> = fields.iter().map(Vec::as_slice).collect();
            only(&body, &fields).unwrap_or_else(|| json!({}))
        }
        None => body,
    };
    Response { status, retry_after: None, body: body.to_string() }
}

/// The value of a query parameter.
pub(super) fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The error for a parameter that this version does not have.
pub(super) fn unrecognized(request: &Request, parameter: &str) -> Failure {
    let path = request.path.join("/");
    let reason = format!("request [/{path}] contains unrecognized parameter: [{parameter}]");
    refusal(400, "illegal_argument_exception", reason)
}

/// Refuses parameters that are not in the list of names and values; `*` stands for any value.
pub(super) fn expect_parameters(request: &Request, known: &[(&str, &str)]) -> Result<(), Failure> {
    let is_known = |name: &str, value: &str| known.iter().any(|&(n, v)| n == name && (v == "*" || v == value));
    match request.query.iter().find(|(name, value)| !is_known(name, value)) {
        Some((name, value)) => Err(not_known(format!("the parameter {name}={value} of {request}"))),
        None => Ok(()),
    }
}

/// What `filter_path` leaves of a document; `None` if nothing.
fn only(value: &Value, fields: &[&[&str]]) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> =
                members.iter().filter_map(|(name, value)| Some((name.clone(), member(name, value, fields)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.iter().filter_map(|item| only(item, fields)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

fn member(name: &str, value: &Value, fields: &[&[&str]]) -> Option<Value> {
    let below: Vec<&[&str]> = fields
        .iter()
        .filter_map(|field| field.split_first())
        .filter(|(first, _)| **first == "*" || **first == name)
        .map(|(_, rest)| rest)
        .collect();
    if below.iter().any(|rest| rest.is_empty()) { Some(value.clone()) } else { only(value, &below) }
}
