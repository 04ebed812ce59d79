//! What speaks against a restore, what does not, and two restores at once.

use std::fmt;

use anyhow::{Context, Result, ensure};
use backup_test_support::client::Client;
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::repository::{Repository, RepositoryOptions};
use futures::future::try_join;
use reqwest::Method;
use serde_json::{Value, json};

use super::{ID, RESTORE_TIMEOUT, TOKEN, back_up, begin, change, complete, confirmed, post, standing, state, uuids};
use crate::fixture::{Fixture, options, part};
use crate::{on_elasticsearch, on_every_engine};
use backup_test_support::poll_until;

on_every_engine!(what_speaks_against_it_is_told_and_nothing_is_changed);
on_elasticsearch!(
    what_does_not_speak_against_it_is_replaced,
    two_servers_restore_one_backup_at_once,
    of_two_backups_at_once_one_is_restored_in_the_end,
);

/// What is done to the engine before a restore, and undone after it.
struct Obstacle {
    code: &'static str,
    begin: Vec<Change>,
    end: Vec<Change>,
}

/// A request to the engine.
struct Change(Method, String, Value);

impl Change {
    async fn make(&self, client: &Client) -> Result<()> {
        let Self(method, path, body) = self;
        let answer = match *method {
            _ if body.is_null() => client.bare(method.clone(), path).await?,
            Method::PUT => client.put(path, body).await?,
            _ => client.post(path, body).await?,
        };
        answer.ok().with_context(|| self.to_string()).map(drop)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.0, self.1, self.2)
    }
}

fn put(path: &str, body: Value) -> Change {
    Change(Method::PUT, path.to_owned(), body)
}

fn delete(path: &str) -> Change {
    Change(Method::DELETE, path.to_owned(), Value::Null)
}

fn add_alias(index: &str, alias: &str) -> Change {
    let body = json!({"actions": [{"add": {"index": index, "alias": alias}}]});
    Change(Method::POST, "/_aliases".to_owned(), body)
}

/// `missing` is an index of the backup that is not there, `there` another one.
fn obstacles(prefix: &str, missing: &str, there: &str) -> Vec<Obstacle> {
    let elsewhere = format!("{prefix}er-elsewhere");
    let settings = format!("/{there}/_settings");
    vec![
        Obstacle {
            code: "nameInUse: the alias",
            begin: vec![put(&format!("/{elsewhere}"), json!({})), add_alias(&elsewhere, missing)],
            end: vec![delete(&format!("/{elsewhere}"))],
        },
        Obstacle {
            code: "indexReadOnly",
            begin: vec![put(&settings, json!({"index.blocks.read_only": true}))],
            end: vec![put(&settings, json!({"index.blocks.read_only": null}))],
        },
    ]
}

async fn expect_refused(host: &Host, id: u64, body: &Value, status: u16, text: &str) -> Result<()> {
    let reply = post(host, id, body).await?;
    ensure!(reply.status == status && reply.text.contains(text), "{text}: {} {}", reply.status, reply.text);
    Ok(())
}

async fn what_speaks_against_it_is_told_and_nothing_is_changed(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    let prefix = installation.prefix();
    let host = Host::start(fixture.options().token(TOKEN)).await?;
    for id in [ID, 8] {
        back_up(&host, id).await?;
    }
    fixture.delete_snapshot(&part(8, 1)).await?;
    let others = installation.other_indices();
    let [missing, there, ..] = others.as_slice() else { anyhow::bail!("too few indices") };
    client.delete(&format!("/{missing}")).await?.ok()?;
    let left = [&installation.import_indices()[..], &others[1..]].concat();
    let before = uuids(client, &left).await?;

    let meant = confirmed(prefix);
    for (name, body) in [
        ("confirm", json!({"dryRun": false})),
        ("confirm", json!({"dryRun": false, "confirm": format!("{prefix}-eu")})),
        ("confirm", json!({"dryRun": false, "confirm": ""})),
        ("dryRun", json!({"confirm": prefix})),
        ("everything", json!({"dryRun": false, "confirm": prefix, "override": ["everything"]})),
        ("rename_prefix", json!({"dryRun": false, "confirm": prefix, "rename_prefix": "look"})),
    ] {
        expect_refused(&host, ID, &body, 400, name).await?;
    }
    expect_refused(&host, 99, &meant, 404, "no backup").await?;
    expect_refused(&host, 8, &meant, 409, "part 1 of 2 is missing").await?;
    for obstacle in obstacles(prefix, missing, there) {
        for change in &obstacle.begin {
            change.make(client).await?;
        }
        let outcome = expect_refused(&host, ID, &meant, 409, obstacle.code).await;
        for change in &obstacle.end {
            change.make(client).await?;
        }
        outcome?;
    }
    // Of another installation.
    let other = Host::start(options(&fixture.engine, fixture.repository.name(), &format!("{prefix}x")).token(TOKEN));
    let other = other.await?;
    expect_refused(&other, ID, &confirmed(&format!("{prefix}x")), 404, prefix).await?;
    while_a_snapshot_is_made(&fixture, &host, there).await?;
    assert_eq!(uuids(client, &left).await?, before);
    assert_eq!(standing(&host, ID).await?["state"], "NONE");
    Ok(())
}

