//! Every fault at every step of a verification.
//!
//! A module is a step and one test, which makes every fault of it, each with a server and an engine in memory of its own. Whatever
//! happens, the backup, which is a good one, has passed in the end, nothing of the verification is left, and no other index is
//! touched. On real engines one verification meets the same fault at every step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use backup_core::verification::scratch::is_scratch;
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, Request, When};
use backup_test_support::host::{Host, Reply};
use backup_test_support::memory::MemoryServer;
use backup_test_support::poll_until;
use futures::future::ready;
use futures::stream::{self, StreamExt as _};

use super::Outcome::{Passed, Refused};
use super::cell::{CellFixture, installed};
use super::docs::Step;
use super::restores::{NEIGHBOURS, with_backup};
use super::{AMPLE_BUDGET, Outcome, faults, host_with, in_time};
use crate::fixture::Fixture;
use crate::metrics::Exposition;
use crate::verification::{copies, everything, own_engine};

const ID: u64 = 1;
const PATH: &str = "/actuator/backups/1/verify";
/// How many cells of a step run at once: more keep the machine busy for longer than a call may take.
const AT_ONCE: usize = 9;
/// `backup.callTimeout` where the fault lasts longer than that.
const BUDGET: Duration = Duration::from_secs(8);
/// The same on a real engine, where each step has to wait for it.
const REAL_BUDGET: Duration = Duration::from_secs(5);
/// How long a copy takes: it is not there at the first look after the request.
const COPYING: Duration = Duration::from_millis(500);
/// The copies of each part take so long that the lock is counted up before the end.
const COPYING_FOR_LONG: Duration = Duration::from_secs(11);
const SCRATCH: &str = "/optimize-backup-verify-";
const LOCK: &str = "/optimize-backup-verify-lock";

/// What goes wrong at a step, by the faults' names.
type Cells = Vec<(&'static str, Fault, Outcome)>;

/// The test of one step.
macro_rules! step {
    ($step:ident at $when:expr; copies take $copying:expr; $($fault:ident => $outcome:expr),+ $(,)?
        $(; the engine decides $($decided:ident),+)?) => {
        pub(super) mod $step {
            use super::*;

            pub(in super::super) const STEP: Step = Step {
                name: stringify!($step),
                cells: &[$((stringify!($fault), $outcome)),+],
                decided_by_engine: &[$($(stringify!($decided)),+)?],
            };

            pub(super) fn cells() -> (When, Cells) {
                ($when, vec![$((stringify!($fault), faults::$fault(), $outcome)),+])
            }

            #[tokio::test]
            async fn in_memory() -> Result<()> {
                in_memory_at(cells(), $copying).await
            }
        }
    };
}

/// A read that the answer to the POST waits for.
macro_rules! read_before_the_answer {
    ($step:ident at $when:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step at $when; copies take COPYING;
            reset => Passed, closed => Passed, refused => Passed, cut_short => Passed, delayed => Passed,
            dripping => Passed, too_many_requests => Passed, unavailable => Passed, unavailable_in_html => Passed,
            silent => Refused(502, "engineNotAnswering"), dripping_for_too_long => Refused(502, "engineNotAnswering"),
            fine_in_html => Refused(500, "engineAnswerInvalid"), $($fault => $outcome),+
        );
    };
}

/// A read of the run: the step is taken again.
macro_rules! read_of_the_run {
    ($step:ident at $when:expr) => {
        step!($step at $when; copies take COPYING;
            reset => Passed, closed => Passed, refused => Passed, cut_short => Passed, delayed => Passed,
            dripping => Passed, too_many_requests => Passed, unavailable => Passed, unavailable_in_html => Passed,
            silent => Passed, dripping_for_too_long => Passed, fine_in_html => Passed,
            unauthorized => Passed, forbidden => Passed, internal_error => Passed
        );
    };
}

