//! The OpenAPI document: made of the routes and their types, served at `/actuator/openapi.json`.

mod access;
mod errors;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use backup_actuator::{ErrorBody, HealthDetails};
use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{AnyOfBuilder, Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, License, ObjectBuilder, OpenApi, OpenApiBuilder, RefOr, ServerBuilder,
};

use crate::correlation::REQUEST_ID;

#[cfg(test)]
pub(super) use errors::codes;
pub(super) use errors::{
    CreateErrors, DeleteErrors, GetErrors, ListErrors, LoggerChangeErrors, LoggerErrors, NoErrors,
};
pub(super) use errors::{
    ExpiryErrors, NotReady, ReplaceErrors, RestoreErrors, RestoreGetErrors, RollbackErrors, ScheduleErrors,
    ShadowEndErrors, ShadowErrors, VerificationErrors, VerificationGetErrors,
};

const DESCRIPTION: &str = "Backups of Camunda Optimize. docs/reference/api.md says what the states mean, and \
    docs/reference/errors.md what each errorCode means and what to do. A path that does not exist is answered with 404 \
    unknownPath, a method that a path does not have with 405 methodNotAllowed and the header Allow. Doubled and trailing \
    slashes of a path are ignored. A role in an operation's security is the least that may: reader, operator, admin. \
    Where no token is set, the empty requirement holds.";

/// The document, with all routes.
pub(crate) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license()));
    let components = ComponentsBuilder::new()
        .schema_from::<ErrorBody<'_>>()
        .security_scheme(access::BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let mut document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .components(Some(components.build()))
        .build();
    document.merge(super::routes().into_openapi());
    relax(&mut document, &HealthDetails::name());
    access::secure(&mut document);
    add_request_id(&mut document);
    document
}

/// The kinds of an untagged enum are not told apart by fields that may be missing: at least one of them fits, not exactly one.
fn relax(document: &mut OpenApi, name: &str) {
    let schemas = document.components.iter_mut().flat_map(|components| components.schemas.iter_mut());
    for (_, schema) in schemas.filter(|(found, _)| *found == name) {
        if let RefOr::T(Schema::OneOf(kinds)) = schema {
            let any = kinds.items.drain(..).fold(AnyOfBuilder::new(), AnyOfBuilder::item);
            *schema = RefOr::T(Schema::AnyOf(any.build()));
        }
    }
}

fn license() -> License {
    let mut license = License::new(env!("CARGO_PKG_LICENSE"));
    license.identifier = Some(env!("CARGO_PKG_LICENSE").to_owned());
    license
}

/// Every response has it.
fn add_request_id(document: &mut OpenApi) {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let about = "The ID of the request in the server's log: the caller's own, or a new one.";
    let header = HeaderBuilder::new().schema(Some(text)).description(Some(about)).build();
    let operations = document.paths.paths.values_mut().flat_map(access::operations);
    for response in operations.flat_map(|(_, operation)| operation.responses.responses.values_mut()) {
        if let RefOr::T(response) = response {
            response.headers.insert(REQUEST_ID.to_string(), header.clone().into());
        }
    }
}

/// Shows this document.
#[utoipa::path(
    get,
    path = "/actuator/openapi.json",
    tag = "server",
    operation_id = "getOpenApi",
    responses((status = 200, description = "The document.", content_type = "application/json", body = Object), NoErrors)
)]
pub(super) async fn show() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| serde_json::to_string(&document()).unwrap_or_default());
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str())
}
