use std::collections::BTreeSet;

use super::*;
use crate::http::openapi::codes;

fn answered() -> BTreeSet<(u16, &'static str)> {
    codes().map(|(status, code)| (status.as_u16(), code)).collect()
}

/// The first two columns of every table in the reference.
fn documented() -> Vec<(u16, &'static str)> {
    let page = include_str!("../../../../docs/reference/errors.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| status |"));
    let row = |line: &'static str| {
        let (status, rest) = line.strip_prefix("| ")?.split_once(" | `")?;
        Some((status.parse().ok()?, rest.split_once('`')?.0))
    };
    rows.map(|line| row(line).unwrap()).collect()
}

#[test]
fn the_reference_has_every_code_once_with_its_status_and_no_other() {
    let documented = documented();
    let found: BTreeSet<_> = documented.iter().copied().collect();
    assert_eq!(found.len(), documented.len(), "a code is there twice");
    assert_eq!(found, answered());
}

#[test]
fn whoever_is_not_authorized_is_told_how_to_be() {
    let response = ApiError::from(AccessError::TokenMissing).into_response();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn whoever_comes_when_there_is_no_room_is_told_when_to_come_again() {
    let response = ApiError::from(CallError::Busy).into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
}
