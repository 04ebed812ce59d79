//! Files: signatures beside them, links that are swapped, and the last known good one.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use backup_test_hosts::policies::ids;
use backup_test_hosts::{MAX_BYTES, MAX_FAILURES, Options, TOKEN, TestHost, candidate};
use backup_test_support::poll_until;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use optimize_backup::policy::admission::{AdmissionError, Candidate, Step};
use optimize_backup::policy::signature::SignatureError;
use optimize_backup::policy::{
    Cache, Digest, InitialPolicy, PolicyFile, RollbackError, Source, StartError, initial_policy, watch,
};
use optimize_backup::sandbox::types::ListQuery;
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::fixtures::{self, HOSTILE, LATER};
use crate::{options, test_host};

fn command(arguments: &[&str]) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optimize-backup"));
    command.arg("policy").args(arguments).output().unwrap().status.success()
}

/// A key pair; the paths of the private and the public one.
fn keygen(directory: &TempDir, name: &str) -> (PathBuf, PathBuf) {
    let name = directory.path().join(name);
    assert!(command(&["keygen", name.to_str().unwrap()]));
    (name.with_extension("key"), name.with_extension("pub"))
}

/// As its comment tells it.
fn key_id(public: &Path) -> String {
    fs::read_to_string(public).unwrap().split_whitespace().nth(5).unwrap().to_owned()
}

fn write(directory: &TempDir, name: &str, component: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, component).unwrap();
    path
}

fn sign(file: &Path, key: &Path) -> String {
    assert!(command(&["sign", file.to_str().unwrap(), "--key", key.to_str().unwrap()]));
    fs::read_to_string(PolicyFile::new(file.to_owned()).signature()).unwrap()
}

#[tokio::test]
async fn only_a_signature_of_a_trusted_key_counts() {
    let directory = tempdir().unwrap();
    let (old, old_public) = keygen(&directory, "old");
    let (new, new_public) = keygen(&directory, "new");
    let (stranger, stranger_public) = keygen(&directory, "stranger");
    let file = write(&directory, "policy.wasm", &LATER);
    let host = TestHost::new(Options { keys: vec![old_public.clone(), new_public.clone()], ..options() });
    let offer = async |signature: Option<String>| {
        let mut candidate = candidate(&LATER);
        candidate.signature = signature;
        match host.updates.submit(candidate).await {
            Ok(generation) => Ok(generation.admitted.signer.clone()),
            Err(AdmissionError::Signature(fault)) => Err(fault),
            Err(other) => panic!("{other}"),
        }
    };
    let allowed = || vec![format!("old ({})", key_id(&old_public)), format!("new ({})", key_id(&new_public))];
    assert_eq!(offer(None).await, Err(SignatureError::Missing { allowed: allowed() }));
    assert_eq!(offer(Some("AAAA".to_owned())).await, Err(SignatureError::Malformed));
    let unknown_key = sign(&file, &stranger);
    assert_eq!(
        offer(Some(unknown_key)).await,
        Err(SignatureError::UnknownKey { id: key_id(&stranger_public), allowed: allowed() })
    );
    let other_file = sign(&write(&directory, "other.wasm", &fixtures::embedded_as("8.0.0")), &new);
    assert_eq!(offer(Some(other_file)).await, Err(SignatureError::Mismatch { key: allowed().remove(1) }));
    host.expect_service().await;
    assert_eq!(offer(Some(sign(&file, &old))).await, Ok(Some("old".to_owned())));
    assert_eq!(offer(Some(sign(&file, &new))).await, Ok(Some("new".to_owned())));
    let public = new_public.to_str().unwrap();
    assert!(command(&["verify", file.to_str().unwrap(), "--key", public]));
    fs::write(&file, b"another").unwrap();
    assert!(!command(&["verify", file.to_str().unwrap(), "--key", public]));
}

