use tokio::time::advance;

use super::*;
use crate::sandbox::types::Problem;

const MINUTE: Duration = Duration::from_secs(60);

fn run() -> VerificationRun {
    VerificationRun {
        backup_id: 7,
        run_id: "run".to_owned(),
        beat: 0,
        beaten: 0,
        snapshots: Vec::new(),
        indices: Vec::new(),
        checks: Vec::new(),
    }
}

fn bytes(done: u64) -> Option<ByteCount> {
    Some(ByteCount { total: u64::MAX, done })
}

fn refused(error: fn(Problem) -> Error, code: &str) -> CallError {
    CallError::Refused(error(Problem { code: code.to_owned(), message: String::new(), detail: None }))
}

/// Whatever a policy says: one that always wants another step comes to an end.
#[tokio::test(start_paused = true)]
async fn without_progress_it_ends_after_an_hour_and_with_it_after_a_week() {
    let mut limits = Limits::new();
    for _ in 0..59 {
        limits.stepped(&run(), None);
        advance(MINUTE).await;
        assert_eq!(limits.exceeded(), None);
    }
    advance(MINUTE).await;
    limits.stepped(&run(), None);
    assert_eq!(limits.exceeded(), Some("nothing has changed for an hour"));

    let mut limits = Limits::new();
    for minute in 1..7 * 24 * 60 {
        advance(MINUTE).await;
        limits.stepped(&run(), bytes(minute));
        assert_eq!(limits.exceeded(), None);
    }
    advance(MINUTE).await;
    limits.stepped(&run(), bytes(0));
    assert_eq!(limits.exceeded(), Some("it has not ended within a week"));
}

#[tokio::test(start_paused = true)]
async fn only_a_lasting_failure_ends_it_after_two_minutes() {
    let lasting = [
        refused(Error::EngineFailure, "engineAccessDenied"),
        refused(Error::Configuration, "repositoryMissing"),
        refused(Error::Denied, "requestNotGranted"),
        CallError::Trapped("unreachable".to_owned()),
    ];
    let passing = [
        refused(Error::Unreachable, "engineUnreachable"),
        refused(Error::EngineFailure, "engineBusy"),
        CallError::Busy,
    ];
    for (errors, expected) in [(&lasting[..], Some("steps have failed for two minutes")), (&passing[..], None)] {
        let mut limits = Limits::new();
        for error in errors.iter().cycle().take(12) {
            limits.failed(error);
            // The lock was counted up in between.
            limits.stepped(&run(), None);
            assert_eq!(limits.exceeded(), None);
            advance(Duration::from_secs(10)).await;
        }
        limits.failed(&errors[0]);
        assert_eq!(limits.exceeded(), expected);
        limits.stepped(&run(), bytes(1));
        assert_eq!(limits.exceeded(), None, "there was progress");
    }
}
