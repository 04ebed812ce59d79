//! `backup progress`, and what `create --wait` tells meanwhile.

use super::*;

on_elasticsearch!(a_backup_is_followed_to_its_end);

async fn a_backup_is_followed_to_its_end(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let host = fixture.host().await?;
    let url = host.url().as_str();
    for arguments in [&["progress", "7"][..], &["progress", "7", "--follow"]] {
        run(url, arguments).await?.expect(3, "", "[backupNotFound]");
    }
    run(url, &["progress", "7", "--timeout", "1h"]).await?.expect(2, "", "--follow");

    let waiting = wait_in_background(url, "7").await?;
    let now = run(url, &["progress", "7"]).await?;
    now.expect(0, "7\tIN_PROGRESS\t", "");
    assert_eq!(now.output.matches('\t').count(), 9, "{}", now.output);
    run(url, &["progress", "7", "--follow", "--timeout", "1s"]).await?.expect(8, "", "backup 7 goes on");
    let followed = run(url, &["progress", "7", "--follow"]).await?;
    followed.expect(0, "7\tCOMPLETE\t100.0\t", "backup 7: ");
    for line in followed.errors.lines() {
        assert!(line.contains(" %, ") && line.contains(" shards"), "{line}");
    }
    let lines = followed.errors.lines().count();
    assert!(lines <= 25, "a flood of {lines} lines");
    ended(waiting).await?.expect(0, "7\tCOMPLETE\t", "");

    let json = run(url, &["progress", "7", "--follow", "--output", "json"]).await?;
    json.expect(0, "", "");
    let told: Value = serde_json::from_str(&json.output)?;
    assert_eq!(told, host.get("/actuator/backups/7/progress").await?.json()?);
    Ok(())
}
