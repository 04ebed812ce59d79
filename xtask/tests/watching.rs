//! Metrics, alerts and dashboard agree: docs/reference/metrics.md, of which a test in tests/scenarios/metrics.rs says that it has what a
//! server exports, and what is under deploy/.

#![allow(clippy::indexing_slicing, reason = "a missing member of a JSON value is null")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

fn read(path: &str) -> Result<String> {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).with_context(|| path)
}

/// A rule of deploy/alerts.yaml, of which each value stands on the line of its key.
struct Alert {
    name: String,
    values: BTreeMap<String, String>,
}

impl Alert {
    fn of(block: &str) -> Result<Self> {
        let mut lines = block.lines();
        let name = lines.next().context("a name")?.to_owned();
        let values = lines.filter_map(|line| line.trim().split_once(": "));
        Ok(Self { name, values: values.map(|(key, value)| (key.to_owned(), value.to_owned())).collect() })
    }

    fn get(&self, key: &str) -> Result<&str> {
        Ok(self.values.get(key).with_context(|| format!("{} has no {key}", self.name))?)
    }

    /// Its row in the table of the reference.
    fn row(&self) -> Result<String> {
        let [summary, severity, wait, query] = ["summary", "severity", "for", "expr"].map(|key| self.get(key));
        let (name, query) = (&self.name, query?.replace('|', "\\|"));
        let link = format!("[`{name}`](../operations.md#{})", name.to_lowercase());
        Ok(format!("| {link} | {} | {} | {} | `{query}` |", summary?, severity?, wait?))
    }
}

fn alerts() -> Result<Vec<Alert>> {
    read("deploy/alerts.yaml")?.split("- alert: ").skip(1).map(Alert::of).collect()
}

#[test]
fn the_table_of_alerts_has_every_rule_as_it_is() -> Result<()> {
    let rows: Vec<String> = alerts()?.iter().map(Alert::row).collect::<Result<_>>()?;
    let reference = read("docs/reference/metrics.md")?;
    let table: Vec<&str> = reference.lines().filter(|line| line.starts_with("| [`OptimizeBackup")).collect();
    ensure!(table == rows, "docs/reference/metrics.md should have this table:\n{}", rows.join("\n"));
    Ok(())
}

#[test]
fn the_runbook_has_every_alert_in_the_order_of_the_rules() -> Result<()> {
    let alerts: Vec<String> = alerts()?.into_iter().map(|alert| alert.name).collect();
    let operations = read("docs/operations.md")?;
    let headings = operations.lines().filter_map(|line| line.strip_prefix("### "));
    let told: Vec<&str> = headings.filter(|heading| heading.starts_with("OptimizeBackup")).collect();
    assert_eq!(told, alerts);
    Ok(())
}

#[test]
fn each_alert_says_what_is_wrong_and_where_help_is_and_has_a_test_that_it_fires_and_one_that_it_does_not() -> Result<()>
{
    let tests = read("deploy/alerts_test.yaml")?;
    for alert in alerts()? {
        let name = &alert.name;
        let help = format!("docs/operations.md#{}", name.to_lowercase());
        assert_eq!(alert.get("runbook_url")?, help);
        for key in ["summary", "description", "severity", "for"] {
            alert.get(key)?;
        }
        let cases = format!("        alertname: {name}\n        exp_alerts:");
        let cases: Vec<&str> = tests.split(&cases).skip(1).filter_map(|rest| rest.lines().next()).collect();
        assert!(cases.contains(&" []") && cases.contains(&""), "{name} needs both tests in deploy/alerts_test.yaml");
    }
    Ok(())
}

/// Every metric of the reference, as queries name it.
fn exported() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::from(["up".to_owned()]);
    for row in read("docs/reference/metrics.md")?.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (metric, rest) = row.split_once('`').context("a metric")?;
        let name = metric.split('{').next().unwrap_or_default();
        if rest.contains("| histogram |") {
            names.extend(["bucket", "count", "sum"].map(|part| format!("{name}_{part}")));
        } else {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

/// The metrics in a query: words before a brace or bracket, or with an underline and before a parenthesis that closes.
fn metrics_of(query: &str) -> BTreeSet<String> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut found = BTreeSet::new();
    let (mut rest, mut in_braces) = (query, false);
    while let Some(letter) = rest.chars().next() {
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            in_braces = letter == '{' || (in_braces && letter != '}');
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        let is_metric = after.starts_with('{') || word.starts_with("optimize_backup_");
        if is_metric && !in_braces {
            found.insert(word.to_owned());
        }
        rest = after;
    }
    found
}

fn dashboard() -> Result<Vec<String>> {
    let dashboard: Value = serde_json::from_str(&read("deploy/dashboard.json")?)?;
    let panels = dashboard["panels"].as_array().context("panels")?.iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| Ok(target["expr"].as_str().context("expr")?.to_owned())).collect()
}

#[test]
fn alerts_and_dashboard_ask_only_for_what_a_server_exports() -> Result<()> {
    let exported = exported()?;
    let mut queries = dashboard()?;
    ensure!(queries.len() > 20);
    for alert in alerts()? {
        queries.push(alert.get("expr")?.to_owned());
    }
    for query in queries {
        let metrics = metrics_of(&query);
        ensure!(!metrics.is_empty(), "{query} names no metric");
        let unknown: Vec<_> = metrics.difference(&exported).collect();
        ensure!(unknown.is_empty(), "{query}: no server exports {unknown:?}");
    }
    Ok(())
}

#[test]
fn the_metrics_of_a_query_are_found() {
    let query =
        r#"sum by (le) (rate(a_bucket{b=~"c.*"}[5m])) > time() - max without (d) (optimize_backup_e) or up{f="g"}"#;
    let expected = ["a_bucket", "optimize_backup_e", "up"].map(str::to_owned);
    assert_eq!(metrics_of(query), BTreeSet::from(expected));
}
