//! `/actuator/prometheus`: every metric that the documents name, with the value that it has after what it counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use backup_test_hosts::policies::embedded_as;
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::poll_until;

use crate::fixture::{DELETION_TIMEOUT, Fixture, delete, indices, part};
use crate::on_elasticsearch;

on_elasticsearch!(every_metric_is_counted_and_documented, a_backup_that_cannot_be_restored_is_no_success,);

/// What the names of the server's own metrics begin with.
const PREFIX: &str = "optimize_backup_";
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a host exports, in the text format of Prometheus: no label value here has quotes, commas or spaces. Prometheus' own parser reads
/// it in the column `deploy`.
pub(crate) struct Exposition {
    /// Names without the prefix of the server's own, each with its kind.
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

type Labels = BTreeMap<String, String>;

impl Exposition {
    pub(crate) async fn of(host: &Host) -> Result<Self> {
        let reply = host.get("/actuator/prometheus").await?;
        ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
        Self::parse(&reply.text).with_context(|| reply.text.clone())
    }

    fn parse(text: &str) -> Result<Self> {
        let (mut kinds, mut samples) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines().filter(|line| !line.starts_with("# HELP ")) {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').context("no kind")?;
                kinds.insert(own(name), kind.to_owned());
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').context("no value")?;
            let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            samples.insert((own(name), parse_labels(labels)?), value.parse()?);
        }
        Ok(Self { kinds, samples })
    }

    /// The sample of a metric with exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|&(label, value)| (label.to_owned(), value.to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// The sum over all labels but this one.
    fn sum(&self, name: &str, label: (&str, &str)) -> f64 {
        let samples = self.samples.iter().filter(|((found, _), _)| found == name);
        let samples = samples.filter(|((_, labels), _)| labels.get(label.0).is_some_and(|value| value == label.1));
        samples.map(|(_, value)| value).sum()
    }

    /// Every metric as the documents write it, without the prefix: `runs_ended_total{state}`.
    fn metrics(&self) -> BTreeSet<String> {
        self.kinds.iter().map(|(name, kind)| self.written(name, kind)).collect()
    }

    fn written(&self, name: &str, kind: &str) -> String {
        let sample = if kind == "histogram" { format!("{name}_count") } else { name.to_owned() };
        let labels = self.samples.keys().find(|(found, _)| *found == sample).map(|(_, labels)| labels);
        let labels: Vec<&str> = labels.into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect();
        if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
    }
}

fn own(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).to_owned()
}

fn parse_labels(text: &str) -> Result<Labels> {
    let labels = text.strip_suffix('}').context("an open brace")?.split(',').filter(|label| !label.is_empty());
    labels
        .map(|label| {
            let (name, value) = label.split_once('=').context("no value of a label")?;
            Ok((name.to_owned(), value.trim_matches('"').to_owned()))
        })
        .collect()
}

/// The first column of the reference's tables, but for the alerts'.
fn listed() -> BTreeSet<String> {
    let rows = include_str!("../../docs/reference/metrics.md").lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| own(row.split('`').next().unwrap_or_default())).filter(|row| !row.starts_with("Optimize")).collect()
}

/// Every metric that any document names in full.
fn named_in_full() -> Result<BTreeSet<String>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut text = std::fs::read_to_string(format!("{root}/README.md"))?;
    for document in std::fs::read_dir(format!("{root}/docs"))? {
        let path = document?.path();
        if path.is_file() {
            text += &std::fs::read_to_string(path)?;
        }
    }
    let is_part_of_name = |letter: char| letter.is_ascii_lowercase() || matches!(letter, '_' | '{' | '}' | ',');
    // The setting of an index that is being restored has this prefix, too.
    let rests = text.match_indices(PREFIX).filter(|&(at, _)| !text[..at].ends_with('.'));
    let rests = rests.map(|(at, _)| &text[at + PREFIX.len()..]);
    let names = rests.filter_map(|rest| rest.split(|letter| !is_part_of_name(letter)).next());
    Ok(names.map(|name| name.trim_end_matches(',').to_owned()).filter(|name| !name.is_empty()).collect())
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The metrics once one of them has a value.
pub(crate) async fn once(host: &Host, name: &str, labels: &[(&str, &str)], value: f64) -> Result<Exposition> {
    let mut last = None;
    let reached = poll_until(name, TIMEOUT, async || {
        let metrics = Exposition::of(host).await?;
        last = metrics.value(name, labels);
        Ok((last == Some(value)).then_some(metrics))
    });
    reached.await.with_context(|| format!("{name} {labels:?} is {last:?}, not {value}"))
}