/// A step that writes. The next look tells whether the search engine has executed it.
macro_rules! write {
    ($step:ident at $when:expr; copies take $copying:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step at $when; copies take $copying;
            $($fault => $outcome),+,
            cut_short => Passed, delayed => Passed, dripping => Passed, dripping_for_too_long => Passed,
            too_many_requests => Passed, unavailable => Passed, unavailable_in_html => Passed,
            reset_after_forwarding => Passed, silent_after_forwarding => Passed,
            timeout_in_html_after_forwarding => Passed;
            the engine decides reset_after_forwarding
        );
    };
}

macro_rules! write_of_the_run {
    ($step:ident at $when:expr; copies take $copying:expr) => {
        write!($step at $when; copies take $copying;
            reset => Passed, closed => Passed, refused => Passed, silent => Passed, fine_in_html => Passed, unauthorized => Passed, forbidden => Passed,
            internal_error => Passed
        );
    };
}

read_before_the_answer!(find at When::get("camunda_optimize_1_*").nth(1);
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"));
read_before_the_answer!(list_indices at When::get("verbose=false").and("snapshots.indices").nth(1);
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"));
read_before_the_answer!(look_for_lock at When::get(SCRATCH).and("/_settings").nth(1);
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"));
read_before_the_answer!(look_for_restores at When::get("/_cluster/state/customs").nth(1);
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"));
// Which files of the backup cannot be read, the copies tell.
read_before_the_answer!(read_sizes at When::get("/_status").and("shards_stats").nth(1);
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Passed);
// Where it is not known, the engine says so itself if there is none.
read_before_the_answer!(look_for_room at When::get("/_nodes/stats/fs").nth(1);
    unauthorized => Passed, forbidden => Passed, internal_error => Passed);
read_before_the_answer!(look_for_limits at When::get("/_cluster/settings").nth(1);
    unauthorized => Passed, forbidden => Passed, internal_error => Passed);
// Nobody knows whether the request is still on its way.
write!(take_lock at When::put(LOCK).nth(1); copies take COPYING;
    reset => Refused(502, "engineNotAnswering"), closed => Refused(502, "engineNotAnswering"),
    refused => Refused(502, "engineNotAnswering"), silent => Refused(502, "engineNotAnswering"), fine_in_html => Refused(500, "engineAnswerInvalid"),
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"));
// The first step sees it, too.
read_of_the_run!(see_lock at When::get(SCRATCH).and("/_settings").nth(2));
read_of_the_run!(look_at_copies at When::get("/_cat/shards/").nth(1));
read_of_the_run!(read_backup at When::get("verbose=false").and("snapshots.indices").nth(2));
write_of_the_run!(copy_part_one at When::post("_part_1_of_2/_restore").nth(1); copies take COPYING);
read_of_the_run!(wait_for_copies at When::get("/_recovery").nth(2));
read_of_the_run!(count_documents at When::get("/_stats/docs").nth(1));
write_of_the_run!(delete_copies at When::delete("/optimize-backup-verify-1-").nth(1); copies take COPYING);
write_of_the_run!(copy_part_two at When::post("_part_2_of_2/_restore").nth(1); copies take COPYING);
read_of_the_run!(read_version at When::get("/_doc/1").and(SCRATCH).nth(1));
write_of_the_run!(hold_lock at When::put("/_settings").and(LOCK).nth(1); copies take COPYING_FOR_LONG);
write_of_the_run!(release_lock at When::delete(LOCK).nth(1); copies take COPYING);

async fn in_memory_at((when, cells): (When, Cells), copying: Duration) -> Result<()> {
    let at_once = if copying > COPYING { cells.len() } else { AT_ONCE };
    let cells = cells.into_iter().map(|(name, fault, expected)| {
        let when = when.clone();
        let cell = async move { in_memory(when, copying, fault, expected).await };
        async move { cell.await.err().map(|error| format!("{name}: {error:#}")) }
    });
    let failed: Vec<String> = stream::iter(cells).buffer_unordered(at_once).filter_map(ready).collect().await;
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// One fault on the engine in memory.
async fn in_memory(when: When, copying: Duration, fault: Fault, expected: Outcome) -> Result<()> {
    let engine = installed();
    for name in NEIGHBOURS {
        engine.add_index(name);
    }
    engine.restore_within(copying);
    let fixture = CellFixture::Memory(MemoryServer::start(Arc::new(engine)).await?);
    let CellFixture::Memory(server) = &fixture else { unreachable!() };
    let budget = if fault.outlasts(BUDGET) { BUDGET } else { AMPLE_BUDGET };
    let (proxy, host) = with_backup(&fixture, budget).await?;
    first_look_is_over(&proxy).await?;
    let (before, writes) = (server.engine().indices(), proxy.writes().len());
    proxy.add(when, fault);

    let reply = in_time(budget, verify(&host)).await?;
    if let Refused(status, code) = expected {
        ensure!(reply.status == status && reply.json()?["errorCode"] == code, "{}: {}", reply.status, reply.text);
        ensure!(server.engine().indices() == before, "something is changed");
        proxy.heal();
        let again = verify(&host).await?;
        ensure!(again.status == 202, "{}: {}", again.status, again.text);
    } else {
        ensure!(reply.status == 202, "{}: {}", reply.status, reply.text);
    }
    has_passed(&host, 1).await?;
    ensure!(proxy.faults() == 1, "{} faults", proxy.faults());
    ensure!(server.engine().indices() == before, "{:?} instead of {before:?}", server.engine().indices());
    expect_only_copies_written(proxy.writes().get(writes..).unwrap_or_default())
}

/// Each of these faults on a real engine, in a verification of its own that meets it at every step.
pub(crate) async fn met_at_every_step(fixture: &Fixture, names: &[&str]) -> Result<()> {
    let before = everything(fixture).await?;
    for name in names {
        let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
        let rules = rules(name);
        ensure!(!rules.is_empty(), "no fault {name}");
        let is_lasting = rules.iter().any(|(_, fault)| fault.outlasts(REAL_BUDGET));
        let budget = if is_lasting { REAL_BUDGET } else { AMPLE_BUDGET };
        let host = host_with(fixture.options_through(&proxy)?, &proxy, budget).await?;
        first_look_is_over(&proxy).await?;
        let expected = rules.len();
        rules.into_iter().for_each(|(when, fault)| proxy.add(when, fault));
        let mut reply = verify(&host).await?;
        if *name == "refused" && reply.status == 502 {
            // Nobody listens for half a second, in which the lock was to be taken: that is not sent twice.
            reply = verify(&host).await?;
        }
        ensure!(reply.status == 202, "{name}: {}: {}", reply.status, reply.text);
        has_passed(&host, 1).await?;
        ensure!(proxy.faults() == expected, "{name}: {} of {expected} faults", proxy.faults());
        ensure!(copies(fixture).await?.is_empty(), "{name}: {:?}", copies(fixture).await?);
        expect_only_copies_written(&proxy.writes())?;
        host.terminate().await?;
        println!("{name}: at {expected} steps, and passed");
    }
    assert_eq!(everything(fixture).await?, before);
    Ok(())
}

/// Where a fault is made in one verification: at every step at which the backup passes all the same. The lock of so short a
/// one is not counted up, and where the answer to its creation is lost, it is looked up and not looked at again.
fn rules(fault: &str) -> Vec<(When, Fault)> {
    // Whoever may not see the disks does not ask for their watermarks.
    let is_refusal = matches!(fault, "unauthorized" | "forbidden" | "internal_error");
    let limits = (!is_refusal).then(look_for_limits::cells);
    let steps = [
        find::cells(),
        list_indices::cells(),
        look_for_lock::cells(),
        look_for_restores::cells(),
        read_sizes::cells(),
        look_for_room::cells(),
        take_lock::cells(),
        look_at_copies::cells(),
        read_backup::cells(),
        copy_part_one::cells(),
        wait_for_copies::cells(),
        count_documents::cells(),
        delete_copies::cells(),
        copy_part_two::cells(),
        read_version::cells(),
        release_lock::cells(),
    ];
    let is_met = |(name, _, outcome): &(&str, Fault, Outcome)| *name == fault && matches!(outcome, Passed);
    let of_step = |(when, cells): (When, Cells)| Some((when, cells.into_iter().find(is_met)?.1));
    steps.into_iter().chain(limits).filter_map(of_step).collect()
}

/// Only in the column `verifications`.
mod in_column {
    use super::*;

    const FAULTS: [&str; 18] = [
        "dripping_for_too_long",
        "cut_short",
        "too_many_requests",
        "unavailable",
        "unavailable_in_html",
        "timeout_in_html_after_forwarding",
        "fine_in_html",
        "unauthorized",
        "forbidden",
        "internal_error",
        "reset",
        "reset_after_forwarding",
        "closed",
        "refused",
        "silent",
        "silent_after_forwarding",
        "delayed",
        "dripping",
    ];

    #[tokio::test]
    #[ignore = "cargo xtask matrix"]
    async fn of_elasticsearch_8_19() -> Result<()> {
        each_fault_at_every_step(Distribution::ELASTICSEARCH).await
    }

    #[tokio::test]
    #[ignore = "cargo xtask matrix"]
    async fn of_opensearch_2_19() -> Result<()> {
        each_fault_at_every_step(Distribution::OPENSEARCH).await
    }

    async fn each_fault_at_every_step(distribution: Distribution) -> Result<()> {
        let fixture = own_engine(distribution).await?;
        let host = fixture.host().await?;
        ensure!(host.create(ID).await?.status == 202);
        host.wait_for_state(ID, "COMPLETE").await?;
        host.terminate().await?;
        met_at_every_step(&fixture, &FAULTS).await
    }
}

/// A server looks at its start for what another one has left, and then not again for half a minute.
async fn first_look_is_over(proxy: &FaultProxy) -> Result<()> {
    poll_until("the first look", Duration::from_secs(20), async || {
        Ok(proxy.requests().iter().any(|request| request.path.contains(SCRATCH)).then_some(()))
    })
    .await
}

async fn verify(host: &Host) -> Result<Reply> {
    host.request("POST", PATH, &[], String::new()).await
}

/// Waits for the end by the log, since a GET would count as one of the requests that a rule waits for; then what the operator
/// sees.
async fn has_passed(host: &Host, verifications: usize) -> Result<()> {
    poll_until("the verification ends", Duration::from_secs(300), async || {
        let log = host.log()?;
        let bad = log.iter().find(|line| line["message"] == "the backup has not passed its verification");
        ensure!(bad.is_none(), "{}", bad.map(ToString::to_string).unwrap_or_default());
        let passed = log.iter().filter(|line| line["message"] == "the backup has passed its verification").count();
        Ok((passed == verifications).then_some(()))
    })
    .await?;
    let told = poll_until("the state", Duration::from_secs(20), async || {
        let told = host.get(PATH).await?.json()?;
        Ok((told["state"] != "IN_PROGRESS").then_some(told))
    })
    .await?;
    let is_good = told["state"] == "PASSED" && told["failureReason"].is_null() && !told.to_string().contains("FAILED");
    ensure!(is_good, "{told}");
    let metrics = Exposition::of(host).await?;
    let ended: BTreeMap<&str, Option<f64>> = ["passed", "failed"]
        .map(|outcome| (outcome, metrics.value("last_verification_timestamp_seconds", &[("outcome", outcome)])))
        .into();
    let is_counted = ended["passed"].is_some_and(|time| time > 0.0) && ended["failed"] == Some(0.0);
    ensure!(is_counted, "{ended:?}");
    Ok(())
}

/// Every write names copies and the lock, or makes copies.
pub(crate) fn expect_only_copies_written(writes: &[Request]) -> Result<()> {
    for write in writes {
        let path = write.path.split('?').next().unwrap_or_default();
        let has = |text: &str| write.body.contains(text);
        let is_copying = path.ends_with("/_restore")
            && has(r#""rename_replacement":"optimize-backup-verify-"#)
            && has(r#""include_aliases":false"#)
            && has(r#""include_global_state":false"#);
        let names = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        ensure!(is_copying || names.split(',').all(is_scratch), "{} {} {}", write.method, write.path, write.body);
    }
    Ok(())
}