/// By hand, in a slow repository.
async fn while_a_snapshot_is_made(fixture: &Fixture, host: &Host, index: &str) -> Result<()> {
    let client = fixture.engine.client();
    fixture.installation.grow(index, 1_000_000).await?;
    let slow = Repository::register_with(&fixture.engine, RepositoryOptions::SLOW).await?;
    let snapshot = format!("/_snapshot/{}/by-hand", slow.name());
    client.put(&snapshot, &json!({"indices": [index], "include_global_state": false})).await?.ok()?;
    let meant = confirmed(fixture.installation.prefix());
    let outcome = expect_refused(host, ID, &meant, 409, "backupInProgress: a snapshot of these indices").await;
    client.delete(&snapshot).await?.ok()?;
    outcome
}

/// A repository that cannot be written to, an index that is closed, one with a write block, and one that is left.
async fn what_does_not_speak_against_it_is_replaced(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    let prefix = installation.prefix();
    let host = Host::start(fixture.options()).await?;
    back_up(&host, ID).await?;
    host.terminate().await?;
    let before = state(client, prefix).await?;
    change(client, installation).await?;
    let others = installation.other_indices();
    let [changed, _, blocked, ..] = others.as_slice() else { anyhow::bail!("too few indices") };
    client.bare(Method::POST, &format!("/{changed}/_close")).await?.ok()?;
    client.put(&format!("/{blocked}/_settings"), &json!({"index.blocks.write": true})).await?.ok()?;

    let readonly = RepositoryOptions { readonly: true, ..RepositoryOptions::default() };
    let copy = fixture.repository.copy_to(&fixture.engine, readonly).await?;
    let host = Host::start(options(&fixture.engine, copy.name(), prefix).token(TOKEN)).await?;
    begin(&host, ID, &confirmed(prefix)).await?;
    complete(&host, ID).await?;
    assert_eq!(state(client, prefix).await?, before);
    Ok(())
}

async fn two_servers_restore_one_backup_at_once(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    let prefix = installation.prefix();
    let options = || fixture.options().token(TOKEN);
    let (one, other) = (Host::start(options()).await?, Host::start(options()).await?);
    back_up(&one, ID).await?;
    let before = state(client, prefix).await?;
    change(client, installation).await?;
    let meant = confirmed(prefix);
    try_join(begin(&one, ID, &meant), begin(&other, ID, &meant)).await?;
    try_join(complete(&one, ID), complete(&other, ID)).await?;
    assert_eq!(state(client, prefix).await?, before);
    Ok(())
}

/// Each of them ends, as FAILED if the other has taken its indices away.
async fn of_two_backups_at_once_one_is_restored_in_the_end(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    let prefix = installation.prefix();
    let options = || fixture.options().token(TOKEN);
    let (one, other) = (Host::start(options()).await?, Host::start(options()).await?);
    for id in [ID, 8] {
        back_up(&one, id).await?;
    }
    let before = state(client, prefix).await?;
    change(client, installation).await?;
    let meant = confirmed(prefix);
    let begun = try_join(post(&one, ID, &meant), post(&other, 8, &meant)).await?;
    for (host, id, reply) in [(&one, ID, begun.0), (&other, 8, begun.1)] {
        // Whoever was later may have seen the other one.
        ensure!(reply.status == 202 || reply.text.contains("anotherRestore"), "{}", reply.text);
        poll_until("the end", RESTORE_TIMEOUT, async || {
            Ok((standing(host, id).await?["state"] != "IN_PROGRESS" || reply.status != 202).then_some(()))
        })
        .await?;
    }
    let overriding = json!({"dryRun": false, "confirm": prefix, "override": ["optimizeIsWriting", "anotherRestore"]});
    begin(&one, ID, &overriding).await?;
    complete(&one, ID).await?;
    assert_eq!(state(client, prefix).await?, before);
    Ok(())
}
