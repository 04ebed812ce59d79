use backup_actuator::{RequestError, normalized};
use http::Method;
use percent_encoding::percent_decode_str;

/// The endpoints, by the names of Spring Boot's actuator.
pub(crate) const LINKS: [(&str, &str); 8] = [
    ("self", ""),
    ("backups", "/backups"),
    ("backups-backupId", "/backups/{backupId}"),
    ("backups-backupId-progress", "/backups/{backupId}/progress"),
    ("health", "/health"),
    ("health-liveness", "/health/liveness"),
    ("health-readiness", "/health/readiness"),
    ("info", "/info"),
];

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Links,
    Create,
    List,
    Get(String),
    Progress(String),
    Delete(String),
    Health,
    Liveness,
    Readiness,
    Info,
}

/// Why a request is for nothing, and the verbs that its path has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoute(pub(crate) RequestError, pub(crate) Option<&'static str>);

impl Route {
    pub(crate) fn find(method: &Method, path: &str) -> Result<Self, NoRoute> {
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let path = &*normalized(path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let (route, allowed) = match segments.as_slice() {
            ["actuator"] => (is_read.then_some(Self::Links), "GET,HEAD"),
            ["actuator", "backups"] if *method == Method::POST => (Some(Self::Create), ""),
            ["actuator", "backups"] => (is_read.then_some(Self::List), "GET,HEAD,POST"),
            ["actuator", "backups", id] if *method == Method::DELETE => (Some(Self::Delete(decode(id)?)), ""),
            ["actuator", "backups", id] if is_read => (Some(Self::Get(decode(id)?)), ""),
            ["actuator", "backups", _] => (None, "GET,HEAD,DELETE"),
            ["actuator", "backups", id, "progress"] if is_read => (Some(Self::Progress(decode(id)?)), ""),
            ["actuator", "backups", _, "progress"] => (None, "GET,HEAD"),
            ["actuator", "health"] => (is_read.then_some(Self::Health), "GET,HEAD"),
            ["actuator", "health", "liveness"] => (is_read.then_some(Self::Liveness), "GET,HEAD"),
            ["actuator", "health", "readiness"] => (is_read.then_some(Self::Readiness), "GET,HEAD"),
            ["actuator", "info"] => (is_read.then_some(Self::Info), "GET,HEAD"),
            _ => return Err(NoRoute(RequestError::unknown_path(path), None)),
        };
        route.ok_or_else(|| NoRoute(RequestError::MethodNotAllowed(method.clone()), Some(allowed)))
    }
}

fn decode(id: &str) -> Result<String, NoRoute> {
    let decoded = percent_decode_str(id).decode_utf8();
    decoded.map(Into::into).map_err(|_not_utf8| NoRoute(RequestError::UnreadableId, None))
}

#[cfg(test)]
mod tests;
