//! Which errors an operation has: by codes, from which follow statuses and headers.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use backup_actuator::{ErrorBody, Health, RequestError, status_of};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::backups::{BEING_DELETED, OF_RESTORES};
use crate::http::ApiError;

/// Every code that the policy in this binary and the host itself answer with, each with its status.
pub(in crate::http) fn codes() -> impl Iterator<Item = (StatusCode, &'static str)> {
    let refused = backup_core::Error::CODES.iter().map(|&(kind, code)| (status_of(kind), code));
    let own = RequestError::CODES.iter().chain(ApiError::CODES).copied();
    let of_host = [BEING_DELETED].into_iter().chain(OF_RESTORES).map(|code| (StatusCode::CONFLICT, code));
    refused.chain(own).chain(of_host)
}

/// A repository is needed.
const REPOSITORY: &[&str] = &["repositoryNotConfigured", "repositoryMissing", "invalidSetting"];
/// The search engine is asked.
const ENGINE: &[&str] = &[
    "engineAccessDenied",
    "engineBusy",
    "engineRefused",
    "engineAnswerInvalid",
    "engineUnreachable",
    "engineNotAnswering",
];
/// The policy is called.
const CALL: &[&str] = &["requestNotGranted", "policyFailed", "callLimitExceeded", "serverBusy"];
/// Another policy is brought in.
const UPLOAD: &[&str] = &["invalidParameter", "policyTooLarge", "policyRefused", "policySuperseded"];
/// Always possible.
const ALWAYS: &[&str] = &["internalError"];

/// Types that stand for the errors of an operation in `#[utoipa::path]`.
macro_rules! error_sets {
    ($($name:ident = $($codes:expr),+;)+) => {
        #[cfg(test)]
        pub(super) const NAMED: &[&[&str]] = &[ALWAYS, $($($codes),+),+];

        $(
            pub(in crate::http) struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    responses(&[ALWAYS, $($codes),+].concat())
                }
            }
        )+
    };
}

error_sets! {
    NoErrors = &[];
    CreateErrors =
        &[
            "malformedBody", "backupIdMissing", "invalidBackupId", "bodyTooLarge", "unsupportedMediaType",
            "backupAlreadyExists", "backupBeingDeleted", "restoreInProgress", "repositoryReadOnly", "nothingToBackUp", "indicesMissing",
            "optimizeVersionUnknown", "optimizeVersionInvalid",
        ],
        REPOSITORY, ENGINE, CALL;
    GetErrors = &["invalidBackupId", "backupNotFound"], REPOSITORY, ENGINE, CALL;
    ListErrors = &["invalidParameter"], REPOSITORY, ENGINE, CALL;
    DeleteErrors =
        &["invalidBackupId", "backupOfAnotherInstallation", "repositoryReadOnly", "restoreInProgress", "verificationInProgress"],
        REPOSITORY, ENGINE, CALL;
    RestoreGetErrors =
        &["invalidBackupId", "backupNotFound", "invalidParameter", "invalidRenamePrefix"], REPOSITORY, ENGINE, CALL;
    RestoreErrors =
        &[
            "malformedBody", "bodyTooLarge", "unsupportedMediaType", "invalidBackupId", "backupNotFound",
            "invalidRenamePrefix", "restoreNotConfirmed", "restoreBlocked", "restoreInProgress",
            "restoreOfForeignIndices", "backupBeingDeleted", "indicesMissing", "verificationInProgress",
        ],
        REPOSITORY, ENGINE, CALL;
    VerificationGetErrors = &["invalidBackupId", "backupNotFound"], REPOSITORY, ENGINE, CALL;
    VerificationErrors =
        &[
            "invalidBackupId", "backupNotFound", "verificationInProgress", "backupNotVerifiable", "noRoomForVerification",
            "restoreInProgress", "backupBeingDeleted",
        ],
        REPOSITORY, ENGINE, CALL;
    ScheduleErrors = REPOSITORY, ENGINE, CALL;
    ExpiryErrors = &["malformedBody", "bodyTooLarge", "unsupportedMediaType"], REPOSITORY, ENGINE, CALL;
    ReplaceErrors = UPLOAD;
    RollbackErrors = &["invalidParameter", "noPreviousPolicy", "generationReplaced", "policyRefused"];
    ShadowErrors = UPLOAD;
    LoggerErrors = &["unknownLogger"];
    LoggerChangeErrors = &["invalidLogLevel", "unknownLogger", "bodyTooLarge", "unsupportedMediaType"];
    ShadowEndErrors = &["noShadow"];
}

/// One response for each status.
pub(super) fn responses(codes: &[&'static str]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<StatusCode, Vec<&'static str>> = BTreeMap::new();
    for (status, code) in self::codes().filter(|(_, code)| codes.contains(code)) {
        let codes = by_status.entry(status).or_default();
        // Some have several causes.
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    by_status.into_iter().map(|(status, codes)| (status.as_str().to_owned(), response(status, &codes).into())).collect()
}

/// Readiness that is down: because of what the server needs, or because it is about to end.
pub(in crate::http) struct NotReady;

impl IntoResponses for NotReady {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        const STOPPING: &str = "serverStopping";
        let body = AnyOfBuilder::new().item(Ref::from_schema_name(Health::name())).item(body(&[STOPPING])).build();
        let response = ResponseBuilder::new()
            .description(format!("DOWN, or `{STOPPING}`"))
            .content("application/json", ContentBuilder::new().schema(Some(Schema::AnyOf(body))).build());
        BTreeMap::from([(StatusCode::SERVICE_UNAVAILABLE.as_str().to_owned(), response.build().into())])
    }
}

fn response(status: StatusCode, codes: &[&'static str]) -> Response {
    let names = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    let reason = status.canonical_reason().unwrap_or_default();
    let response = ResponseBuilder::new()
        .description(format!("{reason}: {names}"))
        .content("application/json", ContentBuilder::new().schema(Some(body(codes))).build());
    match header(status) {
        Some((name, description)) => {
            let text = ObjectBuilder::new().schema_type(Type::String).build();
            response
                .header(name, HeaderBuilder::new().schema(Some(text)).description(Some(description)).build())
                .build()
        }
        None => response.build(),
    }
}

/// The error body with these codes.
fn body(codes: &[&'static str]) -> Schema {
    let code = ObjectBuilder::new().schema_type(Type::String).examples(codes.iter().copied());
    let own = ObjectBuilder::new().property("errorCode", code);
    Schema::AllOf(AllOfBuilder::new().item(Ref::from_schema_name(ErrorBody::name())).item(own).build())
}

/// The header that comes with a status.
fn header(status: StatusCode) -> Option<(&'static str, &'static str)> {
    match status {
        StatusCode::UNAUTHORIZED => Some(("WWW-Authenticate", "Bearer")),
        StatusCode::SERVICE_UNAVAILABLE => Some(("Retry-After", "After how many seconds to send the request again.")),
        _ => None,
    }
}
