//! `optimize-backup policy …`: what it says, and how it ends.

use std::fs;
use std::path::Path;

use anyhow::Result;
use optimize_backup::sandbox::EMBEDDED;
use tempfile::{TempDir, tempdir};
use tokio::process::Command;

use crate::fixtures;

/// The steps of the admission. Without a host there is no serving policy that a candidate could be older than.
const STEPS: [&str; 7] = ["size", "format", "signature", "interface", "lineage", "compilation", "self-test"];

/// A folder with a component in it, and a host's settings.
struct Folder(TempDir);

struct Checked {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl Folder {
    fn with(component: &[u8], config: &str) -> Result<Self> {
        let folder = tempdir()?;
        fs::write(folder.path().join("policy.wasm"), component)?;
        fs::write(folder.path().join("config.yaml"), config)?;
        Ok(Self(folder))
    }

    async fn check(&self, arguments: &[&str]) -> Result<Checked> {
        self.policy(&[&["check"], arguments].concat()).await
    }

    async fn policy(&self, arguments: &[&str]) -> Result<Checked> {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_optimize-backup")));
        command.arg("policy").args(arguments).current_dir(self.0.path()).env_clear().kill_on_drop(true);
        let ended = command.output().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Checked { code: ended.status.code(), output: text(ended.stdout), errors: text(ended.stderr) })
    }
}

impl Checked {
    /// The steps that were passed, and the line about the one that was not.
    fn steps(&self) -> (Vec<&str>, Option<&str>) {
        let passed = self.output.lines().filter_map(|line| line.strip_prefix("passed   ")?.split(' ').next());
        (passed.collect(), self.output.lines().find_map(|line| line.strip_prefix("REFUSED  ")))
    }
}

#[tokio::test]
async fn a_good_policy_passes_every_step_and_ends_it_with_0() -> Result<()> {
    let folder = Folder::with(EMBEDDED, "")?;
    for arguments in [&["policy.wasm"][..], &["policy.wasm", "--config", "config.yaml"]] {
        let checked = folder.check(arguments).await?;
        assert_eq!(checked.code, Some(0), "{}{}", checked.output, checked.errors);
        assert_eq!(checked.steps(), (STEPS.to_vec(), None), "{}", checked.output);
    }
    Ok(())
}

#[tokio::test]
async fn a_bad_policy_is_refused_at_its_step_and_ends_it_with_1() -> Result<()> {
    for (component, passed, words) in [
        (fixtures::policy(fixtures::TRAP), 6, "self-test: the self-test found that "),
        (fixtures::importing("wasi:sockets/tcp@0.2.0"), 3, "interface: "),
        (b"no component".to_vec(), 1, "format: "),
    ] {
        let checked = Folder::with(&component, "")?.check(&["policy.wasm"]).await?;
        assert_eq!(checked.code, Some(1), "{}{}", checked.output, checked.errors);
        let (steps, refusal) = checked.steps();
        assert_eq!(steps, STEPS[..passed], "{}", checked.output);
        assert!(refusal.is_some_and(|refusal| refusal.starts_with(words)), "{}", checked.output);
    }
    Ok(())
}

/// The limits and the keys come from the host's settings.
#[tokio::test]
async fn it_is_checked_with_the_settings_of_the_host() -> Result<()> {
    let small = Folder::with(EMBEDDED, "policy:\n  maxBytes: 1000\n")?;
    let checked = small.check(&["policy.wasm", "--config", "config.yaml"]).await?;
    assert_eq!((checked.code, checked.steps().0), (Some(1), Vec::new()), "{}", checked.output);
    assert!(checked.output.contains("allowed are up to 1000 (policy.maxBytes)"), "{}", checked.output);
    assert_eq!(small.check(&["policy.wasm"]).await?.code, Some(0), "without them it may be larger");

    let wrong = Folder::with(EMBEDDED, "policy:\n  maxBytes: many\n")?;
    for (arguments, (code, words)) in [
        (&["policy.wasm", "--config", "config.yaml"][..], (5, "policy.maxBytes")),
        (&["policy.wasm", "--config", "not-there.yaml"], (5, "not-there.yaml")),
        (&["not-there.wasm"], (2, "not-there.wasm")),
    ] {
        let checked = wrong.check(arguments).await?;
        assert_eq!((checked.code, checked.output.as_str()), (Some(code), ""), "{arguments:?}");
        assert!(checked.errors.contains(words), "{}", checked.errors);
    }
    Ok(())
}

#[tokio::test]
async fn the_embedded_policy_is_exported() -> Result<()> {
    let folder = Folder::with(b"", "")?;
    let exported = folder.policy(&["export", "policy.wasm"]).await?;
    let words = format!("wrote policy.wasm: {} bytes, digest ", EMBEDDED.len());
    assert!(exported.code == Some(0) && exported.output.starts_with(&words), "{}", exported.output);
    assert!(fs::read(folder.0.path().join("policy.wasm"))? == EMBEDDED);
    let nowhere = folder.policy(&["export", "not-there/policy.wasm"]).await?;
    assert!(nowhere.code == Some(2) && nowhere.errors.contains("not-there/policy.wasm: "), "{}", nowhere.errors);
    Ok(())
}

#[tokio::test]
async fn what_keygen_and_sign_write_is_told() -> Result<()> {
    let folder = Folder::with(EMBEDDED, "")?;
    let keys = folder.policy(&["keygen", "release"]).await?;
    let told: Vec<&str> = keys.output.lines().filter_map(|line| line.split_once(": ")).map(|(file, _)| file).collect();
    assert_eq!((keys.code, told), (Some(0), vec!["wrote release.key", "wrote release.pub"]), "{}", keys.output);
    let signed = folder.policy(&["sign", "policy.wasm", "--key", "release.key"]).await?;
    assert!(signed.output.starts_with("wrote policy.wasm.minisig: "), "{}{}", signed.output, signed.errors);
    assert_eq!(folder.policy(&["verify", "policy.wasm", "--key", "release.pub"]).await?.code, Some(0));
    Ok(())
}