#[tokio::test]
async fn an_upload_has_its_signature_in_a_header() {
    let directory = tempdir().unwrap();
    let (secret, public) = keygen(&directory, "release");
    let signature = sign(&write(&directory, "policy.wasm", &LATER), &secret);
    let host = TestHost::new(Options { keys: vec![public], ..options() });
    let put = async |signature: &str| {
        let request = Request::put("/actuator/policy").header("authorization", format!("Bearer {TOKEN}"));
        let request = request.header("policy-signature", signature).body(Body::from(LATER.to_vec()));
        host.send(request.unwrap()).await
    };
    for wrong in ["", "AAAA", signature.lines().nth(1).unwrap()] {
        let (status, body) = put(wrong).await;
        assert_eq!(
            (status, &body["errorCode"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("policyRefused")),
            "{wrong}"
        );
    }
    let (status, body) = put(&BASE64_STANDARD.encode(signature)).await;
    assert_eq!((status, &body["signer"]), (StatusCode::OK, &json!("release")), "{body}");
}

#[tokio::test]
async fn a_key_is_not_overwritten_and_not_for_everybody_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempdir().unwrap();
    let (private, _) = keygen(&directory, "mine");
    assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!command(&["keygen", directory.path().join("mine").to_str().unwrap()]));
}

/// Waits for a generation that serves.
async fn serves(host: &TestHost, generation: u64) {
    poll_until("the generation", Duration::from_secs(60), async || {
        Ok((host.policies().serving().number >= generation).then_some(()))
    })
    .await
    .unwrap();
}

/// The signature is a pipe: whoever reads the file has read the component when the pipe is opened.
#[tokio::test]
async fn a_file_that_grows_while_it_is_read_is_not_offered() {
    let directory = tempdir().unwrap();
    let path = write(&directory, "policy.wasm", &LATER[..LATER.len() / 2]);
    let pipe = directory.path().join("policy.wasm.minisig");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let host = TestHost::new(Options { file: Some(path.clone()), ..options() });
    let (grown, signature) = (path.clone(), pipe.clone());
    let writer = tokio::task::spawn_blocking(move || {
        let pipe = OpenOptions::new().write(true).open(signature).unwrap();
        OpenOptions::new().append(true).open(grown).unwrap().write_all(&LATER[LATER.len() / 2..]).unwrap();
        drop(pipe);
    });
    let fault = PolicyFile::new(path.clone()).read(MAX_BYTES).await.err().unwrap();
    writer.await.unwrap();
    let expected = format!("{}: changed while it was read; it is read again when it has settled", path.display());
    assert_eq!(fault.to_string(), expected);
    host.expect_service().await;
    // Now the file is complete.
    fs::remove_file(pipe).unwrap();
    host.updates.reload().await;
    assert_eq!(host.policies().serving().number, 2);
    host.expect_service().await;
}

/// As Kubernetes does with a ConfigMap: the file is a link through a link that is renamed over the old one.
#[tokio::test]
async fn a_swapped_link_is_noticed() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    for (version, component) in [("one", &*LATER), ("two", &fixtures::embedded_as("8.0.0"))] {
        fs::create_dir(root.join(version)).unwrap();
        fs::write(root.join(version).join("policy.wasm"), component).unwrap();
    }
    symlink("one", root.join("..data")).unwrap();
    symlink("..data/policy.wasm", root.join("policy.wasm")).unwrap();
    let path = root.join("policy.wasm");
    let host = TestHost::new(Options { file: Some(path.clone()), ..options() });
    let every = Duration::from_millis(20);
    let watching = tokio::spawn(watch(PolicyFile::new(path), every, host.updates.clone()));
    host.updates.reload().await;
    assert_eq!(host.policies().serving().number, 2);
    symlink("two", root.join("..new")).unwrap();
    fs::rename(root.join("..new"), root.join("..data")).unwrap();
    serves(&host, 3).await;
    let version = host.policies().serving().admitted.info.version.clone().unwrap();
    assert_eq!(version.to_string(), "8.0.0");
    watching.abort();
}

#[tokio::test]
async fn a_file_that_is_gone_or_the_same_changes_nothing() {
    let directory = tempdir().unwrap();
    let path = write(&directory, "policy.wasm", &LATER);
    let host = TestHost::new(Options { file: Some(path.clone()), ..options() });
    host.updates.reload().await;
    host.updates.reload().await;
    assert_eq!(host.policies().serving().number, 2);
    fs::remove_file(path).unwrap();
    host.updates.reload().await;
    assert_eq!(host.policies().serving().number, 2);
    host.expect_service().await;
}

/// A directory with a policy's file and a cache.
struct Restarts {
    directory: TempDir,
    host: TestHost,
}

