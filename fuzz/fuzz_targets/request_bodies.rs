//! Bodies of `POST /actuator/backups`, from any bytes.

#![no_main]

use backup_actuator::CreateRequest;
use backup_core::BackupId;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let Ok(CreateRequest { backup_id: written }) = CreateRequest::parse(body) else { return };
    // Read once more in another way, which refuses a few more: deep nesting, numbers out of range.
    let Ok(document) = serde_json::from_slice::<Value>(body) else { return };
    match document.as_object().and_then(|object| object.get("backupId")) {
        None | Some(Value::Null) => panic!("{written} was read from a body without an id"),
        Some(Value::String(text)) => assert_eq!(*text, written),
        Some(Value::Number(number)) if number.is_u64() => assert_eq!(number.to_string(), written),
        // The caller's spelling is kept, and refused later on.
        Some(_) => assert!(BackupId::parse(&written).is_err(), "{written} was taken for an id"),
    }
});
