use backup_core::json;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::RequestError;

/// The limit for a request's body: an ID needs less than 100 bytes.
pub const MAX_BODY_BYTES: usize = 64 << 10;

const EXAMPLE: &str = r#"{"backupId": 123456}"#;

/// The body of `POST /actuator/backups`.
// The ID is kept as the caller wrote it: the policy decides whether it is valid.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(rename_all = "camelCase"))]
pub struct CreateRequest {
    /// The id, as written.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::written_backup_id))]
    pub backup_id: String,
}

impl CreateRequest {
    /// Reads a body: `{"backupId": 123456}` or `{"backupId": "123456"}`. Other fields are ignored.
    ///
    /// # Errors
    /// [`RequestError`] says what is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.is_empty() {
            return Err(RequestError::malformed_body(&"it is empty", EXAMPLE));
        }
        let malformed = |error: &dyn std::error::Error| RequestError::malformed_body(&error, EXAMPLE);
        let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
        let fields: Body<'_> = json::object(text).map_err(|error| malformed(&error))?;
        let raw = fields.backup_id.ok_or(RequestError::BackupIdMissing)?.get();
        // The text of a string, and any other value as it is written.
        Ok(Self { backup_id: serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned()) })
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(rename = "backupId", borrow)]
    backup_id: Option<&'a RawValue>,
}

/// Checks that the content type is JSON.
///
/// # Errors
/// [`RequestError::NotJson`].
pub fn expect_json(content_type: Option<&str>) -> Result<(), RequestError> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(RequestError::NotJson(content_type.map(|text| text.chars().take(100).collect())))
}

#[cfg(test)]
mod tests;
