//! Every fault at every step of a backup, of a restore, and of a verification.
//!
//! The tables in `docs/faults.md` are this file, `restores` and `verifications`: a module is a step, a test in it a fault. Whatever
//! happens, no snapshot is written twice, none is left without its backup, and no answer is late.
//!
//! Faults are made by a proxy, and what is tested is how a host takes them: so all run against the engine in
//! memory, which `conformance` compares with the real ones. Where an engine has acted and is asked again,
//! its second answer decides: these run on every real engine, too.

mod cell;
mod docs;
mod faults;
mod restores;
pub(crate) mod verifications;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::{Host, HostOptions, Reply};
use backup_test_support::poll_until;

use self::Outcome::{Complete, Gone, Incomplete, Refused};
use self::cell::{CellFixture, Target};
use self::docs::Step;
use crate::fixture::{Fixture, delete, deletion_settled, part, run_ended};
use crate::servers::is_native;
use crate::{in_host, on_every_engine};

/// `backup.callTimeout` where the fault lasts longer than that.
pub(crate) const BUDGET: Duration = Duration::from_secs(20);
/// The same where no engine on this machine competes for it.
const SHORT_BUDGET: Duration = Duration::from_secs(3);
/// How long one call may take otherwise, also on a busy machine.
const AMPLE_BUDGET: Duration = Duration::from_secs(60);
/// The request for the engine's time.
const CLOCK: &str = "/_nodes/_master/";
/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(10);

/// What a fault leads to.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// 202, and the backup becomes COMPLETE.
    Complete,
    /// This status and code, and nothing is changed.
    Refused(u16, &'static str),
    /// 202, and the backup becomes INCOMPLETE for a reason with this text.
    Incomplete(&'static str),
    /// 204, and the backup is gone.
    Gone,
    /// 202, and the backup passes its verification.
    Passed,
}

/// Runs cells against the engine in memory.
macro_rules! in_memory {
    ($($test:ident),+) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(super::Target::Memory).await
            })+
        }
    };
}

/// The same, and in wasmtime with a real engine.
macro_rules! in_memory_and_in_wasmtime {
    ($($test:ident),+) => {
        in_memory!($($test),+);
        in_host!(wasmtime: $($test),+);
    };
}

/// Makes a test of each fault at one step. Those that the engine decides run on the real ones, too.
macro_rules! step {
    ($step:ident: $fails:ident $tests:ident at $when:expr; $($fault:ident => $outcome:expr),+ $(,)?
        $(; the engine decides $($decided:ident),+)?) => {
        mod $step {
            use super::*;

            pub(super) const STEP: Step = Step {
                name: stringify!($step),
                cells: &[$((stringify!($fault), $outcome)),+],
                decided_by_engine: &[$($(stringify!($decided)),+)?],
            };

            $tests!($($fault),+);
            $(on_every_engine!($($decided),+);)?

            $(async fn $fault(target: impl Into<Target>) -> Result<()> {
                $fails(target.into(), $when, faults::$fault(), $outcome).await
            })+
        }
    };
}

/// A read that the answer to a POST waits for: a fault that lasts as long as the call is told, and nothing is
/// written.
macro_rules! read_before_the_answer {
    ($step:ident $tests:ident at $when:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step: create $tests at $when;
            reset => Complete, closed => Complete, refused => Complete, cut_short => Complete, delayed => Complete,
            dripping => Complete, too_many_requests => Complete, unavailable => Complete,
            unavailable_in_html => Complete,
            silent => Refused(502, "engineNotAnswering"), dripping_for_too_long => Refused(502, "engineNotAnswering"),
            unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
            internal_error => Refused(500, "engineRefused"), $($fault => $outcome),+
        );
    };
}

/// A read of the run: it is repeated until the fault is over.
macro_rules! read_of_the_run {
    ($step:ident $tests:ident at $when:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step: create $tests at $when;
            reset => Complete, closed => Complete, refused => Complete, cut_short => Complete, delayed => Complete,
            dripping => Complete, dripping_for_too_long => Complete, silent => Complete,
            too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
            fine_in_html => Complete, internal_error => Complete, $($fault => $outcome),+
        );
    };
}

