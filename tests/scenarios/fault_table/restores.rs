//! Every fault at every step of a restore.
//!
//! A module is a step and one test, which makes every fault of it at once, each with a server of its own. Whatever happens, no
//! index is deleted before the engine has read every shard of the snapshot that has its replacement, those of others stay,
//! and the same POST restores everything once the fault is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use backup_core::Method;
use backup_core::memory::{MemoryEngine, StoredIndex};
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::memory::MemoryServer;
use backup_test_support::poll_until;
use futures::future::ready;
use futures::stream::{self, StreamExt as _};
use serde_json::json;

use super::Outcome::{Complete, Refused};
use super::cell::{CellFixture, Target, installed};
use super::docs::Step;
use super::{AMPLE_BUDGET, Outcome, faults, host_with, in_time};
use crate::fixture::{Fixture, run_ended};
use crate::on_every_engine;
use crate::restore::{TOKEN, change, confirmed, post, state};

const ID: u64 = 1;
/// How many cells of a step run at once: more keep the machine busy for longer than a call may take.
const AT_ONCE: usize = 6;
/// `backup.callTimeout` where the fault lasts longer than that.
const BUDGET: Duration = Duration::from_secs(8);
/// How long a restore of an index takes: it runs at the first look after the request, and is finished at the next.
const RESTORING: Duration = Duration::from_millis(500);
/// In the installation of the engine in memory; it goes after the backup.
const SETTINGS: &str = "optimize-settings_v3";
pub(super) const NEIGHBOURS: [&str; 3] =
    ["operate-list-view-8.3.0_", "optimizer-settings_v3", "optimize-eu-settings_v3"];

/// The test of one step. Faults that the engine decides are tests of their own, on the real ones.
macro_rules! step {
    ($step:ident at $when:expr; $($fault:ident => $outcome:expr),+ $(,)?
        $(; the engine decides $($decided:ident),+)?) => {
        pub(super) mod $step {
            use super::*;

            pub(in super::super) const STEP: Step = Step {
                name: stringify!($step),
                cells: &[$((stringify!($fault), $outcome)),+],
                decided_by_engine: &[$($(stringify!($decided)),+)?],
            };

            #[tokio::test]
            async fn in_memory() -> Result<()> {
                let cells: Vec<(&str, Fault, Outcome)> =
                    vec![$((stringify!($fault), faults::$fault(), $outcome)),+];
                in_memory_at($when, cells).await
            }

            $($(async fn $decided(distribution: backup_test_support::engine::Distribution) -> Result<()> {
                on_real_engine(distribution, $when, faults::$decided(), STEP.outcome(stringify!($decided))).await
            })+
            on_every_engine!($($decided),+);)?
        }
    };
}

/// A read that the answer to the POST waits for.
macro_rules! read_before_the_answer {
    ($step:ident at $when:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step at $when;
            reset => Complete, closed => Complete, refused => Complete, cut_short => Complete, delayed => Complete,
            dripping => Complete, too_many_requests => Complete, unavailable => Complete,
            unavailable_in_html => Complete,
            silent => Refused(502, "engineNotAnswering"), dripping_for_too_long => Refused(502, "engineNotAnswering"),
            unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
            $($fault => $outcome),+
        );
    };
}

/// A read of the run: the step is taken again.
macro_rules! read_of_the_run {
    ($step:ident at $when:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step at $when;
            reset => Complete, closed => Complete, refused => Complete, cut_short => Complete, delayed => Complete,
            dripping => Complete, too_many_requests => Complete, unavailable => Complete,
            unavailable_in_html => Complete, silent => Complete, dripping_for_too_long => Complete,
            unauthorized => Complete, forbidden => Complete, $($fault => $outcome),+
        );
    };
}

/// A step that writes. The next step sees whether the search engine has executed it.
macro_rules! write {
    ($step:ident at $when:expr; $($fault:ident => $outcome:expr),+ $(; the engine decides $($decided:ident),+)?) => {
        step!($step at $when;
            reset => Complete, closed => Complete, refused => Complete, cut_short => Complete, delayed => Complete,
            dripping => Complete, too_many_requests => Complete, unavailable => Complete,
            unavailable_in_html => Complete, silent => Complete, dripping_for_too_long => Complete,
            unauthorized => Complete, forbidden => Complete, $($fault => $outcome),+,
            reset_after_forwarding => Complete, silent_after_forwarding => Complete,
            timeout_in_html_after_forwarding => Complete
            $(; the engine decides $($decided),+)?
        );
    };
}

