//! Every fault at every step of a backup.
//!
//! The table in `docs/faults.md` is this file: a module is a step, a test in it a fault. Whatever
//! happens, no snapshot is written twice, none is left without its backup, and no answer is late.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::{Host, Reply};
use backup_test_support::poll_until;

use self::Outcome::{Complete, Gone, Incomplete, Refused};
use crate::servers::is_native;
use crate::world::{World, delete, deletion_settled, part, run_ended};
use crate::{in_host, on_every_engine};

/// How long one call may take where the fault lasts longer: what it does to somebody who is not patient.
pub(crate) const BUDGET: Duration = Duration::from_secs(20);
/// How long one call may take otherwise, also on a busy machine.
const AMPLE_BUDGET: Duration = Duration::from_secs(60);
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
}

mod faults {
    use std::time::Duration;

    use super::Fault;

    pub(super) fn reset() -> Fault {
        Fault::reset()
    }
    pub(super) fn reset_after_forwarding() -> Fault {
        Fault::reset().after_forwarding()
    }
    pub(super) fn closed() -> Fault {
        Fault::close()
    }
    pub(super) fn refused() -> Fault {
        Fault::outage(Duration::from_secs(1))
    }
    pub(super) fn silent() -> Fault {
        Fault::silence()
    }
    pub(super) fn silent_after_forwarding() -> Fault {
        Fault::silence().after_forwarding()
    }
    pub(super) fn delayed() -> Fault {
        Fault::delay(Duration::from_millis(2500))
    }
    pub(super) fn dripping() -> Fault {
        Fault::drip(10, Duration::from_millis(250))
    }
    pub(super) fn dripping_for_too_long() -> Fault {
        Fault::drip(3, super::BUDGET + Duration::from_secs(1))
    }
    pub(super) fn cut_short() -> Fault {
        Fault::cut_after(5)
    }
    pub(super) fn too_many_requests() -> Fault {
        Fault::engine_error(429, "circuit_breaking_exception").header("retry-after", "1")
    }
    pub(super) fn unavailable() -> Fault {
        Fault::engine_error(503, "cluster_block_exception")
    }
    pub(super) fn unavailable_in_html() -> Fault {
        Fault::text(503, "text/html", "<html><body>Service Unavailable</body></html>")
    }
    pub(super) fn timeout_in_html_after_forwarding() -> Fault {
        Fault::text(504, "text/html", "<html><body>Gateway Timeout</body></html>").after_forwarding()
    }
    pub(super) fn fine_in_html() -> Fault {
        Fault::text(200, "text/html", "<html><body>Welcome</body></html>")
    }
    pub(super) fn unauthorized() -> Fault {
        Fault::engine_error(401, "security_exception")
    }
    pub(super) fn forbidden() -> Fault {
        Fault::engine_error(403, "security_exception")
    }
    pub(super) fn internal_error() -> Fault {
        Fault::engine_error(500, "illegal_state_exception")
    }
}

/// One line of the table in the documents.
struct Cell {
    fault: &'static str,
    outcome: &'static str,
}

/// Runs tests on every engine, and in wasmtime.
macro_rules! on_every_engine_and_in_wasmtime {
    ($($test:ident),+) => {
        on_every_engine!($($test),+);
        in_host!(wasmtime: $($test),+);
    };
}

