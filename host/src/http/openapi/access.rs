//! What the rules of access add to an operation: the role it needs, and the errors of those who lack it.

use axum::http::Method;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, PathItem, SecurityRequirement};

use super::errors::responses;
use crate::http::access::{needs_tokens, required_role};

/// The name of the security scheme.
pub(super) const BEARER: &str = "bearer";

/// Adds them to every operation.
pub(super) fn secure(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            secure_operation(operation, &method, path);
        }
    }
}

fn secure_operation(operation: &mut Operation, method: &Method, path: &str) {
    let Some(role) = required_role(method, path) else { return };
    let bearer = SecurityRequirement::new(BEARER, [role.to_string()]);
    let mut codes = vec!["unauthorized", "forbidden", "clientCertificateNeeded"];
    operation.security = Some(if needs_tokens(method, path) {
        codes.push("operationNotEnabled");
        vec![bearer]
    } else {
        // Without tokens everybody may.
        vec![bearer, SecurityRequirement::default()]
    });
    operation.responses.responses.extend(responses(&codes));
}

/// The operations of a path, by method.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, .. } = item;
    let operations = [
        (Method::GET, get.as_mut()),
        (Method::PUT, put.as_mut()),
        (Method::POST, post.as_mut()),
        (Method::DELETE, delete.as_mut()),
    ];
    operations.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}
