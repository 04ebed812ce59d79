//! Candidates that must not serve: each is refused at the step that it is meant for, and the previous policy serves on.

use std::time::Duration;

use backup_test_hosts::{MAX_BYTES, Options, TestHost};
use optimize_backup::policy::admission::{
    AdmissionError, CompileError, CompileLimits, InterfaceError, LineageError, Step,
};
use optimize_backup::policy::self_test::SelfTestError;
use optimize_backup::policy::{Digest, InvalidComponent};
use optimize_backup::sandbox::EMBEDDED;

use crate::fixtures::{self, LATER};
use crate::{PROGRAM, test_host};

/// Offers a component that must be refused; the reason. The host serves as before.
async fn refused(host: &TestHost, component: &[u8], step: Step) -> AdmissionError {
    let refusal = host.offer(component).await.unwrap_err();
    let verdict = host.updates.last_verdict().unwrap();
    assert_eq!(verdict.refusal(), Some((step, refusal.to_string().as_str())));
    assert_eq!(verdict.digest, Digest::of(component));
    assert_eq!(host.policies().serving().number, 1);
    host.expect_service().await;
    refusal
}

#[tokio::test]
async fn what_is_not_a_component() {
    let host = test_host();
    let core = fixtures::module(fixtures::TRAP, "");
    let precompiled = backup_compiler::compile(EMBEDDED).unwrap();
    for (bytes, defect) in [
        (&b""[..], InvalidComponent::Empty),
        (b"MZ", InvalidComponent::NotWebAssembly { found: b"MZ".to_vec() }),
        (&core, InvalidComponent::CoreModule),
        (&precompiled, InvalidComponent::Precompiled),
    ] {
        let refusal = refused(&host, bytes, Step::Format).await;
        assert!(matches!(&refusal, AdmissionError::Format(found) if *found == defect), "{refusal}");
    }
    for length in [9, EMBEDDED.len() / 2, EMBEDDED.len() - 1] {
        let refusal = refused(&host, &EMBEDDED[..length], Step::Format).await;
        assert!(matches!(refusal, AdmissionError::Format(InvalidComponent::Damaged(_))), "{length}: {refusal}");
    }
}

#[tokio::test]
async fn what_is_too_large() {
    let host = test_host();
    let refusal = refused(&host, &vec![0; MAX_BYTES + 1], Step::Size).await;
    assert!(
        matches!(refusal, AdmissionError::TooLarge { found, allowed: MAX_BYTES } if found == MAX_BYTES + 1),
        "{refusal}"
    );
}

#[tokio::test]
async fn what_wants_more_than_the_engine() {
    let host = test_host();
    for import in ["wasi:filesystem/types@0.2.0", "wasi:sockets/tcp@0.2.0", "evil:corp/everything@1.0.0"] {
        let refusal = refused(&host, &fixtures::importing(import), Step::Interface).await;
        let expected = InterfaceError::ForbiddenImport { found: vec![import.to_owned()] };
        assert!(matches!(&refusal, AdmissionError::Interface(found) if *found == expected), "{refusal}");
    }
}

#[tokio::test]
async fn what_is_not_a_policy() {
    let host = test_host();
    let other_world = refused(&host, &fixtures::exporting("wasi:cli/run@0.2.0"), Step::Interface).await;
    assert!(matches!(other_world, AdmissionError::Interface(InterfaceError::MissingExport { .. })), "{other_world}");
    let other_version = fixtures::exporting("optimize:backup/backups@2.0.0");
    let other_version = refused(&host, &other_version, Step::Interface).await;
    assert!(matches!(other_version, AdmissionError::Interface(InterfaceError::WitVersion { .. })), "{other_version}");
    // An interface with the right name and no functions.
    let hollow = refused(&host, &fixtures::exporting("optimize:backup/backups@1.0.0"), Step::Compilation).await;
    assert!(matches!(hollow, AdmissionError::Linking(_)), "{hollow}");
}

#[tokio::test]
async fn what_takes_too_long_or_too_much_to_compile() {
    let compile =
        |time, memory| TestHost::new(Options { compile: CompileLimits { time, memory }, ..Options::new(PROGRAM) });
    let short = Duration::from_millis(1);
    let refusal = refused(&compile(short, 1 << 30), &LATER, Step::Compilation).await;
    assert!(
        matches!(refusal, AdmissionError::Compilation(CompileError::OutOfTime(limit)) if limit == short),
        "{refusal}"
    );
    let refusal = refused(&compile(Duration::from_secs(60), 24 << 20), &LATER, Step::Compilation).await;
    assert!(matches!(refusal, AdmissionError::Compilation(CompileError::Died { .. })), "{refusal}");
}

#[tokio::test]
async fn what_fails_the_self_test() {
    let host = test_host();
    let start = |body| fixtures::policy_with(fixtures::TRAP, &format!("(func $start {body}) (start $start)"));
    for (name, component, words) in [
        ("trap", fixtures::policy(fixtures::TRAP), "unreachable"),
        ("endless call", fixtures::policy(fixtures::ENDLESS), "processor time"),
        ("endless start", start("(loop (br 0))"), "processor time"),
        ("trap at start", start("unreachable"), "unreachable"),
        ("memory", fixtures::policy(fixtures::BOMB), "policy.maxMemoryBytes"),
        ("recursion", fixtures::policy(fixtures::RECURSION), "stack"),
    ] {
        let refusal = refused(&host, &component, Step::SelfTest).await;
        assert!(matches!(&refusal, AdmissionError::SelfTest(SelfTestError { .. })), "{name}: {refusal}");
        assert!(refusal.to_string().contains(words), "{name}: {refusal}");
    }
}

#[tokio::test]
async fn a_step_back_needs_force() {
    let host = test_host();
    assert_eq!(host.offer(&LATER).await.unwrap(), 2);
    let older = fixtures::embedded_as("6.9.9");
    let refusal = host.offer(&older).await.unwrap_err();
    assert!(matches!(refusal, AdmissionError::Lineage(LineageError::Downgrade { .. })), "{refusal}");
    assert_eq!(host.policies().serving().number, 2);
    let mut forced = backup_test_hosts::candidate(&older);
    forced.forced = true;
    assert_eq!(host.updates.submit(forced).await.unwrap().number, 3);
    host.expect_service().await;
}
