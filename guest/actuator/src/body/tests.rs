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
        assert!(matches!(CreateRequest::parse(body.as_bytes()), Err(RequestError::MalformedBody { .. })), "{body}");
    }
    assert!(matches!(CreateRequest::parse(b"\xff\xfe"), Err(RequestError::MalformedBody { .. })));
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