async fn every_metric_is_counted_and_documented(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?.token("open-sesame-open-sesame")).await?;
    let before = Exposition::of(&host).await?;
    for name in ["last_success_timestamp_seconds", "runs_active", "run_retries_total", "deletions_pending"] {
        assert_eq!(before.value(name, &[]), Some(0.0), "{name}");
    }
    assert_eq!(before.value("policy_generation", &[]), Some(1.0));
    let create = [("kind", "create"), ("outcome", "ok")];
    assert_eq!(before.value("elasticsearch_request_seconds_count", &create), Some(0.0));

    runs_are_counted(&host, &proxy).await?;
    the_repository_is_told(&fixture, &host).await?;
    requests_are_counted(&host).await?;
    deletions_are_counted(&host, &proxy).await?;
    policies_are_counted(&host).await?;

    let metrics = Exposition::of(&host).await?.metrics();
    assert_eq!(metrics, listed());
    let named = named_in_full()?;
    assert!(named.is_subset(&metrics), "unknown: {:?}", named.difference(&metrics));
    Ok(())
}

/// One backup whose second part is refused once.
async fn runs_are_counted(host: &Host, proxy: &FaultProxy) -> Result<()> {
    let since = now();
    let refusal = Fault::engine_error(500, "snapshot_exception").after(Duration::from_secs(3));
    proxy.add(When::put(&part(1, 2)).nth(1), refusal);
    assert_eq!(host.create(1).await?.status, 202);
    poll_until("part 2", TIMEOUT, async || Ok((proxy.faults() == 1).then_some(()))).await?;
    let metrics = Exposition::of(host).await?;
    assert_eq!(metrics.value("runs_active", &[]), Some(1.0));
    assert_eq!(metrics.value("last_success_timestamp_seconds", &[]), Some(0.0));

    let metrics = once(host, "runs_active", &[], 0.0).await?;
    assert_eq!(metrics.value("runs_ended_total", &[("state", "complete")]), Some(1.0));
    assert_eq!(metrics.value("run_retries_total", &[]), Some(1.0));
    assert!(metrics.value("run_seconds_sum", &[("state", "complete")]).is_some_and(|took| took > 3.0));
    // It is read as soon as it has ended.
    poll_until("the last success", Duration::from_secs(5), async || {
        let success = Exposition::of(host).await?.value("last_success_timestamp_seconds", &[]).unwrap_or_default();
        Ok((since..=now()).contains(&success).then_some(()))
    })
    .await?;
    host.wait_for_state(1, "COMPLETE").await
}

/// A host that starts tells the same as the one that made the backup, and it is what the engine tells.
async fn the_repository_is_told(fixture: &Fixture, host: &Host) -> Result<()> {
    let neighbour = fixture.host().await?;
    let last = |name: &str| format!("last_success_{name}");
    once(&neighbour, "backups", &[("state", "complete")], 1.0).await?;
    let told = Exposition::of(host).await?;
    for name in ["timestamp_seconds", "duration_seconds", "bytes", "indices"].map(last) {
        let value = told.value(&name, &[]).filter(|&value| value > 0.0).context(name.clone())?;
        once(&neighbour, &name, &[], value).await?;
    }
    let parts = [fixture.snapshot(&part(1, 1)).await?, fixture.snapshot(&part(1, 2)).await?];
    let count: usize = parts.iter().map(|part| indices(part).len()).sum();
    assert_eq!(told.value(&last("indices"), &[]), Some(count as f64));
    let [began, ended] = [&parts[0]["start_time_in_millis"], &parts[1]["end_time_in_millis"]].map(|time| time.as_f64());
    let took = (ended.context("an end")? - began.context("a start")?) / 1000.0;
    assert!(told.value(&last("duration_seconds"), &[]).is_some_and(|told| (told - took).abs() < 0.001));
    assert!(told.value(&last("bytes"), &[]).is_some_and(|bytes| bytes > 1000.0 * count as f64));
    Ok(())
}

