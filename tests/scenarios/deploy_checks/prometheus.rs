//! What Prometheus' own tool says of the alerts, of the dashboard's queries and of a scrape.

use std::fmt::Write;

use anyhow::{Context, Result};
use backup_test_support::host::Host;
use serde_json::Value;

use super::root;
use super::tools::run_installed;
use crate::fixture::bare_options;

const PACKAGE: &str = "prometheus, which has promtool";

fn promtool(arguments: &[&str]) -> Result<String> {
    run_installed("promtool", arguments, PACKAGE)
}

#[test]
#[ignore = "column deploy"]
fn each_alert_fires_where_it_should_and_nowhere_else() -> Result<()> {
    promtool(&["check", "rules", "deploy/alerts.yaml"])?;
    promtool(&["test", "rules", "deploy/alerts_test.yaml"])?;
    Ok(())
}

/// A rule is a query with a name.
#[test]
#[ignore = "column deploy"]
fn the_queries_of_the_dashboard_can_be_read() -> Result<()> {
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(root("deploy/dashboard.json"))?)?;
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    let targets =
        dashboard["panels"].as_array().context("panels")?.iter().filter_map(|panel| panel["targets"].as_array());
    for (number, target) in targets.flatten().enumerate() {
        let query = target["expr"].as_str().context("expr")?.replace("$__rate_interval", "5m");
        writeln!(rules, "      - {{record: 'query:{number}', expr: '{query}'}}")?;
    }
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, rules)?;
    promtool(&["check", "rules", &file.path().display().to_string()])?;
    Ok(())
}

#[tokio::test]
#[ignore = "column deploy"]
async fn a_scrape_is_as_prometheus_wants_it() -> Result<()> {
    let host = Host::start(bare_options()).await?;
    host.get("/actuator/backups/1").await?;
    let scrape = host.get("/actuator/prometheus").await?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, scrape.text)?;
    let check = format!("promtool check metrics < {}", file.path().display());
    run_installed("sh", &["-c", &check], PACKAGE)?;
    Ok(())
}