/// The start of a snapshot: without a valid answer the host looks whether there is a snapshot.
macro_rules! write {
    ($step:ident $tests:ident at $when:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step: create $tests at $when;
            reset => Complete, reset_after_forwarding => Complete, closed => Complete, refused => Complete,
            cut_short => Complete, delayed => Complete, dripping => Complete, dripping_for_too_long => Complete,
            silent => Complete, silent_after_forwarding => Complete, too_many_requests => Complete,
            unavailable => Complete, unavailable_in_html => Complete, timeout_in_html_after_forwarding => Complete,
            fine_in_html => Complete, $($fault => $outcome),+;
            the engine decides reset_after_forwarding, silent_after_forwarding, timeout_in_html_after_forwarding,
                cut_short, dripping_for_too_long
        );
    };
}

read_before_the_answer!(validate in_memory at When::get("/_snapshot/").nth(1);
    fine_in_html => Refused(500, "engineAnswerInvalid"));
read_before_the_answer!(look_for_duplicates in_memory_and_in_wasmtime at When::get("camunda_optimize_1_").nth(1);
    fine_in_html => Refused(500, "engineAnswerInvalid"));
read_before_the_answer!(read_version in_memory at When::get("-metadata/_doc/1").nth(1);
    fine_in_html => Refused(500, "engineAnswerInvalid"));
// The submission of part 1 begins with it, and is tried again as a whole: its name makes that safe.
read_before_the_answer!(resolve_part_one in_memory at When::get("/_resolve/").nth(1);
    fine_in_html => Complete);
// What is counted is for a later verification: no fault there is a fault of the backup, and none is waited for.
read_of_the_run!(count_before_part_one in_memory at When::get("/_stats/docs").nth(1);
    unauthorized => Complete, forbidden => Complete);
