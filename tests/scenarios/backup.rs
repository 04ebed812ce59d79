//! Making backups, looking at them, restoring them.

use anyhow::{Context, Result, ensure};
use backup_test_support::contents::{dump, restore};
use backup_test_support::engine::Distribution;
use backup_test_support::installation::{Installation, create_neighbours, unique_prefix};
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::fixture::{Fixture, delete, indices, part};
use crate::{everywhere, in_host};

everywhere!(
    a_backup_is_two_parts_in_order,
    answers_are_as_documented,
    an_id_is_used_once,
    ids_that_begin_alike_are_different,
    the_list_is_newest_first_and_without_foreign_snapshots,
    a_restored_backup_has_the_same_documents,
    new_process_definitions_are_in_part_two
);

in_host!(jco_on_bun: answers_are_as_documented);

async fn a_backup_is_two_parts_in_order(distribution: Distribution) -> Result<()> {
    let mut fixture = Fixture::new(distribution).await?;
    fixture.installation = Installation::create(&fixture.engine, &unique_prefix()).await?;
    create_neighbours(&fixture.engine, fixture.installation.prefix()).await?;
    let host = fixture.host().await?;

    host.create(7).await?;
    host.wait_for_state(7, "COMPLETE").await?;

    let (one, two) = (fixture.snapshot(&part(7, 1)).await?, fixture.snapshot(&part(7, 2)).await?);
    assert_eq!(indices(&one), fixture.installation.import_indices());
    assert_eq!(indices(&two), fixture.installation.other_indices());
    for snapshot in [&one, &two] {
        assert_eq!(snapshot["include_global_state"], false);
        assert_eq!(snapshot["state"], "SUCCESS");
    }
    let (end, start) = (one["end_time_in_millis"].as_u64(), two["start_time_in_millis"].as_u64());
    assert!(end.is_some() && start >= end, "part 1 ended at {end:?}, part 2 started at {start:?}");
    Ok(())
}

async fn answers_are_as_documented(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let options = fixture.options().env("TZ", "Asia/Tokyo");
    let host = backup_test_support::host::Host::start(options).await?;

    let accepted = host.create(123_456).await?;
    assert_eq!(accepted.status, 202);
    assert_eq!(
        accepted.text,
        r#"{"message":"Backup creation for ID 123456 has been scheduled. Use the GET API to monitor completion of backup process"}"#
    );
    host.wait_for_state(123_456, "COMPLETE").await?;

    let details = [tokyo_detail(&fixture, 1).await?, tokyo_detail(&fixture, 2).await?].join(",");
    let expected = format!(r#"{{"backupId":123456,"failureReason":null,"state":"COMPLETE","details":[{details}]}}"#);
    let one = host.get("/actuator/backups/123456").await?;
    assert_eq!((one.status, one.text.as_str()), (200, expected.as_str()));
    let list = host.get("/actuator/backups").await?;
    assert_eq!((list.status, list.text), (200, format!("[{expected}]")));

    let deleted = host.delete("/actuator/backups/123456").await?;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    delete(&host, 123_456).await?;
    assert_eq!(host.get("/actuator/backups/123456").await?.status, 404);
    assert_eq!(host.get("/actuator/backups").await?.text, "[]");
    Ok(())
}

/// A detail as it has to look in Tokyo, nine hours ahead of UTC all year.
async fn tokyo_detail(fixture: &Fixture, number: u8) -> Result<String> {
    let name = part(123_456, number);
    let snapshot = fixture.snapshot(&name).await?;
    let millis = snapshot["start_time_in_millis"].as_i64().context("a start time")?;
    let tokyo = jiff::Timestamp::from_millisecond(millis + 9 * 3_600_000)?;
    let start = tokyo.strftime("%Y-%m-%dT%H:%M:%S%.3f+0900");
    Ok(format!(r#"{{"snapshotName":"{name}","state":"SUCCESS","startTime":"{start}","failures":[]}}"#))
}

async fn an_id_is_used_once(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;

    let replies = try_join_all((0..20).map(|_| host.create(20))).await?;

    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(202), count(409)), (1, 19));
    host.wait_for_state(20, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(20, 1), part(20, 2)]);
    let conflict = host.create(20).await?.json()?;
    assert_eq!(conflict["errorCode"], "backupAlreadyExists");
    for number in [1, 2] {
        let message = conflict["errorMessage"].as_str().unwrap_or_default();
        assert!(message.contains(&part(20, number)), "{message}");
    }
    Ok(())
}

async fn ids_that_begin_alike_are_different(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    host.create(123).await?;
    host.wait_for_state(123, "COMPLETE").await?;

    assert_eq!(host.get("/actuator/backups/12").await?.status, 404);
    assert_eq!(host.get("/actuator/backups/1").await?.status, 404);
    assert_eq!(host.create(12).await?.status, 202);
    host.wait_for_state(12, "COMPLETE").await?;
    delete(&host, 12).await?;

    assert_eq!(fixture.repository.snapshots().await?, [part(123, 1), part(123, 2)]);
    host.wait_for_state(123, "COMPLETE").await
}

async fn the_list_is_newest_first_and_without_foreign_snapshots(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let indices = fixture.installation.import_indices();
    for foreign in [
        "nightly",
        "camunda_optimize_mybackup_8.1.0_part_1_of_2",
        "camunda_optimize_99999999999999999999_8.6.0_part_1_of_2",
        "camunda_optimize_9_8.6.0_part_1_of_3",
    ] {
        fixture.write_snapshot(foreign, &indices, false).await?;
    }
    let host = fixture.host().await?;
    assert_eq!(host.get("/actuator/backups").await?.text, "[]");
    for id in [9, 100, 20] {
        assert_eq!(host.create(id).await?.status, 202);
        host.wait_for_state(id, "COMPLETE").await?;
    }

    let list = host.get("/actuator/backups").await?.json()?;
    let ids: Vec<&Value> = list.as_array().context("a list")?.iter().map(|backup| &backup["backupId"]).collect();
    assert_eq!(ids, [&json!(100), &json!(20), &json!(9)]);
    Ok(())
}

async fn a_restored_backup_has_the_same_documents(distribution: Distribution) -> Result<()> {
    let mut fixture = Fixture::new(distribution).await?;
    fixture.installation = Installation::create(&fixture.engine, &unique_prefix()).await?;
    let host = fixture.host().await?;
    host.create(5).await?;
    host.wait_for_state(5, "COMPLETE").await?;

    let (from, to) = (fixture.installation.prefix(), unique_prefix());
    let engine = fixture.engine.client();
    for number in [1, 2] {
        restore(&fixture.repository, engine, &part(5, number), from, &to).await?;
    }

    let all = [fixture.installation.import_indices(), fixture.installation.other_indices()].concat();
    ensure!(all.len() > 20, "too few indices to mean anything: {all:?}");
    for index in all {
        let original = dump(engine, &index).await?;
        ensure!(!original.is_empty(), "{index} has no documents to compare");
        assert_eq!(dump(engine, &index.replacen(from, &to, 1)).await?, original, "{index}");
    }
    Ok(())
}

async fn new_process_definitions_are_in_part_two(distribution: Distribution) -> Result<()> {
    let mut fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    for (id, process) in [(1, "first"), (2, "second")] {
        let deployed = fixture.installation.deploy(process).await?;
        host.create(id).await?;
        host.wait_for_state(id, "COMPLETE").await?;
        let snapshot = fixture.snapshot(&part(id, 2)).await?;
        assert!(indices(&snapshot).contains(&deployed), "{deployed} is not in {snapshot}");
    }
    Ok(())
}
