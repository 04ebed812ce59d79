//! `examples/backup.sh`.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use tempfile::TempDir;
use tokio::process::Command;

use crate::fixture::{Fixture, part};
use crate::on_elasticsearch;

on_elasticsearch!(
    it_ends_with_0_when_the_backup_is_complete,
    it_ends_with_1_when_nothing_is_started,
    it_ends_with_1_when_the_backup_cannot_be_restored,
    it_asks_again_what_became_of_a_post_without_an_answer,
);

/// The script in a folder of its own.
struct Script {
    folder: TempDir,
}

/// How it ended, and what it said.
struct Ended {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl Script {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("backup.sh"), include_str!("../../examples/backup.sh"))?;
        for tool in ["bash", "curl"] {
            ensure!(is_there(tool), "{tool} is missing: install it (package {tool})");
        }
        Ok(Self { folder })
    }

    async fn run(&self, arguments: &[&str]) -> Result<Ended> {
        let mut command = Command::new("bash");
        command.arg("backup.sh").args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        let ended = command.kill_on_drop(true).output().await.context("running backup.sh")?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ended { code: ended.status.code(), output: text(ended.stdout), errors: text(ended.stderr) })
    }
}

impl Ended {
    /// It ended with this code, and printed these words to standard output or standard error.
    #[track_caller]
    fn expect(&self, code: i32, output: &str, errors: &str) {
        let Self { code: found, output: out, errors: err } = self;
        assert_eq!(*found, Some(code), "{out}\n{err}");
        assert!(out.contains(output) && err.contains(errors), "output: {out}\nerrors: {err}");
    }
}

fn is_there(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// As somebody would write it.
fn address(host: &Host) -> &str {
    host.url().as_str().trim_end_matches('/')
}

/// With an ID from its command line, and with one that it makes itself.
async fn it_ends_with_0_when_the_backup_is_complete(distribution: Distribution) -> Result<()> {
    let (fixture, script) = (Fixture::new(distribution).await?, Script::new()?);
    let host = fixture.host().await?;
    script.run(&[address(&host), "7"]).await?.expect(0, "backup 7 is complete", "");
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1), part(7, 2)]);

    let ended = script.run(&[address(&host)]).await?;
    ended.expect(0, " is complete", "");
    let id = ended.output.rsplit_once("backup ").and_then(|(_, rest)| rest.split_once(' ')).context("the ID")?.0;
    assert_eq!(host.get(&format!("/actuator/backups/{id}")).await?.json()?["state"], "COMPLETE");
    Ok(())
}

async fn it_ends_with_1_when_nothing_is_started(distribution: Distribution) -> Result<()> {
    let (fixture, script) = (Fixture::new(distribution).await?, Script::new()?);
    let host = fixture.host().await?;
    let url = address(&host).to_owned();
    host.create(7).await?;
    script.run(&[&url, "7"]).await?.expect(1, "backupAlreadyExists", "");
    script.run(&[&url, "yesterday"]).await?.expect(1, "malformedBody", "");
    script.run(&[]).await?.expect(1, "", "the URL, such as");
    host.wait_for_state(7, "COMPLETE").await?;
    host.kill().await?;
    script.run(&[&url, "8"]).await?.expect(1, "", "curl");
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1), part(7, 2)]);
    Ok(())
}

/// Part 2 comes too late; the successful part 1 in the answer is not taken for the backup.
async fn it_ends_with_1_when_the_backup_cannot_be_restored(distribution: Distribution) -> Result<()> {
    let (fixture, script) = (Fixture::slow(distribution).await?, Script::new()?);
    let host = Host::start(fixture.options().env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "1ms")).await?;
    let ended = script.run(&[address(&host), "7"]).await?;
    ended.expect(1, "", "part 2 of 2 is missing");
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1)]);
    Ok(())
}

/// A POST that is answered 502 may have started a backup: here it has not. Later a GET is answered 502, too.
async fn it_asks_again_what_became_of_a_post_without_an_answer(distribution: Distribution) -> Result<()> {
    let (fixture, script) = (Fixture::new(distribution).await?, Script::new()?);
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let options = fixture.options_through(&proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", "2s");
    let host = Host::start(options).await?;
    proxy.add(When::get(&format!("/_snapshot/{}", fixture.repository.name())), Fault::silence());

    // The POST, a GET, and perhaps the host's own look for backups to resume.
    let arguments = [address(&host), "7"];
    let (ended, ()) = tokio::try_join!(script.run(&arguments), heal_after(&proxy, 3))?;
    ended.expect(1, "engineNotAnswering", "it may have started all the same");
    ended.expect(1, "", "backupNotFound");
    Ok(())
}

/// Lets the engine answer again once so many requests have met the fault.
async fn heal_after(proxy: &FaultProxy, faults: usize) -> Result<()> {
    let have_come = async || Ok((proxy.faults() >= faults).then_some(()));
    poll_until("the faults", Duration::from_secs(120), have_come).await?;
    proxy.heal();
    Ok(())
}