write!(put_part_one in_memory_and_in_wasmtime at When::put("_part_1_of_2").nth(1);
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"));
read_of_the_run!(poll_part_one in_memory at When::get("camunda_optimize_1_").nth(2);
    unauthorized => Complete, forbidden => Complete);
read_of_the_run!(read_clock in_memory at When::get(CLOCK).nth(1);
    unauthorized => Complete, forbidden => Complete);
read_of_the_run!(resolve_part_two in_memory at When::get("/_resolve/").nth(2);
    unauthorized => Incomplete("401 security_exception"), forbidden => Incomplete("403 security_exception"));
read_of_the_run!(count_before_part_two in_memory at When::get("/_stats/docs").nth(2);
    unauthorized => Complete, forbidden => Complete);
write!(put_part_two in_memory at When::put("_part_2_of_2").nth(1);
    unauthorized => Incomplete("401 security_exception"), forbidden => Incomplete("403 security_exception"),
    internal_error => Complete);
read_of_the_run!(poll_part_two in_memory at When::get("camunda_optimize_1_").nth(3);
    unauthorized => Complete, forbidden => Complete);
step!(delete_backup: delete_complete in_memory_and_in_wasmtime at When::delete("camunda_optimize_1_").nth(1);
    reset => Gone, reset_after_forwarding => Gone, closed => Gone, refused => Gone, cut_short => Gone,
    delayed => Gone, dripping => Gone, dripping_for_too_long => Gone, silent => Gone,
    silent_after_forwarding => Gone, too_many_requests => Gone, unavailable => Gone, unavailable_in_html => Gone,
    timeout_in_html_after_forwarding => Gone, fine_in_html => Gone,
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused");
    the engine decides reset_after_forwarding, silent_after_forwarding, timeout_in_html_after_forwarding, cut_short,
        dripping_for_too_long
);

/// A host whose engine is behind a proxy, after it has looked for backups to resume.
pub(crate) async fn host_behind(fixture: &Fixture, proxy: &FaultProxy, budget: Duration) -> Result<Host> {
    host_with(fixture.options_through(proxy)?, proxy, budget).await
}

async fn host_with(options: HostOptions, proxy: &FaultProxy, budget: Duration) -> Result<Host> {
    let budget = format!("{}s", budget.as_secs());
    let options = options.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", &budget).not_recorded();
    let host = Host::start(options).await?;
    if !is_native() {
        return Ok(host);
    }
    let has_seen = |path: &str| proxy.requests().iter().any(|request| request.path.contains(path));
    poll_until("the first look", Duration::from_secs(20), async || {
        Ok((has_seen("/_snapshot/") && has_seen(CLOCK)).then_some(()))
    })
    .await?;
    Ok(host)
}

/// A POST with a fault at one of its requests, or at one of its run.
async fn create(target: Target, when: When, fault: Fault, expected: Outcome) -> Result<()> {
    let fixture = CellFixture::new(target).await?;
    let proxy = fixture.proxy().await?;
    let budget = target.budget(&fault);
    let host = host_with(fixture.options_through(&proxy)?, &proxy, budget).await?;
    proxy.add(when, fault);

    let reply = in_time(budget, host.create(1)).await?;

    if let Refused(status, code) = expected {
        assert_refused(&reply, status, code)?;
        assert!(fixture.snapshots().await?.is_empty());
        assert_eq!(proxy.faults(), 1);
        proxy.heal();
        assert_eq!(host.get("/actuator/backups/1").await?.status, 404, "the host does not serve any more");
        return Ok(());
    }
    assert_eq!(reply.status, 202, "{}", reply.text);
    // A GET by the API would count as one of the requests that the rule waits for.
    run_ended(&host).await?;
    assert_eq!(proxy.faults(), 1);
    proxy.heal();
    if let Incomplete(text) = expected {
        let backup = host.get("/actuator/backups/1").await?.json()?;
        assert_eq!(backup["state"], "INCOMPLETE", "{backup}");
        assert!(backup["failureReason"].as_str().is_some_and(|reason| reason.contains(text)), "{backup}");
        assert_eq!(fixture.snapshots().await?, [part(1, 1)]);
    } else {
        host.wait_for_state(1, "COMPLETE").await?;
        assert_eq!(fixture.snapshots().await?, [part(1, 1), part(1, 2)]);
    }
    Ok(())
}

/// A DELETE with a fault at the request that deletes.
async fn delete_complete(target: Target, when: When, fault: Fault, expected: Outcome) -> Result<()> {
    let fixture = CellFixture::new(target).await?;
    let proxy = fixture.proxy().await?;
    let budget = target.budget(&fault);
    let host = host_with(fixture.options_through(&proxy)?, &proxy, budget).await?;
    let created = host.create(1).await?;
    assert_eq!(created.status, 202, "{}", created.text);
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;
    proxy.add(when, fault);

    let reply = in_time(budget, host.delete("/actuator/backups/1")).await?;

    assert_eq!(proxy.faults(), 1);
    if let Refused(status, code) = expected {
        assert_refused(&reply, status, code)?;
        assert_eq!(fixture.snapshots().await?, [part(1, 1), part(1, 2)]);
        delete(&host, 1).await?;
    } else {
        assert_eq!(reply.status, 204, "{}", reply.text);
        deletion_settled(&host, 1).await?;
    }
    assert!(fixture.snapshots().await?.is_empty());
    Ok(())
}

/// Fails if the replies took longer than `budget`.
pub(crate) async fn in_time<T>(budget: Duration, replies: impl Future<Output = Result<T>>) -> Result<T> {
    let started = Instant::now();
    let replies = replies.await?;
    ensure!(started.elapsed() < budget + SLACK, "the answer took {:?}", started.elapsed());
    Ok(replies)
}

pub(crate) fn assert_refused(reply: &Reply, status: u16, code: &str) -> Result<()> {
    assert_eq!((reply.status, &reply.json()?["errorCode"]), (status, &code.into()), "{}", reply.text);
    Ok(())
}
