//! The parameters of `GET /actuator/backups`, and the link to the next page.

use std::fmt::Display;

use backup_core::{BackupId, IdPattern, InvalidListQuery, ListQuery, PageLimit};

use crate::RequestError;

/// The parameters that are allowed, for messages.
const ALLOWED: &str = "pattern=2026*, before=20261123, limit=1 to 1000, and verbose=true or false";

/// Reads the query of a request for a list, as it stands in the URL.
///
/// # Errors
/// [`RequestError::InvalidParameter`]: a parameter is unknown, senseless, or there twice.
pub fn list_query(query: Option<&str>) -> Result<ListQuery, RequestError> {
    let pairs = || form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut read = ListQuery::default();
    for (name, value) in pairs() {
        if pairs().filter(|(other, _)| *other == name).count() > 1 {
            return Err(invalid(&format!("'{}' is there twice", name.escape_debug())));
        }
        match &*name {
            "pattern" => read.pattern = IdPattern::parse(&value).map_err(|error| invalid(&error))?,
            "before" => read.before = Some(before(&value).map_err(|error| invalid(&error))?),
            "limit" => read.limit = Some(PageLimit::parse(&value).map_err(|error| invalid(&error))?),
            "verbose" => {
                read.verbose = value.parse().map_err(|_not_bool| invalid(&"verbose is neither true nor false"))?
            }
            _ => return Err(invalid(&format!("there is no parameter '{}'", name.escape_debug()))),
        }
    }
    Ok(read)
}

fn before(text: &str) -> Result<BackupId, InvalidListQuery> {
    BackupId::parse(text).map_err(InvalidListQuery::Before)
}

fn invalid(reason: &dyn Display) -> RequestError {
    RequestError::invalid_parameter(&reason.to_string(), ALLOWED)
}

/// The header `Link` of a page that has a next one.
///
/// Its reference is only a query: it holds whatever host and path lead to this server.
#[must_use]
pub fn next_link(query: &ListQuery, next: Option<u64>) -> Option<String> {
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    if query.pattern != IdPattern::All {
        parameters.append_pair("pattern", &query.pattern.to_string());
    }
    if let Some(limit) = query.limit {
        parameters.append_pair("limit", &limit.to_string());
    }
    parameters.append_pair("before", &next?.to_string());
    if !query.verbose {
        parameters.append_pair("verbose", "false");
    }
    Some(format!("<?{}>; rel=\"next\"", parameters.finish()))
}

#[cfg(test)]
mod tests;
