//! Which indices are in a backup, and whose backup it is: several installations of Optimize in one cluster, with one
//! repository.

use anyhow::{Context, Result};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, Release, create_neighbours, unique_prefix};
use backup_test_support::repository::Damage;
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::fault_table::assert_refused;
use crate::fixture::{Fixture, delete, indices, options, part};
use crate::lifecycle::accept;
use crate::{in_host, on_elasticsearch, on_every_engine};

on_every_engine!(indices_that_vanish_between_look_and_snapshot_are_left_out);

on_elasticsearch!(
    each_installation_has_its_own_backups,
    anothers_backup_is_not_resumed,
    anothers_backup_is_told_from_its_indices_where_it_is_damaged,
);

in_host!(wasmtime: each_installation_has_its_own_backups, anothers_backup_is_not_resumed);
in_host!(jco_on_node: anothers_backup_is_not_resumed);

/// An installation, its server, and the ID of its backup.
struct Team {
    installation: Installation,
    host: Host,
    id: u64,
}

impl Team {
    fn path(&self) -> String {
        format!("/actuator/backups/{}", self.id)
    }

    fn parts(&self) -> [String; 2] {
        [1, 2].map(|number| self.installation.part(self.id, number))
    }
}

/// The prefixes of the second and the third continue that of the first.
async fn three_teams(fixture: &Fixture) -> Result<Vec<Team>> {
    let prefix = unique_prefix();
    create_neighbours(&fixture.engine, &prefix).await?;
    let releases = [("", Release::V8_9), ("-team-a", Release::V8_10), ("-team-b", Release::V8_10)];
    try_join_all(releases.into_iter().zip(1..).map(async |((suffix, release), id)| {
        let installation = Installation::of(&fixture.engine, &format!("{prefix}{suffix}"), release).await?;
        let options = options(&fixture.engine, fixture.repository.name(), installation.prefix());
        Ok(Team { installation, host: Host::start(options).await?, id })
    }))
    .await
}

async fn each_installation_has_its_own_backups(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let teams = three_teams(&fixture).await?;
    try_join_all(teams.iter().map(async |team| {
        accept(&team.host, team.id).await?;
        team.host.wait_for_state(team.id, "COMPLETE").await
    }))
    .await?;
    for team in &teams {
        expect_own_indices(&fixture, team).await?;
        expect_own_list(team).await?;
    }

    let snapshots = fixture.repository.snapshots().await?;
    for team in &teams {
        for other in teams.iter().filter(|other| other.id != team.id) {
            expect_refusals(team, other).await?;
        }
    }
    assert_eq!(fixture.repository.snapshots().await?, snapshots);

    let [first, second, third] = teams.as_slice() else { anyhow::bail!("three teams") };
    delete(&second.host, second.id).await?;
    assert_eq!(fixture.repository.snapshots().await?.len(), 4);
    // The ID is free for all.
    accept(&first.host, second.id).await?;
    first.host.wait_for_state(second.id, "COMPLETE").await?;
    assert_refused(&second.host.delete(&second.path()).await?, 409, "backupOfAnotherInstallation")?;
    expect_own_list(third).await
}

async fn expect_own_indices(fixture: &Fixture, team: &Team) -> Result<()> {
    let expected = [team.installation.import_indices(), team.installation.other_indices()];
    for (name, expected) in team.parts().iter().zip(expected) {
        assert_eq!(indices(&fixture.snapshot(name).await?), expected, "{name}");
    }
    Ok(())
}

async fn expect_own_list(team: &Team) -> Result<()> {
    let list = team.host.get("/actuator/backups").await?.json()?;
    let ids: Vec<&Value> = list.as_array().context("a list")?.iter().map(|backup| &backup["backupId"]).collect();
    assert_eq!(ids, [&json!(team.id)]);
    Ok(())
}

