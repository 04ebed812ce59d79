use super::*;

const BEGUN: (u16, &str) = (202, r#"{"message":"It has begun","runId":"one"}"#);
const ONGOING: (u16, &str) = (
    200,
    r#"{"backupId":7,"state":"IN_PROGRESS","runId":"one","percent":5.0,"bytes":null,"checks":[],"verifiedAt":null,"failureReason":null,"nextStep":null}"#,
);
const PASSED: (u16, &str) = (
    200,
    r#"{"backupId":7,"state":"PASSED","runId":"one","percent":100.0,"bytes":null,"checks":[{"name":"restored","outcome":"PASSED","found":"all"}],"verifiedAt":"2026-01-09T10:11:36.978+0100","failureReason":null,"nextStep":null}"#,
);
const FAILED: (u16, &str) = (
    200,
    r#"{"backupId":7,"state":"FAILED","runId":"one","percent":3.0,"bytes":null,"checks":[{"name":"restored","outcome":"FAILED","found":"a\nbad file"}],"verifiedAt":"2026-01-09T10:11:36.978+0100","failureReason":"restored: a\nbad file","nextStep":null}"#,
);
const EARLIER: (u16, &str) = (
    200,
    r#"{"backupId":7,"state":"FAILED","runId":"two","percent":0.0,"bytes":null,"checks":[],"verifiedAt":null,"failureReason":"then","nextStep":null}"#,
);
const NONE: (u16, &str) = (
    200,
    r#"{"backupId":7,"state":"NONE","runId":null,"percent":0.0,"bytes":null,"checks":[],"verifiedAt":null,"failureReason":null,"nextStep":null}"#,
);
const TAKEN: (u16, &str) = (
    409,
    r#"{"errorCode":"verificationInProgress","errorMessage":"a verification of backup 8 is in progress","detailedMessage":null}"#,
);
const POST: &str = "POST /actuator/backups/7/verify";

/// Another server may answer in between: it knows only of its own earlier one, or that one is in progress.
#[test]
fn whoever_waits_waits_for_the_verification_that_was_begun() {
    let server = Server::start(|request, earlier| match (request, earlier) {
        (POST, 0) => BEGUN,
        (POST, _) => unreachable!("{request}"),
        (_, 0) => EARLIER,
        (_, 1) => ONGOING,
        (_, 2) => NONE,
        _ => PASSED,
    });
    assert_eq!(server.run(&["verify", "7", "--wait"]), (ExitStatus::Done, String::new()));
}

#[test]
fn what_has_not_passed_is_told_with_the_reason() {
    let server = Server::start(|request, _| if request == POST { BEGUN } else { FAILED });
    let (status, message) = server.run(&["verify", "7", "--wait"]);
    assert_eq!(status, ExitStatus::EndedBadly);
    assert!(message.ends_with("has not passed its verification: restored: a bad file"), "{message}");
    assert_eq!(server.run(&["verify", "7", "--follow"]).0, ExitStatus::EndedBadly);
}

#[test]
fn without_waiting_it_ends_once_the_verification_has_begun() {
    let server = Server::start(|_, earlier| [BEGUN, TAKEN, NOT_FOUND, PAGE][earlier]);
    for expected in [ExitStatus::Done, ExitStatus::Conflict, ExitStatus::NotFound, ExitStatus::Unreachable] {
        assert_eq!(server.run(&["verify", "7"]).0, expected);
    }
}

#[test]
fn what_is_not_known_here_is_not_waited_for() {
    let server = Server::start(|_, _| NONE);
    let (status, message) = server.run(&["verify", "7", "--follow"]);
    assert!(status == ExitStatus::EndedBadly && message.contains("is not known here"), "{message}");
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    let server = Server::start(|request, _| unreachable!("{request}"));
    for arguments in [&["verify", "7", "--take-over"][..], &["verify", "7", "--timeout", "1h"]] {
        assert_eq!(server.run(arguments).0, ExitStatus::WrongUsage, "{arguments:?}");
    }
}