impl Restarts {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let file = write(&directory, "policy.wasm", &LATER);
        let cache = Some(directory.path().join("cache"));
        let host = TestHost::new(Options { file: Some(file), cache, ..options() });
        Self { directory, host }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Calls the serving policy until it counts as good, and waits until it is saved.
    async fn prove(&self) {
        for _ in 0..MAX_FAILURES {
            self.host.policies().calls().list(&ListQuery::default(), Vec::new()).await.unwrap();
        }
        let saved = self.path("cache/last-known-good.wasm");
        poll_until("the cache", Duration::from_secs(60), async || Ok(saved.exists().then_some(()))).await.unwrap();
    }

    /// What serves first in a new process.
    async fn restart(&self, cache: bool) -> Result<InitialPolicy, StartError> {
        let admission = options().admission(&self.host.sandbox);
        let (file, cache) = (PolicyFile::new(self.path("policy.wasm")), cache.then(|| Cache::new(self.path("cache"))));
        initial_policy(&self.host.sandbox, &admission, Some(&file), cache.as_ref()).await
    }
}

#[tokio::test]
async fn the_last_known_good_policy_serves_when_the_configured_one_is_refused_at_the_start() {
    let restarts = Restarts::new();
    restarts.host.updates.reload().await;
    restarts.prove().await;
    fs::write(restarts.path("policy.wasm"), b"broken").unwrap();
    let admitted = restarts.restart(true).await.ok().unwrap().admitted;
    assert!(matches!(admitted.source, Source::Cache(_)));
    assert_eq!(admitted.info.version.as_ref().unwrap().to_string(), "7.0.0");
    let fault = restarts.restart(false).await.err().unwrap();
    assert!(matches!(fault, StartError::Refused { .. }), "{fault}");
}

/// Admitted is not good: what fails in production neither takes the good one's place nor serves after a restart.
#[tokio::test]
async fn a_policy_that_was_withdrawn_serves_not_even_after_a_restart() {
    let restarts = Restarts::new();
    restarts.host.updates.reload().await;
    restarts.prove().await;
    fs::write(restarts.path("policy.wasm"), &*HOSTILE).unwrap();
    restarts.host.updates.reload().await;
    assert_eq!(restarts.host.policies().serving().number, 3);
    for _ in 0..MAX_FAILURES {
        restarts.host.policies().calls().get(&ids::TRAP.to_string(), Vec::new()).await.unwrap_err();
    }
    assert_eq!(restarts.host.policies().serving().number, 4, "the good one is back");
    let withdrawn = restarts.path("cache/withdrawn.json");
    let digest = Digest::of(&HOSTILE).to_string();
    let is_recorded = async || Ok(fs::read_to_string(&withdrawn)?.contains(&digest).then_some(()));
    poll_until("the record", Duration::from_secs(60), is_recorded).await.unwrap();

    let initial = restarts.restart(true).await.ok().unwrap();

    assert_eq!(initial.admitted.info.version.as_ref().unwrap().to_string(), "7.0.0");
    assert_eq!(initial.verdict.unwrap().refusal().unwrap().0, Step::Lineage);
    assert_eq!(initial.withdrawals[0].digest, Digest::of(&HOSTILE));

    // Forced, it is no longer withdrawn: the next start must not fail because of it.
    let forced = Candidate { forced: true, ..candidate(&HOSTILE) };
    restarts.host.updates.submit(forced).await.unwrap();
    let is_forgiven = async || Ok((!fs::read_to_string(&withdrawn)?.contains(&digest)).then_some(()));
    poll_until("the record", Duration::from_secs(60), is_forgiven).await.unwrap();
    let initial = restarts.restart(true).await.ok().unwrap();
    assert_eq!(initial.admitted.info.digest, Digest::of(&HOSTILE));
}

#[tokio::test]
async fn a_rollback_that_is_sent_twice_is_done_once() {
    let host = test_host();
    host.offer(&LATER).await.unwrap();
    assert_eq!(host.policies().roll_back(Some(2)).unwrap().number, 3);
    let again = host.policies().roll_back(Some(2)).err();
    assert_eq!(again, Some(RollbackError::Replaced { unwanted: 2, serving: 3 }));
    assert_eq!(host.policies().serving().number, 3);
}
