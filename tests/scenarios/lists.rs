//! Lists of a part of the backups, and lists without metadata.

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::repository::{Damage, Repository, RepositoryOptions};
use serde_json::{Value, json};

use crate::everywhere;
use crate::fixture::{Fixture, part, run_ended};

everywhere!(lists_have_what_is_asked_for);

const LIST: &str = "/actuator/backups";

async fn lists_have_what_is_asked_for(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    for name in [part(201, 1), part(201, 2), part(202, 1), part(202, 2), part(203, 1), part(25, 1), part(25, 2)] {
        fixture.write_snapshot(&name, &fixture.installation.import_indices(), false).await?;
    }
    fixture.write_snapshot("camunda_optimize_nightly", &fixture.installation.import_indices(), false).await?;
    fixture.repository.damage(&part(25, 2), Damage::Missing).await?;
    let host = fixture.host().await?;

    let complete = list(&host, "").await?;
    let expected = json!([[203, "INCOMPLETE"], [202, "COMPLETE"], [201, "COMPLETE"], [25, "FAILED"]]);
    assert_eq!(states(&complete), expected);
    assert_eq!(states(&list(&host, "?pattern=20*").await?), json!([expected[0], expected[1], expected[2]]));
    assert_eq!(list(&host, "?pattern=25").await?, json!([complete[3]]));
    assert_eq!(list(&host, "?pattern=2").await?, json!([]), "25 only starts with it");
    assert_eq!(all_pages(&host, "?limit=1").await?, *complete.as_array().context("a list")?);
    assert_eq!(all_pages(&host, "?pattern=20*&limit=2").await?, complete.as_array().context("a list")?[..3]);

    let names = list(&host, "?verbose=false").await?;
    assert_eq!(states(&names), json!([expected[0], expected[1], expected[2], [25, "COMPLETE"]]));
    assert_eq!(names[0], complete[0], "told in full");
    let expected = [1, 2].map(
        |number| json!({"snapshotName": part(202, number), "state": "SUCCESS", "startTime": null, "failures": []}),
    );
    assert_eq!((&names[1]["failureReason"], &names[1]["details"]), (&Value::Null, &json!(expected)));
    assert_eq!(all_pages(&host, "?limit=3&verbose=false").await?, *names.as_array().context("a list")?);

    a_running_backup_is_told_in_full(&fixture, &host).await
}

async fn a_running_backup_is_told_in_full(fixture: &Fixture, host: &Host) -> Result<()> {
    Repository::register_as(&fixture.engine, fixture.repository.name(), RepositoryOptions::SLOW).await?;
    fixture.installation.slow_down_part_one().await?;
    assert_eq!(host.create(3).await?.status, 202);
    for query in ["?verbose=false&pattern=3*", "?limit=1&before=4"] {
        let running = list(host, query).await?;
        assert_eq!(states(&running), json!([[3, "IN_PROGRESS"]]), "{query}");
        assert!(running[0]["details"][0]["startTime"].is_string(), "{running}");
    }
    host.wait_for_state(3, "COMPLETE").await?;
    run_ended(host).await
}

async fn list(host: &Host, query: &str) -> Result<Value> {
    let reply = host.get(&format!("{LIST}{query}")).await?;
    ensure!(reply.status == 200, "{query}: {}: {}", reply.status, reply.text);
    reply.json()
}

fn states(list: &Value) -> Value {
    list.as_array().into_iter().flatten().map(|backup| json!([backup["backupId"], backup["state"]])).collect()
}

/// Follows the links from a page to the last one.
async fn all_pages(host: &Host, first: &str) -> Result<Vec<Value>> {
    let (mut reference, mut backups) = (first.to_owned(), Vec::new());
    loop {
        let reply = host.get(&format!("{LIST}{reference}")).await?;
        ensure!(reply.status == 200, "{reference}: {}: {}", reply.status, reply.text);
        backups.extend(reply.json()?.as_array().context("a list")?.iter().cloned());
        let Some(link) = reply.header("link") else { return Ok(backups) };
        let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).context("a link")?;
        reference = next.to_owned();
    }
}