async fn expect_refusals(team: &Team, other: &Team) -> Result<()> {
    let replies = [
        (team.host.get(&other.path()).await?, 404, "backupNotFound"),
        (team.host.create(other.id).await?, 409, "backupAlreadyExists"),
        (team.host.delete(&other.path()).await?, 409, "backupOfAnotherInstallation"),
    ];
    for (reply, status, code) in replies {
        assert_refused(&reply, status, code)?;
        let named = format!("'{}'", other.installation.prefix());
        assert!(reply.json()?["errorMessage"].as_str().is_some_and(|text| text.contains(&named)), "{}", reply.text);
    }
    Ok(())
}

/// With its part 2, the backup would be COMPLETE with the wrong indices.
async fn anothers_backup_is_not_resumed(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let others = Installation::minimal(&fixture.engine, &unique_prefix()).await?;
    let host = fixture.host().await?;
    accept(&host, 1).await?;
    host.kill().await?;
    fixture.finished(&part(1, 1)).await?;

    // It looks for backups to resume at once, and other hosts do so with each request.
    let other = Host::start(options(&fixture.engine, fixture.repository.name(), others.prefix())).await?;
    assert_refused(&other.get("/actuator/backups/1").await?, 404, "backupNotFound")?;
    assert_eq!(other.get("/actuator/backups").await?.text, "[]");
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1)]);

    let host = fixture.host().await?;
    host.wait_for_state(1, "COMPLETE").await?;
    let part_two = fixture.snapshot(&part(1, 2)).await?;
    assert_eq!(indices(&part_two), fixture.installation.other_indices());
    Ok(())
}

async fn anothers_backup_is_told_from_its_indices_where_it_is_damaged(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let host = fixture.host().await?;
    accept(&host, 1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    for number in [1, 2] {
        fixture.repository.damage(&part(1, number), Damage::Missing).await?;
    }
    host.wait_for_state(1, "FAILED").await?;

    let other = Host::start(options(&fixture.engine, fixture.repository.name(), &unique_prefix())).await?;
    assert_refused(&other.get("/actuator/backups/1").await?, 404, "backupNotFound")?;
    assert_refused(&other.delete("/actuator/backups/1").await?, 409, "backupOfAnotherInstallation")?;
    delete(&host, 1).await
}

/// 8.10 blocks writes to the index of a process without instances, and deletes it, at any moment: the first look for each
/// part still tells of it.
async fn indices_that_vanish_between_look_and_snapshot_are_left_out(distribution: Distribution) -> Result<()> {
    let mut fixture = Fixture::new(distribution).await?;
    let blocked = fixture.installation.deploy("emptied").await?;
    let block = json!({ "index.blocks.write": true });
    fixture.engine.client().put(&format!("/{blocked}/_settings"), &block).await?.ok()?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let prefix = fixture.installation.prefix().to_owned();
    for look in [1, 3] {
        let gone = ["job-registry_v1", "process-instance-gone_v8"].map(|name| format!("{prefix}-{name}"));
        proxy.add(When::get("/_resolve/").nth(look), Fault::rewrite(move |body| with_indices(&body, &gone)));
    }
    let host = Host::start(fixture.options_through(&proxy)?).await?;

    accept(&host, 1).await?;
    host.wait_for_state(1, "COMPLETE").await?;

    let puts: Vec<String> = proxy.writes().into_iter().map(|write| write.path).collect();
    let tried = |number| puts.iter().filter(|path| path.contains(&part(1, number))).count();
    assert_eq!((proxy.faults(), tried(1), tried(2)), (2, 2, 2), "{puts:?}");
    let (one, two) = (fixture.snapshot(&part(1, 1)).await?, fixture.snapshot(&part(1, 2)).await?);
    assert_eq!(indices(&one), fixture.installation.import_indices());
    assert_eq!(indices(&two), fixture.installation.other_indices());
    assert!(indices(&two).contains(&blocked));
    Ok(())
}

/// The answer to a look, with indices that are there no more.
fn with_indices(body: &str, names: &[String]) -> String {
    let mut answer: Value = serde_json::from_str(body).unwrap();
    let found = answer["indices"].as_array_mut().unwrap();
    found.extend(names.iter().map(|name| json!({ "name": name, "attributes": ["open"] })));
    answer.to_string()
}
