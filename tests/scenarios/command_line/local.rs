//! `--local`: where no server runs.

use backup_test_support::repository::RepositoryOptions;

use super::*;

on_elasticsearch!(
    backups_are_made_and_deleted_without_a_server,
    a_backup_that_was_interrupted_is_resumed_without_a_server,
    what_is_wrong_is_told_as_by_a_server,
);

/// In a shell that has a server's settings, and its URL, which does not count.
fn local(options: &HostOptions, arguments: &[&str]) -> Command {
    let mut command = command("http://localhost:1", arguments);
    command.arg("--local").envs(options.variables());
    command
}

async fn run_local(options: &HostOptions, arguments: &[&str]) -> Result<Ended> {
    ended(local(options, arguments).spawn()?).await
}

async fn backups_are_made_and_deleted_without_a_server(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let options = fixture.options();
    let made = run_local(&options, &["create", "7"]).await?;
    made.expect(0, "7\tCOMPLETE\t", "");
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1), part(7, 2)], "it waits without --wait");
    run_local(&options, &["create", "7"]).await?.expect(4, "", "[backupAlreadyExists]");
    run_local(&options, &["create", "7", "--resume"]).await?.expect(0, "7\tCOMPLETE\t", "");
    assert_eq!(run_local(&options, &["get", "7"]).await?.output, made.output);

    // A server finds it as one of its own.
    let host = fixture.host().await?;
    let listed = run(host.url().as_str(), &["list", "--output", "json"]).await?;
    let listed_here = run_local(&options, &["list", "--output", "json"]).await?;
    assert_eq!(serde_json::from_str::<Value>(&listed_here.output)?, serde_json::from_str::<Value>(&listed.output)?);
    assert_eq!(listed_here.errors, "");

    run_local(&options, &["delete", "7"]).await?.expect(2, "", "--yes");
    run_local(&options, &["delete", "7", "--yes"]).await?.expect(0, "7\n", "");
    assert!(fixture.repository.snapshots().await?.is_empty());
    run_local(&options, &["get", "7"]).await?.expect(3, "", "[backupNotFound]");
    Ok(())
}

/// Nobody starts part 2 in the place of the one who pressed Ctrl-C.
async fn a_backup_that_was_interrupted_is_resumed_without_a_server(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let options = fixture.options();
    let mut child = local(&options, &["create", "7"]).spawn()?;
    line_with(&mut child, "part 1 of 2").await?;
    interrupt(&child).await?;
    let interrupted = ended(child).await?;
    interrupted.expect(130, "", "part 2 of backup 7 is not begun any more unless a server");
    interrupted.expect(130, "", "`optimize-backup backup create 7 --resume --local`");
    fixture.finished(&part(7, 1)).await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1)]);

    run_local(&options, &["create", "7", "--resume"]).await?.expect(0, "7\tCOMPLETE\t", "");
    assert_eq!(fixture.repository.snapshots().await?, [part(7, 1), part(7, 2)]);
    Ok(())
}

async fn what_is_wrong_is_told_as_by_a_server(distribution: Distribution) -> Result<()> {
    let readonly = RepositoryOptions { readonly: true, ..RepositoryOptions::default() };
    let fixture = Fixture::with_repository(distribution, readonly).await?;
    let options = fixture.options();
    for (variable, value, code, words) in [
        ("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "10m", 5, "[repositoryReadOnly]"),
        ("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "not-there", 5, "[repositoryMissing]"),
        ("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "", 5, "[repositoryNotConfigured]"),
        ("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "1", 6, "[engineUnreachable]"),
        ("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "many", 5, "httpPort (from OPTIMIZE_ELASTICSEARCH_HTTP_PORT)"),
        ("CAMUNDA_OPTIMIZE_POLICY_PATH", "/not-there.wasm", 5, "/not-there.wasm"),
    ] {
        let ended = run_local(&options.clone().env(variable, value), &["create", "7"]).await?;
        ended.expect(code, "", words);
        assert_eq!((ended.output.as_str(), ended.errors.lines().count()), ("", 1), "{variable}: {}", ended.errors);
    }
    Ok(())
}
