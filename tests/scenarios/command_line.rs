//! `optimize-backup backup …`: what it prints, and how it ends.

mod doctor;
mod local;
mod progress;
mod repository;

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::{Host, HostOptions};
use serde_json::Value;
use tempfile::tempdir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::fixture::{Fixture, options, part};
use crate::on_elasticsearch;

on_elasticsearch!(
    backups_are_made_shown_and_deleted,
    what_the_server_or_nobody_does_is_told_by_the_status,
    the_status_is_1_when_the_backup_cannot_be_restored,
    it_asks_what_became_of_a_post_without_an_answer,
    the_timeout_ctrl_c_and_a_restart_do_not_end_the_backup,
);

/// How it ended, and what it said.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ended {
    /// It ended with this status, and printed these words to standard output or standard error.
    #[track_caller]
    fn expect(&self, code: i32, output: &str, errors: &str) {
        let Self { code: found, output: out, errors: err } = self;
        assert_eq!(*found, Some(code), "{out}\n{err}");
        assert!(out.contains(output) && err.contains(errors), "output: {out}\nerrors: {err}");
    }

    /// The first column.
    fn ids(&self) -> Vec<&str> {
        self.output.lines().filter_map(|line| line.split('\t').next()).collect()
    }
}

/// As a script calls it: in a pipe.
fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = program(&[&["backup"], arguments].concat());
    command.env("OPTIMIZE_BACKUP_URL", url);
    command
}

pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_optimize-backup")));
    command.args(arguments).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A command that works with the settings of a server.
async fn run_with(options: &HostOptions, arguments: &[&str]) -> Result<Ended> {
    ended(program(arguments).envs(options.variables()).spawn()?).await
}

async fn run(url: &str, arguments: &[&str]) -> Result<Ended> {
    ended(command(url, arguments).spawn()?).await
}

pub(crate) async fn ended(child: Child) -> Result<Ended> {
    let ended = child.wait_with_output().await?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ended { code: ended.status.code(), output: text(ended.stdout), errors: text(ended.stderr) })
}

/// As after `| head`.
#[tokio::test]
async fn a_reader_that_has_gone_is_no_error() -> Result<()> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_optimize-backup")));
    command.args(["completions", "bash"]).stdout(writer).stderr(Stdio::piped());
    let ended = ended(command.spawn()?).await?;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    Ok(())
}

#[tokio::test]
async fn completions_and_man_pages_are_written() -> Result<()> {
    let folder = tempdir()?;
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_optimize-backup")));
        command.args(arguments).current_dir(&folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        ended(command.spawn()?).await
    };
    run(&["completions", "bash"]).await?.expect(0, "--token-file", "");
    run(&["man", "pages"]).await?.expect(0, "`man pages/optimize-backup.1`", "");
    let page = fs::read_to_string(folder.path().join("pages/optimize-backup-backup-create.1"))?;
    assert!(page.contains("OPTIMIZE_BACKUP_URL"), "{page}");
    Ok(())
}

/// Whoever does not answer: a server, or a search engine.
#[tokio::test]
async fn ctrl_c_ends_each_command_at_once() -> Result<()> {
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = silent.local_addr()?;
    let url = format!("http://{address}");
    for (arguments, words) in [
        ("doctor", "nothing was changed"),
        ("repository verify backups", "nothing was changed"),
        ("repository register backups --type fs", "backups may have been registered"),
        ("backup list --local", "nothing was changed"),
        ("backup delete 7 --yes --local", "backup 7 was not deleted"),
        ("backup create 7 --local", "backup 7 may have been started"),
        ("backup list", "nothing was changed"),
        ("backup get 7", "nothing was changed"),
        ("backup delete 7 --yes", "backup 7 was not deleted"),
        ("backup create 7", "backup 7 may have been started"),
        ("backup create 7 --wait", "backup 7 may have been started"),
    ] {
        let mut command = program(&arguments.split(' ').collect::<Vec<_>>());
        command.env("OPTIMIZE_BACKUP_URL", &url).env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "backups");
        command
            .env("OPTIMIZE_ELASTICSEARCH_HOST", "127.0.0.1")
            .env("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", address.port().to_string());
        let child = command.spawn()?;
        let (_connection, _) = silent.accept().await?;
        interrupt(&child).await?;
        let ended = ended(child).await?;
        ended.expect(130, "", words);
        assert_eq!((ended.output.as_str(), ended.errors.lines().count()), ("", 1), "{arguments}: {}", ended.errors);
    }
    Ok(())
}

