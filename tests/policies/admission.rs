//! Candidates that must not serve: each is refused at the step that it is meant for, and nothing changes.

use std::time::Duration;

use optimize_backup::policy::admission::{
    AdmissionError, CompileError, CompileLimits, InterfaceError, LineageError, Step,
};
use optimize_backup::policy::self_test::SelfTestError;
use optimize_backup::policy::{Digest, InvalidComponent};
use optimize_backup::sandbox::EMBEDDED;

use crate::fixtures::{self, LATER};
use crate::house::{House, LARGEST, Plan};

/// Offers a component that must be refused; the reason. The host goes on as before.
async fn refused(house: &House, component: &[u8], step: Step) -> AdmissionError {
    let refusal = house.offer(component).await.unwrap_err();
    let verdict = house.updates.last_verdict().unwrap();
    assert_eq!(verdict.refusal(), Some((step, refusal.to_string().as_str())));
    assert_eq!(verdict.digest, Digest::of(component));
    assert_eq!(house.policies().serving().number, 1);
    house.expect_service().await;
    refusal
}

#[tokio::test]
async fn what_is_not_a_component() {
    let house = House::new();
    let core = fixtures::module(fixtures::TRAP, "");
    let precompiled = backup_compiler::compile(EMBEDDED).unwrap();
    for (bytes, defect) in [
        (&b""[..], InvalidComponent::Empty),
        (b"MZ", InvalidComponent::NotWebAssembly { found: b"MZ".to_vec() }),
        (&core, InvalidComponent::CoreModule),
        (&precompiled, InvalidComponent::Precompiled),
    ] {
        let refusal = refused(&house, bytes, Step::Format).await;
        assert!(matches!(&refusal, AdmissionError::Format(found) if *found == defect), "{refusal}");
    }
    for length in [9, EMBEDDED.len() / 2, EMBEDDED.len() - 1] {
        let refusal = refused(&house, &EMBEDDED[..length], Step::Format).await;
        assert!(matches!(refusal, AdmissionError::Format(InvalidComponent::Damaged(_))), "{length}: {refusal}");
    }
}

#[tokio::test]
async fn what_is_too_large() {
    let house = House::new();
    let refusal = refused(&house, &vec![0; LARGEST + 1], Step::Size).await;
    assert!(
        matches!(refusal, AdmissionError::TooLarge { found, allowed: LARGEST } if found == LARGEST + 1),
        "{refusal}"
    );
}

#[tokio::test]
async fn what_wants_more_than_the_engine() {
    let house = House::new();
    for import in ["wasi:filesystem/types@0.2.0", "wasi:sockets/tcp@0.2.0", "evil:corp/everything@1.0.0"] {
        let refusal = refused(&house, &fixtures::importing(import), Step::Interface).await;
        let expected = InterfaceError::ForbiddenImport { found: vec![import.to_owned()] };
        assert!(matches!(&refusal, AdmissionError::Interface(found) if *found == expected), "{refusal}");
    }
}

#[tokio::test]
async fn what_is_not_a_policy() {
    let house = House::new();
    let other_world = refused(&house, &fixtures::exporting("wasi:cli/run@0.2.0"), Step::Interface).await;
    assert!(matches!(other_world, AdmissionError::Interface(InterfaceError::MissingExport { .. })), "{other_world}");
    let other_version = fixtures::exporting("optimize:backup/backups@2.0.0");
    let other_version = refused(&house, &other_version, Step::Interface).await;
    assert!(matches!(other_version, AdmissionError::Interface(InterfaceError::WitVersion { .. })), "{other_version}");
    // The right name, and nothing behind it.
    let hollow = refused(&house, &fixtures::exporting("optimize:backup/backups@1.0.0"), Step::Compilation).await;
    assert!(matches!(hollow, AdmissionError::Linking(_)), "{hollow}");
}

#[tokio::test]
async fn what_takes_too_long_or_too_much_to_compile() {
    let compile =
        |time, memory| House::build(Plan { compile: Some(CompileLimits { time, memory }), ..Plan::default() });
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
    let house = House::new();
    let start = |body| fixtures::policy_with(fixtures::TRAP, &format!("(func $start {body}) (start $start)"));
    for (name, component, words) in [
        ("trap", fixtures::policy(fixtures::TRAP), "unreachable"),
        ("endless call", fixtures::policy(fixtures::ENDLESS), "processor time"),
        ("endless start", start("(loop (br 0))"), "processor time"),
        ("trap at start", start("unreachable"), "unreachable"),
        ("memory", fixtures::policy(fixtures::BOMB), "grow"),
        ("recursion", fixtures::policy(fixtures::RECURSION), "stack"),
    ] {
        let refusal = refused(&house, &component, Step::SelfTest).await;
        assert!(matches!(&refusal, AdmissionError::SelfTest(SelfTestError { .. })), "{name}: {refusal}");
        assert!(refusal.to_string().contains(words), "{name}: {refusal}");
    }
}

#[tokio::test]
async fn a_step_back_needs_force() {
    let house = House::new();
    assert_eq!(house.offer(&LATER).await.unwrap(), 2);
    let older = fixtures::embedded_as("6.9.9");
    let refusal = house.offer(&older).await.unwrap_err();
    assert!(matches!(refusal, AdmissionError::Lineage(LineageError::Downgrade { .. })), "{refusal}");
    assert_eq!(house.policies().serving().number, 2);
    let mut forced = crate::house::candidate(&older);
    forced.forced = true;
    assert_eq!(house.updates.submit(forced).await.unwrap().number, 3);
    house.expect_service().await;
}
