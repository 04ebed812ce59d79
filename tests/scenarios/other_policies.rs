//! docs/policies.md, followed command by command: from an empty folder to a policy that serves.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::fixture::{Fixture, delete, part};

const GUIDE: &str = include_str!("../../docs/policies.md");
/// The section of the guide for all languages.
const LAST_STEPS: &str = "Try it, sign it, bring it in";
/// Folders that stay from one run to the next.
const CACHES: [&str; 2] = ["node_modules", "target"];

/// A policy that was made by following the guide.
struct Guided {
    folder: PathBuf,
}

impl Guided {
    /// Follows one section, and the last steps.
    async fn follow(section: &str, folder: &str) -> Result<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder)?;
        clear(&folder)?;
        let script = [commands(section)?, commands(LAST_STEPS)?].concat();
        let output = run(Command::new("sh").args(["-euxc", &script]), &folder).await?;
        let told = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{section}: {told}{}", String::from_utf8_lossy(&output.stderr));
        ensure!(told.contains("passed   self-test"), "{told}");
        Ok(Self { folder })
    }

    /// A host with this policy, which trusts only the guide's key.
    async fn host(&self, fixture: &Fixture) -> Result<Host> {
        let options = fixture
            .options()
            .token("open-sesame-open-sesame")
            .env("CAMUNDA_OPTIMIZE_BACKUP_RETENTION_MAX_COUNT", "1")
            .env("CAMUNDA_OPTIMIZE_POLICY_PATH", &self.folder.join("policy.wasm").to_string_lossy())
            .env("CAMUNDA_OPTIMIZE_POLICY_KEYS", &self.folder.join("release.pub").to_string_lossy());
        Host::start(options).await
    }
}

/// The commands in a section of the guide.
fn commands(section: &str) -> Result<String> {
    let heading = format!("### {section}\n");
    let (_, text) = GUIDE.split_once(&heading).with_context(|| format!("no section '{section}'"))?;
    let text = text.split("\n#").next().unwrap_or_default();
    let blocks = text.split("```sh\n").skip(1).filter_map(|block| block.split_once("```"));
    Ok(blocks.map(|(commands, _)| commands).collect())
}

fn clear(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if CACHES.iter().any(|cache| entry.file_name() == *cache) {
            continue;
        }
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
    }
    Ok(())
}

async fn run(command: &mut Command, folder: &Path) -> Result<Output> {
    let binary = Path::new(env!("CARGO_BIN_EXE_optimize-backup"));
    let own = binary.parent().context("the folder of the binary")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([own.to_owned()].into_iter().chain(std::env::split_paths(&path)))?;
    let command = command
        .current_dir(folder)
        .env("PATH", path)
        .env("OPTIMIZE_BACKUP", Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        // The guide knows where cargo builds by default, and nothing of how these tests are built.
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command.output().await.context("following the guide")
}

async fn require_tool(name: &str, remedy: &str) -> Result<()> {
    match Command::new(name).arg("--version").stdout(Stdio::null()).status().await {
        Ok(status) if status.success() => Ok(()),
        Err(fault) if fault.kind() == ErrorKind::NotFound => bail!("{name} is missing: {remedy}"),
        other => bail!("{name} --version: {other:?}; {remedy}"),
    }
}

async fn serving(host: &Host) -> Result<Value> {
    Ok(host.get("/actuator/policy").await?.json()?["serving"].take())
}

/// Makes, shows, lists and deletes a backup.
async fn expect_whole_life(host: &Host, fixture: &Fixture, id: u64) -> Result<()> {
    let reply = host.create(id).await?;
    ensure!(reply.status == 202, "{}: {}", reply.status, reply.text);
    assert_eq!(host.create(id).await?.status, 409);
    host.wait_for_state(id, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(id, 1), part(id, 2)]);
    let list = host.get("/actuator/backups").await?.json()?;
    assert_eq!((&list[0]["backupId"], &list[0]["state"]), (&json!(id), &json!("COMPLETE")));
    delete(host, id).await?;
    assert_eq!(host.get(&format!("/actuator/backups/{id}")).await?.status, 404);
    assert!(fixture.repository.snapshots().await?.is_empty());
    Ok(())
}

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn in_rust() -> Result<()> {
    let policy = Guided::follow("In Rust", "policy-in-rust").await?;
    let fixture = Fixture::new(Distribution::ELASTICSEARCH).await?;
    let host = policy.host(&fixture).await?;
    let serving = serving(&host).await?;
    assert_eq!((&serving["name"], &serving["version"]), (&json!("dates-only"), &json!("1.0.0")));
    assert_eq!(serving["signer"], json!("release"));
    for no_date in [7, 20_260_230, 202_611_231_605] {
        let reply = host.create(no_date).await?;
        assert_eq!((reply.status, reply.json()?["errorCode"].take()), (400, json!("notADate")), "{no_date}");
    }
    expect_whole_life(&host, &fixture, 20_261_123).await?;
    the_first_of_a_month_stays(&host).await
}

/// By the rules, only the newest would.
async fn the_first_of_a_month_stays(host: &Host) -> Result<()> {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let first = today.first_of_month().yesterday()?.first_of_month();
    let ids: Vec<u64> = [first, first.tomorrow()?, first.tomorrow()?.tomorrow()?]
        .into_iter()
        .map(|date| Ok(date.strftime("%Y%m%d").to_string().parse()?))
        .collect::<Result<_>>()?;
    for &id in &ids {
        ensure!(host.create(id).await?.status == 202, "{id}");
        host.wait_for_state(id, "COMPLETE").await?;
    }
    let json = [("content-type", "application/json")];
    let reply = host.request("POST", "/actuator/retention", &json, r#"{"dryRun": true}"#).await?.json()?;
    let expired: Vec<&Value> = reply["expired"].as_array().into_iter().flatten().map(|it| &it["backupId"]).collect();
    assert_eq!(expired, [&json!(ids[1])], "{reply}");
    Ok(())
}

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn in_javascript() -> Result<()> {
    let remedy = "install Node.js, version 20 or newer, with npm (packages nodejs and npm)";
    require_tool("node", remedy).await?;
    require_tool("npm", remedy).await?;
    let policy = Guided::follow("In JavaScript", "policy-in-javascript").await?;
    let fixture = Fixture::new(Distribution::ELASTICSEARCH).await?;
    let host = policy.host(&fixture).await?;
    let serving = serving(&host).await?;
    assert_eq!((&serving["name"], &serving["version"]), (&json!("policy-in-javascript"), &json!("1.0.0")));
    // What a JavaScript number cannot hold.
    expect_whole_life(&host, &fixture, 9_223_372_036_854_775_807).await
}
