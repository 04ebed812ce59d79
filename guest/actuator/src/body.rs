use backup_core::json;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::RequestError;

/// The limit for a request's body: an ID needs less than 100 bytes.
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// The body of `POST /actuator/backups`.
///
/// The ID is kept as the caller wrote it: the policy decides whether it is valid.
#[derive(Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// The id, as written.
    pub backup_id: String,
}

impl CreateRequest {
    /// Reads a body: `{"backupId": 123456}` or `{"backupId": "123456"}`. Other fields are ignored.
    ///
    /// # Errors
    /// [`RequestError`] says what is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.is_empty() {
            return Err(RequestError::MalformedBody("it is empty".to_owned()));
        }
        let malformed = |error: &dyn std::error::Error| RequestError::MalformedBody(error.to_string());
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
mod tests {
    use super::*;

    #[test]
    fn keeps_the_id_as_written() {
        for (body, id) in [
            (r#"{"backupId":123456}"#, "123456"),
            (r#"{"backupId":"123456"}"#, "123456"),
            (r#"{"backupId":"\u0031"}"#, "1"),
            (r#"{ "backupId" : 1.5 , "more": [] }"#, "1.5"),
            (r#"{"backupId":1e3}"#, "1e3"),
            (r#"{"backupId":-1}"#, "-1"),
            (r#"{"backupId":99999999999999999999}"#, "99999999999999999999"),
            (r#"{"backupId":""}"#, ""),
            (r#"{"backupId":{}}"#, "{}"),
            (r#"{"backupId":true}"#, "true"),
        ] {
            assert_eq!(CreateRequest::parse(body.as_bytes()).unwrap().backup_id, id, "{body}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_body() {
        assert!(matches!(CreateRequest::parse(b"{}"), Err(RequestError::BackupIdMissing)));
        assert!(matches!(CreateRequest::parse(br#"{"backupId":null}"#), Err(RequestError::BackupIdMissing)));
        for body in [
            "",
            "{",
            "[]",
            "[7]",
            "7",
            "null",
            "backupId=1",
            "{\"backupId\":1}x",
            "{\"backupId\":1,\"backupId\":2}",
            "\u{feff}{}",
        ] {
            assert!(matches!(CreateRequest::parse(body.as_bytes()), Err(RequestError::MalformedBody(_))), "{body}");
        }
        assert!(matches!(CreateRequest::parse(b"\xff\xfe"), Err(RequestError::MalformedBody(_))));
    }

    #[test]
    fn takes_json_with_parameters_only() {
        assert!(expect_json(Some("application/json")).is_ok());
        assert!(expect_json(Some("Application/JSON; charset=utf-8")).is_ok());
        for other in
            [None, Some(""), Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")]
        {
            assert!(matches!(expect_json(other), Err(RequestError::NotJson(_))), "{other:?}");
        }
    }
}