read_before_the_answer!(plan at When::get("verbose=false").and("snapshots.indices").nth(1);
    internal_error => Refused(500, "engineRefused"), fine_in_html => Refused(500, "engineAnswerInvalid"));
read_before_the_answer!(plan_sizes at When::get("/_status").and("shards_stats").nth(1);
    internal_error => Refused(409, "restoreBlocked"), fine_in_html => Refused(500, "engineAnswerInvalid"));
read_of_the_run!(look at When::get("/_cluster/state/customs").nth(2);
    internal_error => Complete, fine_in_html => Complete);
write!(try_restore at When::post("_part_1_of_2/_restore").nth(1);
    internal_error => Complete, fine_in_html => Complete);
write!(mark_planned at When::put("/_settings").nth(1);
    internal_error => Complete, fine_in_html => Complete);
read_of_the_run!(read_shards at When::get("/_status").and("shards_stats").nth(4);
    internal_error => Complete, fine_in_html => Complete);
write!(delete_indices at When::delete("/").nth(1);
    internal_error => Complete, fine_in_html => Complete;
    the engine decides reset_after_forwarding);
write!(restore_part_one at When::post("_part_1_of_2/_restore").nth(3);
    internal_error => Complete, fine_in_html => Complete;
    the engine decides reset_after_forwarding);
read_of_the_run!(poll_part_one at When::get("/_cat/shards").nth(5);
    internal_error => Complete, fine_in_html => Complete);
write!(mark_restored at When::put("/_settings").nth(2);
    internal_error => Complete, fine_in_html => Complete);
write!(restore_part_two at When::post("_part_2_of_2/_restore").nth(1);
    internal_error => Complete, fine_in_html => Complete);
read_of_the_run!(check at When::get("/_alias").nth(1);
    internal_error => Complete, fine_in_html => Complete);
write!(remove_marks at When::put("/_settings").nth(6);
    internal_error => Complete, fine_in_html => Complete;
    the engine decides reset_after_forwarding);

impl Step {
    fn outcome(&self, fault: &str) -> Outcome {
        self.cells.iter().find(|(name, _)| *name == fault).map_or(Complete, |(_, outcome)| *outcome)
    }
}