/// Of callers, and to the engine.
async fn requests_are_counted(host: &Host) -> Result<()> {
    assert_eq!(host.create(1).await?.status, 409);
    assert_eq!(
        host.request("POST", "/actuator/backups", &[("content-type", "application/json")], "{}").await?.status,
        400
    );
    assert_eq!(host.get("/nothing/here").await?.status, 404);
    assert_eq!(host.get("/actuator/backups/1/progress").await?.status, 200);
    host.get("/actuator/health/readiness").await?;
    let metrics = Exposition::of(host).await?;
    for (outcome, count) in [("accepted", 1.0), ("conflict", 1.0), ("invalid_request", 1.0), ("engine_failure", 0.0)] {
        assert_eq!(metrics.value("create_requests_total", &[("outcome", outcome)]), Some(count), "{outcome}");
    }
    for (method, uri, status) in [
        ("POST", "/actuator/backups", "202"),
        ("POST", "/actuator/backups", "409"),
        ("GET", "UNKNOWN", "404"),
        ("GET", "/actuator/health/readiness", "200"),
    ] {
        let labels = [("method", method), ("uri", uri), ("status", status)];
        let count = metrics.value("http_server_requests_seconds_count", &labels);
        assert!(count.is_some_and(|count| count >= 1.0), "{labels:?}: {count:?}");
    }
    for (kind, outcome, at_least) in
        [("create", "ok", 2.0), ("create", "5xx", 1.0), ("list", "ok", 2.0), ("list", "4xx", 0.0), ("nodes", "ok", 1.0)]
    {
        let labels = [("kind", kind), ("outcome", outcome)];
        let count = metrics.value("elasticsearch_request_seconds_count", &labels);
        assert!(count.is_some_and(|count| count >= at_least), "{labels:?}: {count:?}");
    }
    assert_eq!(metrics.value("elasticsearch_up", &[]), Some(1.0));
    assert_eq!(metrics.value("repository_up", &[]), Some(1.0));
    assert_eq!(metrics.value("consecutive_failures", &[]), Some(0.0));
    let started = metrics.value("process_start_time_seconds", &[]).context("the start of the process")?;
    assert!((now() - 600.0..=now() + 1.0).contains(&started), "{started}");
    assert!(metrics.value("process_resident_memory_bytes", &[]).is_some_and(|bytes| bytes > 1e7));
    Ok(())
}

/// One that is done, and one that the engine refuses after the 204.
async fn deletions_are_counted(host: &Host, proxy: &FaultProxy) -> Result<()> {
    delete(host, 1).await?;
    let metrics = Exposition::of(host).await?;
    assert_eq!(metrics.value("deletions_ended_total", &[("outcome", "ok")]), Some(1.0));
    assert_eq!(metrics.value("deletions_ended_total", &[("outcome", "failed")]), Some(0.0));

    host.create(2).await?;
    host.wait_for_state(2, "COMPLETE").await?;
    let late = Fault::engine_error(500, "snapshot_exception").after(Duration::from_secs(4));
    proxy.add(When::delete(&part(2, 1)).nth(1), late);
    assert_eq!(host.delete("/actuator/backups/2").await?.status, 204);
    assert_eq!(Exposition::of(host).await?.value("deletions_pending", &[]), Some(1.0));
    let metrics = once(host, "deletions_pending", &[], 0.0).await?;
    assert_eq!(metrics.value("deletions_ended_total", &[("outcome", "failed")]), Some(1.0));
    assert_eq!(metrics.value("deletions_ended_total", &[("outcome", "ok")]), Some(1.0));
    poll_until("the second attempt", DELETION_TIMEOUT, async || {
        Ok((host.get("/actuator/backups/2").await?.status == 404).then_some(()))
    })
    .await
}

/// Calls, and a candidate that is tried beside the serving policy and then serves.
async fn policies_are_counted(host: &Host) -> Result<()> {
    for path in ["/actuator/policy/shadow?for=1h", "/actuator/policy"] {
        let reply = host.request("PUT", path, &[], embedded_as("8.0.0")).await?;
        assert_eq!(reply.status, 200, "{}", reply.text);
        if path.contains("shadow") {
            assert_eq!(host.get("/actuator/backups").await?.status, 200);
            let metrics = once(host, "policy_shadow_calls_total", &[("outcome", "same")], 1.0).await?;
            assert_eq!(metrics.value("policy_generation", &[]), Some(1.0));
        }
    }
    let metrics = Exposition::of(host).await?;
    assert_eq!(metrics.value("policy_generation", &[]), Some(2.0));
    let create = ("operation", "create");
    assert_eq!(metrics.value("policy_calls_total", &[create, ("outcome", "ok")]), Some(2.0));
    for operation in ["create", "advance", "get", "progress", "list", "delete"] {
        let label = ("operation", operation);
        let calls = metrics.value("policy_call_seconds_count", &[label]).context(operation)?;
        assert!(calls > 0.0 && calls == metrics.sum("policy_calls_total", label), "{operation}: {calls}");
        let seconds = metrics.value("policy_call_seconds_sum", &[label]).context(operation)?;
        assert!(seconds > 0.0, "{operation}: {seconds}");
    }
    // The answer to one request for part 2 was held back.
    assert!(metrics.value("policy_call_seconds_sum", &[("operation", "advance")]).is_some_and(|sum| sum > 3.0));
    Ok(())
}

/// It is too late for part 2.
async fn a_backup_that_cannot_be_restored_is_no_success(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = Host::start(fixture.options().env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "1ms")).await?;
    host.create(1).await?;
    let metrics = once(&host, "runs_ended_total", &[("state", "incomplete")], 1.0).await?;
    assert_eq!(metrics.value("last_success_timestamp_seconds", &[]), Some(0.0));
    assert_eq!(metrics.value("runs_ended_total", &[("state", "complete")]), Some(0.0));
    Ok(())
}