async fn backups_are_made_shown_and_deleted(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    let url = host.url().as_str();
    let made = run(url, &["create", "7", "--wait"]).await?;
    made.expect(0, "7\tCOMPLETE\t", "");
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1), part(7, 2)]);
    assert_eq!((made.output.lines().count(), made.output.matches('\t').count()), (1, 4), "{}", made.output);
    run(url, &["create", "7", "--wait"]).await?.expect(4, "", "[backupAlreadyExists]");

    // With the other word for COMPLETE.
    let other = Host::start(fixture.options().env("CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE", "COMPLETED")).await?;
    let json = run(other.url().as_str(), &["create", "8", "--wait", "--output", "json"]).await?;
    json.expect(0, "\"state\":\"COMPLETED\"", "");
    assert_eq!(serde_json::from_str::<Value>(&json.output)?["backupId"], 8);
    // With an ID of its own making.
    let scheduled = run(url, &["create"]).await?;
    scheduled.expect(0, "", "");
    let newest = scheduled.output.trim();
    host.wait_for_state(newest.parse()?, "COMPLETE").await?;

    assert_eq!(run(url, &["get", "7"]).await?.output, made.output);
    let listed = run(url, &["list"]).await?;
    assert_eq!(listed.ids(), [newest, "8", "7"]);
    let listed = run(url, &["list", "--output", "json"]).await?;
    assert_eq!(serde_json::from_str::<Value>(&listed.output)?, host.get("/actuator/backups").await?.json()?);

    for (arguments, expected) in [
        (&["--limit", "2"][..], &[newest, "8"][..]),
        (&["--pattern", "7"], &["7"]),
        (&["--pattern", "7*", "--limit", "1"], &["7"]),
        (&["--pattern", "9*"], &[]),
    ] {
        let listed = run(url, &[&["list"], arguments].concat()).await?;
        assert_eq!((listed.code, listed.ids().as_slice()), (Some(0), expected), "{arguments:?}: {}", listed.errors);
    }
    run(url, &["list", "--pattern", "*7"]).await?.expect(2, "", "[invalidParameter]");

    run(url, &["delete", "7"]).await?.expect(2, "", "--yes");
    run(url, &["delete", "7", "--yes", "--wait"]).await?.expect(0, "7\n", "");
    run(url, &["get", "7"]).await?.expect(3, "", "[backupNotFound]");
    run(url, &["delete", "7", "--yes"]).await?.expect(3, "", "[backupNotFound]");
    Ok(())
}

async fn what_the_server_or_nobody_does_is_told_by_the_status(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = Host::start(options(&fixture.engine, "not-there", fixture.installation.prefix())).await?;
    let url = host.url().as_str().to_owned();
    for arguments in [&["create", "7", "--wait"][..], &["get", "7"], &["list"], &["delete", "7", "--yes"]] {
        run(&url, arguments).await?.expect(5, "", "[repositoryMissing]");
    }
    for arguments in [&["create", "yesterday"][..], &["get", "0"], &["create", "7", "--timeout", "1h"], &["lst"]] {
        run(&url, arguments).await?.expect(2, "", "");
    }
    run("localhost:8092", &["list"]).await?.expect(2, "", "does not begin with http://");
    host.kill().await?;
    run(&url, &["create", "7"]).await?.expect(6, "", "connection refused");
    let ended = run(&url, &["create", "7", "--wait", "--timeout", "3s"]).await?;
    ended.expect(6, "", "trying again for up to 3 s");
    Ok(())
}

