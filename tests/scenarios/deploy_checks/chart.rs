//! `deploy/helm/optimize-backup`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use backup_test_support::programs::workshop;

use super::root;
use super::tools::{helm, python_tool, run};

const CHART: &str = "deploy/helm/optimize-backup";
/// The oldest version of Kubernetes that the chart is for, and the newest that the schemas are there for.
const VERSIONS: [&str; 2] = ["1.25.0", "1.37.0"];
/// What the server and its container know, beside its settings.
const OTHER_VARIABLES: [&str; 1] = ["TZ"];

/// The files of values that are tried, beside the defaults.
fn values() -> Result<Vec<PathBuf>> {
    let folder = root(CHART).join("ci").canonicalize()?;
    folder.read_dir()?.map(|entry| Ok(entry?.path())).collect()
}

fn render(version: &str, values: Option<&PathBuf>, set: &[&str]) -> Result<String> {
    let mut arguments = vec!["template", "release", CHART, "--namespace", "camunda", "--kube-version", version];
    let file = values.map(|path| path.display().to_string());
    if let Some(file) = &file {
        arguments.extend(["--values", file]);
    }
    for value in set {
        arguments.extend(["--set", value]);
    }
    run(helm()?, &arguments)
}

/// With everything on.
pub(super) fn everything() -> Result<String> {
    render(VERSIONS[1], Some(&root(CHART).join("ci/everything-values.yaml")), &[])
}

/// All that is tried.
fn renderings(version: &str) -> Result<Vec<String>> {
    let files = values()?;
    std::iter::once(None).chain(files.iter().map(Some)).map(|file| render(version, file, &[])).collect()
}

#[test]
#[ignore = "cargo xtask matrix"]
fn helm_lint_finds_nothing() -> Result<()> {
    run(helm()?, &["lint", "--strict", CHART])?;
    for file in values()? {
        run(helm()?, &["lint", "--strict", CHART, "--values", &file.display().to_string()])?;
    }
    Ok(())
}

#[test]
#[ignore = "cargo xtask matrix"]
fn the_manifests_fit_the_schemas_of_kubernetes_and_of_the_prometheus_operator() -> Result<()> {
    let folder = tempfile::tempdir_in(workshop("manifests")?)?;
    for version in VERSIONS {
        let mut arguments = vec!["tests/scenarios/deploy_checks/manifests.py".to_owned(), version.to_owned()];
        for (number, rendering) in renderings(version)?.into_iter().enumerate() {
            let file = folder.path().join(format!("{version}-{number}.yaml"));
            fs::write(&file, rendering)?;
            arguments.push(file.display().to_string());
        }
        run(python_tool("python")?, &arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    Ok(())
}

#[test]
#[ignore = "cargo xtask matrix"]
fn the_rule_has_all_alerts() -> Result<()> {
    let alerts = fs::read_to_string(root("deploy/alerts.yaml"))?;
    let rendering = render(VERSIONS[1], None, &["prometheusRule.enabled=true"])?;
    let alert = |line: &str| line.split_once("alert:").map(|(_, name)| name.trim().to_owned());
    let [expected, found] = [&alerts, &rendering].map(|text| text.lines().filter_map(alert).collect::<Vec<_>>());
    ensure!(!expected.is_empty() && expected == found, "{expected:?}, {found:?}");
    Ok(())
}

#[test]
#[ignore = "cargo xtask matrix"]
fn what_the_chart_does_not_know_is_refused() -> Result<()> {
    for wrong in [
        "replicas=3",
        "replicaCount=-1",
        "completeState=Completed",
        "searchEngine.database=mysql",
        "searchEngine.port=0",
        "searchEngine.host=http://elasticsearch",
        "searchEngine.aws=true",
        "tokens.writerKey=writer",
        "cronJob.timeout=forever",
    ] {
        ensure!(render(VERSIONS[1], None, &[wrong]).is_err(), "{wrong} is accepted");
    }
    Ok(())
}

#[test]
#[ignore = "cargo xtask matrix"]
fn every_variable_is_a_setting() -> Result<()> {
    let pages = ["settings.md", "cli.md"].map(|page| root("docs/reference").join(page));
    let pages = pages.iter().map(fs::read_to_string).collect::<Result<String, _>>()?;
    let mut checked = 0;
    for rendering in renderings(VERSIONS[1])? {
        let names = rendering.lines().filter_map(|line| line.trim().strip_prefix("- name: "));
        for name in names.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')) {
            // The page lists those of OpenSearch only where they are called otherwise.
            let documented = [name.to_owned(), name.replace("_OPENSEARCH_", "_ELASTICSEARCH_")];
            let is_known = documented.iter().any(|name| pages.contains(&format!("`{name}`")));
            ensure!(is_known || OTHER_VARIABLES.contains(&name), "{name} is not in the reference");
            checked += 1;
        }
    }
    ensure!(checked > 40, "only {checked} variables were found");
    Ok(())
}

#[test]
fn the_chart_has_the_version_of_the_project() -> Result<()> {
    let chart = fs::read_to_string(root(CHART).join("Chart.yaml"))?;
    let version = env!("CARGO_PKG_VERSION");
    for line in [format!("version: {version}"), format!("appVersion: \"{version}\"")] {
        ensure!(chart.lines().any(|found| found == line), "Chart.yaml lacks the line {line}");
    }
    Ok(())
}
