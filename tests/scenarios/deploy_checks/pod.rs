//! The server as the chart starts it: with its variables, and the files that they name.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use backup_test_support::host::Host;
use backup_test_support::programs::workshop;
use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::chart::everything;
use crate::fixture::bare_options;

/// Where the chart mounts secrets.
const SECRETS: &str = "/run/secrets/";

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn a_server_starts_with_the_variables_of_its_pod() -> Result<()> {
    let folder = tempfile::tempdir_in(workshop("pod")?)?;
    write_secrets(folder.path())?;
    let mut options = bare_options().config("backup:\n  resumeWindow: 20m\n");
    let rendering = everything()?;
    let variables = variables(&rendering)?;
    ensure!(variables.len() > 15, "only {variables:?}");
    for (name, value) in variables {
        options = options.env(name, &value.replace(SECRETS, &format!("{}/", folder.path().display())));
    }
    let host = Host::start(options).await?;
    ensure!(host.output()?.contains("COMPLETED"), "{}", host.output()?);
    ensure!(host.terminate().await?.success(), "it did not end well");
    Ok(())
}

/// The variables of the server's container, which is the first that has any.
fn variables(rendering: &str) -> Result<Vec<(&str, &str)>> {
    let (_, container) = rendering.split_once("          env:\n").context("no container has variables")?;
    let (container, _) = container.split_once("          ports:\n").context("the container has no port")?;
    let lines: Vec<&str> = container.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter_map(|pair| match pair {
        [name, value] => Some((name.strip_prefix("- name: ")?, value.strip_prefix("value: ")?.trim_matches('"'))),
        _ => None,
    });
    Ok(pairs.collect())
}

fn write_secrets(folder: &Path) -> Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["backups.camunda.svc".to_owned()])?;
    let (certificate, key) = (cert.pem(), signing_key.serialize_pem());
    for (file, content) in [
        ("search-engine-password/password", "secret"),
        ("search-engine-ca/ca.crt", &certificate),
        ("tls/tls.crt", &certificate),
        ("tls/tls.key", &key),
        ("tokens/reader", "reader-0123456789abcdef"),
        ("tokens/operator", "operator-0123456789abcdef"),
        ("tokens/admin", "admin-0123456789abcdef"),
    ] {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(path, content)?;
    }
    Ok(())
}
