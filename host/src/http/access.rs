//! Who may do what: roles, and the tokens by which callers are known.

mod callers;
#[cfg(test)]
mod tests;

use axum::http::Method;

use crate::settings::Role;

pub use callers::Callers;
pub(super) use callers::{Identity, KnownBy};

const LIVENESS: &str = "/actuator/health/liveness";
pub(super) const READINESS: &str = "/actuator/health/readiness";
const BACKUPS: &str = "/actuator/backups";
const BACKUP: &str = "/actuator/backups/{backupId}";
const VERIFICATION: &str = "/actuator/backups/{backupId}/verify";
const RESTORE: &str = "/actuator/backups/{backupId}/restore";
const RETENTION: &str = "/actuator/retention";
const POLICY: &str = "/actuator/policy";

/// The role that a request needs where callers have tokens. `None`: everybody may, as probes do. `route` is the path with the
/// names of its parameters.
pub(super) fn required_role(method: &Method, route: &str) -> Option<Role> {
    match (method, route) {
        (&Method::GET | &Method::HEAD, LIVENESS | READINESS) => None,
        (&Method::GET | &Method::HEAD, _) => Some(Role::Reader),
        (&Method::POST, BACKUPS | VERIFICATION) | (&Method::DELETE, BACKUP) => Some(Role::Operator),
        _ => Some(Role::Admin),
    }
}

/// Whether a request is refused where no caller has a token: it destroys more than a backup.
pub(super) fn needs_tokens(method: &Method, route: &str) -> bool {
    let is_write = !matches!(*method, Method::GET | Method::HEAD);
    is_write && (matches!(route, RESTORE | RETENTION) || route == POLICY || route.starts_with("/actuator/policy/"))
}

/// Why a caller may not do something.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("a token is needed: send the header Authorization: Bearer …")]
    TokenMissing,
    #[error("the token in the header Authorization is no caller's")]
    TokenUnknown,
    #[error(
        "a client certificate of an authority in management.server.ssl.trust-certificate is needed; without one only \
         liveness and readiness are told"
    )]
    CertificateMissing,
    #[error(
        "this needs the role {needed}, and '{caller}' has the role {role}; a token for {needed} is in {}, or its caller in \
         security.callers", needed.setting()
    )]
    Forbidden { needed: Role, caller: String, role: Role },
    #[error(
        "this is not enabled, since whoever reaches this port could do it: give the role admin a token with \
         security.adminTokenFile (CAMUNDA_OPTIMIZE_BACKUP_ADMIN_TOKEN_FILE)"
    )]
    NotEnabled,
}

/// Whether a caller may send a request.
///
/// # Errors
/// Why not.
pub(super) fn authorize(identity: &Identity, method: &Method, route: &str) -> Result<(), AccessError> {
    let Some(needed) = required_role(method, route) else { return Ok(()) };
    match &identity.known_by {
        KnownBy::Nothing(missing) => Err(missing.error()),
        KnownBy::Openness if needs_tokens(method, route) => Err(AccessError::NotEnabled),
        KnownBy::Openness | KnownBy::Process => Ok(()),
        KnownBy::Token(role) if *role >= needed => Ok(()),
        KnownBy::Token(role) => Err(AccessError::Forbidden { needed, caller: identity.name.clone(), role: *role }),
    }
}
