//! Sends the native host what a scenario has sent another one: both have to answer the same.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::host::{Host, Reply, Serve};
use backup_test_support::journal::{Entry, Journal, SentRequest};
use backup_test_support::poll_until;
use serde_json::Value;

/// Longer than the longest backup of a scenario takes.
const END_TIMEOUT: Duration = Duration::from_secs(600);
/// Several times as long as a host waits for the engine to refuse a deletion.
const SAME_ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What only the native host has, by path.
const NATIVE_PATHS: [&str; 3] = ["/actuator/openapi.json", "/actuator/policy", "/actuator/prometheus"];
/// The same in the links and the health, by JSON pointer to what holds them.
const NATIVE_MEMBERS: [(&str, &[&str]); 4] = [
    (
        "/_links",
        &[
            "backups-backupId-restore",
            "backups-backupId-verify",
            "loggers",
            "loggers-name",
            "openapi",
            "policy",
            "policy-rollback",
            "policy-shadow",
            "prometheus",
            "retention",
            "schedule",
        ],
    ),
    ("/components", &["clock", "deletions", "policy", "runs"]),
    ("/components/engine/details", &["version"]),
    ("/components/repository/details", &["verification"]),
];

/// Repeats the requests that change nothing, on what the scenario has left in the engine.
///
/// # Errors
/// The answers differ, or there is nothing to compare.
pub(super) async fn compare(serve: Serve, journal: &Journal) -> Result<()> {
    let mut compared = 0;
    for entry in journal.entries() {
        let requests: Vec<&SentRequest> = entry
            .requests
            .iter()
            .filter(|(request, status)| can_be_repeated(&entry, request, *status))
            .map(|(request, _)| request)
            .collect();
        if requests.is_empty() {
            continue;
        }
        let other = serve(entry.subject.environment.clone()).await?;
        all_runs_ended(&other).await?;
        let native = start_native(&entry).await?;
        for request in requests {
            compare_answers(&other, &native, request).await?;
            compared += 1;
        }
    }
    ensure!(compared > 0 || journal.leaves_out(), "there was no request that can be repeated");
    Ok(())
}

/// A busy engine may refuse a deletion too late for one of them: a difference is one that stays.
async fn compare_answers(other: &Host, native: &Host, request: &SentRequest) -> Result<()> {
    let mut last = None;
    let same = poll_until("the same answer", SAME_ANSWER_TIMEOUT, async || {
        let (found, expected) = (repeat(other, request).await?, repeat(native, request).await?);
        let is_same = found == expected;
        last = Some((found, expected));
        Ok(is_same.then_some(()))
    });
    same.await.with_context(|| format!("{request:?}: found, expected: {last:#?}"))
}

/// Whether it changes nothing here: a read, or what is refused for a reason that is still there.
fn can_be_repeated(entry: &Entry, request: &SentRequest, status: u16) -> bool {
    let is_read = ["GET", "HEAD"].contains(&request.method.as_str());
    // An error behind a proxy was made by the proxy.
    let is_refused = (400..500).contains(&status) || (status >= 500 && !entry.subject.behind_proxy);
    (is_read || is_refused) && !NATIVE_PATHS.iter().any(|path| request.path.starts_with(path))
}

/// Waits until no backup is being made: the native host would resume it by itself.
async fn all_runs_ended(host: &Host) -> Result<()> {
    poll_until("the last backup's end", END_TIMEOUT, async || {
        let list = host.get("/actuator/backups").await?;
        Ok((!list.text.contains(r#""IN_PROGRESS""#)).then_some(()))
    })
    .await
}

async fn start_native(entry: &Entry) -> Result<Host> {
    let environment = entry.subject.environment.iter();
    Host::start(environment.fold(super::native_options(), |options, (name, value)| options.env(name, value))).await
}

async fn repeat(host: &Host, request: &SentRequest) -> Result<Seen> {
    // Links tell the authority that was asked.
    let mut headers = vec![("host", "optimize-backup.test")];
    headers.extend(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Ok(Seen::new(&host.request(&request.method, &request.path, &headers, request.body.clone()).await?))
}

/// What a caller sees of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    body: String,
    content_type: Option<String>,
    link: Option<String>,
    allowed: Vec<String>,
}

impl Seen {
    fn new(reply: &Reply) -> Self {
        let mut allowed: Vec<String> = reply
            .header("allow")
            .into_iter()
            .flat_map(|verbs| verbs.split(','))
            .map(|verb| verb.trim().to_owned())
            .collect();
        allowed.sort_unstable();
        let content_type = reply.header("content-type").map(str::to_owned);
        let link = reply.header("link").map(str::to_owned);
        Self { status: reply.status, body: without_what_is_native(&reply.text), content_type, link, allowed }
    }
}

/// Bodies stay as they are, byte for byte, unless they hold what may be left out.
fn without_what_is_native(body: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let mut has_any = false;
    for (pointer, names) in NATIVE_MEMBERS {
        if let Some(members) = json.pointer_mut(pointer).and_then(Value::as_object_mut) {
            members.retain(|name, _| !names.contains(&name.as_str()));
            has_any = true;
        }
    }
    if has_any { json.to_string() } else { body.to_owned() }
}
