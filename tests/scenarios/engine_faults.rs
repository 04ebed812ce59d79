//! Faults of the engine and of the network, at every step of a backup.
//!
//! The table in `docs/faults.md` is this file: a module is a step, a test in it a fault. Whatever
//! happens, no snapshot is written twice, none is left without its backup, and no answer is late.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::{Host, Reply};
use backup_test_support::poll_until;

use self::Outcome::{Complete, Incomplete, Refused};
use crate::world::{World, delete, part, run_ended};

/// How long one call may take in these tests.
const BUDGET: Duration = Duration::from_secs(10);
/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(10);

/// What a fault leads to.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// 202, and the backup becomes COMPLETE.
    Complete,
    /// This status and code, and nothing is written.
    Refused(u16, &'static str),
    /// 202, and the backup becomes INCOMPLETE for a reason with this text.
    Incomplete(&'static str),
}

mod faults {
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
    pub(super) fn silent() -> Fault {
        Fault::silence()
    }
    pub(super) fn silent_after_forwarding() -> Fault {
        Fault::silence().after_forwarding()
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

/// Makes a test of each fault at one step of making a backup.
macro_rules! create_with {
    ($step:ident at $when:expr; $($fault:ident => $outcome:expr),+ $(,)?) => {
        mod $step {
            use super::*;

            pub(super) const CELLS: &[(&str, &str)] = &[$((stringify!($fault), stringify!($outcome))),+];

            $(#[tokio::test]
            async fn $fault() -> Result<()> {
                create_with_fault($when, faults::$fault(), $outcome).await
            })+
        }
    };
}

// The first read of a POST and the last before it writes; those in between are alike.
create_with!(validate at When::get("/_snapshot/").nth(1);
    reset => Complete, closed => Complete, cut_short => Complete,
    silent => Refused(502, "engineNotAnswering"),
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Refused(500, "engineAnswerInvalid"),
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"),
);
create_with!(look_for_duplicates at When::get("camunda_optimize_1_").nth(1);
    reset => Complete, closed => Complete, cut_short => Complete,
    silent => Refused(502, "engineNotAnswering"),
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Refused(500, "engineAnswerInvalid"),
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"),
);
create_with!(resolve_part_one at When::get("/_resolve/").nth(1);
    reset => Complete, closed => Complete, cut_short => Complete,
    silent => Refused(502, "engineNotAnswering"),
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Complete,
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"),
);
create_with!(put_part_one at When::put("_part_1_of_2").nth(1);
    reset => Complete, reset_after_forwarding => Complete, closed => Complete, cut_short => Complete,
    silent => Complete, silent_after_forwarding => Complete,
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Complete,
    unauthorized => Refused(500, "engineAccessDenied"), forbidden => Refused(500, "engineAccessDenied"),
    internal_error => Refused(500, "engineRefused"),
);
create_with!(poll_part_one at When::get("camunda_optimize_1_").nth(2);
    reset => Complete, closed => Complete, silent => Complete, cut_short => Complete,
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Complete, unauthorized => Complete, forbidden => Complete, internal_error => Complete,
);
create_with!(resolve_part_two at When::get("/_resolve/").nth(2);
    reset => Complete, closed => Complete, silent => Complete, cut_short => Complete,
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Complete, internal_error => Complete,
    unauthorized => Incomplete("401 security_exception"), forbidden => Incomplete("403 security_exception"),
);
create_with!(put_part_two at When::put("_part_2_of_2").nth(1);
    reset => Complete, reset_after_forwarding => Complete, closed => Complete, cut_short => Complete,
    silent => Complete, silent_after_forwarding => Complete,
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Complete, internal_error => Complete,
    unauthorized => Incomplete("401 security_exception"), forbidden => Incomplete("403 security_exception"),
);
create_with!(poll_part_two at When::get("camunda_optimize_1_").nth(3);
    reset => Complete, closed => Complete, silent => Complete, cut_short => Complete,
    too_many_requests => Complete, unavailable => Complete, unavailable_in_html => Complete,
    fine_in_html => Complete, unauthorized => Complete, forbidden => Complete, internal_error => Complete,
);

/// The table in the documents has exactly the tests that there are, with what they expect.
#[test]
fn the_table_in_the_docs_is_true() {
    let table = include_str!("../../docs/faults.md");
    let cell = |test: String, outcome: &str| format!("| `{test}` | {} |", describe(outcome));
    let steps = [
        ("validate", validate::CELLS),
        ("look_for_duplicates", look_for_duplicates::CELLS),
        ("resolve_part_one", resolve_part_one::CELLS),
        ("put_part_one", put_part_one::CELLS),
        ("poll_part_one", poll_part_one::CELLS),
        ("resolve_part_two", resolve_part_two::CELLS),
        ("put_part_two", put_part_two::CELLS),
        ("poll_part_two", poll_part_two::CELLS),
        ("delete_backup", delete_backup::CELLS),
    ];
    let expected: Vec<String> = steps
        .iter()
        .flat_map(|(step, cells)| cells.iter().map(move |(fault, outcome)| cell(format!("{step}::{fault}"), outcome)))
        .collect();
    let found: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(found, expected, "docs/faults.md should have these lines:\n{}", expected.join("\n"));
}

fn describe(outcome: &str) -> String {
    let details: Vec<&str> = outcome.split('"').collect();
    let digits: String = outcome.chars().filter(char::is_ascii_digit).take(3).collect();
    match (outcome, details.get(1)) {
        ("Complete", _) => "202, then COMPLETE".to_owned(),
        ("None", _) => "204, and it is gone".to_owned(),
        (other, Some(reason)) if other.starts_with("Incomplete") => format!("202, then INCOMPLETE: \"{reason}\""),
        (_, Some(code)) => format!("{digits} `{code}`, nothing is changed"),
        (other, None) => other.to_owned(),
    }
}

/// A host whose engine is behind a proxy, after it has looked for backups to go on with.
async fn host_behind(world: &World, proxy: &FaultProxy) -> Result<Host> {
    let budget = format!("{}s", BUDGET.as_secs());
    let host = Host::start(world.options_through(proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", &budget)).await?;
    poll_until("the first look", Duration::from_secs(20), async || Ok((!proxy.requests().is_empty()).then_some(())))
        .await?;
    Ok(host)
}

async fn create_with_fault(when: When, fault: Fault, expected: Outcome) -> Result<()> {
    let world = World::new(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&world.engine).await?;
    let host = host_behind(&world, &proxy).await?;
    proxy.add(when, fault);

    let started = Instant::now();
    let reply = host.create(1).await?;
    ensure!(started.elapsed() < BUDGET + SLACK, "the answer took {:?}", started.elapsed());

    match expected {
        Refused(status, code) => {
            assert_refused(&reply, status, code)?;
            assert!(world.repository.snapshots().await?.is_empty());
            proxy.heal();
            assert_eq!(host.get("/actuator/backups/1").await?.status, 404, "the host does not serve any more");
            return Ok(());
        }
        Complete | Incomplete(_) => {
            assert_eq!(reply.status, 202, "{}", reply.text);
            // Looking by the API would use up the turns of the rules.
            run_ended(&host).await?;
        }
    }
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

fn assert_refused(reply: &Reply, status: u16, code: &str) -> Result<()> {
    assert_eq!((reply.status, &reply.json()?["errorCode"]), (status, &code.into()), "{}", reply.text);
    Ok(())
}

/// What a fault of the one request that deletes leads to.
macro_rules! delete_with {
    ($($fault:ident => $outcome:expr),+ $(,)?) => {
        mod delete_backup {
            use super::*;

            pub(super) const CELLS: &[(&str, &str)] = &[$((stringify!($fault), stringify!($outcome))),+];

            $(#[tokio::test]
            async fn $fault() -> Result<()> {
                delete_with_fault(faults::$fault(), $outcome).await
            })+
        }
    };
}

// `None`: 204, and the backup is gone.
delete_with!(
    reset => None, reset_after_forwarding => None, closed => None, cut_short => None,
    silent_after_forwarding => None,
    too_many_requests => None, unavailable => None, unavailable_in_html => None,
    unauthorized => Some((500, "engineAccessDenied")), forbidden => Some((500, "engineAccessDenied")),
    internal_error => Some((500, "engineRefused")),
);

async fn delete_with_fault(fault: Fault, refused: Option<(u16, &str)>) -> Result<()> {
    let world = World::new(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&world.engine).await?;
    let host = host_behind(&world, &proxy).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;
    proxy.add(When::delete("camunda_optimize_1_").nth(1), fault);

    let started = Instant::now();
    let reply = host.delete("/actuator/backups/1").await?;
    ensure!(started.elapsed() < BUDGET + SLACK, "the answer took {:?}", started.elapsed());

    if let Some((status, code)) = refused {
        assert_refused(&reply, status, code)?;
        assert_eq!(world.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
        delete(&host, 1).await?;
    } else {
        assert_eq!(reply.status, 204, "{}", reply.text);
    }
    poll_until("an empty repository", Duration::from_secs(20), async || {
        Ok(world.repository.snapshots().await?.is_empty().then_some(()))
    })
    .await
}

#[tokio::test]
async fn an_engine_that_is_down_is_told() -> Result<()> {
    let world = World::new(Distribution::ELASTICSEARCH).await?;
    let mut proxy = FaultProxy::in_front_of(&world.engine).await?;
    let host = host_behind(&world, &proxy).await?;
    proxy.go_down().await;

    for reply in [
        host.create(1).await?,
        host.get("/actuator/backups/1").await?,
        host.get("/actuator/backups").await?,
        host.delete("/actuator/backups/1").await?,
    ] {
        assert_refused(&reply, 502, "engineUnreachable")?;
        let port = proxy.url()?.port().map(|port| port.to_string()).unwrap_or_default();
        assert!(reply.json()?["errorMessage"].as_str().is_some_and(|text| text.contains(&port)), "{}", reply.text);
    }
    assert_eq!(host.get("/actuator/health/readiness").await?.status, 503);
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);

    proxy.come_back().await?;
    assert_eq!(host.get("/actuator/health/readiness").await?.status, 200);
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await
}

/// The reason of a run that ended in vain is told for as long as the host remembers it.
#[tokio::test]
async fn part_two_that_is_refused_until_it_is_too_late_is_told() -> Result<()> {
    let world = World::new(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&world.engine).await?;
    let options = world.options_through(&proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "3s");
    let host = Host::start(options).await?;
    proxy.add(When::put("_part_2_of_2"), Fault::engine_error(500, "snapshot_exception"));

    host.create(1).await?;
    host.wait_for_state(1, "INCOMPLETE").await?;

    let reason = host.get("/actuator/backups/1").await?.json()?["failureReason"].to_string();
    assert!(reason.contains("part 2 of 2 is missing") && reason.contains("500 snapshot_exception"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn a_caller_who_hangs_up_stops_nothing() -> Result<()> {
    let world = World::new(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&world.engine).await?;
    let host = host_behind(&world, &proxy).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;
    proxy.add(When::get("camunda_optimize_1_").nth(1), Fault::delay(Duration::from_secs(2)));

    let impatient = Duration::from_millis(300);
    tokio::time::timeout(impatient, host.delete("/actuator/backups/1")).await.unwrap_err();
    delete(&host, 1).await?;
    assert!(world.repository.snapshots().await?.is_empty());

    proxy.heal();
    proxy.add(When::put("_part_1_of_2").nth(1), Fault::delay(Duration::from_secs(2)));
    tokio::time::timeout(impatient, host.create(2)).await.unwrap_err();
    host.wait_for_state(2, "COMPLETE").await
}

#[tokio::test]
async fn a_silent_engine_does_not_keep_the_host_from_ending() -> Result<()> {
    let world = World::new(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&world.engine).await?;
    let host = Host::start(world.options_through(&proxy)?).await?;
    proxy.add(When::put("_part_2_of_2"), Fault::silence());
    host.create(1).await?;
    poll_until("part 2", Duration::from_secs(20), async || {
        Ok(proxy.writes().iter().any(|write| write.path.contains("_part_2_of_2")).then_some(()))
    })
    .await?;

    let started = Instant::now();
    assert_eq!(host.terminate().await?.code(), Some(0));
    ensure!(started.elapsed() < Duration::from_secs(28), "Kubernetes kills after 30 s: {:?}", started.elapsed());

    let host = world.host().await?;
    host.wait_for_state(1, "COMPLETE").await
}