async fn in_memory_at(when: When, cells: Vec<(&str, Fault, Outcome)>) -> Result<()> {
    let cells = cells.into_iter().map(|(name, fault, expected)| {
        let when = when.clone();
        async move { in_memory(when, fault, expected).await.err().map(|error| format!("{name}: {error:#}")) }
    });
    let failed: Vec<String> = stream::iter(cells).buffer_unordered(AT_ONCE).filter_map(ready).collect().await;
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// One fault on the engine in memory.
async fn in_memory(when: When, fault: Fault, expected: Outcome) -> Result<()> {
    let engine = installed();
    for name in NEIGHBOURS.into_iter().chain(["optimize-eu-metadata_v3", "optimize-eu-timestamp-based-import-index_v5"])
    {
        engine.add_index(name);
    }
    engine.set_document(SETTINGS, Some(json!({"of": "the backup"})));
    engine.restore_within(RESTORING);
    let fixture = CellFixture::Memory(MemoryServer::start(Arc::new(engine)).await?);
    let CellFixture::Memory(server) = &fixture else { unreachable!() };
    let engine = server.engine();
    let contents = || contents(engine);
    let budget = if fault.outlasts(BUDGET) { BUDGET } else { AMPLE_BUDGET };
    let (proxy, host) = with_backup(&fixture, budget).await?;
    let (before, of_others) = (contents(), identities(engine));
    engine.set_document(SETTINGS, Some(json!({"of": "later"})));
    engine.remove_index("optimize-process-instance-invoice_v8");
    let changed = contents();
    proxy.add(when, fault);

    let reply = in_time(budget, post(&host, ID, &confirmed("optimize"))).await?;
    match expected {
        Refused(status, code) => {
            ensure!(reply.status == status && reply.json()?["errorCode"] == code, "{}: {}", reply.status, reply.text);
            ensure!(contents() == changed, "something is changed");
        }
        _ => ensure!(reply.status == 202, "{}: {}", reply.status, reply.text),
    }
    let ends = if reply.status == 202 { ended(&host, 1).await? } else { 0 };
    ensure!(proxy.faults() == 1, "{} faults", proxy.faults());
    proxy.heal();
    if !matches!(expected, Complete) {
        let again = post(&host, ID, &confirmed("optimize")).await?;
        ensure!(again.status == 202, "{}: {}", again.status, again.text);
        ended(&host, ends + 1).await?;
    }
    crate::restore::complete(&host, ID).await?;
    ensure!(contents() == before, "{:?} instead of {before:?}", contents());
    ensure!(engine.marked_indices().is_empty(), "{:?} have marks", engine.marked_indices());
    ensure!(identities(engine) == of_others, "others are changed");
    expect_read_before_deleted(engine)
}

/// One fault on a real engine, with the same comparison.
async fn on_real_engine(target: impl Into<Target>, when: When, fault: Fault, expected: Outcome) -> Result<()> {
    let target = target.into();
    let fixture = CellFixture::new(target).await?;
    let CellFixture::Real(real) = &fixture else { unreachable!() };
    let Fixture(real) = real.as_ref();
    let (client, prefix) = (real.engine.client(), real.installation.prefix());
    let (proxy, host) = with_backup(&fixture, target.budget(&fault)).await?;
    let before = state(client, prefix).await?;
    change(client, &real.installation).await?;
    proxy.add(when, fault);
    let reply = post(&host, ID, &confirmed(prefix)).await?;
    ensure!(reply.status == 202 && matches!(expected, Complete), "{}: {}", reply.status, reply.text);
    ended(&host, 1).await?;
    ensure!(proxy.faults() == 1, "{} faults", proxy.faults());
    crate::restore::complete(&host, ID).await?;
    assert_eq!(state(client, prefix).await?, before);
    Ok(())
}

/// A host behind a proxy, and a backup that is complete.
pub(super) async fn with_backup(fixture: &CellFixture, budget: Duration) -> Result<(FaultProxy, Host)> {
    let proxy = fixture.proxy().await?;
    let options = fixture.options_through(&proxy)?.token(TOKEN);
    let host = host_with(options, &proxy, budget).await?;
    let created = host.create(ID).await?;
    ensure!(created.status == 202, "{}", created.text);
    host.wait_for_state(ID, "COMPLETE").await?;
    run_ended(&host).await?;
    Ok((proxy, host))
}

/// Waits until so many restores have ended. A GET by the API would count as one of the requests that the rule waits for.
async fn ended(host: &Host, restores: usize) -> Result<usize> {
    let is_end = |line: &serde_json::Value| {
        ["the restore is complete", "the restore has ended without success"].iter().any(|text| line["message"] == *text)
    };
    poll_until("the restore ends", Duration::from_secs(120), async || {
        let ends = host.log()?.iter().filter(|line| is_end(line)).count();
        Ok((ends == restores).then_some(ends))
    })
    .await
}

/// What is in the installation's indices.
fn contents(engine: &MemoryEngine) -> BTreeMap<String, StoredIndex> {
    let is_own = |name: &str| name.starts_with("optimize-") && !name.starts_with("optimize-eu-");
    engine.indices().into_iter().filter(|(name, _)| is_own(name)).map(|(name, (_, stored))| (name, stored)).collect()
}

fn identities(engine: &MemoryEngine) -> Vec<Option<(String, StoredIndex)>> {
    let indices = engine.indices();
    NEIGHBOURS.iter().map(|name| indices.get(*name).cloned()).collect()
}

/// Between two deletions the engine was asked for every shard of a snapshot.
fn expect_read_before_deleted(engine: &MemoryEngine) -> Result<()> {
    let mut is_read = false;
    for request in engine.requests() {
        is_read |= request.path.last().is_some_and(|last| last == "_status");
        if request.method == Method::Delete {
            ensure!(is_read, "{request} without a look at the snapshot");
            is_read = false;
        }
    }
    Ok(())
}
