//! The OpenAPI document: made of the routes and their types, served at `/actuator/openapi.json`.

mod errors;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use backup_actuator::ErrorBody;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, ServerBuilder};

#[cfg(test)]
pub(super) use errors::codes;
pub(super) use errors::{CreateErrors, DeleteErrors, GetErrors, ListErrors, NoErrors};
pub(super) use errors::{ReplaceErrors, RollbackErrors, ShadowEndErrors, ShadowErrors};

/// The name of the security scheme.
const BEARER: &str = "bearer";

const DESCRIPTION: &str = "Backups of Camunda Optimize. docs/reference/api.md says what the states mean, and \
    docs/reference/errors.md what each errorCode means and what to do. A path that does not exist is answered with 404 \
    unknownPath, a method that a path does not have with 405 methodNotAllowed and the header Allow. Doubled and trailing \
    slashes of a path are ignored.";

/// The document, with all routes.
pub(crate) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license()));
    let mut document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").build()]))
        // A token is needed where there are any: the empty requirement stands for a server without.
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []), SecurityRequirement::default()]))
        .build();
    let components = ComponentsBuilder::new()
        .schema_from::<ErrorBody<'_>>()
        .security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    document.components = Some(components.build());
    document.merge(super::routes().into_openapi());
    document
}

fn license() -> License {
    let mut license = License::new(env!("CARGO_PKG_LICENSE"));
    license.identifier = Some(env!("CARGO_PKG_LICENSE").to_owned());
    license
}

/// This document.
#[utoipa::path(
    get,
    path = "/actuator/openapi.json",
    tag = "server",
    responses((status = 200, description = "The document.", content_type = "application/json", body = Object), NoErrors)
)]
pub(super) async fn show() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| serde_json::to_string(&document()).unwrap_or_default());
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str())
}