/// Makes a test of each fault at one step.
macro_rules! step {
    ($step:ident: $fails:ident $tests:ident at $when:expr; $($fault:ident => $outcome:expr),+ $(,)?) => {
        mod $step {
            use super::*;

            pub(super) const CELLS: &[Cell] = &[
                $(Cell { fault: stringify!($fault), outcome: stringify!($outcome) },)+
            ];

            $tests!($($fault),+);

            $(async fn $fault(distribution: Distribution) -> Result<()> {
                $fails(distribution, $when, faults::$fault(), $outcome).await
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

/// A read of the run: whatever passes is waited for.
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

/// The start of a snapshot: without a sound answer it is looked at what there is.
macro_rules! write {
    ($step:ident $tests:ident at $when:expr; $($fault:ident => $outcome:expr),+) => {
        step!($step: create $tests at $when;
            reset => Complete, reset_after_forwarding => Complete, closed => Complete, refused => Complete,
            cut_short => Complete, delayed => Complete, dripping => Complete, dripping_for_too_long => Complete,
            silent => Complete, silent_after_forwarding => Complete, too_many_requests => Complete,
            unavailable => Complete, unavailable_in_html => Complete, timeout_in_html_after_forwarding => Complete,
            fine_in_html => Complete, $($fault => $outcome),+
        );
    };
}

read_before_the_answer!(validate on_every_engine at When::get("/_snapshot/").nth(1);
    fine_in_html => Refused(500, "engineAnswerInvalid"));
read_before_the_answer!(look_for_duplicates on_every_engine_and_in_wasmtime at When::get("camunda_optimize_1_").nth(1);
    fine_in_html => Refused(500, "engineAnswerInvalid"));
read_before_the_answer!(read_version on_every_engine at When::get("-metadata/_doc/1").nth(1);
    fine_in_html => Refused(500, "engineAnswerInvalid"));
// The submission of part 1 begins with it, and is tried again as a whole: its name makes that safe.
read_before_the_answer!(resolve_part_one on_every_engine at When::get("/_resolve/").nth(1);
    fine_in_html => Complete);
write!(put_part_one on_every_engine_and_in_wasmtime at When::put("_part_1_of_2").nth(1);
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"));
read_of_the_run!(poll_part_one on_every_engine at When::get("camunda_optimize_1_").nth(2);
    unauthorized => Complete, forbidden => Complete);
read_of_the_run!(resolve_part_two on_every_engine at When::get("/_resolve/").nth(2);
    unauthorized => Incomplete("401 security_exception"), forbidden => Incomplete("403 security_exception"));
write!(put_part_two on_every_engine at When::put("_part_2_of_2").nth(1);
    unauthorized => Incomplete("401 security_exception"), forbidden => Incomplete("403 security_exception"),
    internal_error => Complete);
read_of_the_run!(poll_part_two on_every_engine at When::get("camunda_optimize_1_").nth(3);
    unauthorized => Complete, forbidden => Complete);
step!(delete_backup: delete_complete on_every_engine_and_in_wasmtime at When::delete("camunda_optimize_1_").nth(1);
    reset => Gone, reset_after_forwarding => Gone, closed => Gone, refused => Gone, cut_short => Gone,
    delayed => Gone, dripping => Gone, dripping_for_too_long => Gone, silent => Gone,
    silent_after_forwarding => Gone, too_many_requests => Gone, unavailable => Gone, unavailable_in_html => Gone,
    timeout_in_html_after_forwarding => Gone, fine_in_html => Gone,
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"),
);

/// The table in the documents has exactly the tests that there are, with what they expect.
#[test]
fn the_table_in_the_docs_is_true() {
    let table = include_str!("../../docs/faults.md");
    let steps = [
        ("validate", validate::CELLS),
        ("look_for_duplicates", look_for_duplicates::CELLS),
        ("read_version", read_version::CELLS),
        ("resolve_part_one", resolve_part_one::CELLS),
        ("put_part_one", put_part_one::CELLS),
        ("poll_part_one", poll_part_one::CELLS),
        ("resolve_part_two", resolve_part_two::CELLS),
        ("put_part_two", put_part_two::CELLS),
        ("poll_part_two", poll_part_two::CELLS),
        ("delete_backup", delete_backup::CELLS),
    ];
    let expected: Vec<String> =
        steps.iter().flat_map(|(step, cells)| cells.iter().map(move |cell| cell.line(step))).collect();
    let found: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(found, expected, "docs/faults.md should have these lines:\n{}", expected.join("\n"));
}

impl Cell {
    fn line(&self, step: &str) -> String {
        format!("| `{step}::{}` | {} |", self.fault, describe(self.outcome))
    }
}

fn describe(outcome: &str) -> String {
    let details: Vec<&str> = outcome.split('"').collect();
    let digits: String = outcome.chars().filter(char::is_ascii_digit).take(3).collect();
    match (outcome, details.get(1)) {
        ("Complete", _) => "202, then COMPLETE".to_owned(),
        ("Gone", _) => "204, and it is gone".to_owned(),
        (other, Some(reason)) if other.starts_with("Incomplete") => format!("202, then INCOMPLETE: \"{reason}\""),
        (_, Some(code)) => format!("{digits} `{code}`, nothing is changed"),
        (other, None) => other.to_owned(),
    }
}

/// A host whose engine is behind a proxy, after it has looked for backups to go on with.
pub(crate) async fn host_behind(world: &World, proxy: &FaultProxy, budget: Duration) -> Result<Host> {
    let budget = format!("{}s", budget.as_secs());
    let options = world.options_through(proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", &budget).not_noted();
    let host = Host::start(options).await?;
    if !is_native() {
        return Ok(host);
    }
    poll_until("the first look", Duration::from_secs(20), async || Ok((!proxy.requests().is_empty()).then_some(())))
        .await?;
    Ok(host)
}

/// A POST with a fault at one of its requests, or at one of its run.
async fn create(distribution: Distribution, when: When, fault: Fault, expected: Outcome) -> Result<()> {
    let world = World::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&world.engine).await?;
    let budget = if fault.outlasts(BUDGET) { BUDGET } else { AMPLE_BUDGET };
    let host = host_behind(&world, &proxy, budget).await?;
    proxy.add(when, fault);

    let reply = in_time(budget, host.create(1)).await?;

    if let Refused(status, code) = expected {
        assert_refused(&reply, status, code)?;
        assert!(world.repository.snapshots().await?.is_empty());
        assert_eq!(proxy.faults(), 1);
        proxy.heal();
        assert_eq!(host.get("/actuator/backups/1").await?.status, 404, "the host does not serve any more");
        return Ok(());
    }
    assert_eq!(reply.status, 202, "{}", reply.text);
    // Looking by the API would use up the turns of the rules.
    run_ended(&host).await?;
    assert_eq!(proxy.faults(), 1);
    proxy.heal();
    if let Incomplete(text) = expected {
        let backup = host.get("/actuator/backups/1").await?.json()?;
        assert_eq!(backup["state"], "INCOMPLETE", "{backup}");
        assert!(backup["failureReason"].as_str().is_some_and(|reason| reason.contains(text)), "{backup}");
        assert_eq!(world.repository.snapshots().await?, [part(1, 1)]);
    } else {
        host.wait_for_state(1, "COMPLETE").await?;
        assert_eq!(world.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    }
    Ok(())
}

/// A DELETE with a fault at the request that deletes.
async fn delete_complete(distribution: Distribution, when: When, fault: Fault, expected: Outcome) -> Result<()> {
    let world = World::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&world.engine).await?;
    let budget = if fault.outlasts(BUDGET) { BUDGET } else { AMPLE_BUDGET };
    let host = host_behind(&world, &proxy, budget).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;
    proxy.add(when, fault);

    let reply = in_time(budget, host.delete("/actuator/backups/1")).await?;

    assert_eq!(proxy.faults(), 1);
    if let Refused(status, code) = expected {
        assert_refused(&reply, status, code)?;
        assert_eq!(world.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
        delete(&host, 1).await?;
    } else {
        assert_eq!(reply.status, 204, "{}", reply.text);
        deletion_settled(&host, 1).await?;
    }
    assert!(world.repository.snapshots().await?.is_empty());
    Ok(())
}

/// Of one request or of several.
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