/// Part 2 comes too late.
async fn the_status_is_1_when_the_backup_cannot_be_restored(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let host = Host::start(fixture.options().env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "1ms")).await?;
    let ended = run(host.url().as_str(), &["create", "7", "--wait"]).await?;
    ended.expect(1, "7\tINCOMPLETE\t", "backup 7 is INCOMPLETE and cannot be restored: part 2 of 2 is missing");
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1)]);
    run(host.url().as_str(), &["get", "7"]).await?.expect(0, "7\tINCOMPLETE\t", "");
    run(host.url().as_str(), &["progress", "7"]).await?.expect(0, "7\tINCOMPLETE\t5.0\t", "");
    let followed = run(host.url().as_str(), &["progress", "7", "--follow"]).await?;
    followed.expect(1, "7\tINCOMPLETE\t5.0\t", "cannot be restored: part 2 of 2 is missing");
    Ok(())
}

/// A POST that is answered 502 may have started a backup: here it has not. Later a GET is answered 502, too.
async fn it_asks_what_became_of_a_post_without_an_answer(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let options = fixture.options_through(&proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", "2s");
    let host = Host::start(options).await?;
    proxy.add(When::get(&format!("/_snapshot/{}", fixture.repository.name())), Fault::silence());

    let mut child = command(host.url().as_str(), &["create", "7", "--wait"]).spawn()?;
    line_with(&mut child, "may have been started all the same").await?;
    line_with(&mut child, "still waiting: ").await?;
    proxy.heal();
    ended(child).await?.expect(6, "", "backup 7 was not started: ");
    Ok(())
}

/// As long as the engine refuses part 2, a backup does not end.
async fn the_timeout_ctrl_c_and_a_restart_do_not_end_the_backup(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    proxy.add(When::put("_part_2_of_2"), Fault::engine_error(429, "circuit_breaking_exception"));
    let options = fixture.options_through(&proxy)?;
    let host = Host::start(options.clone()).await?;
    let url = host.url().as_str().to_owned();
    run(&url, &["create", "7", "--wait", "--timeout", "1s"]).await?.expect(8, "", "backup 7 goes on");

    let interrupted = wait_in_background(&url, "8").await?;
    interrupt(&interrupted).await?;
    ended(interrupted).await?.expect(130, "", "interrupted; backup 8 goes on");

    let mut waiting = wait_in_background(&url, "9").await?;
    let port = host.url().port().context("the port")?.to_string();
    host.kill().await?;
    line_with(&mut waiting, "connection refused").await?;
    proxy.heal();
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", &port)).await?;
    ended(waiting).await?.expect(0, "9\tCOMPLETE\t", "");
    for id in [7, 8] {
        host.wait_for_state(id, "COMPLETE").await?;
    }
    Ok(())
}

/// `create ID --wait`, as far as it has seen the backup.
async fn wait_in_background(url: &str, id: &str) -> Result<Child> {
    let mut child = command(url, &["create", id, "--wait"]).spawn()?;
    line_with(&mut child, "part 1 of 2").await?;
    Ok(child)
}

/// Waits until it prints a line with these words to standard error.
async fn line_with(child: &mut Child, words: &str) -> Result<()> {
    // Byte by byte, so that what comes after the line is still there.
    let errors = child.stderr.as_mut().context("standard error")?;
    let mut line = Vec::new();
    loop {
        match errors.read_u8().await.with_context(|| format!("no line with {words}"))? {
            b'\n' if String::from_utf8_lossy(&line).contains(words) => return Ok(()),
            b'\n' => line.clear(),
            byte => line.push(byte),
        }
    }
}

/// As Ctrl-C does it.
async fn interrupt(child: &Child) -> Result<()> {
    let process = child.id().context("it has ended")?.to_string();
    let sent = Command::new("/bin/sh").args(["-c", "kill -s INT \"$1\"", "kill", &process]).status().await?;
    ensure!(sent.success(), "nobody was interrupted");
    Ok(())
}
